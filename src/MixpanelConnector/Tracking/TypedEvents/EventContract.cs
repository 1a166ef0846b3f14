using System.Buffers;
using System.Text.Json;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector.Tracking.TypedEvents;

/// <summary>Serializes a type that implements <see cref="IMixpanelEvent{TSelf}"/>.</summary>
abstract class EventContract
{
    public abstract void Write(object happened, Utf8JsonWriter json);

    /// <summary>Returns the property at which serialization fails: the last name that was written.</summary>
    public string FindUnwritable(object happened)
    {
        var written = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(written, WellFormedEncoder.WriterOptions);
        try
        {
            Write(happened, json);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            json.Flush();
        }

        var name = "";
        var reader = new Utf8JsonReader(written.WrittenSpan, isFinalBlock: false, default);
        while (reader.Read())
            if (reader is { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 }) name = reader.GetString()!;
        return name;
    }
}

/// <inheritdoc/>
sealed class EventContract<T> : EventContract
    where T : IMixpanelEvent<T>
{
    public static readonly EventContract<T> Instance = new();

    public override void Write(object happened, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        T.WriteProperties((T)happened, new(json));
        json.WriteEndObject();
    }
}
