using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Consume;

/// <summary>Dead letters of messages.</summary>
static class DeadLetterJson
{
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The dead letter with its source, <c>ADDRESS#MESSAGE</c>, parted into <c>source</c> and <c>message_id</c>. All else stays as it is, to the byte.</summary>
    public static byte[] WithMessage(ReadOnlySpan<byte> letter, string address)
    {
        var reader = new Utf8JsonReader(letter);
        reader.Read();
        reader.Read();
        reader.Read(); // its first member is the source
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
