using MixpanelConnector.Exported;

namespace MixpanelConnector;

/// <summary>The kind of data to export from Mixpanel.</summary>
public enum ExportKind
{
    /// <summary>Events, one file per day.</summary>
    Events,

    /// <summary>User profiles, one file per 50 pages.</summary>
    Profiles,

    /// <summary>Group profiles, one file per 50 pages. Needs <see cref="ExportRequest.GroupKey"/> and <see cref="ExportRequest.DataGroupId"/>.</summary>
    Groups,

    /// <summary>The names and ids of lookup tables: Mixpanel does not return their rows.</summary>
    LookupTables,
}

/// <summary>Specifies what to export, how, and where to. Immutable: change a copy with <c>with</c>.</summary>
public sealed record ExportRequest
{
    /// <summary>The kind of data to export. Default: <see cref="ExportKind.Events"/>.</summary>
    public ExportKind Kind { get; init; }

    /// <summary>
    /// The folder for the files, created if it is missing; or an address of <see cref="Storages"/> with a prefix. It contains one export: a different kind,
    /// project, endpoint, format or filter needs a different folder; further days are added to it.
    /// </summary>
    public required string Folder { get; init; }

    /// <summary>The object storage schemes that <see cref="Folder"/> may use. Default: none. MixpanelConnector.ObjectStorage provides some.</summary>
    public IReadOnlyList<StorageScheme> Storages { get; init; } = [];

    /// <summary>The first day, in UTC. Events only, and required for them.</summary>
    public DateOnly? FromDate { get; init; }

    /// <summary>The last day, inclusive, in UTC. Events only. Default: yesterday.</summary>
    public DateOnly? ToDate { get; init; }

    /// <summary>The event names. Events only. Default: all.</summary>
    public IReadOnlyList<string> Event { get; init; } = [];

    /// <summary>A condition in Mixpanel's expression language, such as <c>properties["plan"] == "pro"</c>. Default: none.</summary>
    public string? Where { get; init; }

    /// <summary>The group key, a property such as <c>company</c>. Groups only.</summary>
    public string? GroupKey { get; init; }

    /// <summary>Mixpanel's own id of the group key, which may be negative; the embedded Mixpanel accepts the group key itself. Groups only.</summary>
    public string? DataGroupId { get; init; }

    /// <summary>
    /// The data view (workspace) whose profiles are exported: profiles that it hides are not in the export. Profiles and groups only. Default: none, for the
    /// whole project.
    /// </summary>
    public long? WorkspaceId { get; init; }

    /// <summary>The format of the files. Default: NDJSON. MixpanelConnector.Formats provides more.</summary>
    public ExportFormat Format { get; init; } = ExportFormat.Ndjson;

    /// <summary>The compression of the files; for Parquet, that of its pages. Default: null, which means gzip, and zstd for Parquet pages.</summary>
    public ExportCompression? Compression { get; init; }

    /// <summary>The number of days downloaded at once, from 1 to 100. Default: 4.</summary>
    public int Parallel { get; init; } = 4;

    /// <summary>
    /// Whether to wait when the hourly calls are used up, according to <see cref="MixpanelOptions.Ledger"/>. Default: false: the export stops, to be resumed
    /// later.
    /// </summary>
    public bool Wait { get; init; }

    /// <summary>The number of days at the end of the range to fetch again, since events may arrive late. Events only. Default: 0.</summary>
    public int Lookback { get; init; }

    /// <summary>Whether to ignore the contents of the folder and start over. Default: false.</summary>
    public bool Restart { get; init; }

    /// <summary>
    /// The folder that stores the session of a profile export between runs. Default: null, which means that an unfinished profile export starts over.
    /// </summary>
    public string? State { get; init; }

    /// <summary>The name of a local store that is the source of the records; used instead of its address, which changes with each run. Default: none.</summary>
    public string? LocalStore { get; init; }

    /// <summary>Receives a snapshot of the counts, at most five times a second and once at the end. Default: none.</summary>
    public IProgress<ExportProgress>? Progress { get; init; }

    /// <summary>
    /// Receives messages for a person while it runs: how many calls it needs, what is fetched again and why. Contain no property values. Default: none.
    /// </summary>
    public IProgress<string>? Notices { get; init; }

    /// <summary>Whether it is one of several exports whose caller reports the total number of calls. Default: false.</summary>
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

    /// <summary>Returns the same request with all defaults filled in.</summary>
    /// <exception cref="MixpanelException">An option is out of range, or conflicts with others.</exception>
    internal ExportRequest Validated(TimeProvider time)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (!Enum.IsDefined(Kind)) throw MixpanelException.Invalid("kind", "The kind must be events, profiles, groups or lookup tables.");
        if (string.IsNullOrEmpty(Folder)) throw MixpanelException.Invalid("to", "The export needs a target folder.");
        if (Folder.Contains("://", StringComparison.Ordinal) && !IsAddress)
            throw MixpanelException.Invalid("to",
                $"{Folder} is not a supported target: name a folder or, with MixpanelConnector.ObjectStorage, an s3://, gs:// or az:// URL.");
        if (Parallel is < 1 or > OptionRanges.MostParallel)
            throw MixpanelException.Invalid("parallel", $"The number of parallel downloads must be from 1 to {OptionRanges.MostParallel}.");
        if (Lookback < 0) throw MixpanelException.Invalid("lookback", "The number of days to fetch again must not be negative.");
        if (Kind is ExportKind.Groups && (string.IsNullOrEmpty(GroupKey) || string.IsNullOrEmpty(DataGroupId)))
            throw MixpanelException.Invalid(string.IsNullOrEmpty(GroupKey) ? "group_key" : "data_group_id",
                "Groups need the group key and Mixpanel's data group id.");
        if (WorkspaceId is not null && Kind is not (ExportKind.Profiles or ExportKind.Groups))
            throw MixpanelException.Invalid("workspace_id",
                "Only profiles and groups can be exported from a data view: events and lookup tables are always of the whole project.");
        if (WorkspaceId is <= 0) throw MixpanelException.Invalid("workspace_id", "The data view must be a positive integer.");
        if (Kind is not ExportKind.Groups && (GroupKey ?? DataGroupId) is not null)
            throw MixpanelException.Invalid(GroupKey is null ? "data_group_id" : "group_key", "The group key and the data group id are for groups only.");
        if (Kind is ExportKind.LookupTables && Where is not null)
            throw MixpanelException.Invalid("where", "All lookup tables are listed: a condition is not supported.");
        if (Kind is ExportKind.LookupTables
            && (Format.Name != ExportFormat.Ndjson.Name || (Compression is { } compression && compression.Name != ExportCompression.None.Name)))
            throw MixpanelException.Invalid("format", "The list of lookup tables is always uncompressed NDJSON.");
        if (Kind is not ExportKind.Events)
        {
            if (FromDate is not null || ToDate is not null)
                throw MixpanelException.Invalid(FromDate is null ? "to_date" : "from_date", "Days are for events only.");
            if (Event.Count > 0) throw MixpanelException.Invalid("event", "Event names are for events only.");
            if (Lookback > 0) throw MixpanelException.Invalid("lookback", "Days can be fetched again for events only.");
            return Kind is ExportKind.LookupTables ? this with { Compression = ExportCompression.None } : this;
        }

        if (FromDate is not { } from) throw MixpanelException.Invalid("from_date", "An export of events needs its first day.");
        if (Event.Any(string.IsNullOrEmpty)) throw MixpanelException.Invalid("event", "The name of an event must not be empty.");
        var to = ToDate ?? today.AddDays(-1);
        if (to > today) throw MixpanelException.Invalid("to_date", $"{Named(to)} is in the future: it is {Named(today)} in UTC.");
        if (to < from)
            throw MixpanelException.Invalid(ToDate is null ? "from_date" : "to_date",
                $"The last day, {Named(to)}, must not be before the first, {Named(from)}.");
        return this with { ToDate = to };

        static string Named(DateOnly day) => Export.ExportNames.Of(day);
    }
}

/// <summary>The progress of an export.</summary>
public sealed record ExportProgress
{
    /// <summary>Exported days or pages.</summary>
    public required int Finished { get; init; }

    /// <summary>The total number of days or pages; null while it is unknown.</summary>
    public required int? Total { get; init; }

    /// <summary>Records read in this run, including those of failed attempts.</summary>
    public required long Records { get; init; }

    /// <summary>Bytes received in this run.</summary>
    public required long Bytes { get; init; }

    /// <summary>Requests that repeated a failed one.</summary>
    public required long Retries { get; init; }

    /// <summary>Whether the export is only waiting: for Mixpanel to answer again, or for the next hour.</summary>
    public required bool Waiting { get; init; }
}
