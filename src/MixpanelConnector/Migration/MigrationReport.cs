using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>
/// The counts of a part of a migration, in records, cumulative over its runs. <c>read = accepted + rejected + left_out + pending</c>, always.
/// </summary>
public record MigrationCounts
{
    /// <summary>Records read from the source.</summary>
    [JsonPropertyOrder(1)] public required long Read { get; init; }

    /// <summary>Records that the target accepted, each counted once, however often it was sent; in a dry run, records that would have been sent.</summary>
    [JsonPropertyOrder(2)] public required long Accepted { get; init; }

    /// <summary>Records that were not accepted: lines of the dead-letter file.</summary>
    [JsonPropertyOrder(3)] public required long Rejected { get; init; }

    /// <summary>Records that are not migrated, by reason.</summary>
    [JsonPropertyOrder(4)] public required IReadOnlyDictionary<string, long> LeftOut { get; init; }

    /// <summary>Records whose outcome is not final; the next run continues with them.</summary>
    [JsonPropertyOrder(5)] public required long Pending { get; init; }

    /// <summary>
    /// The number of sent events with a time that exists twice in the source's time zone, of which the first was used. Null without a time zone.
    /// </summary>
    [JsonPropertyOrder(6)] public long? AmbiguousTime { get; init; }

    internal static MigrationCounts None { get; } = new()
    {
        Read = 0,
        Accepted = 0,
        Rejected = 0,
        LeftOut = new Dictionary<string, long>(StringComparer.Ordinal),
        Pending = 0,
    };

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

/// <summary>The counts of a day.</summary>
public sealed record MigrationDay : MigrationCounts
{
    /// <summary>The day, as in the source.</summary>
    [JsonPropertyOrder(0)] public required DateOnly Day { get; init; }
}

/// <summary>The counts of the events of a migration.</summary>
public sealed record MigrationEvents : MigrationCounts
{
    /// <summary>The fetched days, in order. Days that could not be fetched are not included.</summary>
    [JsonPropertyOrder(7)] public required IReadOnlyList<MigrationDay> Days { get; init; }
}

/// <summary>The report of a migration: cumulative over its runs, except for the time. Parts that were not requested are null.</summary>
public sealed record MigrationReport
{
    /// <summary>The source.</summary>
    [JsonPropertyOrder(0)] public required string From { get; init; }

    /// <summary>The target.</summary>
    [JsonPropertyOrder(1)] public required string To { get; init; }

    /// <summary>Events.</summary>
    [JsonPropertyOrder(2)] public MigrationEvents? Events { get; init; }

    /// <summary>User profiles.</summary>
    [JsonPropertyOrder(3)] public MigrationCounts? Profiles { get; init; }

    /// <summary>Group profiles, by group key.</summary>
    [JsonPropertyOrder(4)] public IReadOnlyDictionary<string, MigrationCounts>? Groups { get; init; }

    /// <summary>Schemas of the Lexicon.</summary>
    [JsonPropertyOrder(5)] public MigrationCounts? Schemas { get; init; }

    /// <summary>Annotations.</summary>
    [JsonPropertyOrder(6)] public MigrationCounts? Annotations { get; init; }

    /// <summary>Lookup tables, counted as tables.</summary>
    [JsonPropertyOrder(7)] public MigrationCounts? LookupTables { get; init; }

    /// <summary>What Mixpanel has no API to migrate, and what was not requested.</summary>
    [JsonPropertyOrder(8)] public required IReadOnlyList<string> NotMigrated { get; init; }

    /// <summary>Whether the target contains exactly what was sent; null when verification was not requested, or did not finish.</summary>
    [JsonPropertyOrder(9)] public bool? Verified { get; init; }

    /// <summary>The dead-letter file; null when it is empty.</summary>
    [JsonPropertyOrder(10)] public string? DeadLetter { get; init; }

    /// <summary>The duration of this run in seconds.</summary>
    [JsonPropertyOrder(11)] public required double ElapsedSeconds { get; init; }

    /// <summary>
    /// How it ended; in JSON as a number. <see cref="RunOutcome.Damaged"/>: the download is damaged. <see cref="RunOutcome.Inconsistent"/>: the audit of the
    /// counts failed, or the target does not contain what was sent.
    /// </summary>
    [JsonPropertyOrder(12), JsonPropertyName("exit_code")] public required RunOutcome Outcome { get; init; }

    /// <summary>Why the work is incomplete, and what to do next, most important first. Contains no secret and no property value.</summary>
    [JsonIgnore] public IReadOnlyList<string> Problems { get; init; } = [];

    /// <summary>The time until the hourly limit allows calls again; null when the limit is not the reason.</summary>
    [JsonIgnore] public TimeSpan? RetryAfter { get; init; }

    /// <summary>Returns the report as JSON, with the documented names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, MigrationReportJson.Default.MigrationReport);
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Serialization, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MigrationReport))]
sealed partial class MigrationReportJson : JsonSerializerContext;
