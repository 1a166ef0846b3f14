using MixpanelConnector.Exported;

namespace MixpanelConnector;

/// <summary>What an export takes out of Mixpanel.</summary>
public enum ExportKind
{
    /// <summary>Events, a file a day.</summary>
    Events,

    /// <summary>Profiles of users, a file for 50 pages.</summary>
    Profiles,

    /// <summary>Profiles of groups, a file for 50 pages. Needs <see cref="ExportRequest.GroupKey"/> and <see cref="ExportRequest.DataGroupId"/>.</summary>
    Groups,

    /// <summary>The names and ids of lookup tables: Mixpanel does not give their rows.</summary>
    LookupTables,
}

/// <summary>What to export, how, and where to. Immutable: change a copy with <c>with</c>.</summary>
public sealed record ExportRequest
{
    internal const int MostParallel = 100;

    /// <summary>What is exported. Default: <see cref="ExportKind.Events"/>.</summary>
    public ExportKind Kind { get; init; }

    /// <summary>The folder that the files go to, made when it is missing; or an address of <see cref="Storages"/>, of a prefix. It holds one export: another kind, project, endpoint, format or filter needs another folder; other days join it.</summary>
    public required string Folder { get; init; }

    /// <summary>The object storage that <see cref="Folder"/> may be an address of. Default: none. MixpanelConnector.ObjectStorage holds some.</summary>
    public IReadOnlyList<StorageScheme> Storages { get; init; } = [];

    /// <summary>The first day, in UTC. Events only, which need it.</summary>
    public DateOnly? FromDate { get; init; }

    /// <summary>The last day, in UTC; it is included. Events only. Default: yesterday.</summary>
    public DateOnly? ToDate { get; init; }

    /// <summary>The names of the events. Events only. Default: all.</summary>
    public IReadOnlyList<string> Event { get; init; } = [];

    /// <summary>A condition in Mixpanel's language, such as <c>properties["plan"] == "pro"</c>. Default: none.</summary>
    public string? Where { get; init; }

    /// <summary>The property that makes the groups, such as <c>company</c>. Groups only.</summary>
    public string? GroupKey { get; init; }

    /// <summary>Mixpanel's own id of the kind of group, which may be negative; the embedded Mixpanel takes the group key itself. Groups only.</summary>
    public string? DataGroupId { get; init; }

    /// <summary>The data view (workspace) whose profiles are taken: what it hides is not in the export. Profiles and groups only. Default: none, for all of the project.</summary>
    public long? WorkspaceId { get; init; }

    /// <summary>The format of the files. Default: NDJSON. MixpanelConnector.Formats holds more.</summary>
    public ExportFormat Format { get; init; } = ExportFormat.Ndjson;

    /// <summary>The compression of the files, of Parquet that of its pages. Default: null, which means gzip, and zstd of Parquet's pages.</summary>
    public ExportCompression? Compression { get; init; }

    /// <summary>How many days are downloaded at once, from 1 to 100. Default: 4.</summary>
    public int Parallel { get; init; } = 4;

    /// <summary>Whether to wait where the calls of the hour are used up, by <see cref="MixpanelOptions.Ledger"/>. Default: false: the export ends there, to go on later.</summary>
    public bool Wait { get; init; }

    /// <summary>How many days at the end of the range are fetched again, since events may arrive late. Events only. Default: 0.</summary>
    public int Lookback { get; init; }

    /// <summary>Forget what the folder holds, and begin again. Default: false.</summary>
    public bool Restart { get; init; }

    /// <summary>The folder that keeps the session of profiles between runs. Default: null, which means that profiles begin again when they were not finished.</summary>
    public string? State { get; init; }

    /// <summary>The name of a local store that the records come from, in place of its address, which changes from run to run. Default: none.</summary>
    public string? LocalStore { get; init; }

    /// <summary>Gets a snapshot of the counts, at most five times a second and once at the end. Default: none.</summary>
    public IProgress<ExportProgress>? Progress { get; init; }

    /// <summary>Gets what a person should know while it runs: how many calls it needs, what is fetched again and why. Holds no property values. Default: none.</summary>
    public IProgress<string>? Notices { get; init; }

    /// <summary>Whether it is one of many, whose caller says for all of them how many calls they need. Default: false.</summary>
    internal bool IsPart { get; init; }

    /// <summary>Whether the files go to object storage, and not to this machine.</summary>
    internal bool IsAddress => Storages.Any(scheme => scheme.Holds(Folder));

    internal ExportCompression Compressed => Compression ?? ExportCompression.Gzip;

    internal string KindName => Kind switch
    {
        ExportKind.Profiles => ExportManifest.Profiles,
        ExportKind.Groups => ExportManifest.Groups,
        ExportKind.LookupTables => ExportManifest.LookupTables,
        _ => ExportManifest.Events,
    };

    /// <summary>The same with all defaults filled in.</summary>
    /// <exception cref="MixpanelException">An option is out of range, or does not fit the others.</exception>
    internal ExportRequest Validated(TimeProvider time)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (!Enum.IsDefined(Kind)) throw MixpanelException.Invalid("kind", "The kind must be events, profiles, groups or lookup tables.");
        if (string.IsNullOrEmpty(Folder)) throw MixpanelException.Invalid("to", "The export needs a folder to go to.");
        if (Folder.Contains("://", StringComparison.Ordinal) && !IsAddress) throw MixpanelException.Invalid("to", $"{Folder} is an address that files do not go to: folders, and with MixpanelConnector.ObjectStorage s3://, gs:// and az://, are.");
        if (Parallel is < 1 or > MostParallel) throw MixpanelException.Invalid("parallel", $"From 1 to {MostParallel} downloads run at once.");
        if (Lookback < 0) throw MixpanelException.Invalid("lookback", "The number of days to fetch again must not be negative.");
        if (Kind is ExportKind.Groups && (string.IsNullOrEmpty(GroupKey) || string.IsNullOrEmpty(DataGroupId)))
            throw MixpanelException.Invalid(string.IsNullOrEmpty(GroupKey) ? "group_key" : "data_group_id", "Groups need the group key, and the id that Mixpanel has for this kind of group.");
        if (WorkspaceId is not null && Kind is not (ExportKind.Profiles or ExportKind.Groups)) throw MixpanelException.Invalid("workspace_id", "Only profiles and groups can be taken from a data view: Mixpanel gives events and lookup tables of the whole project.");
        if (WorkspaceId is <= 0) throw MixpanelException.Invalid("workspace_id", "The data view must be a positive integer.");
        if (Kind is not ExportKind.Groups && (GroupKey ?? DataGroupId) is not null) throw MixpanelException.Invalid(GroupKey is null ? "data_group_id" : "group_key", "The group key and the id of the kind of group are for groups only.");
        if (Kind is ExportKind.LookupTables && Where is not null) throw MixpanelException.Invalid("where", "Lookup tables are listed all: there is no condition on them.");
        if (Kind is ExportKind.LookupTables && (Format.Name != ExportFormat.Ndjson.Name || (Compression is { } compression && compression.Name != ExportCompression.None.Name)))
            throw MixpanelException.Invalid("format", "The list of lookup tables is NDJSON, and not compressed.");
        if (Kind is not ExportKind.Events)
        {
            if (FromDate is not null || ToDate is not null) throw MixpanelException.Invalid(FromDate is null ? "to_date" : "from_date", "Days are for events only.");
            if (Event.Count > 0) throw MixpanelException.Invalid("event", "Names of events are for events only.");
            if (Lookback > 0) throw MixpanelException.Invalid("lookback", "Days are fetched again of events only.");
            return Kind is ExportKind.LookupTables ? this with { Compression = ExportCompression.None } : this;
        }

        if (FromDate is not { } from) throw MixpanelException.Invalid("from_date", "An export of events needs its first day.");
        if (Event.Any(string.IsNullOrEmpty)) throw MixpanelException.Invalid("event", "The name of an event must not be empty.");
        var to = ToDate ?? today.AddDays(-1);
        if (to > today) throw MixpanelException.Invalid("to_date", $"{Named(to)} has not come yet: it is {Named(today)} in UTC.");
        if (to < from) throw MixpanelException.Invalid(ToDate is null ? "from_date" : "to_date", $"The last day, {Named(to)}, must not be before the first, {Named(from)}.");
        return this with { ToDate = to };

        static string Named(DateOnly day) => Export.ExportNames.Of(day);
    }
}

/// <summary>How far an export is.</summary>
public sealed record ExportProgress
{
    /// <summary>Days, or pages, that are there.</summary>
    public required int Finished { get; init; }

    /// <summary>Days, or pages, in all; null as long as that is not known.</summary>
    public required int? Total { get; init; }

    /// <summary>Records read in this run, those of tries that came to nothing included.</summary>
    public required long Records { get; init; }

    /// <summary>Bytes received in this run.</summary>
    public required long Bytes { get; init; }

    /// <summary>Requests that repeated one that had come to nothing.</summary>
    public required long Retries { get; init; }

    /// <summary>Whether nothing is under way but waits: for Mixpanel to answer again, or for the next hour.</summary>
    public required bool Waiting { get; init; }
}
