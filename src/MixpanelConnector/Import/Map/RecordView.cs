using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Import.Map;

/// <summary>A value found in a record or derived from one: text without its quotes, or any other value as JSON.</summary>
/// <param name="Type">Its type; none for nothing.</param>
/// <param name="Buffer">The buffer that contains it.</param>
/// <param name="Start">Its start in the buffer.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="IsEscaped">Whether it is text with escapes.</param>
/// <param name="Node">Its index in the record's tree; <see cref="JsonTree.None"/> when it was derived.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct Found(JsonTokenType Type, byte[]? Buffer, int Start, int Length, bool IsEscaped, int Node)
{
    public static readonly Found Nothing = new(JsonTokenType.None, null, 0, 0, IsEscaped: false, JsonTree.None);

    public bool IsThere => Type is not JsonTokenType.None;

    public bool IsText => Type is JsonTokenType.String;

    public bool IsContainer => Type is JsonTokenType.StartObject or JsonTokenType.StartArray;

    /// <summary>The value as written in JSON, text without its quotes.</summary>
    public ReadOnlySpan<byte> Raw => Buffer.AsSpan(Start, Length);

    public static Found Of(in JsonTree.Node node, int index) => node.Type switch
    {
        JsonTokenType.Null => Nothing,
        JsonTokenType.String => new(node.Type, node.Text, node.Start + 1, node.End - node.Start - 2, node.IsEscaped, index),
        _ => new(node.Type, node.Text, node.Start, node.End - node.Start, IsEscaped: false, index),
    };

    public static Found NameOf(in JsonTree.Node node) =>
        new(JsonTokenType.String, node.Text, node.NameStart, node.NameEnd - node.NameStart, node.NameIsEscaped, JsonTree.None);
}

/// <summary>The record being mapped, and the values derived from it until the next one.</summary>
sealed class RecordView
{
    byte[] _made = new byte[4096];
    int _used;

    public JsonTree Tree { get; } = new();

    /// <summary>The lookups of the mapping in other files.</summary>
    public MappingLookups Lookups { get; set; } = MappingLookups.None;

    /// <summary>Whether what is blank or empty is not missing, as in hashes, which must stay the same.</summary>
    public bool KeepsEmpty { get; set; }

    /// <summary>Whether empty text is not missing, either, as the value of an entry that has no other.</summary>
    public bool KeepsEmptyText { get; set; }

    /// <summary>Receives the paths at which a value is sought but missing; null to note none.</summary>
    public List<string>? Sought { get; set; }

    /// <summary>The name of its input, as text.</summary>
    public Found File { get; set; } = Found.Nothing;

    /// <summary>Parses the next record; false when it is not a JSON object.</summary>
    public bool TryTake(ReadOnlySpan<byte> record)
    {
        Reuse();
        return Tree.TryParse(record);
    }

    /// <summary>Discards derived values.</summary>
    public void Reuse() => _used = 0;

    /// <summary>Whether a value counts as missing.</summary>
    public bool IsMissing(in Found found) => KeepsEmpty ? !found.IsThere || (!KeepsEmptyText && found is { IsText: true, Length: 0 }) : found switch
    {
        { IsText: true } => JsonValues.IsBlank(found.Raw),
        { IsContainer: true, Node: >= 0 } => Tree.IsMissing(found.Node),
        _ => !found.IsThere,
    };

    /// <summary>The path of a value: the names that lead to it, without the indexes of entries.</summary>
    public string PathOf(int value)
    {
        var names = new Stack<string>();
        for (; value > 0; value = Tree[value].Parent)
            if (!Tree[value].RawName.IsEmpty) names.Push(Encoding.UTF8.GetString(TextOf(Found.NameOf(in Tree[value]))));
        return string.Join('.', names);
    }

    /// <summary>The text of a value; numbers and the like as written.</summary>
    public ReadOnlySpan<byte> TextOf(in Found found)
    {
        if (!found.IsEscaped) return found.Raw;
        var text = Reserve(found.Length, out _, out _);
        return text[..JsonValues.Unescape(found.Raw, text)];
    }

    /// <summary>Creates a value derived from others.</summary>
    public Found Made(JsonTokenType type, ReadOnlySpan<byte> text)
    {
        text.CopyTo(Reserve(text.Length, out var buffer, out var start));
        return new(type, buffer, start, text.Length, IsEscaped: false, JsonTree.None);
    }

    /// <summary>Creates text that may need escapes.</summary>
    public Found MadeText(ReadOnlySpan<byte> text)
    {
        if (JsonValues.IsPlain(text)) return Made(JsonTokenType.String, text);
        var json = JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes;
        return Made(JsonTokenType.String, json) with { IsEscaped = true };
    }

    public Found Number(long number)
    {
        Span<byte> digits = stackalloc byte[24];
        number.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
        return Made(JsonTokenType.Number, digits[..length]);
    }

    /// <summary>Reserves space that stays valid until the next record.</summary>
    Span<byte> Reserve(int length, out byte[] buffer, out int start)
    {
        if (_made.Length - _used < length)
        {
            _made = new byte[Math.Max(length, Math.Min(_made.Length * 2, 1 << 20))]; // earlier values keep the previous buffer
            _used = 0;
        }

        (buffer, start) = (_made, _used);
        _used += length;
        return buffer.AsSpan(start, length);
    }
}

/// <summary>The unit of a number that represents a time.</summary>
enum TimeUnit
{
    /// <summary>By its number of digits: up to 10 are seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds.</summary>
    ByDigits,
    Seconds,
    Milliseconds,
    Microseconds,
}

/// <summary>Parses the times of other tools: ISO 8601 text, in UTC if it has no zone, and counts since 1970.</summary>
static class MappedTime
{
    const decimal MostSeconds = 253_402_300_800; // the year 10000

    /// <summary>Parses a time to milliseconds since 1970, rounded down.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, TimeUnit unit, out long time)
    {
        time = 0;
        text = text.Trim(" \t"u8);
        if (text.Length is 0 or > TimeText.Longest) return false;
        if (TimeText.TryRead(text, out time, out _)) return true;
        if (!decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture,
            out var count))
            return false;
        decimal? factor = unit switch
        {
            TimeUnit.Seconds => 1000m,
            TimeUnit.Milliseconds => 1m,
            TimeUnit.Microseconds => 0.001m,
            _ => Math.Abs(count) switch
            {
                < 10_000_000_000m => 1000m,
                >= 1_000_000_000_000m and < 10_000_000_000_000m => 1m,
                >= 1_000_000_000_000_000m and < 10_000_000_000_000_000m => 0.001m,
                >= 1_000_000_000_000_000_000m => 0.000001m,
                _ => null,
            },
        };
        if (factor is null || Math.Abs(count) > MostSeconds * 1000 / factor) return false;
        time = (long)Math.Floor(count * factor.Value);
        return true;
    }
}
