using System.Globalization;
using MixpanelConnector.Exported;

namespace MixpanelConnector.Export;

/// <summary>What the files of an export are called.</summary>
static class ExportNames
{
    const string DayForm = "yyyy-MM-dd";
    const string Pages = "pages-";
    const string OfUnreadable = ".unreadable";
    public const string LookupTables = "lookup-tables.ndjson";

    /// <summary>A day as Mixpanel and people write it.</summary>
    public static string Of(DateOnly day) => day.ToString(DayForm, CultureInfo.InvariantCulture);

    public static string OfDay(DateOnly day, ExportRequest request) => Of(day) + Suffix(request);

    /// <summary>A file of lines of a day that are no records.</summary>
    public static string Unreadable(DateOnly day) => Of(day) + OfUnreadable;

    public static string OfPages(int first, ExportRequest request) => string.Create(CultureInfo.InvariantCulture, $"{Pages}{first:00000}{Suffix(request)}");

    /// <summary>Whether an export may have made a file of this name.</summary>
    public static bool IsOurs(string name) =>
        name is ExportManifest.FileName or LookupTables || name.StartsWith(Pages, StringComparison.Ordinal)
        || (name.Length > DayForm.Length && name[DayForm.Length] == '.' && DateOnly.TryParseExact(name.AsSpan(0, DayForm.Length), DayForm, CultureInfo.InvariantCulture, DateTimeStyles.None, out _));

    static string Suffix(ExportRequest request) => $".{request.Format.Name}{(request.Format.CompressesItself ? "" : request.Compressed.Extension)}";
}
