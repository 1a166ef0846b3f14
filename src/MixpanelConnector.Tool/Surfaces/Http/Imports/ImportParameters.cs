using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Formats;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>The options of an import as query parameters: those of <c>mixpanel import</c> that make sense for a body, under the same names.</summary>
static class ImportParameters
{
    const int LongestName = 255;

    static readonly ImportValues Values = new("");

    /// <summary>Name, schema and description of each, in the documented order.</summary>
    public static readonly IReadOnlyList<(string Name, JsonObject Schema, string Description)> All =
    [
        ("type", Choice([.. ImportValues.Types]),
            "The kind of records. Default: events. Groups need group_key; a lookup table needs table_id and is all or nothing."),
        ("format", Choice([.. FileFormats.All.Select(format => format.Name)]),
            "The format of the body. Default: from Content-Type, otherwise detected from the content."),
        ("source_id", Text(),
            "Identifies the body in the ids computed for events without $insert_id: the same body with the same id is never counted twice. Default: "
            + "the Idempotency-Key, prefixed with the caller's name if there are keys, otherwise the id of the import."),
        ("name", new JsonObject { ["type"] = "string", ["maxLength"] = LongestName },
            "The name of the import in lists, such as its file name. Default: source_id."),
        ("strict", Choice("0", "1"), "Mixpanel's validation. Default: 1."),
        ("vendor", Choice([.. ImportMapping.Vendors]), "Convert the records from an export of another tool, with the built-in mapping."),
        ("mapping", Text(), "A JSON object: convert the records with a custom mapping, as described in docs/vendors/README.md. Instead of vendor."),
        ("identity", Choice([.. ImportValues.Identities]),
            "The project's identity management, for mapped records: simplified ($user_id and $device_id) or original (distinct_id). Default: simplified."),
        ("group_key", Text(), "The group key: the property that identifies groups, such as company; also for mapped events."),
        ("table_id", new JsonObject { ["type"] = "string", ["format"] = "uuid" }, "The id of the lookup table to replace."),
        ("properties", Text(), "A JSON object of properties added to all events; an event's own value takes precedence."),
        ("map", List(), "FIELD=COLUMN: the column that contains a field, in rows and in JSON records without properties. Repeatable."),
        ("column_type", List(),
            "COLUMN=text|number|boolean|time|json: the type of a column. Default: for CSV and TSV inferred from the first 1000 rows. Repeatable."),
        ("event", Text(), "The event name, if no column contains it."),
        ("encoding", Text(), "The text encoding, such as windows-1252 or utf-16le. Default: UTF-8, or UTF-16 if there is a byte order mark."),
        ("delimiter", Text(), "The CSV delimiter: one character, or tab. Default: comma, semicolon, tab or vertical bar, detected from the header."),
        ("quote", Text(), "The CSV quote character, or none. Default: a double quote."),
        ("escape", Text(), "The CSV escape character before a delimiter, a quote or a line break, such as a backslash. Default: none; quotes are doubled."),
        ("skip_lines", Text(), "The number of CSV lines to skip before the header. Default: 0."),
        ("no_header", Choice("true", "false"), "CSV has no header row; column_names specifies the columns. Default: false."),
        ("column_names", Text(), "The names of all CSV columns, comma-separated, instead of those in the header."),
        ("decimal", Named(Choice(".", ","), "point", "comma"), "The decimal separator of numbers in text. Default: the point."),
        ("null_values", List(), "A CSV cell that counts as empty, such as NULL, compared literally: quoted, it is text. Repeatable."),
        ("rename", List(), "OLD=NEW: rename a property. Repeatable."),
        ("drop", List(), "Remove a property. Repeatable."),
        ("fix", List(), "Fixes to apply: time, ids, nulls, insert-ids. Repeatable."),
        ("time_format", Text(), "The strftime format of times given as text, such as %d.%m.%Y %H:%M:%S. Default: ISO 8601."),
        ("time_zone", Text(), "The IANA time zone of times given as text without one, such as Europe/Berlin. Default: UTC."),
        ("time_offset", Text(), "Hours to add to the time of every event, such as -5.5."),
        ("allow_empty", Choice("true", "false"), "Treat a body without records as success. Default: false."),
        ("dry_run", Choice("true", "false"), "Do everything except sending: report what Mixpanel would reject. Default: false."),
    ];

    /// <summary>The number of records to show before and after a mapping; only for that route.</summary>
    public static readonly (string Name, JsonObject Schema, string Description) ShowMapping =
        ("show_mapping", new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = ImportValues.MostShown },
            "The number of records to show. Default: 10.");

    /// <summary>The accepted content types. An HTML form can send none of them.</summary>
    public static readonly IReadOnlyDictionary<string, string?> ContentTypes = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
    {
        ["application/x-ndjson"] = "ndjson",
        ["application/jsonl"] = "ndjson",
        ["application/json"] = "json",
        ["text/csv"] = "csv",
        ["text/tab-separated-values"] = "tsv",
        ["application/vnd.apache.parquet"] = "parquet",
        ["application/avro"] = "avro",
        ["application/zip"] = null,
        ["application/x-tar"] = null,
        ["application/octet-stream"] = null,
    };

    /// <summary>Extensions of archives by content type. Archives are recognized by their name, so a body without one of these gets the first.</summary>
    public static readonly IReadOnlyDictionary<string, string[]> ArchiveExtensions = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase)
    {
        ["application/zip"] = [".zip"],
        ["application/x-tar"] = [".tar", ".tgz", ".tar.gz", ".tar.zst"],
    };

    /// <param name="query">The query parameters.</param>
    /// <param name="known">The allowed parameters.</param>
    /// <exception cref="MixpanelException">A parameter is unknown, specified twice, or out of range.</exception>
    public static JsonObject Read(IQueryCollection query, IReadOnlyList<(string Name, JsonObject Schema, string Description)> known)
    {
        var options = new JsonObject();
        foreach (var (name, values) in query)
        {
            if (known.FirstOrDefault(parameter => parameter.Name == name) is not { Name: not null } meant)
                throw Configuration.Invalid(GivenName.Shown(name),
                    $"{GivenName.Shown(name)} is not a known parameter. The parameters are {string.Join(", ", known.Select(parameter => parameter.Name))}.");
            if (values.Count > 1 && (string?)meant.Schema["type"] != "array") throw Configuration.Invalid(name, $"{name} is given twice.");
            if (name == "name" && values[0]?.Length > LongestName)
                throw Configuration.Invalid(name, FormattableString.Invariant($"name must have at most {LongestName} characters."));
            options[name] = new JsonArray([.. values.Select(value => (JsonNode?)(value ?? ""))]);
        }

        return options;
    }

    /// <exception cref="MixpanelException">An option is out of range.</exception>
    public static ImportRequest ToRequest(JsonObject options, string sourceId) => ImportValues.Base with
    {
        Words = FieldWords.Instance,
        Type = Values.Type(One(options, "type")),
        Format = One(options, "format"),
        SourceId = sourceId,
        InputName = One(options, "name") is { Length: > 0 } name ? name : null,
        Mapping = Values.Mapping(One(options, "vendor"), One(options, "mapping") is { } rules ? () => rules : null),
        Identity = Values.Identity(One(options, "identity")),
        Strict = Values.Strict(One(options, "strict")),
        GroupKey = One(options, "group_key"),
        TableId = Values.TableId(One(options, "table_id")),
        Properties = One(options, "properties"),
        Columns = Values.Columns(Many(options, "map")),
        Rename = Values.Renames(Many(options, "rename")),
        Drop = [.. Many(options, "drop")],
        Fix = Values.Fixes(Many(options, "fix")),
        TimeFormat = One(options, "time_format"),
        TimeZone = One(options, "time_zone"),
        TimeOffset = Values.Hours(One(options, "time_offset")),
        ColumnTypes = Values.ColumnTypes(Many(options, "column_type")),
        Event = One(options, "event"),
        Encoding = One(options, "encoding"),
        Delimiter = Values.Delimiter(One(options, "delimiter")),
        Quote = Values.Quote(One(options, "quote")),
        Escape = Values.Escape(One(options, "escape")),
        SkipLines = Values.SkipLines(One(options, "skip_lines")),
        NoHeader = Truth(options, "no_header"),
        ColumnNames = Values.ColumnNames(One(options, "column_names")),
        DecimalSeparator = Values.Decimal(One(options, "decimal")),
        NullValues = [.. Many(options, "null_values")],
        AllowEmpty = Truth(options, "allow_empty"),
        DryRun = Truth(options, "dry_run"),
    };

    /// <summary>The number of records to show before and after the mapping of a request.</summary>
    /// <exception cref="MixpanelException">The request has no mapping, or the number is out of range.</exception>
    public static int ShownOf(JsonObject options, ImportRequest request) =>
        request.Mapping is null ? throw Values.NoMapping() : Values.Shown(One(options, ShowMapping.Name));

    static bool Truth(JsonObject options, string name) => One(options, name) switch
    {
        null or "false" => false,
        "true" => true,
        _ => throw Configuration.Invalid(name, $"{name} must be true or false."),
    };

    static string? One(JsonObject options, string name) => Many(options, name).FirstOrDefault();

    static IEnumerable<string> Many(JsonObject options, string name) => options[name]?.AsArray().Select(value => (string)value!) ?? [];

    static JsonObject Text() => new() { ["type"] = "string" };

    static JsonObject List() => new() { ["type"] = "array", ["items"] = Text() };

    static JsonObject Choice(params string[] values) => new() { ["type"] = "string", ["enum"] = new JsonArray([.. values.Select(value => (JsonNode)value)]) };

    /// <summary>Names for values that are not words, for generated clients: as NSwag reads them, and as OpenAPI Generator does.</summary>
    static JsonObject Named(JsonObject choice, params string[] names)
    {
        foreach (var extension in (string[])["x-enumNames", "x-enum-varnames"]) choice[extension] = new JsonArray([.. names.Select(name => (JsonNode)name)]);
        return choice;
    }
}
