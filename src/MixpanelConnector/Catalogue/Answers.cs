using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>A list that Mixpanel gave.</summary>
/// <typeparam name="T">What is listed.</typeparam>
public sealed record ResultList<T> : IResults
{
    /// <summary>What was found, as Mixpanel gives it.</summary>
    public required IReadOnlyList<T> Results { get; init; }

    /// <summary>How many were found.</summary>
    public required int Total { get; init; }
}

/// <summary>Results by a key that is data itself, such as a date.</summary>
/// <typeparam name="T">What stands under each key.</typeparam>
public sealed record ResultMap<T> : IResults
{
    /// <summary>The results by their key.</summary>
    public required IReadOnlyDictionary<string, T> Results { get; init; }
}

/// <summary>What was asked for is done; Mixpanel says nothing more.</summary>
public sealed record Done
{
    /// <summary>"ok".</summary>
    public required string Status { get; init; }

    internal static Done Ok { get; } = new() { Status = "ok" };
}

/// <summary>Whether data was taken.</summary>
public sealed record Acknowledgement
{
    /// <summary>1 for success, 0 for failure.</summary>
    public required int Status { get; init; }

    /// <summary>Why it was refused, when it was.</summary>
    public string? Error { get; init; }
}

/// <summary>Nothing: the action asks for nothing.</summary>
public sealed record NoInput;

/// <summary>An output whose results stand under a member of ours.</summary>
interface IResults;

/// <summary>Mixpanel's answers as outputs: with or without an envelope, whatever the status of the success.</summary>
static class Answers
{
    const string Envelope = "results";

    /// <exception cref="MixpanelException">The answer is no success, or not what is documented.</exception>
    public static TOutput Read<TOutput>(Reply reply, MixpanelOptions options, bool hasEnvelope, Func<JsonElement, JsonElement>? result, JsonTypeInfo<TOutput> type)
        where TOutput : class
    {
        if (typeof(TOutput) == typeof(Acknowledgement)) return (TOutput)(object)Acknowledge(ReplyClassifier.ReadAcknowledgement(reply, options));
        if (typeof(TOutput) == typeof(Done))
        {
            ReplyClassifier.EnsureDone(reply, options);
            return (TOutput)(object)Done.Ok;
        }

        using var document = ReplyClassifier.ReadJson(reply, options);
        try
        {
            if (document.RootElement.ValueKind is JsonValueKind.Null) throw new JsonException("The result is missing.");
            var found = hasEnvelope && document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty(Envelope, out var inside) ? inside : document.RootElement;
            if (result is not null) found = result(found);
            if (typeof(TOutput).IsAssignableTo(typeof(IResults))) found = Listed(found, Envelope);
            return found.Deserialize(type) ?? throw new JsonException("The result is missing.");
        }
        catch (Exception e) when (e is not (MixpanelException or OutOfMemoryException)) // whatever a shape that nobody foresaw does to what reads it
        {
            throw new MixpanelException(new(ErrorKind.Protocol, "Mixpanel's answer is not what its documentation describes.") { HttpStatus = reply.Status }, e);
        }
    }

    /// <summary>An object in which a member has our name in place of Mixpanel's.</summary>
    public static JsonElement Renamed(JsonElement result, string theirs, string ours)
    {
        var renamed = JsonObject.Create(result)!;
        if (renamed.Remove(theirs, out var value)) renamed[ours] = value;
        return Element(renamed);
    }

    public static JsonElement Element(JsonNode node)
    {
        var reader = new Utf8JsonReader(JsonDefaults.Utf8(node));
        return JsonElement.ParseValue(ref reader);
    }

    public static Acknowledgement Acknowledge(MixpanelError? error) => error switch
    {
        null => new() { Status = 1 },
        { Kind: ErrorKind.Rejected or ErrorKind.TooLarge } => new() { Status = 0, Error = error.Message },
        _ => throw new MixpanelException(error),
    };

    /// <summary>A list, an object by keys, or nothing, which Mixpanel writes as null, under a name; of a list also its length.</summary>
    public static JsonElement Listed(JsonElement found, string name)
    {
        if (found.ValueKind is JsonValueKind.Array && found.EnumerateArray().Any(item => item.ValueKind is JsonValueKind.Null)) throw new JsonException("An item is missing.");
        var written = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(written, JsonDefaults.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WritePropertyName(name);
            if (found.ValueKind is JsonValueKind.Null) writer.WriteRawValue("[]"u8);
            else found.WriteTo(writer);
            if (found.ValueKind is JsonValueKind.Array or JsonValueKind.Null) writer.WriteNumber("total", found.ValueKind is JsonValueKind.Array ? found.GetArrayLength() : 0);
            writer.WriteEndObject();
        }

        var reader = new Utf8JsonReader(written.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
