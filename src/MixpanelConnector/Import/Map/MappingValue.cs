using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Import.Map;

/// <summary>
/// A value that a mapping reads: its origin, its condition, and its conversion. Absent when it is missing: null, blank text, or what is empty.
/// </summary>
abstract class MappingValue
{
    /// <summary>Whether it is a value of the record, as it is or in another form, not made from several or by rules that need a certain text.</summary>
    public virtual bool IsCopied => false;

    public abstract Found Read(RecordView record, in Scope scope);

    /// <summary>Reads all alternatives, so that none of them counts as unread.</summary>
    public virtual void ReadAll(RecordView record, in Scope scope) => Read(record, in scope);

    /// <summary>
    /// Whether a value is an object or a list, of which nothing can be made where a scalar is needed. Its content would be lost, if it has any.
    /// </summary>
    public static bool IsLostIn(RecordView record, in Found found)
    {
        if (found is { IsContainer: true, Node: >= 0 } && !record.Tree.IsEmpty(found.Node)) record.Tree.Miss(found.Node, NeededShape.Scalar);
        return found.IsContainer;
    }

    /// <summary>Notes that a value could not be converted, by which it becomes absent.</summary>
    /// <param name="record">The record.</param>
    /// <param name="found">The value.</param>
    /// <param name="taken">The number of values taken before it was read.</param>
    protected static Found Failed(RecordView record, in Found found, int taken)
    {
        record.Tree.Fail(found.Node >= 0 ? found.Node : record.Tree.LastTaken(taken));
        return Found.Nothing;
    }
}

/// <summary>The value at a path.</summary>
/// <param name="path">The path.</param>
/// <param name="none">Texts that count as absent.</param>
sealed class PathValue(MappingPath path, IReadOnlyList<byte[]> none) : MappingValue
{
    public override bool IsCopied => true;

    public override Found Read(RecordView record, in Scope scope)
    {
        var found = path.Find(record, in scope);
        if (record.IsMissing(in found))
        {
            if (record is { Sought: { } sought, Tree.IsTest: false } && path.Shown(record, in scope) is { } shown) sought.Add(shown);
            return Found.Nothing;
        }

        var taken = record.Tree.Takes;
        if (!found.IsContainer) record.Tree.Take(found.Node); // an object or a list is taken where it becomes part of the result
        for (var i = 0; i < none.Count && found.IsText; i++)
        {
            if (!found.Raw.SequenceEqual(none[i])) continue;
            record.Tree.Keep(taken);
            return Found.Nothing;
        }

        return found;
    }
}

/// <summary>An id, which is absent when it identifies nobody. What is neither a text nor a number cannot be one.</summary>
sealed class IdValue(MappingValue value) : MappingValue
{
    public override Found Read(RecordView record, in Scope scope)
    {
        var found = value.Read(record, in scope);
        return !found.IsThere || IsNone(record, in found) || RecordMapper.IsNobody(record.TextOf(in found)) ? Found.Nothing : found;
    }

    /// <summary>Whether a value cannot be an id. Its content would be lost.</summary>
    public static bool IsNone(RecordView record, in Found found)
    {
        if (found.Type is JsonTokenType.String or JsonTokenType.Number) return false;
        if (found.Node >= 0 && !record.Tree.IsMissing(found.Node)) record.Tree.Lose(found.Node, NeededShape.Id);
        return true;
    }
}

/// <summary>A constant.</summary>
sealed class ConstantValue : MappingValue
{
    readonly Found _value;

    public ConstantValue(JsonElement json)
    {
        var text = Encoding.UTF8.GetBytes(json.GetRawText());
        var tree = new JsonTree.Node
        {
            Text = text,
            End = text.Length,
            Type = TypeOf(json.ValueKind),
            IsEscaped = json.ValueKind is JsonValueKind.String && text.AsSpan().Contains((byte)'\\'),
        };
        _value = Found.Of(in tree, JsonTree.None);
    }

    public override Found Read(RecordView record, in Scope scope) => _value;

    static JsonTokenType TypeOf(JsonValueKind kind) => kind switch
    {
        JsonValueKind.String => JsonTokenType.String,
        JsonValueKind.Number => JsonTokenType.Number,
        JsonValueKind.True => JsonTokenType.True,
        JsonValueKind.False => JsonTokenType.False,
        JsonValueKind.Object => JsonTokenType.StartObject,
        JsonValueKind.Array => JsonTokenType.StartArray,
        _ => JsonTokenType.Null,
    };
}

/// <summary>The first of several values that is present.</summary>
sealed class FirstValue(IReadOnlyList<MappingValue> values) : MappingValue
{
    public override bool IsCopied { get; } = values.All(value => value.IsCopied);

    public override Found Read(RecordView record, in Scope scope)
    {
        foreach (var value in values)
        {
            var taken = record.Tree.Takes;
            if (value.Read(record, in scope) is { IsThere: true } found) return found;
            record.Tree.GiveBack(taken);
        }

        return Found.Nothing;
    }

    public override void ReadAll(RecordView record, in Scope scope)
    {
        foreach (var value in values) value.ReadAll(record, in scope);
    }
}

/// <summary>Text with embedded values; absent when one of them is.</summary>
/// <param name="parts">Literal text, or a value.</param>
sealed class TextValue(IReadOnlyList<(byte[] Text, MappingValue? Value)> parts) : MappingValue
{
    readonly ArrayBufferWriter<byte> _text = new();

    public override Found Read(RecordView record, in Scope scope)
    {
        _text.ResetWrittenCount();
        foreach (var (text, value) in parts)
        {
            if (value is null)
            {
                _text.Write(text);
                continue;
            }

            var found = value.Read(record, in scope);
            if (!found.IsThere || IsLostIn(record, in found)) return Found.Nothing;
            _text.Write(record.TextOf(in found));
        }

        return record.MadeText(_text.WrittenSpan);
    }
}

/// <summary>The time of an event by the receiver's clock, from which the sender's may differ: received − (sent − original).</summary>
sealed class ClockValue(MappingValue original, MappingValue sent, MappingValue received) : MappingValue
{
    public override Found Read(RecordView record, in Scope scope) =>
        TryRead(original, record, in scope, out var began) & TryRead(sent, record, in scope, out var left) & TryRead(received, record, in scope, out var came)
            ? record.Number(came - (left - began))
            : Found.Nothing;

    static bool TryRead(MappingValue value, RecordView record, in Scope scope, out long time)
    {
        var taken = record.Tree.Takes;
        var found = value.Read(record, in scope);
        time = 0;
        if (!found.IsThere) return false;
        if (!found.IsContainer && MappedTime.TryRead(record.TextOf(in found), TimeUnit.ByDigits, out time)) return true;
        Failed(record, in found, taken);
        return false;
    }
}

/// <summary>Two 64-bit integers as 16 hexadecimal digits each.</summary>
sealed class HexValue(MappingValue high, MappingValue low) : MappingValue
{
    public override Found Read(RecordView record, in Scope scope)
    {
        Span<byte> digits = stackalloc byte[32];
        return TryWrite(high, record, in scope, digits[..16]) && TryWrite(low, record, in scope, digits[16..])
            ? record.Made(JsonTokenType.String, digits)
            : Found.Nothing;
    }

    static bool TryWrite(MappingValue value, RecordView record, in Scope scope, Span<byte> digits)
    {
        var taken = record.Tree.Takes;
        var found = value.Read(record, in scope);
        if (!found.IsThere || IsLostIn(record, in found)) return false;
        var text = record.TextOf(in found);
        ulong number;
        if (Utf8Parser.TryParse(text, out long signed, out var used) && used == text.Length) number = (ulong)signed;
        else if (!Utf8Parser.TryParse(text, out number, out used) || used != text.Length) return Failed(record, in found, taken).IsThere;
        return number.TryFormat(digits, out _, "x16", CultureInfo.InvariantCulture);
    }
}

/// <summary>A value looked up in a table of the mapping; absent when it is not found, unless there is a fallback.</summary>
sealed class TableValue(MappingValue value, Dictionary<string, MappingValue> table, MappingValue? otherwise) : MappingValue
{
    readonly Dictionary<ulong, (byte[] Text, MappingValue Meant)[]> _table = table.Select(entry =>
        (Text: Encoding.UTF8.GetBytes(entry.Key), Meant: entry.Value))
        .GroupBy(entry => RecordMapper.HashOf(entry.Text))
        .ToDictionary(same => same.Key, same => same.ToArray());

    public override Found Read(RecordView record, in Scope scope)
    {
        var taken = record.Tree.Takes;
        var found = value.Read(record, in scope);
        if (!found.IsThere) return Found.Nothing;
        var text = IsLostIn(record, in found) ? [] : record.TextOf(in found);
        if (!text.IsEmpty && _table.TryGetValue(RecordMapper.HashOf(text), out var entries))
            foreach (var (known, meant) in entries)
                if (text.SequenceEqual(known)) return meant.Read(record, in scope);
        return otherwise is null ? Failed(record, in found, taken) : otherwise.Read(record, in scope);
    }
}

/// <summary>A value that is present only under a condition, and absent when it is one of several texts.</summary>
sealed class GuardedValue(MappingValue value, MappingCondition? when, IReadOnlyList<byte[]> none) : MappingValue
{
    public override bool IsCopied => value.IsCopied;

    public override Found Read(RecordView record, in Scope scope)
    {
        if (when is not null && !when.Holds(record, in scope)) return Found.Nothing;
        var taken = record.Tree.Takes;
        var found = value.Read(record, in scope);
        if (!found.IsThere || none.Count == 0 || found.IsContainer) return found;
        var text = record.TextOf(in found);
        foreach (var one in none)
        {
            if (!text.SequenceEqual(one)) continue;
            record.Tree.Keep(taken);
            return Found.Nothing;
        }

        return found;
    }
}

/// <summary>A part of a text: between separators, or a version.</summary>
/// <param name="value">The text.</param>
/// <param name="separator">The separator between the parts; null for the last space before a digit, as before a version.</param>
/// <param name="take">The index of the part, from 0.</param>
/// <param name="trim">The characters trimmed from its ends.</param>
sealed class PartValue(MappingValue value, byte[]? separator, int take, byte[] trim) : MappingValue
{
    /// <summary>Vendor domains that prefix the names of schemas, as they appear in column names.</summary>
    static readonly string[] Owners =
    [
        "com_snowplowanalytics_snowplow_ecommerce", "com_snowplowanalytics_snowplow_media", "com_snowplowanalytics_snowplow", "com_snowplowanalytics_mobile",
        "com_snowplowanalytics_monitoring",
        "com_google_tag_manager_server_side", "com_google_analytics_measurement_protocol", "com_google_analytics_enhanced_ecommerce", "com_google_analytics",
        "com_android_installreferrer_api", "com_dbip", "com_iab_snowplow",
        "com_mparticle_snowplow", "com_optimizely_optimizelyx", "com_optimizely_snowplow", "com_urbanairship_connect", "com_amazon_aws_lambda",
        "com_amazon_aws_cloudfront", "com_clearbit_enrichment",
    ];

    /// <summary>Names of schemas that begin like the rest of a longer owner.</summary>
    static readonly string[] OfShorterOwners = ["com_snowplowanalytics_snowplow_media_player", "com_snowplowanalytics_snowplow_media_player_event"];

    /// <summary>Whether to extract the name of a schema from its URI, or from a column name that includes its owner and version.</summary>
    public bool IsEntity { get; init; }

    public override Found Read(RecordView record, in Scope scope)
    {
        var taken = record.Tree.Takes;
        var found = value.Read(record, in scope);
        if (!found.IsThere || IsLostIn(record, in found)) return Found.Nothing;
        var text = record.TextOf(in found);
        if (IsEntity) return record.MadeText(Encoding.UTF8.GetBytes(EntityOf(ColumnOf(Encoding.UTF8.GetString(text)))));
        if (separator is null)
        {
            var at = -1;
            for (var i = 0; i + 1 < text.Length; i++)
                if (text[i] == ' ' && text[i + 1] is >= (byte)'0' and <= (byte)'9') at = i;
            if (at < 0 && take > 0) return Failed(record, in found, taken);
            text = at < 0 ? text : take == 0 ? text[..at] : text[(at + 1)..];
        }
        else
        {
            for (var i = 0; i < take; i++)
            {
                var at = text.IndexOf(separator);
                if (at < 0) return Failed(record, in found, taken);
                text = text[(at + separator.Length)..];
            }

            if (text.IndexOf(separator) is var end and >= 0) text = text[..end];
        }

        text = text.Trim(trim);
        return text.IsEmpty ? Failed(record, in found, taken) : record.MadeText(text);
    }

    /// <summary>The column name that Snowplow's SDKs give to a schema, by whose URI it is known in the TSV; a column name is returned unchanged.</summary>
    static string ColumnOf(string schema)
    {
        if (!schema.StartsWith("iglu:", StringComparison.Ordinal) || schema["iglu:".Length..].Split('/') is not [var owner, var name, .. var rest])
            return schema;
        var version = rest is [_, var numbers, ..] ? numbers.Split('-')[0] : "1";
        return $"{owner.ToLowerInvariant()}_{string.Concat(name.Select((c, i) => i > 0 && char.IsAsciiLetterUpper(c) && !char.IsAsciiLetterUpper(name[i - 1]) && name[i - 1] != '_' ? $"_{c}" : $"{c}")).ToLowerInvariant()}_{version}"
            .Replace('.', '_')
            .Replace('-', '_');
    }

    /// <summary>The schema name. An unknown owner has two parts, as in com_example.</summary>
    static string EntityOf(string column)
    {
        foreach (var kind in (string[])["contexts_", "unstruct_event_"])
            if (column.StartsWith(kind, StringComparison.Ordinal)) column = column[kind.Length..];
        if (column.LastIndexOf('_') is var version and > 0 && column.AsSpan(version + 1).IndexOfAnyExceptInRange('0', '9') < 0) column = column[..version];
        if (Array.Find(Owners,
            owner => column.StartsWith($"{owner}_", StringComparison.Ordinal)
                && !Array.Exists(OfShorterOwners, name => name == column && owner.EndsWith("_media", StringComparison.Ordinal))) is { } known)
            return column[(known.Length + 1)..];
        var parts = column.Split('_', 3);
        return parts is [_, _, { Length: > 0 } rest] ? rest : column;
    }
}

/// <summary>The hash of several values as 32 hexadecimal digits; absent when one of them is.</summary>
sealed class HashValue(byte[] name, IReadOnlyList<MappingValue> values) : MappingValue
{
    readonly XxHash128 _hash = new();

    public override Found Read(RecordView record, in Scope scope)
    {
        _hash.Reset();
        _hash.Append(name);
        foreach (var value in values)
        {
            var found = value.Read(record, in scope);
            if (!found.IsThere) return Found.Nothing;
            _hash.Append("\0"u8);
            _hash.Append(record.TextOf(in found));
        }

        Span<byte> digits = stackalloc byte[Hash128.Digits];
        Hash128.Of(_hash).WriteDigits(digits);
        return record.Made(JsonTokenType.String, digits);
    }
}

/// <summary>A value that is always absent.</summary>
sealed class AbsentValue : MappingValue
{
    public static readonly AbsentValue Instance = new();

    public override Found Read(RecordView record, in Scope scope) => Found.Nothing;
}
