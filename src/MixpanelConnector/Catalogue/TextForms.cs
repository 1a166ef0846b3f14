using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MixpanelConnector;

/// <summary>
/// The forms that a schema can require of a text, by a format or a pattern. A pattern tells a program what is expected; people are told in words, with an
/// example. Dates and times must also exist. The program compiles the same source.
/// </summary>
static class TextForms
{
    /// <summary>The pattern of a UUID.</summary>
    public const string Uuid = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

    /// <summary>The pattern of a time without a time zone.</summary>
    public const string LocalTime = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}";

    /// <summary>The pattern of a day, or a time with or without a time zone.</summary>
    public const string DayOrTime = "[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,7})?(Z|[+-][0-9]{2}:?[0-9]{2})?)?";

    /// <summary>The pattern of a duration in hours, days or weeks.</summary>
    public const string Duration = @"\s*0*[1-9][0-9]*[hdw]\s*";

    /// <summary>The pattern of when something expires: a day, a time, or a duration from now.</summary>
    public const string Expiry = @"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,7})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?\s*|" + Duration;

    /// <summary>The pattern of a name that people type: not blank, and without control characters.</summary>
    public const string PlainName = @"\s*[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?\s*";

    /// <summary>The pattern of an id as text.</summary>
    public const string Id = "0*[1-9][0-9]{0,17}";

    /// <summary>What stands for the configured project.</summary>
    public const string ConfiguredProject = "<YOUR_PROJECT_ID>";

    /// <summary>The pattern of a project's id as text, or what stands for the configured project.</summary>
    public const string IdOrConfigured = Id + "|" + ConfiguredProject;

    const string DayForm = "yyyy-MM-dd";

    static readonly string[] TimeForms = [DayForm, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK"];

    /// <summary>What is wrong with a text whose rules have a format or a pattern; null for nothing.</summary>
    public static string? Fault(string text, JsonObject rules) => ((string?)rules["format"], (string?)rules["pattern"]) switch
    {
        ("date", _) => FaultOfDay(text),
        (_, { } pattern) => Matches(text, pattern) ? FaultOfTime(text, pattern) : $"must {Expected(pattern)}",
        _ => null,
    };

    /// <summary>What is wrong with a day; null for nothing.</summary>
    public static string? FaultOfDay(string text) =>
        TryReadDay(text, out _) ? null
        : Matches(text, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$") ? $"is {text}, a day that does not exist"
        : "must be a date such as 2026-01-31";

    /// <summary>Parses a day, such as 2026-01-31.</summary>
    public static bool TryReadDay(string text, out DateOnly day) =>
        DateOnly.TryParseExact(text, DayForm, CultureInfo.InvariantCulture, DateTimeStyles.None, out day);

    /// <summary>Parses a day, or a time; one without a time zone is read as UTC.</summary>
    public static bool TryReadTime(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, TimeForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);

    /// <summary>What is said about a text that has the form of a day or a time, but is none; null for any other text.</summary>
    public static string? NotExisting(string text) =>
        !Matches(text, Whole(DayOrTime)) || TryReadTime(text, out _)
            ? null
            : $"is {text}, a {(text.Length == DayForm.Length ? "day" : "time")} that does not exist";

    /// <summary>A pattern as a schema has it, for the whole text.</summary>
    public static string Whole(string pattern) => $"^(?:{pattern})$";

    static string? FaultOfTime(string text, string pattern) =>
        pattern == Whole(LocalTime) || pattern == Whole(DayOrTime) || pattern == Whole(Expiry) ? NotExisting(text.Trim()) : null;

    static string Expected(string pattern) =>
        pattern == Whole(Uuid) ? "be a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e"
        : pattern == Whole(LocalTime) ? "be a time such as 2026-01-31 13:00:00"
        : pattern == Whole(DayOrTime) ? "be a day or a time, such as 2026-01-31 or 2026-01-31T13:00:00Z"
        : pattern == Whole(Duration) ? "be a duration in hours, days or weeks, such as 12h, 14d or 4w"
        : pattern == Whole(Expiry) ? "be a date, a date and time, or a duration from now, such as 2027-01-31, 2027-01-31T12:00:00Z or 30d"
        : pattern == Whole(PlainName) ? "be a name that is not blank and has no control characters"
        : pattern == Whole(Id) ? "be an id: a positive integer"
        : pattern == Whole(IdOrConfigured) ? $"be a positive integer as text, or {ConfiguredProject} for the configured project"
        : ChoicesOf(pattern) is { } choices ? $"be one of {choices}"
        : $"match {pattern}";

    static string? ChoicesOf(string pattern) =>
        pattern is ['^', '(', '?', ':', .. var choices, ')', '$'] && choices.All(character => char.IsAsciiLetterLower(character) || character is '_' or '|')
            ? choices.Replace("|", ", ", StringComparison.Ordinal)
            : null;

    /// <summary>In a schema <c>$</c> is the end of the text; in .NET it also matches before a final line feed.</summary>
    static bool Matches(string text, string pattern) =>
        Regex.IsMatch(text, pattern is [.. var all, '$'] ? all + @"\z" : pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
}
