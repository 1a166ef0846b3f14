using DuckDB.NET.Data;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Options for columns and properties apply to every format that has them.</summary>
public sealed class SameOptionsTests : IDisposable
{
    readonly TemporaryFolder _folder = new();

    static readonly Dictionary<string, ImportRequest> Options = new(StringComparer.Ordinal)
    {
        { "map", Mapped },
        { "rename", Mapped with { Rename = Of(("city", "town")) } },
        { "drop", Mapped with { Drop = ["city", "gone"] } },
        { "drop what is mapped", Mapped with { Drop = ["distinct_id"], Fix = ImportFixes.Time | ImportFixes.Ids } },
        { "event", Mapped with { Columns = Of(("time", "at"), ("distinct_id", "who")), Event = "Bought", Drop = ["name"] } },
        { "time zone", Mapped with { TimeZone = "Europe/Berlin" } },
        { "time format", Mapped with { Columns = Of(("event", "name"), ("time", "day"), ("distinct_id", "who")), TimeFormat = "%d.%m.%Y" } },
        { "digits", Mapped with { Columns = Of(("event", "name"), ("time", "digits"), ("distinct_id", "who")), Fix = ImportFixes.Time } },
        { "digits by format", Mapped with { Columns = Of(("event", "name"), ("time", "digits"), ("distinct_id", "who")), TimeFormat = "%Y%m%d%H%M" } },
        { "insert ids",
            Mapped with
            {
                Columns = Of(("event", "name"), ("time", "at"), ("distinct_id", "who"), ("$insert_id", "key")),
                Fix = ImportFixes.Time | ImportFixes.InsertIds,
            } },
        { "types",
            Mapped with
            {
                ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal)
                {
                    ["day"] = ImportColumnType.Time,
                    ["n"] = ImportColumnType.Text,
                    ["ok"] = ImportColumnType.Boolean,
                    ["total"] = ImportColumnType.Number,
                    ["extra"] = ImportColumnType.Json,
                },
                TimeFormat = "%d.%m.%Y",
                Columns = Of(("event", "name"), ("time", "day"), ("distinct_id", "who")),
            } },
        { "decimal",
            Mapped with
            {
                DecimalSeparator = ',',
                ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["comma"] = ImportColumnType.Number },
            } },
        { "misfit", Mapped with { ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["city"] = ImportColumnType.Number } } },
    };

    public static TheoryData<string> Names => [.. Options.Keys];

    static ImportRequest Mapped => new() { Columns = Of(("event", "name"), ("time", "at"), ("distinct_id", "who")), Fix = ImportFixes.Time };

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Names))]
    public async Task An_option_does_the_same_to_rows_of_every_format(string name)
    {
        const string Row = "'Buy' AS name, '2026-07-01 12:00:00' AS at, '01.07.2026' AS day, 202607011200 AS digits, 'u1' AS who, 'Zürich' AS city, "
            + "'a/b' AS key, 7 AS n, 'yes' AS ok, '1.50' AS total, '2,5' AS comma, '{\"a\":1}' AS extra";
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        var results = new List<string>();
        foreach (var (file, how) in new[] { ("in.csv", "FORMAT csv, HEADER"), ("in.ndjson", "FORMAT json"), ("in.parquet", "FORMAT parquet") })
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"COPY (SELECT {Row}) TO '{_folder.File(file)}' ({how})";
            command.ExecuteNonQuery();
            using var state = new InMemoryImportState();
            using var run = new ImportRun();
            var report =
                await run.RunAsync(Options[name] with { Inputs = [_folder.File(file)], Formats = FileFormats.All, DeadLetterPath = run.DeadLetterPath }, state);
            var refused = report.Rejected > 0
                ? string.Join(' ', run.DeadLetters().Select(letter => $"{letter.GetProperty("code")} {letter.GetProperty("message")}"))
                : "";
            var fixedOnes = report.Fixed is { } made ? $"{made.Time} {made.Ids} {made.InsertIds} {made.Renamed} {made.Dropped}" : "";
            // CSV cannot distinguish this text from a number, and no option sets its type: treat both as equal.
            results.Add(string.Join('\n', run.StoredWithoutIds().Select(Sorted)).Replace("\"total\":\"1.50\"", "\"total\":1.50", StringComparison.Ordinal)
                + $"|{report.Outcome}|{refused}|{fixedOnes}");
        }

        Assert.True(results.Distinct(StringComparer.Ordinal).Count() == 1, $"{name}\n{string.Join('\n', results)}");
        Assert.Contains(name is "misfit" or "digits" ? "|Rejected|" : "|Complete|", results[0], StringComparison.Ordinal);
    }

    static string Sorted(string record) =>
        string.Join(',',
            Rows.Properties(record).EnumerateObject()
                .OrderBy(member => member.Name, StringComparer.Ordinal)
                .Select(member => $"\"{member.Name}\":{member.Value.GetRawText()}"));

    static Dictionary<string, string> Of(params (string Field, string Column)[] pairs) =>
        pairs.ToDictionary(pair => pair.Field, pair => pair.Column, StringComparer.Ordinal);
}
