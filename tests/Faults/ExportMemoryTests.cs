using System.Globalization;
using System.Text;

namespace MixpanelConnector.Faults;

/// <summary>The maximum number of concurrent downloads stays within the memory limit.</summary>
public sealed class ExportMemoryTests
{
    const int Days = 100, EventsADay = 4000;

    /// <summary>150 MB, as measured on idle machines, plus what the runtime needs in addition on others.</summary>
    const long MostMemory = 200_000_000;

    [Theory]
    [InlineData("ndjson", "gzip")]
    [InlineData("csv", "zstd")]
    [InlineData("parquet", "zstd")]
    public async Task A_hundred_days_at_once_stay_within_their_memory(string format, string compression)
    {
        var filler = new string('x', 200);
        await using var server = await RecordingServer.StartAsync(request =>
        {
            var day = DateOnly.ParseExact(request.Query.Split("from_date=")[1][..10], "yyyy-MM-dd", CultureInfo.InvariantCulture);
            var time = new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero).ToUnixTimeMilliseconds();
            var lines = new StringBuilder();
            for (var number = 0; number < EventsADay; number++)
                lines.Append(CultureInfo.InvariantCulture,
                    $$$"""{"event":"E{{{number % 7}}}","properties":{"time":{{{time + number}}},"distinct_id":"u{{{number % 900}}}","$insert_id":"{{{day.DayNumber}}}-{{{number}}}","n":{{{number * 7919 % 10007}}},"filler":"{{{filler}}}"}}""")
                    .Append('\n');
            return Answer.Plain(lines.ToString()).Gzipped();
        });
        using var folder = new TemporaryFolder();
        using var export = Importer.Start(
            ["export", "events", "--output", "json", "--to", folder.File("out"), "--from-date", "2026-01-01", "--to-date",
                new DateOnly(2026, 1, 1).AddDays(Days - 1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), "--format", format, "--compression",
                compression, "--parallel", "100", "--calls-per-hour", "0", "--calls-per-second", "0"],
            Exports.Settings(server, folder));
        var ended = await export.EndAsync();

        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Contains($"\"records\":{Days * EventsADay}", Encoding.UTF8.GetString(ended.Output), StringComparison.Ordinal);
        Assert.InRange(ended.MostMemory, 1, MostMemory);
    }
}
