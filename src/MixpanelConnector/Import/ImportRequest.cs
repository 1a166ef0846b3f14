using System.Collections.Frozen;
using System.Collections.ObjectModel;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Import.Inspect;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector;

/// <summary>The type of the records of an import.</summary>
public enum ImportType
{
    /// <summary>Events, sent to <c>/import</c>.</summary>
    Events,

    /// <summary>
    /// User profile updates, sent to <c>/engage</c>; or <c>{"$distinct_id","$properties"}</c>,
    /// which becomes a <c>$set</c>; or <c>distinct_id</c> next to the properties to set.
    /// </summary>
    Profiles,

    /// <summary>
    /// Group profile updates, sent to <c>/groups</c>; or <c>{"$group_id","$properties"}</c>, which becomes a <c>$set</c>. So does an exported group, which has
    /// <c>$distinct_id</c> in place of <c>$group_id</c>. Requires <see cref="ImportRequest.GroupKey"/>.
    /// </summary>
    Groups,

    /// <summary>
    /// A lookup table: one CSV file, plain or compressed, uploaded as a whole to <c>/lookup-tables/{id}</c>, all or nothing. Requires
    /// <see cref="ImportRequest.TableId"/>.
    /// </summary>
    LookupTable,
}

/// <summary>What to import, and how. Immutable: use <c>with</c> to change a copy.</summary>
public sealed record ImportRequest
{
    /// <summary>
    /// Files, globs, folders, URLs of <see cref="Storages"/>, or <c>-</c> for <see cref="StandardInput"/>. A folder includes all files below it, in ordinal
    /// order of their paths, except names that begin with a dot and files that the import itself writes. The folder of a finished export includes only the
    /// files listed in its manifest, read in its layout and type, each verified by its hash. Not used with <see cref="Replay"/>.
    /// </summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>
    /// The object storage schemes whose URLs may be among the inputs, such as <c>s3://bucket/key</c>. A URL names an object, a prefix (it ends with a slash, or
    /// has objects below it), or a glob (<c>*</c>, <c>?</c> and <c>[…]</c> do not match a slash, <c>**</c> does). An object that changes after it was listed
    /// is not read any further. Default: none. MixpanelConnector.ObjectStorage provides some.
    /// </summary>
    public IReadOnlyList<StorageScheme> Storages { get; init; } = [];

    /// <summary>The stream that the input <c>-</c> reads; the caller disposes it. Default: none.</summary>
    public Stream? StandardInput { get; init; }

    /// <summary>
    /// The formats that the inputs may have; each input's format is detected from its
    /// content and name. Default: NDJSON and JSON. MixpanelConnector.Formats provides more.
    /// </summary>
    public IReadOnlyList<ImportFormat> Formats { get; init; } = [ImportFormat.Ndjson, ImportFormat.Json];

    /// <summary>The compressions that the inputs may have, detected from their content. Default: gzip. MixpanelConnector.Formats provides zstd.</summary>
    public IReadOnlyList<ImportCompression> Compressions { get; init; } = [ImportCompression.Gzip];

    /// <summary>The name of the format of all inputs, instead of detecting it. Default: null, which means detected from the content.</summary>
    public string? Format { get; init; }

    /// <summary>
    /// The text encoding, by a label of the WHATWG Encoding Standard such as <c>windows-1252</c>, of which
    /// <c>latin1</c> is an alias. A byte order mark takes precedence. With <see cref="Replay"/>: the encoding of the
    /// records that are not UTF-8. Default: null, which means UTF-8, or UTF-16 if there is a byte order mark for it.
    /// </summary>
    public string? Encoding { get; init; }

    /// <summary>
    /// The column that holds each field: from field name, such as <c>time</c>, to column name. Default: each column
    /// supplies the field of the same name. JSON records without <c>properties</c> are also rows, with their
    /// members as columns. A column that an input does not have is an error, reported before anything is sent.
    /// </summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>
    /// The types of column values, by column name. Default: for CSV and TSV inferred from the first values; for other formats the type of each value.
    /// </summary>
    public IReadOnlyDictionary<string, ImportColumnType> ColumnTypes { get; init; } = FrozenDictionary<string, ImportColumnType>.Empty;

    /// <summary>The event name for events that have no column for it. Only for events in columns. Default: none.</summary>
    public string? Event { get; init; }

    /// <summary>
    /// The CSV cell delimiter: one ASCII character that is not a letter, digit or quote. Default: null, which means detected from the header, among comma,
    /// semicolon, tab and vertical bar. A lookup table for which it is set is sent with commas instead.
    /// </summary>
    public char? Delimiter { get; init; }

    /// <summary>
    /// The quote character for CSV and TSV cells that contain a delimiter or a line end;
    /// doubled within a cell. One ASCII character, or null for none. Default: <c>"</c>.
    /// </summary>
    public char? Quote { get; init; } = '"';

    /// <summary>
    /// The escape character of CSV and TSV, such as a backslash: it makes a delimiter, a quote, a line end or itself literal. Before any other character it is
    /// literal itself. A backslash is also interpreted as in MySQL and PostgreSQL: before <c>n</c>, <c>r</c>, <c>t</c>, <c>b</c>, <c>f</c>, <c>v</c>, <c>0</c>
    /// and <c>Z</c> it forms a control character, before any other it is removed, and a cell <c>\N</c> counts as empty. Default: none.
    /// </summary>
    public char? Escape { get; init; }

    /// <summary>
    /// The number of lines of CSV and TSV to skip before the header. Default: 0. Blank lines, and a line such as <c>sep=;</c>, are always skipped.
    /// </summary>
    public int SkipLines { get; init; }

    /// <summary>Whether CSV and TSV begin with a row instead of a header. Requires <see cref="ColumnNames"/>. Default: false.</summary>
    public bool NoHeader { get; init; }

    /// <summary>
    /// The names of all columns of CSV and TSV, in order, instead of those in the header. A column
    /// with an empty name must be empty, except the first, which is skipped. Default: none.
    /// </summary>
    public IReadOnlyList<string> ColumnNames { get; init; } = [];

    /// <summary>The decimal separator of numbers written as text: a point or a comma. Thousands separators are not accepted. Default: a point.</summary>
    public char DecimalSeparator { get; init; } = '.';

    /// <summary>
    /// CSV and TSV cells that count as empty, compared literally: the same text in quotes or with an escape is text. Default: only empty cells.
    /// </summary>
    public IReadOnlyList<string> NullValues { get; init; } = [];

    /// <summary>
    /// The format of times written as text, as a <c>strftime</c> pattern such as <c>%d.%m.%Y %H:%M:%S</c>. Applies to the time of events, which becomes an
    /// integer, and to columns of type time. Text that does not match is rejected. Default: ISO 8601.
    /// </summary>
    public string? TimeFormat { get; init; }

    /// <summary>
    /// The time zone of times written as text without one, as an IANA name such as <c>Europe/Berlin</c>.
    /// Applies to the time of events, which becomes an integer, and to columns of type time. A time that was
    /// skipped when clocks went forward is rejected; of one that occurs twice, the first is used. Default: UTC.
    /// </summary>
    public string? TimeZone { get; init; }

    /// <summary>
    /// The rules that convert records of another tool to Mixpanel records, applied before
    /// anything else. Default: none, which means that they already are Mixpanel records.
    /// </summary>
    public ImportMapping? Mapping { get; init; }

    /// <summary>
    /// How the project identifies users: determines how a <see cref="Mapping"/> maps known and anonymous ids. Default: <see cref="ImportIdentity.Simplified"/>.
    /// </summary>
    public ImportIdentity Identity { get; init; }

    /// <summary>Whether an import without any records is allowed. Default: false, which reports an error.</summary>
    public bool AllowEmpty { get; init; }

    /// <summary>
    /// The type of the records. Default: <see cref="ImportType.Events"/>; with <see cref="Replay"/>, the type that the dead letters name, which cannot be
    /// changed.
    /// </summary>
    public ImportType Type { get => GivenType ?? ImportType.Events; init => GivenType = value; }

    /// <summary>
    /// The property that identifies the groups, such as <c>company</c>. It is added to updates that lack it; updates that name a different one are rejected.
    /// For groups, and for events with a <see cref="Mapping"/>, which get this property when their records name the group.
    /// </summary>
    public string? GroupKey { get; init; }

    /// <summary>The id of the lookup table to replace. Lookup tables only.</summary>
    public Guid? TableId { get; init; }

    /// <summary>
    /// Whether Mixpanel validates each record and reports those it rejects. Default: true. Otherwise
    /// Mixpanel silently drops invalid records, so the checks before sending are the same either way.
    /// </summary>
    public bool Strict { get; init; } = true;

    /// <summary>A JSON object of properties that are added to every event; an event's own value takes precedence. Events only. Default: none.</summary>
    public string? Properties { get; init; }

    /// <summary>
    /// Repairs to make, applied after <see cref="Drop"/> and <see cref="Rename"/> and counted in <see cref="ImportReport.Fixed"/>. Default: none.
    /// </summary>
    public ImportFixes Fix { get; init; }

    /// <summary>
    /// Properties to rename, from old to new names, all at once. A record that already has
    /// a property with the new name is rejected as <c>rename_collision</c>. Default: none.
    /// </summary>
    public IReadOnlyDictionary<string, string> Rename { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Properties to remove before anything else is done. Default: none.</summary>
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>
    /// An offset added to the <c>time</c> of each event that has one, in that time's unit, after
    /// <see cref="Fix"/>. Whole seconds, at most 100 years, negative for earlier. Events only. Default: none.
    /// </summary>
    public TimeSpan? TimeOffset { get; init; }

    /// <summary>
    /// The input's name in ids computed for events without <c>$insert_id</c>, and in a stream's checkpoint. Default: each file's path relative to the input
    /// that included it, without a compression extension; <c>stdin</c> for a stream.
    /// </summary>
    public string? SourceId { get; init; }

    /// <summary>
    /// The name of the only file or stream among the inputs, instead of its actual name: for
    /// mappings that use it, and to detect an archive. Default: null, which means the actual name.
    /// </summary>
    public string? InputName { get; init; }

    /// <summary>
    /// The name of the local store that records are sent to, used instead of its address, which changes from run to run, to identify the checkpoint. Default:
    /// none, which means that the checkpoint belongs to the endpoint or the region.
    /// </summary>
    public string? LocalStore { get; init; }

    /// <summary>
    /// Whether to discard the checkpoint and start over. Default: false. Required after changing an option that affects the records, and to resend an input
    /// that was corrected. Unchanged events keep their ids, so that Mixpanel counts them once. Refused when events were accepted whose computed ids, times,
    /// users or names could differ with the new options, because Mixpanel would count them twice, unless <see cref="NewIds"/> is set.
    /// </summary>
    public bool Restart { get; init; }

    /// <summary>
    /// Whether, with <see cref="Restart"/>, accepted events may be resent with a different event,
    /// time, distinct_id or <c>$insert_id</c>, so that Mixpanel counts them again. Default: false.
    /// </summary>
    public bool NewIds { get; init; }

    /// <summary>
    /// The file to which records that were not accepted are written at the end. A file with other content is kept as <c>FILE.1</c>. Default:
    /// <see cref="IImportState.DeadLetterPath"/>.
    /// </summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>
    /// Other files that the caller writes, such as a report. Rejected when they are
    /// among the inputs; verified to be writable before anything is sent. Default: none.
    /// </summary>
    public IReadOnlyList<string> OtherOutputs { get; init; } = [];

    /// <summary>A dead-letter file to import again, with the original ids, instead of <see cref="Inputs"/>. Default: none.</summary>
    public string? Replay { get; init; }

    /// <summary>
    /// The number of concurrent requests, from 1 to 20. Default: null, which means adaptive up to 20. Profiles and groups are always sent one request at a
    /// time, so that updates of the same profile stay in order.
    /// </summary>
    public int? Senders { get; init; }

    /// <summary>The maximum number of records in a request, from 1 to 2000. Default: 2000, Mixpanel's limit.</summary>
    public int BatchEvents { get; init; } = OptionRanges.MostBatchEvents;

    /// <summary>The maximum size of a request before compression, in bytes. Default: 9.8 MiB, a little below Mixpanel's limit of 10 MB.</summary>
    public int BatchBytes { get; init; } = OptionRanges.LargestBatch;

    /// <summary>How long Mixpanel may be unreachable before the import stops, to be resumed later. Default: 24 hours.</summary>
    public TimeSpan MaxOutage { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// The maximum decompressed size of each compressed input, in bytes; an input that exceeds it is not read any further. Default: null, which means no limit.
    /// </summary>
    public long? MaxDecompressedBytes { get; init; }

    /// <summary>
    /// Whether an import stops when its first 1000 records are rejected for the same reason, or all of them if there are fewer and different columns would
    /// help. It stops before anything is sent, as if it had not started, since the options are probably wrong rather than the records; see
    /// <see cref="ImportReport.Inspection"/>. Default: false, which means that each is a dead letter.
    /// </summary>
    public bool StopWhenRefusedAlike { get; init; }

    /// <summary>Whether to do everything except sending: reports what would be rejected, needs no credentials, stores no state. Default: false.</summary>
    public bool DryRun { get; init; }

    /// <summary>
    /// Receives one diagnostic for each record that was not accepted, and each warning, as they occur. Default: none. An exception that it throws ends the
    /// import and propagates to the caller after settled records are saved; the same call resumes.
    /// </summary>
    public IProgress<ImportDiagnostic>? Diagnostics { get; init; }

    /// <summary>
    /// Receives a snapshot of the counts, at most five times per second and once at the end. Default: none. An exception that it throws ends the import and
    /// propagates to the caller after settled records are saved; the same call resumes.
    /// </summary>
    public IProgress<ImportProgress>? Progress { get; init; }

    /// <summary>
    /// Whether the same import finds its state again, and so resumes. Problems that end an import early advise accordingly; nothing else depends on it.
    /// Default: true.
    /// </summary>
    public bool IsResumable { get; init; } = true;

    /// <summary>How messages refer to settings, also in reports and dead letters. Default: null, which means <see cref="MixpanelOptions.Words"/>.</summary>
    public MessageWords? Words { get; init; }

    /// <summary>How messages refer to settings, once the client's are filled in.</summary>
    internal MessageWords InWords => Words ?? MessageWords.Default;

    /// <summary>How often the state is saved during the import: rarely enough to cost nothing, often enough that little is resent after a crash.</summary>
    internal TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The inputs, if they were already found.</summary>
    internal IReadOnlyList<InputFile>? Found { get; init; }

    /// <summary>Supplies the inputs when they are not known in advance.</summary>
    internal InputFeed? Feed { get; init; }

    /// <summary>The time to wait for requests in flight once the import is stopped. Default: null, which means 8 seconds.</summary>
    internal TimeSpan? Grace { get; init; }

    /// <summary>A preparation of the records, used instead of a <see cref="Mapping"/>. Default: none.</summary>
    internal RecordPreparation? Preparation { get; init; }

    /// <summary>What names the columns, if not the option, such as a file next to the records; null for the option.</summary>
    internal string? ColumnsFrom { get; init; }

    /// <summary>Whether records are converted before they are checked.</summary>
    internal bool IsMapped => Mapping is not null || Preparation is not null;

    /// <summary>The manifest of the imported export, whose files are read in its layout. Default: none.</summary>
    internal ExportManifest? Exported { get; init; }

    /// <summary>The objects that the URLs among the inputs resolve to. Default: none were resolved.</summary>
    internal StoredInputs? Stored { get; init; }

    /// <summary>Whether an input is an object storage URL rather than a local path.</summary>
    internal bool IsAddress(string input) => Storages.Any(scheme => scheme.Holds(input));

    /// <summary>The type of the records, if it was specified.</summary>
    internal ImportType? GivenType { get; private init; }

    /// <summary>The options stored in the first dead letter of a replay, as JSON; empty for none; null before they are read.</summary>
    internal string? ReplayedOptions { get; init; }

    /// <summary>
    /// The columns that are mapped or typed, used to detect the format of text. Also set when only the columns are inspected and nothing is made of them.
    /// </summary>
    internal IEnumerable<string> NamedColumns
    {
        get => field ?? Columns.Values.Concat(ColumnTypes.Keys);
        init;
    }

    /// <summary>The part to inspect, in a dry run that reads only a part. Default: all.</summary>
    internal ImportLook? Look { get; init; }

    /// <summary>The repairs, including the repair of times when a time format or zone is specified.</summary>
    internal ImportFixes Fixes => Type is ImportType.Events && (TimeFormat ?? TimeZone) is not null ? Fix | ImportFixes.Time : Fix;

    /// <summary>Checks everything that can be checked without reading the input.</summary>
    /// <exception cref="MixpanelException">An option is out of range.</exception>
    internal ImportRequest Validated()
    {
        if (Replay is not null && Inputs.Count > 0)
            throw MixpanelException.Invalid("replay", "Inputs and a dead-letter file to replay are mutually exclusive: import one, then the other.");
        if (Replay is null && Inputs.Count is 0)
            throw MixpanelException.Invalid("input",
                "Name at least one input (a file, a glob, a folder, or - for standard input), or a dead-letter file to replay.");
        if (Inputs.Contains("", StringComparer.Ordinal))
            throw MixpanelException.Invalid("input", "An input is empty: name a file, a glob, a folder, or - for standard input.");
        if (DeadLetterPath is "") throw MixpanelException.Invalid("dead_letter", "The path of the dead letters is empty: name a file, or omit it.");
        if (Inputs.Contains("-", StringComparer.Ordinal) && (StandardInput is null || Inputs.Count > 1))
            throw MixpanelException.Invalid("input", "Standard input must be the only input.");
        if (Format is not null && Formats.All(format => format.Name != Format))
            throw MixpanelException.Invalid("format", $"The format must be one of {string.Join(", ", Formats)}.");
        if (Columns.Any(column => column.Key.Length == 0 || column.Value.Length == 0))
            throw MixpanelException.Invalid("map", "A mapping needs a field name and a column name.");
        foreach (var field in Columns.Keys)
            if (RecordFields.NearMiss(field, Type) is { } meant)
                throw MixpanelException.Invalid("map",
                    $"{RecordFields.Shown(field)} is not a field name: {meant} is. For a property of that name, "
                    + $"omit the mapping and rename the column's property.");
        if (ColumnTypes.Any(column => column.Key.Length == 0 || !Enum.IsDefined(column.Value)))
            throw MixpanelException.Invalid("column_type", "A column type needs a column name, and must be text, number, boolean, time or json.");
        Dialect.EnsureSense(this);
        if (Encoding is not null && TextEncoding.IsUnread(Encoding))
            throw MixpanelException.Invalid("encoding",
                $"The encoding {Encoding.Trim()} is not supported. Convert the input to UTF-8 first, for example with iconv.");
        if (Encoding is not null && TextEncoding.Find(Encoding) is null)
            throw MixpanelException.Invalid("encoding",
                "The encoding must be one of the WHATWG Encoding Standard, such as windows-1252, iso-8859-2, shift_jis or utf-16le.");
        if (Event is not null && (Type is not ImportType.Events || string.IsNullOrWhiteSpace(Event)))
            throw MixpanelException.Invalid("event", "The event name must not be blank, and is for events only.");
        if (Replay is not null && (Format is not null || Dialect.IsSaid(this) || NullValues.Count > 0))
            throw MixpanelException.Invalid("replay", "A dead-letter file has its own format: the format, the delimiter and other CSV options do not apply.");
        if (!Enum.IsDefined(Type)) throw MixpanelException.Invalid("type", "The type must be events, profiles, groups or a lookup table.");
        if (!Enum.IsDefined(Identity) || (Mapping is null && Identity is not ImportIdentity.Simplified))
            throw MixpanelException.Invalid("identity", "The identity must be simplified or original, and is for mapped records only.");
        if (Mapping is not null && Type is ImportType.LookupTable)
            throw MixpanelException.Invalid("mapping", "A lookup table is sent unchanged: it cannot be mapped.");
        if (Mapping is not null && (Columns.Count > 0 || Event is not null))
            throw MixpanelException.Invalid(Columns.Count > 0 ? "map" : "event",
                $"The mapping determines what columns become: use {InWords[Setting.Rename]} to rename a property that it creates.");
        if (Mapping is not null && Type is not ImportType.LookupTable) _ = new RecordMapper(this);
        var isKnownLater = Replay is not null && ReplayedOptions is null; // type and group key are in the dead letters
        if ((Type is ImportType.Groups && string.IsNullOrWhiteSpace(GroupKey) && !isKnownLater)
            || (Type is not ImportType.Groups && GroupKey is not null && !isKnownLater
                && (Mapping is null || Type is not ImportType.Events || string.IsNullOrWhiteSpace(GroupKey))))
            throw MixpanelException.Invalid("group_key",
                Type is ImportType.Groups
                    ? "Groups need a group key: the property that identifies them."
                    : "The group key is for groups and mapped events only; the events get a property of that name if their records contain the group.");
        if (Type is ImportType.LookupTable == TableId is null)
            throw MixpanelException.Invalid("table_id",
                Type is ImportType.LookupTable ? "A lookup table needs the id of the table that it replaces." : "The table id is for lookup tables only.");
        if (Type is ImportType.LookupTable && Replay is not null)
            throw MixpanelException.Invalid("replay", "A lookup table is replaced as a whole: fix the file, and import it again.");
        if (Type is ImportType.LookupTable && Format is not (null or "csv" or "tsv")) throw MixpanelException.Invalid("format", "A lookup table is CSV.");
        if (Type is ImportType.LookupTable && (Columns.Count > 0 || ColumnTypes.Count > 0 || NullValues.Count > 0))
            throw MixpanelException.Invalid(Columns.Count > 0 ? "map" : ColumnTypes.Count > 0 ? "column_type" : "null_values",
                "A lookup table is sent unchanged: its columns cannot be mapped, typed or emptied.");
        if (Type is ImportType.LookupTable && (NoHeader || ColumnNames.Count > 0 || DecimalSeparator != '.'))
            throw MixpanelException.Invalid(NoHeader ? "no_header" : DecimalSeparator != '.' ? "decimal" : "column_names",
                "A lookup table is sent unchanged: its first row names its columns.");
        if (Type is ImportType.LookupTable && RecordCleaner.For(this) is not null)
            throw MixpanelException.Invalid("fix", "A lookup table is sent unchanged: nothing in it can be fixed, renamed, dropped or moved.");
        if (Senders is < 1 or > OptionRanges.MostSenders)
            throw MixpanelException.Invalid("senders", $"The number of senders must be from 1 to {OptionRanges.MostSenders}.");
        if (BatchEvents is < 1 or > OptionRanges.MostBatchEvents)
            throw MixpanelException.Invalid("batch_events", $"A batch must have from 1 to {OptionRanges.MostBatchEvents} records.");
        if (BatchBytes is < OptionRanges.SmallestBatch or > OptionRanges.LargestBatch)
            throw MixpanelException.Invalid("batch_bytes",
                $"A batch must have from {OptionRanges.SmallestBatch} to {OptionRanges.LargestBatch} bytes before compression.");
        if (MaxDecompressedBytes <= 0)
            throw MixpanelException.Invalid("max_decompressed_bytes", "The maximum size of a decompressed input must be above zero.");
        if (MaxOutage <= TimeSpan.Zero) throw MixpanelException.Invalid("max_outage", "The maximum outage must be above zero.");
        if (NewIds && !Restart) throw MixpanelException.Invalid("new_ids", $"New ids are for a restarted import: they need {InWords[Setting.Restart]}.");
        if (SourceId is { Length: 0 }) throw MixpanelException.Invalid("source_id", "The source id must not be empty.");
        if (InputName is { Length: 0 }) throw MixpanelException.Invalid("name", "The name of the input must not be empty.");
        if (Properties is not null && Type is not ImportType.Events) throw MixpanelException.Invalid("properties", "Shared properties are for events only.");
        RecordCleaner.EnsureSense(this);
        TimeReader.EnsureSense(this);
        if (Mapping?.Rows is not { } rows || Replay is not null || Dialect.IsSaid(this)) return this;
        return this with
        {
            Encoding = Encoding ?? rows.Encoding,
            Delimiter = rows.Delimiter,
            Quote = rows.Quote,
            Escape = rows.Escape,
            NoHeader = rows.Columns.Count > 0,
            ColumnNames = rows.Columns,
            ColumnsFrom = rows.Columns.Count > 0 ? $"the mapping of {Mapping!.Name}" : null,
        };
    }
}
