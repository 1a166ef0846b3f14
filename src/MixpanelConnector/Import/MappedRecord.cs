using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace MixpanelConnector;

/// <summary>A record before and after a mapping.</summary>
public sealed record MappedRecord
{
    /// <summary>The input that it is from.</summary>
    public required string Source { get; init; }

    /// <summary>Its line, from 1.</summary>
    public required long Line { get; init; }

    /// <summary>The record as it was read.</summary>
    public required string Before { get; init; }

    /// <summary>What it becomes, in order.</summary>
    public required IReadOnlyList<MappedOutcome> After { get; init; }

    /// <summary>All of it as JSON in one line.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("source", Source);
            json.WriteNumber("line", Line);
            json.WritePropertyName("before");
            WriteJson(json, Before);
            json.WriteStartArray("after");
            foreach (var outcome in After)
            {
                json.WriteStartObject();
                if (outcome.Record is { } record)
                {
                    json.WritePropertyName("record");
                    WriteJson(json, record);
                }

                if (outcome.LeftOut is { } leftOut) json.WriteString("left_out", leftOut);
                if (outcome.Code is { } code) json.WriteString("code", code);
                if (outcome.Message is { } message) json.WriteString("message", message);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal static string TextOf(ReadOnlySpan<byte> record) => Utf8.IsValid(record) ? Encoding.UTF8.GetString(record) : $"base64:{Convert.ToBase64String(record)}";

    static void WriteJson(Utf8JsonWriter json, string text)
    {
        var whole = new ArrayBufferWriter<byte>();
        try
        {
            using var document = JsonDocument.Parse(text);
            using var writer = new Utf8JsonWriter(whole, json.Options);
            document.RootElement.WriteTo(writer);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            json.WriteStringValue(text); // no JSON, or half of a surrogate pair
            return;
        }

        json.WriteRawValue(whole.WrittenSpan);
    }
}

/// <summary>One of those that a record becomes by a mapping: a record, or why there is none.</summary>
public sealed record MappedOutcome
{
    /// <summary>What would be sent, as JSON, but for what every record gets: an <c>$insert_id</c> that is computed, shared properties. Null where nothing would be.</summary>
    public string? Record { get; init; }

    /// <summary>The reason under which it is left out; null where it is not.</summary>
    public string? LeftOut { get; init; }

    /// <summary>Why it would be refused, as in the report; null where it would not be.</summary>
    public string? Code { get; init; }

    /// <summary>The same in words.</summary>
    public string? Message { get; init; }
}
