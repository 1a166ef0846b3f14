using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Emulator;

/// <summary>Faults on purpose: which requests are answered wrongly, slowly or not at all. For tests of clients.</summary>
public sealed record EmulatorFaults
{
    static readonly EmulatorFault Default = new();
    static readonly JsonNodeOptions Names = new() { PropertyNameCaseInsensitive = true };
    static readonly JsonDocumentOptions Relaxed = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false };

    /// <summary>From which the chances are drawn, in the order in which requests arrive. Default: 0.</summary>
    public int Seed { get; init; }

    /// <summary>What goes wrong. For each request the first rule that applies is carried out.</summary>
    public IReadOnlyList<EmulatorFault> Rules { get; init; } = [];

    /// <summary>Reads faults from JSON, with names like <c>retry_after</c>.</summary>
    /// <param name="json">The text.</param>
    /// <exception cref="FormatException">The text is not valid; the message says where.</exception>
    public static EmulatorFaults Parse(string json)
    {
        try
        {
            var faults = WithDefaults(json).Deserialize(EmulatorFaultsJson.Default.EmulatorFaults)!;
            foreach (var rule in faults.Rules)
                rule.Check();
            return faults;
        }
        catch (Exception e) when (e is JsonException or ArgumentException) // two names that differ in case
        {
            throw new FormatException($"faults are not valid: {e.Message}", e);
        }
    }

    /// <summary>Generated contracts forget the defaults of properties that are only set at the beginning.</summary>
    static JsonObject WithDefaults(string json)
    {
        var faults = JsonNode.Parse(json, Names, Relaxed) as JsonObject ?? throw new FormatException("faults are not valid: they must be a JSON object");
        faults.TryAdd("rules", new JsonArray());
        foreach (var rule in faults["rules"] as JsonArray ?? throw NotRules())
        {
            var fault = rule as JsonObject ?? throw NotRules();
            fault.TryAdd("path", Default.Path);
            fault.TryAdd("rate", Default.Rate);
        }

        return faults;

        static FormatException NotRules() => new("rules must be a list of objects");
    }

    /// <summary>The faults as JSON, which <see cref="Parse"/> reads.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, EmulatorFaultsJson.Default.EmulatorFaults);
}

/// <summary>One thing that goes wrong, and for which requests.</summary>
public sealed record EmulatorFault
{
    /// <summary>The path; a <c>*</c> at its end stands for any rest. Default: every path but those of the control endpoints and <c>/healthz</c>.</summary>
    public string Path { get; init; } = "*";

    /// <summary>The method, like <c>POST</c>. Default: all.</summary>
    public string? Method { get; init; }

    /// <summary>The chance that a request meets this fault, from 0 to 1. Default: 1.</summary>
    public double Rate { get; init; } = 1;

    /// <summary>How many requests are spared before the first one is in danger. Default: 0.</summary>
    public int After { get; init; }

    /// <summary>How often the fault happens before it is over. Default: for ever.</summary>
    public int? Times { get; init; }

    /// <summary>Answers with this status and an error of the path's API. Default: none.</summary>
    public int? Status { get; init; }

    /// <summary>Sends <c>Retry-After</c> with so many seconds beside <see cref="Status"/>. Default: none.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Whether the request is carried out before it is answered wrongly, reset or cut. Default: it is not; a cut answer always is.</summary>
    public bool Stored { get; init; }

    /// <summary>Resets the connection instead of answering. Default: false.</summary>
    public bool Reset { get; init; }

    /// <summary>Ends the connection after so many bytes of the answer's body. Default: never.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Ends a raw export after so many events with the line <c>terminated early</c>, under status 200, as Mixpanel does when it gives up. Default: never.</summary>
    public int? TerminatedAfter { get; init; }

    /// <summary>Milliseconds that every answer is late. Default: 0.</summary>
    public int Delay { get; init; }

    /// <summary>Bytes of the answer's body that are sent in a second. Default: as fast as can be.</summary>
    public int? BytesPerSecond { get; init; }

    internal void Check()
    {
        if (Rate is not (>= 0 and <= 1))
            throw new FormatException("rate must be from 0 to 1");
        if (Status is < 400 or > 599)
            throw new FormatException("status must be from 400 to 599");
        if (After < 0 || Times < 1 || RetryAfter < 0 || CutAfter < 0 || TerminatedAfter < 0 || Delay < 0 || BytesPerSecond < 1)
            throw new FormatException("after, times, retry_after, cut_after, terminated_after, delay and bytes_per_second must not be negative");
        if ((Status is not null ? 1 : 0) + (Reset ? 1 : 0) + (CutAfter is not null ? 1 : 0) + (TerminatedAfter is not null ? 1 : 0) > 1)
            throw new FormatException("a rule has one of status, reset, cut_after and terminated_after");
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EmulatorFaults))]
sealed partial class EmulatorFaultsJson : JsonSerializerContext;
