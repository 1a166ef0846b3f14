using System.Security.Cryptography;
using System.Text;
using MixpanelConnector.Import.Values;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The parts of a project to migrate.</summary>
[Flags]
public enum MigrationParts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The schemas of the Lexicon.</summary>
    Schemas = 1,

    /// <summary>Lookup tables whose rows are in files: <see cref="MigrationRequest.LookupTables"/>.</summary>
    LookupTables = 2,

    /// <summary>Events, day by day.</summary>
    Events = 4,

    /// <summary>User profiles.</summary>
    Profiles = 8,

    /// <summary>Group profiles: <see cref="MigrationRequest.Groups"/>.</summary>
    Groups = 16,

    /// <summary>Annotations, with their tags.</summary>
    Annotations = 32,

    /// <summary>Everything that can be migrated.</summary>
    All = Schemas | LookupTables | Events | Profiles | Groups | Annotations,
}

/// <summary>Specifies what to migrate from one project to another, and how. Immutable: change a copy with <c>with</c>.</summary>
public sealed record MigrationRequest
{
    /// <summary>The parts to migrate. Default: all.</summary>
    public MigrationParts Only { get; init; } = MigrationParts.All;

    /// <summary>The first day of events, in UTC; with <see cref="SourceTimeZone"/>, in that time zone. Required for events.</summary>
    public DateOnly? FromDate { get; init; }

    /// <summary>The last day of events, inclusive; it must be over. Default: yesterday.</summary>
    public DateOnly? ToDate { get; init; }

    /// <summary>
    /// The groups to migrate: maps a group key, such as <c>company</c>, to Mixpanel's own id of the group key in the source, which may be negative; the
    /// embedded Mixpanel accepts the group key itself. Default: none.
    /// </summary>
    public IReadOnlyDictionary<string, string> Groups { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// The same group keys with Mixpanel's own ids in the target: with <see cref="Verify"/>, these groups are read from it. Default: none; then groups are not
    /// verified, which is reported.
    /// </summary>
    public IReadOnlyDictionary<string, string> TargetGroups { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The lookup tables of the target to replace, by id, each with a CSV file: Mixpanel does not return their rows. Default: none.</summary>
    public IReadOnlyDictionary<Guid, string> LookupTables { get; init; } = new Dictionary<Guid, string>();

    /// <summary>
    /// The IANA name of the time zone in which the source stored times as if they were UTC; this applies to projects created before 2023. Default: none, for
    /// UTC.
    /// </summary>
    public string? SourceTimeZone { get; init; }

    /// <summary>
    /// Whether events, profiles and the groups of <see cref="TargetGroups"/> are read from the target at the end, and compared with what was accepted.
    /// Default: false.
    /// </summary>
    public bool Verify { get; init; }

    /// <summary>Whether to read and map only: nothing is sent, and no state is kept. Default: false.</summary>
    public bool DryRun { get; init; }

    /// <summary>
    /// Whether to discard the progress of an earlier run and start over. Default: false. Accepted events keep their ids, so that Mixpanel counts them once.
    /// </summary>
    public bool Restart { get; init; }

    /// <summary>
    /// Whether to wait when the hourly calls are used up, according to <see cref="MixpanelOptions.Ledger"/>. Default: false: the migration stops, to be resumed
    /// later.
    /// </summary>
    public bool Wait { get; init; }

    /// <summary>The number of days that are downloaded at once, and stored on the disk ahead of the day that is sent; from 1 to 100. Default: 4.</summary>
    public int Parallel { get; init; } = 4;

    /// <summary>
    /// The folder for the progress of the migration, and downloads that are not settled. It belongs to one migration. Required, except for a dry run.
    /// </summary>
    public string? State { get; init; }

    /// <summary>
    /// Opens the state of an import in a folder, which is created if it is missing, such as <c>folder
    /// => SqliteImportState.Open(folder)</c> of MixpanelConnector.Sqlite. Required, except for a dry run.
    /// </summary>
    public Func<string, IImportState>? OpenState { get; init; }

    /// <summary>The file for records that were not accepted, written at the end. Default: a file in <see cref="State"/>; in a dry run, none.</summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>The name of the source in the report. Default: its project.</summary>
    public string? From { get; init; }

    /// <summary>The name of the target in the report. Default: its project.</summary>
    public string? To { get; init; }

    /// <summary>The longest time the target may be unreachable before the migration stops, to be resumed later. Default: 24 hours.</summary>
    public TimeSpan MaxOutage { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Receives a snapshot of the counts, at most five times a second. Default: none.</summary>
    public IProgress<MigrationProgress>? Progress { get; init; }

    /// <summary>
    /// Receives messages for a person while it runs: how many calls it needs, what is requested again and why. Contain no property values. Default: none.
    /// </summary>
    public IProgress<string>? Notices { get; init; }

    /// <summary>Receives one line for each record that was not accepted, and each warning, as they occur. Default: none.</summary>
    public IProgress<ImportDiagnostic>? Diagnostics { get; init; }

    /// <summary>Returns a name for the folder of a migration's state: the same for the same two projects.</summary>
    /// <param name="source">The options of the source.</param>
    /// <param name="target">The options of the target.</param>
    public static string StateKeyOf(MixpanelOptions source, MixpanelOptions target)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Migration.MigrationFolder.NameOf(source)}\n{Migration.MigrationFolder.NameOf(target)}")))[..20];
    }

    internal TimeZoneInfo? Zone => SourceTimeZone is { } zone ? TimeReader.ZoneOf(zone, "source_time_zone") : null;

    internal bool Takes(MigrationParts part) => Only.HasFlag(part);

    /// <summary>Returns the same request with all defaults filled in.</summary>
    /// <exception cref="MixpanelException">An option is out of range, or conflicts with others.</exception>
    internal MigrationRequest Validated(MixpanelOptions source, MixpanelOptions target)
    {
        if (Only is MigrationParts.None || (Only & ~MigrationParts.All) is not MigrationParts.None)
            throw MixpanelException.Invalid("only", "Name at least one part to migrate: events, profiles, groups, schemas, annotations, lookup-tables.");
        if (source.ProjectId is null || source.ServiceAccount is null)
            throw MixpanelException.Invalid("from", $"{Of(From, "the source")} needs a service account and project_id, to read its records.");
        if (target.ProjectId is null) throw MixpanelException.Invalid("to", $"{Of(To, "the target")} needs project_id, to ensure that it is another project.");
        var isOneServer = Hosts.BaseAddress(source, Api.App) is var one && Hosts.BaseAddress(target, Api.App) is var other
            && (one == other || (Hosts.IsLoopback(one) && Hosts.IsLoopback(other) && one.Port == other.Port));
        if (source.ProjectId == target.ProjectId && isOneServer)
            throw MixpanelException.Invalid("to",
                $"{Of(From, "The source")} and {Within(To)} are the same project, {source.ProjectId}: a migration needs two projects.");
        if (target.ServiceAccount is null
            && (Verify || Only.HasFlag(MigrationParts.Schemas) || Only.HasFlag(MigrationParts.Annotations) || LookupTables.Count > 0
                || (target.Token is null && Takes(MigrationParts.Events))))
            throw MixpanelException.Invalid("to",
                $"{Of(To, "the target")} needs a service account for schemas, annotations, lookup tables and verification. With only a token, "
                + $"name other parts with {source.Words[Setting.OfMigration(nameof(Only))]}.");
        if (target.Token is null && (Takes(MigrationParts.Profiles) || (Takes(MigrationParts.Groups) && Groups.Count > 0)))
            throw MixpanelException.Invalid("to",
                $"{Of(To, "the target")} needs the project token, to send profiles and groups. Add token, or name other parts with {source.Words[Setting.OfMigration(nameof(Only))]}.");
        // The token alone decides where profiles go, whatever project_id is: with the source's token they would return to the source.
        if (target.Token is not null && target.Token == source.Token && isOneServer)
            throw MixpanelException.Invalid("to",
                $"{Of(From, "The source")} and {Within(To)} have the same token, which belongs to one project: profiles and groups would go there. "
                + $"Set the target's own token in its profile.");
        if (Parallel is < 1 or > OptionRanges.MostParallel)
            throw MixpanelException.Invalid("parallel", $"The number of parallel downloads must be from 1 to {OptionRanges.MostParallel}.");
        if (MaxOutage <= TimeSpan.Zero) throw MixpanelException.Invalid("max_outage", "The maximum outage must be above zero.");
        if (DryRun && (Verify || Restart))
            throw MixpanelException.Invalid(Verify ? "verify" : "restart", "A dry run sends and stores nothing: there is nothing to verify or to restart.");
        if (!DryRun && (string.IsNullOrEmpty(State) || OpenState is null))
            throw MixpanelException.Invalid("state", "A migration needs a folder for its state.");
        if (Groups.Any(group => group.Key.Length == 0 || group.Value.Length == 0))
            throw MixpanelException.Invalid("group", "A group needs its group key and its data group id in the source.");
        if (Groups.Count > 0 && !Takes(MigrationParts.Groups))
            throw MixpanelException.Invalid("group", "Groups are named, but are not among the parts to migrate.");
        if (TargetGroups.Count > 0 && !Verify)
            throw MixpanelException.Invalid("target_group", $"The data group ids of the target are for its verification: they need {source.Words[Setting.OfMigration(nameof(Verify))]}.");
        if (TargetGroups.FirstOrDefault(group => group.Value.Length == 0 || !Groups.ContainsKey(group.Key)) is { Key: { } stray })
            throw MixpanelException.Invalid("target_group",
                $"{stray} is to be read from the target, but is not among the groups to migrate, or has no id there.");
        if (LookupTables.Count > 0 && !Takes(MigrationParts.LookupTables))
            throw MixpanelException.Invalid("lookup_table", "A lookup table is named, but lookup tables are not among the parts to migrate.");
        if (LookupTables.Values.FirstOrDefault(file => !File.Exists(file)) is { } missing)
            throw MixpanelException.Invalid("lookup_table", $"The file {missing} does not exist.");
        if (DeadLetterPath is { } letters && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(letters))))
            throw MixpanelException.Invalid("dead_letter", $"The folder of {letters} does not exist.");
        _ = Zone;
        if (!Takes(MigrationParts.Events))
        {
            if (FromDate is not null || ToDate is not null)
                throw MixpanelException.Invalid(FromDate is null ? "to_date" : "from_date", "Days are for events, which are not among the parts to migrate.");
            if (SourceTimeZone is not null)
                throw MixpanelException.Invalid("source_time_zone", "The time zone is for events, which are not among the parts to migrate.");
            return this;
        }

        var today = DateOnly.FromDateTime(source.TimeProvider.GetUtcNow().UtcDateTime);
        if (FromDate is not { } from)
            throw MixpanelException.Invalid("from_date", $"Events need a first day: {source.Words[Setting.OfMigration(nameof(FromDate)).With("2024-01-01")]}. To migrate no events, name the parts with {source.Words[Setting.OfMigration(nameof(Only))]}.");
        var to = ToDate ?? today.AddDays(-1);
        if (to >= today)
            throw MixpanelException.Invalid("to_date",
                $"{Named(to)} is not over: it is {Named(today)} in UTC. Migrate the days up to yesterday, and the others with {source.Words.SameRun} later.");
        if (to < from)
            throw MixpanelException.Invalid(ToDate is null ? "from_date" : "to_date",
                $"The last day, {Named(to)}, must not be before the first, {Named(from)}.");
        return this with { ToDate = to };

        static string Named(DateOnly day) => Export.ExportNames.Of(day);
        static string Of(string? name, string otherwise) => name is null ? otherwise : $"The profile {name}";
        static string Within(string? name) => name is null ? "the target" : $"the profile {name}";
    }
}

/// <summary>The progress of a migration.</summary>
public sealed record MigrationProgress
{
    /// <summary>The current part, such as <c>events</c>.</summary>
    public required string Part { get; init; }

    /// <summary>Settled days; 0 for parts other than events.</summary>
    public required int Finished { get; init; }

    /// <summary>The total number of days; null for parts other than events.</summary>
    public required int? Total { get; init; }

    /// <summary>Records read, of all parts so far.</summary>
    public required long Read { get; init; }

    /// <summary>Records that the target accepted.</summary>
    public required long Accepted { get; init; }

    /// <summary>Records that were not accepted.</summary>
    public required long Rejected { get; init; }

    /// <summary>Requests to the target that repeated one whose outcome was not final.</summary>
    public required long Retries { get; init; }

    /// <summary>Whether the migration is only waiting: for Mixpanel to answer again, or for the next hour.</summary>
    public required bool Waiting { get; init; }
}
