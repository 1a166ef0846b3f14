using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>A list of results.</summary>
/// <typeparam name="T">The type of the items.</typeparam>
public sealed record ResultList<T> : IResults
{
    /// <summary>The results, as Mixpanel returns them.</summary>
    public required IReadOnlyList<T> Results { get; init; }

    /// <summary>The number of results.</summary>
    public required int Total { get; init; }
}

/// <summary>Results by a key that is itself data, such as a date.</summary>
/// <typeparam name="T">The type of the value under each key.</typeparam>
public sealed record ResultMap<T> : IResults
{
    /// <summary>The results by key.</summary>
    public required IReadOnlyDictionary<string, T> Results { get; init; }
}

/// <summary>The request succeeded; Mixpanel returns nothing more.</summary>
public sealed record StatusOutput
{
    /// <summary>"ok".</summary>
    public required string Status { get; init; }

    internal static StatusOutput Ok { get; } = new() { Status = "ok" };
}

/// <summary>Whether Mixpanel accepted data.</summary>
public sealed record IngestionOutput
{
    /// <summary>1 for success, 0 for failure.</summary>
    public required int Status { get; init; }

    /// <summary>Why it was refused, if it was.</summary>
    public string? Error { get; init; }
}

/// <summary>An empty input, for actions that need none.</summary>
public sealed record NoInput;

/// <summary>An output that puts the results into a member of its own.</summary>
interface IResults;

/// <summary>Reads Mixpanel's answers as outputs: with or without an envelope, whatever the success status.</summary>
static class Answers
{
    const string Envelope = "results";

    /// <exception cref="MixpanelException">The answer is not a success, or not what is documented.</exception>
    public static TOutput Read<TOutput>(Reply reply, MixpanelOptions options, bool hasEnvelope, Func<JsonElement, JsonElement>? result,
        JsonTypeInfo<TOutput> type)
        where TOutput : class
    {
        if (typeof(TOutput) == typeof(IngestionOutput)) return (TOutput)(object)Acknowledge(ReplyClassifier.ReadAcknowledgement(reply, options));
        if (typeof(TOutput) == typeof(StatusOutput))
        {
            ReplyClassifier.EnsureDone(reply, options);
            return (TOutput)(object)StatusOutput.Ok;
        }

        using var document = ReplyClassifier.ReadJson(reply, options);
        try
        {
            if (document.RootElement.ValueKind is JsonValueKind.Null) throw new JsonException("The result is missing.");
            var found = hasEnvelope && document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty(Envelope, out var inside)
                ? inside
                : document.RootElement;
            if (result is not null) found = result(found);
            if (typeof(TOutput).IsAssignableTo(typeof(IResults))) found = Listed(found, Envelope);
            return found.Deserialize(type) ?? throw new JsonException("The result is missing.");
        }
        catch (Exception e) when (e is not (MixpanelException or OutOfMemoryException)) // whatever an unforeseen shape makes the reading throw
        {
            throw new MixpanelException(reply.Error(ErrorKind.Protocol, "Mixpanel's answer is not what its documentation describes."), e);
        }
    }

    /// <summary>Returns an object in which a member of Mixpanel's has this library's name.</summary>
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

    public static IngestionOutput Acknowledge(MixpanelError? error) => error switch
    {
        null => new() { Status = 1 },
        { Kind: ErrorKind.Rejected or ErrorKind.TooLarge } => new() { Status = 0, Error = error.Message },
        _ => throw new MixpanelException(error),
    };

    /// <summary>Puts a list, an object by keys, or nothing, which Mixpanel writes as null, into a member; for a list also adds its length.</summary>
    public static JsonElement Listed(JsonElement found, string name)
    {
        if (found.ValueKind is JsonValueKind.Array && found.EnumerateArray().Any(item => item.ValueKind is JsonValueKind.Null))
            throw new JsonException("An item is missing.");
        var written = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(written, JsonDefaults.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WritePropertyName(name);
            if (found.ValueKind is JsonValueKind.Null) writer.WriteRawValue("[]"u8);
            else found.WriteTo(writer);
            if (found.ValueKind is JsonValueKind.Array or JsonValueKind.Null)
                writer.WriteNumber("total", found.ValueKind is JsonValueKind.Array ? found.GetArrayLength() : 0);
            writer.WriteEndObject();
        }

        var reader = new Utf8JsonReader(written.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
