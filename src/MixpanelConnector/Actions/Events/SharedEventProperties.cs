using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector;

/// <summary>The properties that are added to all events of a call, serialized once.</summary>
sealed class SharedEventProperties
{
    const int Punctuation = 4; // quotes, colon, comma

    readonly List<(string Name, JsonEncodedText Encoded, ReadOnlyMemory<byte> Json)> _all = [];

    public SharedEventProperties(JsonObject properties)
    {
        foreach (var (name, value) in properties)
        {
            var json = new ArrayBufferWriter<byte>();
            using (var writer = new Utf8JsonWriter(json, JsonDefaults.WriterOptions))
            {
                if (value is null) writer.WriteNullValue();
                else value.WriteTo(writer);
            }

            _all.Add((name, JsonEncodedText.Encode(name, JsonDefaults.WriterOptions.Encoder), json.WrittenMemory));
        }

        Bytes = _all.Sum(property => (long)property.Encoded.EncodedUtf8Bytes.Length + property.Json.Length + Punctuation);
    }

    public static SharedEventProperties None { get; } = new([]);

    /// <summary>The number of bytes that they add to an event that has none of them.</summary>
    public long Bytes { get; }

    /// <summary>Writes those that the event does not have itself.</summary>
    public void Write(Utf8JsonWriter writer, HashSet<string> own)
    {
        foreach (var (name, encoded, json) in _all)
        {
            if (own.Contains(name)) continue;
            writer.WritePropertyName(encoded);
            writer.WriteRawValue(json.Span, skipInputValidation: true);
        }
    }
}
