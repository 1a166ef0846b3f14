using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Consume;

/// <summary>Formats dead letters of messages.</summary>
static class DeadLetterJson
{
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Splits the source of a dead letter, <c>ADDRESS#MESSAGE</c>, into <c>source</c> and <c>message_id</c>. Everything else stays unchanged, byte for byte.
    /// </summary>
    public static byte[] WithMessage(ReadOnlySpan<byte> letter, string address)
    {
        var reader = new Utf8JsonReader(letter);
        reader.Read();
        reader.Read();
        reader.Read(); // the first member is the source
        var begin = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(begin, Options))
        {
            json.WriteStartObject();
            json.WriteString("source"u8, address);
            json.WriteString("message_id"u8, reader.GetString()![(address.Length + 1)..]);
            json.WriteEndObject();
        }

        return [.. begin.WrittenSpan[..^1], .. letter[(int)reader.BytesConsumed..]];
    }
}
