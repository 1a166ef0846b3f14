using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace MixpanelConnector;

/// <summary>A record before and after a mapping.</summary>
public sealed record MappedRecord
{
    /// <summary>The name of its input.</summary>
    public required string Source { get; init; }

    /// <summary>Its line number, from 1.</summary>
    public required long Line { get; init; }

    /// <summary>The record as it was read.</summary>
    public required string Before { get; init; }

    /// <summary>The records that it is mapped to, in order.</summary>
    public required IReadOnlyList<MappedOutcome> After { get; init; }

    /// <summary>Serializes the record to single-line JSON.</summary>
    /// <returns>The JSON text.</returns>
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

    internal static string TextOf(ReadOnlySpan<byte> record) =>
        Utf8.IsValid(record) ? Encoding.UTF8.GetString(record) : $"base64:{Convert.ToBase64String(record)}";

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
            json.WriteStringValue(text); // not JSON, or an unpaired surrogate
            return;
        }

        json.WriteRawValue(whole.WrittenSpan);
    }
}

/// <summary>One result of mapping a record: a record, or the reason why there is none.</summary>
public sealed record MappedOutcome
{
    /// <summary>
    /// The record that would be sent, as JSON, without what is added to every record: a
    /// computed <c>$insert_id</c> and shared properties. Null when none would be sent.
    /// </summary>
    public string? Record { get; init; }

    /// <summary>The reason why it is left out; null when it is not.</summary>
    public string? LeftOut { get; init; }

    /// <summary>The code of the reason why it would be rejected, as in the report; null when it would be accepted.</summary>
    public string? Code { get; init; }

    /// <summary>The same reason as readable text.</summary>
    public string? Message { get; init; }
}
