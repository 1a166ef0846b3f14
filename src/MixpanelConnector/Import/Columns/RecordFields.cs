namespace MixpanelConnector.Import.Columns;

/// <summary>The fields of a record that columns can supply, in addition to properties of any name.</summary>
static class RecordFields
{
    /// <summary>Longer names are truncated in messages.</summary>
    const int LongestShown = 80;

    /// <summary>The field next to the properties, and an alternative name for its column.</summary>
    public static (string Field, string Plain) Root(ImportType type) => type switch
    {
        ImportType.Profiles => ("$distinct_id", "distinct_id"),
        ImportType.Groups => ("$group_id", "group_id"),
        _ => ("event", "event"),
    };

    /// <summary>The field that holds the properties, and an alternative name for its column.</summary>
    public static (string Field, string Plain) Properties(ImportType type) =>
        type is ImportType.Events ? ("properties", "properties") : ("$properties", "properties");

    /// <summary>Whether a column with this name indicates that a text contains records of the requested type.</summary>
    public static bool IsKnown(string column, ImportRequest request) =>
        (request.Type is not ImportType.LookupTable && Of(request.Type).Contains(column, StringComparer.Ordinal))
        || request.NamedColumns.Contains(column, StringComparer.Ordinal);

    /// <summary>The field that a misspelled name probably means; null when the name is that of a property.</summary>
    public static string? NearMiss(string name, ImportType type)
    {
        if (Of(type).Contains(name, StringComparer.Ordinal)) return null;
        var plain = Plain(name);
        if (type is ImportType.Events && plain is "timestamp" or "datetime" or "eventtime" or "unixtime") return "time";
        if (type is ImportType.Events && plain is "eventname") return "event";
        return Array.Find(Of(type), field => Plain(field) == plain);
    }

    /// <summary>Sanitizes a name from the input, so that a message stays on one line and readable.</summary>
    public static string Shown(string name) => UnsafeText.Replaced(name, '?', LongestShown);

    static string[] Of(ImportType type) => type switch
    {
        ImportType.Profiles => ["$distinct_id", "distinct_id", "$properties", "properties"],
        ImportType.Groups => ["$group_id", "group_id", "$properties", "properties"],
        _ => ["event", "time", "distinct_id", "$insert_id", "$user_id", "$device_id", "properties"],
    };

    /// <summary>The letters and digits of a name, in lower case.</summary>
    public static string Plain(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();
}
