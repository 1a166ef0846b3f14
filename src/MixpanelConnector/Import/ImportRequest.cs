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

/// <summary>What the records of an import are.</summary>
public enum ImportType
{
    /// <summary>Events, sent to <c>/import</c>.</summary>
    Events,

    /// <summary>Updates of user profiles, sent to <c>/engage</c>; or <c>{"$distinct_id","$properties"}</c>, which becomes a <c>$set</c>; or <c>distinct_id</c> beside what is set.</summary>
    Profiles,

    /// <summary>Updates of group profiles, sent to <c>/groups</c>; or <c>{"$group_id","$properties"}</c>, which becomes a <c>$set</c>, as does an exported group, which has <c>$distinct_id</c> in place of <c>$group_id</c>. Needs <see cref="ImportRequest.GroupKey"/>.</summary>
    Groups,

    /// <summary>A lookup table: one CSV file, plain or compressed, sent whole to <c>/lookup-tables/{id}</c>, all or nothing. Needs <see cref="ImportRequest.TableId"/>.</summary>
    LookupTable,
}

/// <summary>What to import, and how. Immutable: change a copy with <c>with</c>.</summary>
public sealed record ImportRequest
{
    /// <summary>Files, globs, folders, addresses of <see cref="Storages"/>, or <c>-</c> for <see cref="StandardInput"/>. A folder gives every file below it, in ordinal order of their paths; names that begin with a dot are left out, and so is what the import itself writes. The folder of a finished export gives the files that its manifest names, in its layout and of its type, each checked by its hash, and nothing else. Not used with <see cref="Replay"/>.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>The object storage whose addresses may be among the inputs, such as <c>s3://bucket/key</c>: of an object, of a prefix (it ends with a slash, or has objects below it), or a glob (<c>*</c>, <c>?</c> and <c>[…]</c> within a slash, <c>**</c> across). An object that changes once it was listed is not read any further. Default: none. MixpanelConnector.ObjectStorage holds some.</summary>
    public IReadOnlyList<StorageScheme> Storages { get; init; } = [];

    /// <summary>The stream behind the input <c>-</c>; the caller disposes it. Default: none.</summary>
    public Stream? StandardInput { get; init; }

    /// <summary>The formats that the inputs may be in; each input's is told by its content and its name. Default: NDJSON and a JSON array. MixpanelConnector.Formats holds more.</summary>
    public IReadOnlyList<ImportFormat> Formats { get; init; } = [ImportFormat.Ndjson, ImportFormat.Json];

    /// <summary>The compressions that the inputs may have, told by their content. Default: gzip. MixpanelConnector.Formats holds zstd.</summary>
    public IReadOnlyList<ImportCompression> Compressions { get; init; } = [ImportCompression.Gzip];

    /// <summary>The name of the format that every input is in, in place of looking. Default: null, which means by content.</summary>
    public string? Format { get; init; }

    /// <summary>The encoding of text, by a label of the WHATWG Encoding Standard such as <c>windows-1252</c>, of which <c>latin1</c> is another name. A byte order mark overrules it. With <see cref="Replay"/>: that of the records which are no UTF-8. Default: null, which means UTF-8, or UTF-16 where a mark says so.</summary>
    public string? Encoding { get; init; }

    /// <summary>Which column holds a field: from the field's name, such as <c>time</c>, to the column's. Default: each column gives the field of its own name. JSON records without <c>properties</c> are rows, too: their members are columns. A column that an input does not have is an error of the call, before anything is sent.</summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>What the values of columns are, by the columns' names. Default: of CSV and TSV what the first values show; of other formats what each value is.</summary>
    public IReadOnlyDictionary<string, ImportColumnType> ColumnTypes { get; init; } = FrozenDictionary<string, ImportColumnType>.Empty;

    /// <summary>The name of events that have no column with it. Events in columns only. Default: none.</summary>
    public string? Event { get; init; }

    /// <summary>What stands between two cells of CSV: one character of ASCII, no letter, digit or quote. Default: null, which means found out by the header, among comma, semicolon, tab and vertical bar. A lookup table of which it is said is sent with commas in its place.</summary>
    public char? Delimiter { get; init; }

    /// <summary>What stands around a cell of CSV or TSV that holds a delimiter or a line end, and is written twice inside: one character of ASCII, or null for none. Default: <c>"</c>.</summary>
    public char? Quote { get; init; } = '"';

    /// <summary>What makes text of a delimiter, a quote, a line end or itself in CSV and TSV, such as a backslash; before anything else it is text itself. A backslash is also read as MySQL and PostgreSQL write it: before <c>n</c>, <c>r</c>, <c>t</c>, <c>b</c>, <c>f</c>, <c>v</c>, <c>0</c> and <c>Z</c> it makes control characters, before any other what stands there, and a cell <c>\N</c> is as good as empty. Default: none.</summary>
    public char? Escape { get; init; }

    /// <summary>How many lines of CSV and TSV stand before the header, and are left out. Default: 0. Blank lines, and a line such as <c>sep=;</c>, are passed by themselves.</summary>
    public int SkipLines { get; init; }

    /// <summary>Whether CSV and TSV begin with a row, and not with a header. Needs <see cref="ColumnNames"/>. Default: false.</summary>
    public bool NoHeader { get; init; }

    /// <summary>The names of all columns of CSV and TSV, in their order, in place of those in the header. A column with an empty name must be empty; the first is left out. Default: none.</summary>
    public IReadOnlyList<string> ColumnNames { get; init; } = [];

    /// <summary>What stands before the decimals in numbers that are text: a point or a comma. Separators of thousands are not taken. Default: a point.</summary>
    public char DecimalSeparator { get; init; } = '.';

    /// <summary>Cells of CSV and TSV that are as good as empty, as they stand there: in quotes or with an escape it is text that looks alike. Default: none but the empty ones.</summary>
    public IReadOnlyList<string> NullValues { get; init; } = [];

    /// <summary>How times are written that are text, in the language of <c>strftime</c>, such as <c>%d.%m.%Y %H:%M:%S</c>: the time of events, which becomes an integer then, and columns of the type time. Text that does not follow it is rejected. Default: ISO 8601.</summary>
    public string? TimeFormat { get; init; }

    /// <summary>The zone of times that are text and say none, by its name in the IANA database, such as <c>Europe/Berlin</c>: the time of events, which becomes an integer then, and columns of the type time. A time that clocks were put forward over is rejected; of one that exists twice, the first is taken. Default: UTC.</summary>
    public string? TimeZone { get; init; }

    /// <summary>The rules by which records of another tool become Mixpanel's, before anything else is done to them. Default: none, which means that they are Mixpanel's already.</summary>
    public ImportMapping? Mapping { get; init; }

    /// <summary>How the project tells users apart: what a <see cref="Mapping"/> makes of known and anonymous ids. Default: <see cref="ImportIdentity.Simplified"/>.</summary>
    public ImportIdentity Identity { get; init; }

    /// <summary>Whether an input without a record is no error. Default: false.</summary>
    public bool AllowEmpty { get; init; }

    /// <summary>What the records are. Default: <see cref="ImportType.Events"/>.</summary>
    public ImportType Type { get; init; }

    /// <summary>The property that makes the groups, like <c>company</c>: added to updates that do not name it, and never another one. For groups, and for events with a <see cref="Mapping"/>, which get this property where their records say the group.</summary>
    public string? GroupKey { get; init; }

    /// <summary>The id of the lookup table that the file replaces. Lookup tables only.</summary>
    public Guid? TableId { get; init; }

    /// <summary>Whether Mixpanel validates each record and names those that it refuses. Default: true. Without it Mixpanel drops such records in silence, so the checks made here before sending are the same either way.</summary>
    public bool Strict { get; init; } = true;

    /// <summary>A JSON object of properties that every event gets; an event's own value wins. Events only. Default: none.</summary>
    public string? Properties { get; init; }

    /// <summary>Repairs, made after <see cref="Drop"/> and <see cref="Rename"/>, counted in <see cref="ImportReport.Fixed"/>. Default: none.</summary>
    public ImportFixes Fix { get; init; }

    /// <summary>Properties to rename, from old to new names, all at once. A record that has a property of the new name already is rejected as <c>rename_collision</c>. Default: none.</summary>
    public IReadOnlyDictionary<string, string> Rename { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Properties to leave out, before anything else is done. Default: none.</summary>
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>Added to the <c>time</c> that each event has of its own, in the unit it has, after <see cref="Fix"/>; whole seconds, at most 100 years, negative for earlier. Events only. Default: none.</summary>
    public TimeSpan? TimeOffset { get; init; }

    /// <summary>The name of the input in the ids that are computed for events without <c>$insert_id</c>, and of a stream's checkpoint. Default: each file's path relative to the input that it was found by, without a suffix of compression; <c>stdin</c> for a stream.</summary>
    public string? SourceId { get; init; }

    /// <summary>What the one file or stream among the inputs is called, in place of the name under which it lies: for a mapping, which may ask for it, and to tell an archive. Default: null, which means the name under which it lies.</summary>
    public string? InputName { get; init; }

    /// <summary>The name of a local store that the records go to, in place of its address, which changes from run to run: a checkpoint belongs to it. Default: none, which means that it belongs to the endpoint or the region.</summary>
    public string? LocalStore { get; init; }

    /// <summary>Forget the checkpoint and begin again. Default: false. Needed when an option that shapes the records has changed, and to send an input again that was mended: events that are as they were keep their ids, so that Mixpanel counts them once. Refused after accepted events whose computed ids, times, users or names may come out otherwise by the options, unless <see cref="NewIds"/> is set: Mixpanel would count these twice.</summary>
    public bool Restart { get; init; }

    /// <summary>With <see cref="Restart"/>: accept that events which were accepted may be sent with another event, time, distinct_id or <c>$insert_id</c> than before, so that Mixpanel counts those again. Default: false.</summary>
    public bool NewIds { get; init; }

    /// <summary>Where every record that was not accepted is written at the end. Default: <see cref="IImportState.DeadLetterPath"/>.</summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>Other files that the caller writes, such as a report: refused when they are among the inputs, and tried before anything is sent. Default: none.</summary>
    public IReadOnlyList<string> OtherOutputs { get; init; } = [];

    /// <summary>A dead-letter file to import again, with the ids of the first time, in place of <see cref="Inputs"/>. Default: none.</summary>
    public string? Replay { get; init; }

    /// <summary>How many requests run at once, from 1 to 20. Default: null, which means adaptive up to 20. Profiles and groups are always sent one request at a time, so that updates of one profile keep their order.</summary>
    public int? Senders { get; init; }

    /// <summary>The most records in a request, from 1 to 2000. Default: 2000, Mixpanel's limit.</summary>
    public int BatchEvents { get; init; } = 2000;

    /// <summary>The most bytes in a request before compression. Default: 9.8 MiB, a little below Mixpanel's limit of 10 MB.</summary>
    public int BatchBytes { get; init; } = LargestBatch;

    /// <summary>How long Mixpanel may stay out of reach before the import stops, to be resumed later. Default: 24 hours.</summary>
    public TimeSpan MaxOutage { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How many bytes one compressed input may give when it is decompressed; one that gives more is not read any further. Default: null, which means any number.</summary>
    public long? MaxDecompressedBytes { get; init; }

    /// <summary>Whether an import stops, before anything is sent and as if it had not begun, when its first 1000 records are refused alike, or all there are and other columns would help: options need mending then, and not records; see <see cref="ImportReport.Inspection"/>. Default: false: each is a dead letter.</summary>
    public bool StopWhenRefusedAlike { get; init; }

    /// <summary>Everything but the sending: says what would be refused, needs no credentials, keeps no state. Default: false.</summary>
    public bool DryRun { get; init; }

    /// <summary>Gets one line for each record that was not accepted, and each warning, as they occur. Default: none. An exception that it throws ends the import and reaches the caller, once what was settled is saved; the same call resumes.</summary>
    public IProgress<ImportDiagnostic>? Diagnostics { get; init; }

    /// <summary>Gets a snapshot of the counts, at most five times a second and once at the end. Default: none. An exception that it throws ends the import and reaches the caller, once what was settled is saved; the same call resumes.</summary>
    public IProgress<ImportProgress>? Progress { get; init; }

    /// <summary>How often the state is saved while the import runs: seldom enough to cost nothing, often enough that little is sent twice after a crash.</summary>
    internal TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The inputs, when they were found already.</summary>
    internal IReadOnlyList<InputFile>? Found { get; init; }

    /// <summary>Gives the inputs, where they are not known before.</summary>
    internal InputFeed? Feed { get; init; }

    /// <summary>How long requests that are under way are awaited once the import is stopped. Default: null, which means 8 seconds.</summary>
    internal TimeSpan? Grace { get; init; }

    /// <summary>What is done to records in place of a <see cref="Mapping"/>. Default: none.</summary>
    internal RecordPreparation? Preparation { get; init; }

    /// <summary>Whether records become others before they are checked.</summary>
    internal bool IsMapped => Mapping is not null || Preparation is not null;

    /// <summary>The manifest of the export that is imported: its files are read in its layout. Default: none.</summary>
    internal ExportManifest? Exported { get; init; }

    /// <summary>What the addresses among the inputs lead to. Default: none were looked up.</summary>
    internal StoredInputs? Stored { get; init; }

    /// <summary>Whether an input is an address of object storage, and not of this machine.</summary>
    internal bool IsAddress(string input) => Storages.Any(scheme => scheme.Holds(input));

    /// <summary>The options that the first dead letter of a replay keeps, as JSON; empty for none.</summary>
    internal string ReplayedOptions { get; init; } = "";

    /// <summary>The columns that are mapped or typed, by which a text is told; also of a look at the columns themselves, in which nothing becomes of them.</summary>
    internal IEnumerable<string> NamedColumns
    {
        get => field ?? Columns.Values.Concat(ColumnTypes.Keys);
        init;
    }

    /// <summary>What is looked at, in a dry run that looks at a part. Default: all.</summary>
    internal ImportLook? Look { get; init; }

    /// <summary>The repairs, with that of times where it is said how or where they are written.</summary>
    internal ImportFixes Fixes => Type is ImportType.Events && (TimeFormat ?? TimeZone) is not null ? Fix | ImportFixes.Time : Fix;

    /// <summary>9.8 MiB: below 10 MB by enough for every way to count a megabyte.</summary>
    internal const int LargestBatch = 10_276_045;

    internal const int MostSenders = 20;

    /// <summary>Checks what can be checked without reading the input.</summary>
    /// <exception cref="MixpanelException">An option is out of range.</exception>
    internal ImportRequest Validated()
    {
        if (Replay is not null && Inputs.Count > 0) throw MixpanelException.Invalid("replay", "Inputs and a dead-letter file to replay exclude each other: import one, then the other.");
        if (Replay is null && Inputs.Count is 0) throw MixpanelException.Invalid("input", "Name at least one input (a file, a glob, a folder, or - for standard input), or a dead-letter file to replay.");
        if (Inputs.Contains("", StringComparer.Ordinal)) throw MixpanelException.Invalid("input", "An input is empty: name a file, a glob, a folder, or - for standard input.");
        if (DeadLetterPath is "") throw MixpanelException.Invalid("dead_letter", "The path of the dead letters is empty: name a file, or leave it out.");
        if (Inputs.Contains("-", StringComparer.Ordinal) && (StandardInput is null || Inputs.Count > 1)) throw MixpanelException.Invalid("input", "Standard input can only be the one input.");
        if (Format is not null && Formats.All(format => format.Name != Format)) throw MixpanelException.Invalid("format", $"The format must be one of {string.Join(", ", Formats)}.");
        if (Columns.Any(column => column.Key.Length == 0 || column.Value.Length == 0)) throw MixpanelException.Invalid("map", "A mapping needs the name of a field and that of a column.");
        foreach (var field in Columns.Keys)
            if (RecordFields.NearMiss(field, Type) is { } meant) throw MixpanelException.Invalid("map", $"{RecordFields.Shown(field)} is not the name of a field: {meant} is. To have a property of that name, leave the mapping out and rename the column's property.");
        if (ColumnTypes.Any(column => column.Key.Length == 0 || !Enum.IsDefined(column.Value))) throw MixpanelException.Invalid("column_type", "The type of a column needs the column's name, and is text, number, boolean, time or json.");
        Dialect.EnsureSense(this);
        if (Encoding is not null && TextEncoding.IsUnread(Encoding)) throw MixpanelException.Invalid("encoding", $"{Encoding.Trim()} is an encoding that is not read here. Convert the input to UTF-8 first, for example with iconv.");
        if (Encoding is not null && TextEncoding.Find(Encoding) is null) throw MixpanelException.Invalid("encoding", "The encoding must be one of the WHATWG Encoding Standard, such as windows-1252, iso-8859-2, shift_jis or utf-16le.");
        if (Event is not null && (Type is not ImportType.Events || string.IsNullOrWhiteSpace(Event))) throw MixpanelException.Invalid("event", "The name of events must not be blank, and is for events only.");
        if (Replay is not null && (Format is not null || Dialect.IsSaid(this) || NullValues.Count > 0)) throw MixpanelException.Invalid("replay", "A dead-letter file has its own format: it needs neither format, delimiter nor anything else that is said of CSV.");
        if (!Enum.IsDefined(Type)) throw MixpanelException.Invalid("type", "The type must be events, profiles, groups or a lookup table.");
        if (!Enum.IsDefined(Identity) || (Mapping is null && Identity is not ImportIdentity.Simplified)) throw MixpanelException.Invalid("identity", "The identity is simplified or original, and is for records that are mapped.");
        if (Mapping is not null && Type is ImportType.LookupTable) throw MixpanelException.Invalid("mapping", "A lookup table is sent as it is: it is not mapped.");
        if (Mapping is not null && (Columns.Count > 0 || Event is not null)) throw MixpanelException.Invalid(Columns.Count > 0 ? "map" : "event", "The mapping says what becomes of columns: --rename gives a property that it makes another name.");
        if (Mapping is not null && Type is not ImportType.LookupTable) _ = new RecordMapper(this);
        if ((Type is ImportType.Groups && string.IsNullOrWhiteSpace(GroupKey)) || (Type is not ImportType.Groups && GroupKey is not null && (Mapping is null || Type is not ImportType.Events || string.IsNullOrWhiteSpace(GroupKey)))) throw MixpanelException.Invalid("group_key", Type is ImportType.Groups ? "Groups need a group key: the property that makes them." : "The group key is for groups only, and for events that are mapped, which get a property of that name where their records say the group.");
        if (Type is ImportType.LookupTable == TableId is null) throw MixpanelException.Invalid("table_id", Type is ImportType.LookupTable ? "A lookup table needs the id of the table that it replaces." : "The table id is for lookup tables only.");
        if (Type is ImportType.LookupTable && Replay is not null) throw MixpanelException.Invalid("replay", "A lookup table is all or nothing: mend the file, and import it again.");
        if (Type is ImportType.LookupTable && Format is not (null or "csv" or "tsv")) throw MixpanelException.Invalid("format", "A lookup table is CSV.");
        if (Type is ImportType.LookupTable && (Columns.Count > 0 || ColumnTypes.Count > 0 || NullValues.Count > 0)) throw MixpanelException.Invalid(Columns.Count > 0 ? "map" : ColumnTypes.Count > 0 ? "column_type" : "null_values", "A lookup table is sent as it is: its columns are not mapped, typed or emptied.");
        if (Type is ImportType.LookupTable && (NoHeader || ColumnNames.Count > 0 || DecimalSeparator != '.')) throw MixpanelException.Invalid(NoHeader ? "no_header" : DecimalSeparator != '.' ? "decimal" : "column_names", "A lookup table is sent as it is: its first row names its columns.");
        if (Type is ImportType.LookupTable && RecordCleaner.For(this) is not null) throw MixpanelException.Invalid("fix", "A lookup table is sent as it is: nothing in it can be fixed, renamed, dropped or moved.");
        if (Senders is < 1 or > MostSenders) throw MixpanelException.Invalid("senders", "The number of senders must be from 1 to 20.");
        if (BatchEvents is < 1 or > 2000) throw MixpanelException.Invalid("batch_events", "A batch holds from 1 to 2000 records.");
        if (BatchBytes is < 1024 or > LargestBatch) throw MixpanelException.Invalid("batch_bytes", $"A batch holds from 1024 to {LargestBatch} bytes before compression.");
        if (MaxDecompressedBytes <= 0) throw MixpanelException.Invalid("max_decompressed_bytes", "The most bytes of a decompressed input must be above zero.");
        if (MaxOutage <= TimeSpan.Zero) throw MixpanelException.Invalid("max_outage", "The longest outage must be above zero.");
        if (NewIds && !Restart) throw MixpanelException.Invalid("new_ids", "New ids are for an import that begins again: they need --restart.");
        if (SourceId is { Length: 0 }) throw MixpanelException.Invalid("source_id", "The source id must not be empty.");
        if (InputName is { Length: 0 }) throw MixpanelException.Invalid("name", "The name of the input must not be empty.");
        if (Properties is not null && Type is not ImportType.Events) throw MixpanelException.Invalid("properties", "Shared properties are for events only.");
        RecordCleaner.EnsureSense(this);
        TimeReader.EnsureSense(this);
        if (Mapping?.Rows is not { } rows || Replay is not null || Dialect.IsSaid(this)) return this;
        return this with { Encoding = Encoding ?? rows.Encoding, Delimiter = rows.Delimiter, Quote = rows.Quote, Escape = rows.Escape, NoHeader = rows.Columns.Count > 0, ColumnNames = rows.Columns };
    }
}
