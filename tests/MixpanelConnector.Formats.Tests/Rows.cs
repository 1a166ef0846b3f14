using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Shared by the tests of all formats.</summary>
static class Rows
{
    static readonly Regex ComputedId = new("\"\\$insert_id\":\"[0-9a-f]{32}\",?", RegexOptions.None, Hang.Limit);

    public const string Header = "event,time,distinct_id,$insert_id,n";

    public static string Row(int number) => string.Create(CultureInfo.InvariantCulture, $"e,{ImportRun.Time},u{number},id-{number},{number}");

    public static string Some(int from, int count, string lineEnd = "\n") => string.Concat(Enumerable.Range(from, count).Select(i => Row(i) + lineEnd));

    /// <summary>A request with all formats and compressions of this package.</summary>
    public static ImportRequest RequestAll(this ImportRun run, params string[] inputs) =>
        run.Request(inputs) with { Formats = FileFormats.All, Compressions = FileFormats.AllCompressions };

    public static Task<ImportReport> RunCsvAsync(this ImportRun run, string text, IImportState? state = null) =>
        run.RunAsync(run.RequestAll(run.Folder.Write("in.csv", text)), state);

    /// <summary>The accepted records, without their computed ids.</summary>
    public static List<string> StoredWithoutIds(this ImportRun run) => [.. run.Mixpanel.Stored.Select(record => ComputedId.Replace(record, ""))];

    public static JsonElement Properties(string record) => JsonElement.Parse(record).GetProperty("properties");
}
