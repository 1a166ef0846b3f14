using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>Repairs that an import makes on request.</summary>
[Flags]
public enum ImportFixes
{
    /// <summary>No repairs.</summary>
    None = 0,

    /// <summary>
    /// Converts a <c>time</c> written as text to an integer. Accepts ISO 8601 and the formats that databases and programming
    /// languages write: a date, or a date and time, with <c>Z</c>, <c>UTC</c>, <c>GMT</c> or an offset (also after a space); UTC if
    /// there is no zone. The result is in milliseconds. Digits are read as seconds, milliseconds (13 digits), microseconds (16) or
    /// nanoseconds (19); so are numbers of micro- and nanoseconds, and numbers with decimals or an exponent. Numbers with any other
    /// count of digits from 11 up may be dates and are rejected. Other zone names are ambiguous and are rejected too. Events only.
    /// </summary>
    Time = 1,

    /// <summary>
    /// Sets a <c>distinct_id</c> that is missing or null to <c>$user_id</c> or else <c>$device_id</c>, unchanged: the first of the two that Mixpanel accepts as
    /// a <c>distinct_id</c>. An event without any id gets an empty <c>distinct_id</c>, which marks it as anonymous.
    /// A number as <c>distinct_id</c>, <c>$user_id</c> or <c>$device_id</c> is converted to text; for profiles and groups, a number as <c>$distinct_id</c> or
    /// <c>$group_id</c>.
    /// </summary>
    Ids = 2,

    /// <summary>Removes properties whose value is null. Nulls nested within values are kept.</summary>
    Nulls = 4,

    /// <summary>
    /// Replaces an <c>$insert_id</c> that Mixpanel does not accept, because it is longer than 36 characters or has characters other than letters, digits and
    /// hyphens, with the first 36 hexadecimal digits of the SHA-256 of its UTF-8 text.
    /// A number is converted to text. An id that is empty, null or a placeholder such as <c>undefined</c> is removed, so that an id is computed. Events only.
    /// </summary>
    InsertIds = 8,
}

/// <summary>The names of the repairs in messages, in dead letters and in checkpoints.</summary>
static class ImportFixNames
{
    public static IEnumerable<string> Of(ImportFixes fixes) =>
        Enum.GetValues<ImportFixes>().Where(fix => fix is not ImportFixes.None && fixes.HasFlag(fix)).Select(NameOf);

    /// <exception cref="FormatException">There is no repair with this name.</exception>
    public static ImportFixes Parse(string name)
    {
        foreach (var fix in Enum.GetValues<ImportFixes>())
            if (fix is not ImportFixes.None && NameOf(fix) == name) return fix;
        throw new FormatException(name);
    }

    static string NameOf(ImportFixes fix) => JsonNamingPolicy.KebabCaseLower.ConvertName(fix.ToString());
}

/// <summary>The number of settled records that each kind of cleaning changed, whether accepted or not. Null for what was not requested.</summary>
public sealed record ImportFixed
{
    /// <summary>Records whose time was text.</summary>
    [JsonPropertyOrder(0)] public long? Time { get; init; }

    /// <summary>Records that were given a <c>distinct_id</c>, or whose id was a number.</summary>
    [JsonPropertyOrder(1)] public long? Ids { get; init; }

    /// <summary>Records that had null properties.</summary>
    [JsonPropertyOrder(2)] public long? Nulls { get; init; }

    /// <summary>Records whose <c>$insert_id</c> was hashed, converted to text or removed.</summary>
    [JsonPropertyOrder(3)] public long? InsertIds { get; init; }

    /// <summary>Records with a renamed property.</summary>
    [JsonPropertyOrder(4)] public long? Renamed { get; init; }

    /// <summary>Records with a dropped property. A dropped Parquet column is not read, and is counted for every record.</summary>
    [JsonPropertyOrder(5)] public long? Dropped { get; init; }

    /// <summary>Records whose time was shifted.</summary>
    [JsonPropertyOrder(6)] public long? TimeOffset { get; init; }

    /// <summary>The sum of both counts.</summary>
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
