using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Import.Columns;

/// <summary>Converts column values to the requested type. Results are valid until the next call.</summary>
/// <param name="request">Specifies how numbers are written.</param>
sealed class ColumnValue(ImportRequest request)
{
    static readonly NumberText Literal = new('.');

    readonly NumberText _number = new(request.DecimalSeparator);
    readonly TimeReader _times = new(request);
    byte[] _text = [];
    byte[] _made = [];

    /// <summary>Converts a value; false when it has a different type. Null and empty text convert to nothing.</summary>
    /// <param name="value">A value as JSON.</param>
    /// <param name="type">The target type.</param>
    /// <param name="isEventTime">Whether it is the time of an event.</param>
    /// <param name="converted">The result as JSON.</param>
    public bool TryConvert(ReadOnlySpan<byte> value, ImportColumnType type, bool isEventTime, out ReadOnlySpan<byte> converted)
    {
        converted = value;
        if (!Utf8.IsValid(value)) return true; // invalid UTF-8 is reported instead
        if (value is [(byte)'{' or (byte)'[', ..]) return type is ImportColumnType.Json || TryExtended(value, type, isEventTime, out converted);
        if (value.SequenceEqual("null"u8))
        {
            converted = default;
            return true;
        }

        var isText = value is [(byte)'"', ..];
        var text = isText ? Unescape(value) : value;
        if (text.IsEmpty)
        {
            converted = default;
            return true;
        }

        switch (type)
        {
            case ImportColumnType.Text:
                if (!isText) converted = Quoted(text);
                return true;
            case ImportColumnType.Number:
                return (isText ? _number : Literal).TryRead(text, exponents: true, out converted);
            case ImportColumnType.Boolean:
                var truth = Truth(text);
                converted = truth is true ? "true"u8 : "false"u8;
                return truth is not null;
            case ImportColumnType.Time:
                return TryTime(text, isEventTime, out converted);
            default:
                converted = text.Trim(" \t\r\n"u8);
                return IsJson(converted);
        }
    }

    /// <summary>Whether a JSON string is a date or time by its form. One that only counts, such as <c>007</c>, is not.</summary>
    public bool IsTime(ReadOnlySpan<byte> quoted)
    {
        if (!Utf8.IsValid(quoted)) return false;
        var text = Unescape(quoted);
        return text.Length <= TimeText.Longest && _times.Read(text, out _, out var isCount) is TimeReading.Read && !isCount;
    }

    /// <summary>The rejection of a record with a value of the wrong type.</summary>
    /// <param name="column">The column's name.</param>
    /// <param name="type">The type of the column.</param>
    /// <param name="told">Whether the caller specified the type; otherwise it was inferred from the column's first values.</param>
    public static Rejection Misfit(string column, ImportColumnType type, bool told)
    {
        var (shown, name) = (RecordFields.Shown(column), type.ToString().ToLowerInvariant());
        SettingText message = told
            ? $"the column {shown} contains a value that is not of type {name}"
            : $"the first values of the column {shown} are of type {name}, this one is not";
        if (type is ImportColumnType.Time) message = $"{message}; {Setting.TimeFormat} sets the format of times";
        if (type is not ImportColumnType.Text) message = $"{message}; {Setting.ColumnTypes.With($"{shown}=text")} reads all its values as text";
        return new("column_type", $"properties.{shown}", message);
    }

    /// <summary>Reads the object, or null, from a text that holds all properties; false when it is neither.</summary>
    public static bool TryProperties(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> properties)
    {
        properties = text.Trim(" \t\r\n"u8);
        return properties.SequenceEqual("null"u8) || (properties is [(byte)'{', .., (byte)'}'] && IsJson(properties));
    }

    /// <summary>The rejection of a record whose properties column holds something else.</summary>
    /// <param name="column">The column's name.</param>
    public static Rejection NoProperties(string column)
    {
        var shown = RecordFields.Shown(column);
        return new("properties_invalid", $"properties.{shown}",
            $"{shown} must contain the properties as a JSON object, or as the text of one. Fix it; {Setting.ColumnTypes.With($"{shown}=text")} reads all its values as text");
    }

    /// <summary>The rejection of a record with a date or a time that a binary format can store, and JSON cannot express.</summary>
    /// <param name="column">The column's name.</param>
    /// <param name="temporal">What the column stores.</param>
    public static Rejection OutOfRange(string column, Temporal temporal) =>
        new("date_range", column,
            temporal is Temporal.TimeOfDay
                ? "the column has a time of day that does not exist"
                : "the column has a date that is infinite, or outside the years 1 to 9999");

    /// <summary>Whether the text is a single JSON value.</summary>
    public static bool IsJson(ReadOnlySpan<byte> text)
    {
        try
        {
            var reader = new Utf8JsonReader(text);
            while (reader.Read()) { }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    bool TryExtended(ReadOnlySpan<byte> value, ImportColumnType type, bool isEventTime, out ReadOnlySpan<byte> converted)
    {
        converted = value;
        var kind = ExtendedJson.Read(value, out var text);
        if (kind is ExtendedKind.None) return false;
        if (type is ImportColumnType.Time)
            return _times.ReadExtended(value, out var time, out var isCount) is TimeReading.Read && TryWriteTime(time, isCount, isEventTime, out converted);
        if (type is ImportColumnType.Text) converted = Quoted(text);
        else if (type is ImportColumnType.Number)
            return kind is ExtendedKind.Number or ExtendedKind.Milliseconds && Literal.TryRead(text, exponents: true, out converted);
        return type is ImportColumnType.Text;
    }

    static bool? Truth(ReadOnlySpan<byte> text)
    {
        if (text.Length > 5) return null;
        Span<byte> lower = stackalloc byte[5];
        if (Ascii.ToLower(text, lower, out var length) is not System.Buffers.OperationStatus.Done) return null;
        lower = lower[..length];
        if (lower.SequenceEqual("true"u8) || lower.SequenceEqual("t"u8) || lower.SequenceEqual("yes"u8) || lower.SequenceEqual("y"u8)
            || lower.SequenceEqual("1"u8))
            return true;
        return lower.SequenceEqual("false"u8) || lower.SequenceEqual("f"u8) || lower.SequenceEqual("no"u8) || lower.SequenceEqual("n"u8)
            || lower.SequenceEqual("0"u8)
            ? false
            : null;
    }

    bool TryTime(ReadOnlySpan<byte> text, bool isEventTime, out ReadOnlySpan<byte> converted)
    {
        converted = default;
        return text.Length <= TimeText.Longest && _times.Read(text, out var time, out var isCount) is TimeReading.Read
            && TryWriteTime(time, isCount, isEventTime, out converted);
    }

    bool TryWriteTime(long time, bool isCount, bool isEventTime, out ReadOnlySpan<byte> converted)
    {
        converted = default;
        Reserve(ref _made, 40);
        int length;
        if (isEventTime)
        {
            (isCount ? time : TimeReader.OfEvent(time)).TryFormat(_made, out length, provider: CultureInfo.InvariantCulture);
            converted = _made.AsSpan(0, length);
            return true;
        }

        if (isCount && TimeReader.MayBeDate(time, isEventTime: false)) return false;
        if (isCount && time is >= -TimeReader.LargestSeconds and <= TimeReader.LargestSeconds) time *= 1000;
        if (time < DateTimeOffset.MinValue.ToUnixTimeMilliseconds() || time > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return false;
        DateTimeOffset.FromUnixTimeMilliseconds(time)
            .TryFormat(_made, out length, time % 1000 == 0 ? "'\"'yyyy-MM-dd'T'HH:mm:ss'\"'" : "'\"'yyyy-MM-dd'T'HH:mm:ss.fff'\"'",
                CultureInfo.InvariantCulture);
        converted = _made.AsSpan(0, length);
        return true;
    }

    ReadOnlySpan<byte> Quoted(ReadOnlySpan<byte> literal)
    {
        Reserve(ref _made, literal.Length + 2);
        _made[0] = _made[literal.Length + 1] = (byte)'"';
        literal.CopyTo(_made.AsSpan(1));
        return _made.AsSpan(0, literal.Length + 2);
    }

    /// <summary>The text of a JSON string; <c>?</c> when it contains an unpaired surrogate, which is rejected elsewhere.</summary>
    public ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> quoted)
    {
        if (!quoted.Contains((byte)'\\')) return quoted[1..^1];
        Reserve(ref _text, quoted.Length);
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        try
        {
            return _text.AsSpan(0, reader.CopyString(_text));
        }
        catch (InvalidOperationException)
        {
            return "?"u8;
        }
    }

    static void Reserve(ref byte[] buffer, int length)
    {
        if (buffer.Length < length) buffer = new byte[Math.Max(length, 256)];
    }
}
