using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Import.Columns;

/// <summary>
/// Reads the rows in dead letters that had become records, but contained values that do not match their columns: these values are
/// converted as in the row's file. A record is valid until the next call.
/// </summary>
/// <param name="request">The replay.</param>
sealed class MisfitReader(ImportRequest request)
{
    const int LongestTime = 64;

    static readonly SearchValues<char> OfTimes = SearchValues.Create("0123456789:.-");

    readonly ColumnValue _value = new(request);
    readonly ColumnValue _stored = new(request with { TimeFormat = null, TimeZone = null }); // times as binary formats store them
    readonly NumberText _number = new(request.DecimalSeparator);
    readonly ArrayBufferWriter<byte> _json = new();
    byte[] _facts = [];
    Dictionary<string, Misfit> _fields = [];

    /// <param name="record">The record of the dead letter.</param>
    /// <param name="misfits">The fields to read again, as stored alongside.</param>
    /// <exception cref="FormatException">They are damaged.</exception>
    public Record Read(scoped in Record record, ReadOnlySpan<byte> misfits)
    {
        if (!misfits.SequenceEqual(_facts))
            (_fields, _facts) = (Misfit.Parse(misfits).ToDictionary(misfit => misfit.Field, Typed, StringComparer.Ordinal), misfits.ToArray());
        var read = record with { IsBuilt = true, Misfits = misfits };
        _json.ResetWrittenCount();
        try
        {
            var reader = new Utf8JsonReader(record.Bytes);
            reader.Read();
            if (reader.TokenType is not JsonTokenType.StartObject) return read;
            var fault = Copy(ref reader, record.Bytes, isRoot: true);
            reader.Read(); // text after the record makes it invalid
            return fault is not null ? read with { Rejection = fault } : read with { Bytes = _json.WrittenSpan, Misfits = default };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return read; // rejected when it is checked
        }
    }

    /// <summary>The field with the type that the replay specifies for its column, if any.</summary>
    Misfit Typed(Misfit misfit) => !request.ColumnTypes.TryGetValue(misfit.Column, out var type) ? misfit
        : misfit with { Type = type, IsInferred = false, HoldsProperties = misfit.HoldsProperties && type is ImportColumnType.Json };

    /// <summary>Copies an object with its fields converted, or returns why one of them is invalid.</summary>
    Rejection? Copy(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, bool isRoot)
    {
        Rejection? fault = null;
        var isEmpty = true;
        _json.Write("{"u8);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var quoted = record.Slice((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2);
            var name = reader.GetString()!;
            reader.Read();
            if (isRoot && request.Mapping is null && reader.TokenType is JsonTokenType.StartObject && name == RecordFields.Properties(request.Type).Field)
            {
                Begin(quoted, ref isEmpty);
                fault ??= Copy(ref reader, record, isRoot: false);
                continue;
            }

            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var value = record[start..(int)reader.BytesConsumed];
            if (IsHere(name, isRoot) && _fields.TryGetValue(name, out var misfit) && !request.Drop.Contains(name, StringComparer.Ordinal))
            {
                fault ??= Convert(misfit, value, out value);
                if (value.IsEmpty) continue;
                if (misfit.HoldsProperties && value is [(byte)'{', .. var members, (byte)'}'])
                {
                    members = members.Trim(" \t\r\n"u8);
                    if (members.IsEmpty) continue;
                    Separate(ref isEmpty);
                    _json.Write(members);
                    continue;
                }
            }

            Begin(quoted, ref isEmpty);
            _json.Write(value);
        }

        _json.Write("}"u8);
        return fault;
    }

    void Begin(ReadOnlySpan<byte> quoted, ref bool isEmpty)
    {
        Separate(ref isEmpty);
        _json.Write(quoted);
        _json.Write(":"u8);
    }

    void Separate(ref bool isEmpty)
    {
        if (!isEmpty) _json.Write(","u8);
        isEmpty = false;
    }

    /// <summary>Whether a field of this name is at the root of the record, or in its properties. A mapped record is an object of all columns.</summary>
    bool IsHere(string name, bool isRoot) => isRoot == (request.Mapping is not null || name == RecordFields.Root(request.Type).Field);

    /// <param name="misfit">The field.</param>
    /// <param name="value">Its value as JSON.</param>
    /// <param name="converted">The result as JSON; empty for none.</param>
    Rejection? Convert(Misfit misfit, ReadOnlySpan<byte> value, out ReadOnlySpan<byte> converted)
    {
        converted = value;
        if (value.SequenceEqual("null"u8) || value.SequenceEqual("\"\""u8))
        {
            converted = default;
            return null;
        }

        if (misfit.Temporal is { } temporal && !TryTemporal(value, temporal, out converted)) return ColumnValue.OutOfRange(misfit.Column, temporal);
        if (misfit is { Type: { } type, IsInferred: true } && !TryInferred(value, type, out converted))
            return ColumnValue.Misfit(misfit.Column, type, told: false);
        if (misfit is { Type: { } told, IsInferred: false } && !_value.TryConvert(converted, told, IsEventTime(misfit), out converted))
            return ColumnValue.Misfit(misfit.Column, told, told: true);
        if (!misfit.HoldsProperties || converted.IsEmpty) return null;
        if (!ColumnValue.TryProperties(converted is [(byte)'"', ..] ? _value.Unescape(converted) : converted, out converted))
            return ColumnValue.NoProperties(misfit.Column);
        if (converted.SequenceEqual("null"u8)) converted = default;
        return null;
    }

    bool IsEventTime(Misfit misfit) => request is { Type: ImportType.Events, Mapping: null } && misfit.Field == "time";

    bool TryInferred(ReadOnlySpan<byte> value, ImportColumnType type, out ReadOnlySpan<byte> converted)
    {
        converted = value;
        var isText = value is [(byte)'"', ..];
        var text = isText ? _value.Unescape(value) : value;
        if (type is ImportColumnType.Number)
            return isText ? _number.TryRead(text, exponents: false, out converted) : NumberText.IsLiteral(text, exponents: true);
        var isTrue = Ascii.EqualsIgnoreCase(text, "true"u8);
        converted = isTrue ? "true"u8 : "false"u8;
        return isTrue || Ascii.EqualsIgnoreCase(text, "false"u8);
    }

    /// <summary>Reads a date or a time that is in range. One within a list or an object keeps its form.</summary>
    bool TryTemporal(ReadOnlySpan<byte> value, Temporal temporal, out ReadOnlySpan<byte> converted)
    {
        converted = value;
        if (value is [(byte)'{' or (byte)'[', ..]) return AreInRange(value, temporal);
        if (value is not [(byte)'"', ..]) return false;
        var text = _value.Unescape(value);
        if (text.Length > LongestTime) return false;
        var written = Encoding.UTF8.GetString(text);
        return temporal switch
        {
            Temporal.Date => DateOnly.TryParseExact(written, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            Temporal.TimeOfDay => IsTimeOfDay(written),
            _ => IsWritten(written, "yyyy-MM-dd'T'HH:mm:ss") || _stored.TryConvert(value, ImportColumnType.Time, isEventTime: false, out converted),
        };
    }

    static bool IsTimeOfDay(string written) => IsWritten(written, "HH:mm:ss") || written == "24:00:00";

    /// <summary>Whether a time is written in a format, with at most nine more digits.</summary>
    static bool IsWritten(string written, string format)
    {
        var point = written.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0 && (written.Length - point is < 2 or > 10 || written.AsSpan(point + 1).ContainsAnyExceptInRange('0', '9'))) return false;
        return DateTime.TryParseExact(point < 0 ? written : written[..point], format, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
    }

    /// <summary>Whether no text in a list or an object is a date or a time that is out of range.</summary>
    static bool AreInRange(ReadOnlySpan<byte> value, Temporal temporal)
    {
        var reader = new Utf8JsonReader(value);
        while (reader.Read())
        {
            if (reader.TokenType is not JsonTokenType.String || reader.ValueSpan.Length > LongestTime) continue;
            var text = reader.GetString()!;
            if (temporal is Temporal.TimeOfDay ? LooksLikeTimeOfDay(text) && !IsTimeOfDay(text) : IsOutOfRange(text)) return false;
        }

        return true;
    }

    static bool LooksLikeTimeOfDay(string text) => text.Split(':') is [_, _, _] && !text.AsSpan().ContainsAnyExcept(OfTimes);

    /// <summary>Whether a text is a date with a sign, or of the year 0, which is how a date out of range is written.</summary>
    static bool IsOutOfRange(string text)
    {
        var date = text.TrimStart('+', '-');
        var year = date.IndexOf('-', StringComparison.Ordinal);
        if (year < 4 || date.AsSpan(0, year).ContainsAnyExceptInRange('0', '9') || date.Length < year + 6 || date[year + 3] != '-') return false;
        return date.Length < text.Length || date.StartsWith("0000", StringComparison.Ordinal);
    }
}
