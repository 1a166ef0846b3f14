using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Emulator;

/// <summary>Fault injection: the requests that are answered incorrectly, slowly or not at all. For tests of clients.</summary>
public sealed record EmulatorFaults
{
    static readonly EmulatorFault Default = new();
    static readonly JsonNodeOptions Names = new() { PropertyNameCaseInsensitive = true };
    static readonly JsonDocumentOptions Relaxed = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>The seed of the random numbers, which are drawn in the order in which requests arrive. Default: 0.</summary>
    public int Seed { get; init; }

    /// <summary>The fault rules. For each request, the first rule that applies is used.</summary>
    public IReadOnlyList<EmulatorFault> Rules { get; init; } = [];

    /// <summary>Parses faults from JSON, with names such as <c>retry_after</c>.</summary>
    /// <param name="json">The text.</param>
    /// <returns>The faults.</returns>
    /// <exception cref="FormatException">The text is not valid; the message states the location.</exception>
    public static EmulatorFaults Parse(string json)
    {
        try
        {
            var faults = WithDefaults(json).Deserialize(EmulatorFaultsJson.Default.EmulatorFaults)!;
            foreach (var rule in faults.Rules)
                rule.Check();
            return faults;
        }
        catch (Exception e) when (e is JsonException or ArgumentException) // two names that differ only in case
        {
            throw new FormatException($"faults are not valid: {e.Message}", e);
        }
    }

    /// <summary>Adds the defaults of init-only properties, which source-generated deserialization ignores.</summary>
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

    /// <summary>Returns the faults as JSON that <see cref="Parse"/> reads.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, EmulatorFaultsJson.Default.EmulatorFaults);
}

/// <summary>A fault, and the requests it applies to.</summary>
public sealed record EmulatorFault
{
    /// <summary>The path; a <c>*</c> at its end matches any rest. Default: every path except those of the control endpoints and <c>/healthz</c>.</summary>
    public string Path { get; init; } = "*";

    /// <summary>The method, such as <c>POST</c>. Default: all.</summary>
    public string? Method { get; init; }

    /// <summary>The probability that the fault affects a request, from 0 to 1. Default: 1.</summary>
    public double Rate { get; init; } = 1;

    /// <summary>The number of matching requests before the fault can occur. Default: 0.</summary>
    public int After { get; init; }

    /// <summary>The maximum number of times that the fault occurs. Default: unlimited.</summary>
    public int? Times { get; init; }

    /// <summary>Responds with this status and an error in the format of the path's API. Default: none.</summary>
    public int? Status { get; init; }

    /// <summary>The seconds in a <c>Retry-After</c> header sent along with <see cref="Status"/>. Default: none.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>
    /// Whether the request is processed before the response fails, or is reset or cut. Default: it is not; a request whose response is cut always is.
    /// </summary>
    public bool Stored { get; init; }

    /// <summary>Resets the connection instead of answering. Default: false.</summary>
    public bool Reset { get; init; }

    /// <summary>Closes the connection after this many bytes of the response body. Default: never.</summary>
    public int? CutAfter { get; init; }

    /// <summary>
    /// Ends a raw export after this many events with the line <c>terminated early</c>, with status 200, as Mixpanel does when it gives up. Default: never.
    /// </summary>
    public int? TerminatedAfter { get; init; }

    /// <summary>The delay of each response in milliseconds. Default: 0.</summary>
    public int Delay { get; init; }

    /// <summary>The rate in bytes per second at which the response body is sent. Default: as fast as possible.</summary>
    public int? BytesPerSecond { get; init; }

    internal void Check()
    {
        if (Rate is not (>= 0 and <= 1)) throw new FormatException("rate must be from 0 to 1");
        if (Status is < 400 or > 599) throw new FormatException("status must be from 400 to 599");
        if (After < 0 || Times < 1 || RetryAfter < 0 || CutAfter < 0 || TerminatedAfter < 0 || Delay < 0 || BytesPerSecond < 1)
            throw new FormatException(
                "after, retry_after, cut_after, terminated_after and delay must not be negative; times and bytes_per_second must be at least 1");
        if ((Status is not null ? 1 : 0) + (Reset ? 1 : 0) + (CutAfter is not null ? 1 : 0) + (TerminatedAfter is not null ? 1 : 0) > 1)
            throw new FormatException("a rule can have only one of status, reset, cut_after and terminated_after");
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
