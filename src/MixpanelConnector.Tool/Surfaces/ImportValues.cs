using System.Globalization;
using MixpanelConnector.Formats;

namespace MixpanelConnector.Tool.Surfaces;

/// <summary>Parses the options of an import from text, in the same way for every interface.</summary>
/// <param name="Prefix">The prefix of option names in messages, such as <c>--</c> on a command line.</param>
sealed record ImportValues(string Prefix)
{
    public static readonly IReadOnlyList<string> Types = ["events", "profiles", "groups", "lookup-table"];

    public static readonly IReadOnlyList<string> Identities = ["simplified", "original"];

    /// <summary>The maximum number of records that are shown before and after a mapping.</summary>
    public const int MostShown = 1000;

    public static readonly IReadOnlyList<string> ColumnTypeNames = [.. Enum.GetNames<ImportColumnType>().Select(name => name.ToLowerInvariant())];

    public static ImportRequest Base { get; } = new() { Formats = FileFormats.All, Compressions = FileFormats.AllCompressions };

    public ImportType Type(string? text) => text switch
    {
        null or "events" => ImportType.Events,
        "profiles" => ImportType.Profiles,
        "groups" => ImportType.Groups,
        "lookup-table" => ImportType.LookupTable,
        _ => throw Invalid("type", $"must be one of {string.Join(", ", Types)}."),
    };

    public bool Strict(string? text) => text switch
    {
        null or "1" => true,
        "0" => false,
        _ => throw Invalid("strict", "must be 0 or 1."),
    };

    /// <summary>The mapping of a vendor, or a custom one; null for none.</summary>
    /// <param name="vendor">The vendor's name.</param>
    /// <param name="mapping">Returns the rules of a custom mapping; null if there is none.</param>
    public ImportMapping? Mapping(string? vendor, Func<string>? mapping) => (vendor, mapping) switch
    {
        (null, null) => null,
        ({ } name, null) => ImportMapping.OfVendor(name),
        (null, { } rules) => ImportMapping.Parse(rules()),
        _ => throw Configuration.Invalid("mapping", $"{Prefix}vendor and {Prefix}mapping are mutually exclusive: records are mapped once."),
    };

    public MixpanelException NoMapping() =>
        Configuration.Invalid("show_mapping", $"There is no mapping to show: specify one with {Prefix}vendor or {Prefix}mapping.");

    public int Shown(string? text)
    {
        if (text is null) return 10;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= MostShown
            ? count
            : throw Invalid("show_mapping", FormattableString.Invariant($"must be a number from 1 to {MostShown}."));
    }

    public ImportIdentity Identity(string? text) => text switch
    {
        null or "simplified" => ImportIdentity.Simplified,
        "original" => ImportIdentity.Original,
        _ => throw Invalid("identity", "must be simplified or original."),
    };

    public Guid? TableId(string? text)
    {
        if (text is null) return null;
        return Guid.TryParse(text, out var id) ? id : throw Invalid("table_id", "must be the id of a lookup table, a UUID.");
    }

    public ImportFixes Fixes(IEnumerable<string> given)
    {
        var fixes = ImportFixes.None;
        foreach (var name in given.SelectMany(list => list.Split(',')))
        {
            fixes |= name switch
            {
                "time" => ImportFixes.Time,
                "ids" => ImportFixes.Ids,
                "nulls" => ImportFixes.Nulls,
                "insert-ids" => ImportFixes.InsertIds,
                _ => throw Invalid("fix", "must be time, ids, nulls or insert-ids, or several of them separated by commas."),
            };
        }

        return fixes;
    }

    public IReadOnlyDictionary<string, string> Columns(IEnumerable<string> given)
    {
        var columns = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var mapping in given)
        {
            var equals = mapping.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || equals == mapping.Length - 1) throw Invalid("map", "must be FIELD=COLUMN, such as time=created_at.");
            if (!columns.TryAdd(mapping[..equals], mapping[(equals + 1)..])) throw Invalid("map", $"names the field {mapping[..equals]} twice.");
        }

        return columns;
    }

    public IReadOnlyDictionary<string, ImportColumnType> ColumnTypes(IEnumerable<string> given)
    {
        var types = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal);
        foreach (var pair in given)
        {
            // A column name may contain the separator; a type does not.
            var equals = pair.LastIndexOf('=');
            var type = equals <= 0 ? -1 : ColumnTypeNames.ToList().IndexOf(pair[(equals + 1)..]);
            if (type < 0) throw Invalid("column_type", $"must be COLUMN=TYPE, such as sku=text; the types are {string.Join(", ", ColumnTypeNames)}.");
            if (!types.TryAdd(pair[..equals], (ImportColumnType)type)) throw Invalid("column_type", $"names the column {pair[..equals]} twice.");
        }

        return types;
    }

    /// <summary>One character, or its name.</summary>
    public char? Delimiter(string? text) => text switch
    {
        null => null,
        "tab" or "\\t" => '\t',
        [var one] => one,
        _ => throw Invalid("delimiter", "must be one character, or tab."),
    };

    /// <summary>One character; null for <c>none</c>.</summary>
    public char? Quote(string? text) => text switch
    {
        null => '"',
        "none" => null,
        [var one] => one,
        _ => throw Invalid("quote", "must be one character, or none."),
    };

    public char? Escape(string? text) => text switch
    {
        null or "none" => null,
        [var one] => one,
        _ => throw Invalid("escape", "must be one character, such as \\."),
    };

    public char Decimal(string? text) => text switch
    {
        null or "." or "point" => '.',
        "," or "comma" => ',',
        _ => throw Invalid("decimal", "must be . or ,"),
    };

    public int SkipLines(string? text)
    {
        if (text is null) return 0;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var lines)
            ? lines
            : throw Invalid("skip_lines", "must be a number of lines.");
    }

    /// <summary>Comma-separated names; a name that contains a comma is quoted.</summary>
    public IReadOnlyList<string> ColumnNames(string? text)
    {
        if (text is null) return [];
        var names = new List<string>();
        for (var at = 0; ; at++)
        {
            if (at < text.Length && text[at] == '"')
            {
                var end = at + 1;
                while (end < text.Length && (text[end] != '"' || (end + 1 < text.Length && text[end + 1] == '"'))) end += text[end] == '"' ? 2 : 1;
                if (end >= text.Length || (end + 1 < text.Length && text[end + 1] != ',')) throw Invalid("column_names", "has a quote in the wrong place.");
                names.Add(text[(at + 1)..end].Replace("\"\"", "\"", StringComparison.Ordinal));
                at = end + 1;
            }
            else
            {
                var end = text.IndexOf(',', at) is var comma and >= 0 ? comma : text.Length;
                names.Add(text[at..end].Trim());
                at = end;
            }

            if (at >= text.Length) return names;
        }
    }

    public IReadOnlyDictionary<string, string> Renames(IEnumerable<string> given)
    {
        var renames = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in given)
        {
            if (pair.Split('=') is not [{ Length: > 0 } from, { Length: > 0 } to])
                throw Invalid("rename", "must be OLD=NEW: the property's name and its new one.");
            if (!renames.TryAdd(from, to)) throw Configuration.Invalid("rename", $"{from} is renamed twice.");
        }

        return renames;
    }

    /// <summary>Hours, rounded to the nearest second.</summary>
    public TimeSpan? Hours(string? text)
    {
        if (text is null) return null;
        return double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var hours)
            && Math.Abs(hours) <= 876_000
            ? TimeSpan.FromSeconds(Math.Round(hours * 3600))
            : throw Invalid("time_offset", "must be hours such as 3 or -5.5, at most 100 years.");
    }

    public DateOnly? Day(string name, string? text)
    {
        if (text is null) return null;
        return TextForms.TryReadDay(text, out var day) ? day : throw Invalid(name, $"{TextForms.FaultOfDay(text)}.");
    }

    public TimeSpan? Duration(string name, string? text)
    {
        if (text is null) return null;
        var unit = text.AsSpan().TrimStart("0123456789.");
        TimeSpan? scale = unit switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" or "" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            "d" => TimeSpan.FromDays(1),
            _ => null,
        };
        return scale is { } one
            && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * one.TotalDays <= 365
            ? number * one
            : throw Invalid(name, "must be a duration such as 500ms, 2s, 1m or 24h, at most a year.");
    }

    MixpanelException Invalid(string name, string message) =>
        Configuration.Invalid(name, $"{Prefix}{(Prefix.Length > 0 ? name.Replace('_', '-') : name)} {message}");
}
