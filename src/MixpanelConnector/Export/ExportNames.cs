using System.Globalization;
using MixpanelConnector.Exported;

namespace MixpanelConnector.Export;

/// <summary>The names of the files of an export.</summary>
static class ExportNames
{
    const string DayForm = "yyyy-MM-dd";
    const string Pages = "pages-";
    const string OfUnreadable = ".unreadable";
    public const string LookupTables = "lookup-tables.ndjson";

    /// <summary>Formats a day as Mixpanel does.</summary>
    public static string Of(DateOnly day) => day.ToString(DayForm, CultureInfo.InvariantCulture);

    public static string OfDay(DateOnly day, ExportRequest request) => Of(day) + Suffix(request);

    /// <summary>The file with the unreadable lines of a day.</summary>
    public static string Unreadable(DateOnly day) => Of(day) + OfUnreadable;

    public static string OfPages(int first, ExportRequest request) => string.Create(CultureInfo.InvariantCulture, $"{Pages}{first:00000}{Suffix(request)}");

    /// <summary>Whether a file of this name may belong to an export.</summary>
    public static bool IsOurs(string name) =>
        name is ExportManifest.FileName or LookupTables || name.StartsWith(Pages, StringComparison.Ordinal)
        || (name.Length > DayForm.Length && name[DayForm.Length] == '.'
            && DateOnly.TryParseExact(name.AsSpan(0, DayForm.Length), DayForm, CultureInfo.InvariantCulture, DateTimeStyles.None, out _));

    static string Suffix(ExportRequest request) => $".{request.Format.Name}{(request.Format.CompressesItself ? "" : request.Compressed.Extension)}";
}
