using System.Text.Json;

namespace MixpanelConnector.Import.Values;

/// <summary>What an object in MongoDB's extended JSON stands for.</summary>
enum ExtendedKind
{
    /// <summary>It is not extended JSON, or stands for something that has no form in plain JSON.</summary>
    None,

    /// <summary>An id.</summary>
    Text,

    Number,

    /// <summary>A moment, as ISO 8601 text.</summary>
    Moment,

    /// <summary>A moment, as milliseconds since 1970, of any number of digits.</summary>
    Milliseconds,
}

/// <summary>
/// MongoDB's extended JSON, which mongoexport writes: an object with a single member for a value whose type JSON does not have, such as
/// <c>{"$date":"2026-07-01T12:00:00Z"}</c>. See https://github.com/mongodb/specifications/blob/master/source/extended-json/extended-json.md.
/// </summary>
static class ExtendedJson
{
    const int Longest = 128;

    /// <summary>Reads an object; <see cref="ExtendedKind.None"/> when it is anything else.</summary>
    /// <param name="json">The object, as valid JSON.</param>
    /// <param name="value">What it contains: text without its quotes, or a number.</param>
    public static ExtendedKind Read(ReadOnlySpan<byte> json, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (json.Length > Longest || json is not [(byte)'{', ..]) return ExtendedKind.None;
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            if (!reader.Read() || reader.TokenType is not JsonTokenType.PropertyName) return ExtendedKind.None;
            var kind = KindOf(in reader);
            reader.Read();
            if (kind is ExtendedKind.Moment && reader.TokenType is not JsonTokenType.String)
            {
                kind = ExtendedKind.Milliseconds;
                if (reader.TokenType is JsonTokenType.StartObject
                    && !(reader.Read() && reader.ValueTextEquals("$numberLong"u8) && reader.Read() && reader.TokenType is JsonTokenType.String))
                    return ExtendedKind.None;
            }

            if (reader.TokenType is not JsonTokenType.String && !(kind is ExtendedKind.Milliseconds && reader.TokenType is JsonTokenType.Number))
                return ExtendedKind.None;
            if (reader.ValueIsEscaped || reader.ValueSpan.IsEmpty) return ExtendedKind.None;
            value = reader.ValueSpan;
            while (reader.Read())
                if (reader.TokenType is not JsonTokenType.EndObject) return ExtendedKind.None;
            return kind;
        }
        catch (JsonException)
        {
            return ExtendedKind.None;
        }
    }

    static ExtendedKind KindOf(ref readonly Utf8JsonReader name)
    {
        if (name.ValueTextEquals("$date"u8)) return ExtendedKind.Moment;
        if (name.ValueTextEquals("$oid"u8) || name.ValueTextEquals("$uuid"u8)) return ExtendedKind.Text;
        return name.ValueTextEquals("$numberLong"u8) || name.ValueTextEquals("$numberInt"u8) || name.ValueTextEquals("$numberDouble"u8)
            || name.ValueTextEquals("$numberDecimal"u8)
            ? ExtendedKind.Number
            : ExtendedKind.None;
    }
}
