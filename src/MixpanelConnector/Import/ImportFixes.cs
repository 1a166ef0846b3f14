using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>Repairs that an import makes when it is asked to.</summary>
[Flags]
public enum ImportFixes
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A <c>time</c> written as text becomes an integer: ISO 8601 and how databases and languages write it (a date, or a date and time; with <c>Z</c>, <c>UTC</c>, <c>GMT</c> or an offset, also after a space; without a zone it is UTC) in milliseconds, digits as seconds, milliseconds (13 of them), microseconds (16) or nanoseconds (19); so do numbers of micro- and nanoseconds, and those with decimals or an exponent. Other counts of digits from 11 on may be a date, and are refused; so are other names of zones, which stand for several. Events only.</summary>
    Time = 1,

    /// <summary>
    /// A <c>distinct_id</c> that is missing or null is taken from <c>$user_id</c>, else from <c>$device_id</c>, as it stands there: the first of them that Mixpanel takes as a <c>distinct_id</c>. An event that names nobody gets an empty one, which says so.
    /// A number as <c>distinct_id</c>, <c>$user_id</c> or <c>$device_id</c>, of profiles and groups as <c>$distinct_id</c> or <c>$group_id</c>, becomes its text.
    /// </summary>
    Ids = 2,

    /// <summary>Properties whose value is null are removed; nulls within their values stay.</summary>
    Nulls = 4,

    /// <summary>
    /// An <c>$insert_id</c> that Mixpanel does not take, as it is longer than 36 characters or has other ones than letters, digits and hyphens, becomes the first 36 hexadecimal digits of the SHA-256 of its UTF-8 text.
    /// A number becomes its text. One that is empty, null or stands for none, such as <c>undefined</c>, is taken away, so that an id is computed. Events only.
    /// </summary>
    InsertIds = 8,
}

/// <summary>The repairs as the command line, dead letters and checkpoints name them.</summary>
static class ImportFixNames
{
    public static IEnumerable<string> Of(ImportFixes fixes) => Enum.GetValues<ImportFixes>().Where(fix => fix is not ImportFixes.None && fixes.HasFlag(fix)).Select(NameOf);

    /// <exception cref="FormatException">There is no repair of such a name.</exception>
    public static ImportFixes Parse(string name)
    {
        foreach (var fix in Enum.GetValues<ImportFixes>())
            if (fix is not ImportFixes.None && NameOf(fix) == name) return fix;
        throw new FormatException(name);
    }

    static string NameOf(ImportFixes fix) => JsonNamingPolicy.KebabCaseLower.ConvertName(fix.ToString());
}

/// <summary>How many settled records each kind of cleaning has changed, accepted or not. Null for what was not asked for.</summary>
public sealed record ImportFixed
{
    /// <summary>Records whose time was text.</summary>
    [JsonPropertyOrder(0)] public long? Time { get; init; }

    /// <summary>Records that were given a <c>distinct_id</c>, or whose id was a number.</summary>
    [JsonPropertyOrder(1)] public long? Ids { get; init; }

    /// <summary>Records that had null properties.</summary>
    [JsonPropertyOrder(2)] public long? Nulls { get; init; }

    /// <summary>Records with an <c>$insert_id</c> that was hashed, made text of or taken away.</summary>
    [JsonPropertyOrder(3)] public long? InsertIds { get; init; }

    /// <summary>Records with a property that was renamed.</summary>
    [JsonPropertyOrder(4)] public long? Renamed { get; init; }

    /// <summary>Records with a property that was dropped. A column of Parquet that is dropped is not read, and counts with every record.</summary>
    [JsonPropertyOrder(5)] public long? Dropped { get; init; }

    /// <summary>Records whose time was moved.</summary>
    [JsonPropertyOrder(6)] public long? TimeOffset { get; init; }

    /// <summary>What was counted before, and after.</summary>
    internal static ImportFixed? Sum(ImportFixed? before, ImportFixed? after) => before is null || after is null ? before ?? after : new()
    {
        Time = before.Time + after.Time,
        Ids = before.Ids + after.Ids,
        Nulls = before.Nulls + after.Nulls,
        InsertIds = before.InsertIds + after.InsertIds,
        Renamed = before.Renamed + after.Renamed,
        Dropped = before.Dropped + after.Dropped,
        TimeOffset = before.TimeOffset + after.TimeOffset,
    };
}
