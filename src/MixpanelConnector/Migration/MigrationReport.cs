using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>The account of a part of a migration: counts in records, cumulative over its runs. <c>read = accepted + rejected + left_out + pending</c>, always.</summary>
public record MigrationCounts
{
    /// <summary>Records that the source gave.</summary>
    [JsonPropertyOrder(1)] public required long Read { get; init; }

    /// <summary>Records that the target accepted, each once, however often it was sent; in a dry run, that would have been sent.</summary>
    [JsonPropertyOrder(2)] public required long Accepted { get; init; }

    /// <summary>Records that were not accepted: lines of the dead-letter file.</summary>
    [JsonPropertyOrder(3)] public required long Rejected { get; init; }

    /// <summary>Records that are not taken, by reason.</summary>
    [JsonPropertyOrder(4)] public required IReadOnlyDictionary<string, long> LeftOut { get; init; }

    /// <summary>Records whose fate is not final; the next run takes them up.</summary>
    [JsonPropertyOrder(5)] public required long Pending { get; init; }

    /// <summary>Of the events that were sent, how many have a time that exists twice in the zone of the source, of which the first was taken. Null where no zone was said.</summary>
    [JsonPropertyOrder(6)] public long? AmbiguousTime { get; init; }

    internal static MigrationCounts None { get; } = new() { Read = 0, Accepted = 0, Rejected = 0, LeftOut = new Dictionary<string, long>(StringComparer.Ordinal), Pending = 0 };

    internal MigrationCounts And(MigrationCounts other) => this with
    {
        Read = Read + other.Read,
        Accepted = Accepted + other.Accepted,
        Rejected = Rejected + other.Rejected,
        LeftOut = ImportTotals.Sum(LeftOut, new(other.LeftOut, StringComparer.Ordinal))!,
        Pending = Pending + other.Pending,
        AmbiguousTime = AmbiguousTime is null && other.AmbiguousTime is null ? null : (AmbiguousTime ?? 0) + (other.AmbiguousTime ?? 0),
    };
}

/// <summary>The account of a day.</summary>
public sealed record MigrationDay : MigrationCounts
{
    /// <summary>The day, as the source has it.</summary>
    [JsonPropertyOrder(0)] public required DateOnly Day { get; init; }
}

/// <summary>The account of the events of a migration.</summary>
public sealed record MigrationEvents : MigrationCounts
{
    /// <summary>Each day that was fetched, in their order. A day that could not be is not among them.</summary>
    [JsonPropertyOrder(7)] public required IReadOnlyList<MigrationDay> Days { get; init; }
}

/// <summary>The account of a migration: cumulative over its runs, but for the time. Parts that were not asked for are null.</summary>
public sealed record MigrationReport
{
    /// <summary>Where it comes from.</summary>
    [JsonPropertyOrder(0)] public required string From { get; init; }

    /// <summary>Where it goes to.</summary>
    [JsonPropertyOrder(1)] public required string To { get; init; }

    /// <summary>Events.</summary>
    [JsonPropertyOrder(2)] public MigrationEvents? Events { get; init; }

    /// <summary>Profiles of users.</summary>
    [JsonPropertyOrder(3)] public MigrationCounts? Profiles { get; init; }

    /// <summary>Profiles of groups, by the property that makes them.</summary>
    [JsonPropertyOrder(4)] public IReadOnlyDictionary<string, MigrationCounts>? Groups { get; init; }

    /// <summary>Schemas of the Lexicon.</summary>
    [JsonPropertyOrder(5)] public MigrationCounts? Schemas { get; init; }

    /// <summary>Annotations.</summary>
    [JsonPropertyOrder(6)] public MigrationCounts? Annotations { get; init; }

    /// <summary>Lookup tables, each as one.</summary>
    [JsonPropertyOrder(7)] public MigrationCounts? LookupTables { get; init; }

    /// <summary>What Mixpanel has no way to take, and what was not asked for.</summary>
    [JsonPropertyOrder(8)] public required IReadOnlyList<string> NotMigrated { get; init; }

    /// <summary>Whether the target holds what was sent, and nothing else; null where that was not asked for, or did not come to its end.</summary>
    [JsonPropertyOrder(9)] public bool? Verified { get; init; }

    /// <summary>The dead-letter file; null when there is nothing in it.</summary>
    [JsonPropertyOrder(10)] public string? DeadLetter { get; init; }

    /// <summary>The time that this run took.</summary>
    [JsonPropertyOrder(11)] public required double ElapsedSeconds { get; init; }

    /// <summary>How it ended; in JSON by its number. <see cref="RunOutcome.Damaged"/>: what was downloaded is damaged. <see cref="RunOutcome.Inconsistent"/>: the audit of the counts failed, or the target does not hold what was sent.</summary>
    [JsonPropertyOrder(12), JsonPropertyName("exit_code")] public required RunOutcome Outcome { get; init; }

    /// <summary>Why not all is done, and what to do next, most important first. Holds no secret and no property value.</summary>
    [JsonIgnore] public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>How long it takes until the hour has calls again; null when they are not what is missing.</summary>
    [JsonIgnore] public TimeSpan? RetryAfter { get; init; }

    /// <summary>The report as JSON, with the names of its documentation.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, MigrationReportJson.Default.MigrationReport);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MigrationReport))]
sealed partial class MigrationReportJson : JsonSerializerContext;
