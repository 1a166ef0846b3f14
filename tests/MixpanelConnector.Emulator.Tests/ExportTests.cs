using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

public sealed class ExportTests
{
    const string TheDay = "?project_id=1&from_date=2026-09-01&to_date=2026-09-01";

    [Fact]
    public async Task Events_are_given_one_a_line_with_their_numbers_as_they_were_written()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"cents\":1.10,\n\"big\":12345678901234567890")}]");

        var answer = await ExportAsync(mixpanel);

        answer.Is(200,
            $$$"""{"event":"Signed up","properties":{"time":{{{mixpanel.Now - 60}}},"distinct_id":"ada","$insert_id":"id-1","mp_processing_time_ms":{{{mixpanel.Now}}}000,"$import":true,"cents":1.10,"big":12345678901234567890}}"""
                + "\n");
        Assert.Equal("text/plain; charset=utf-8", answer.ContentType);
    }

    [Theory]
    [InlineData("", 1788263940)]
    [InlineData("&time_in_ms=true", 1788263940123)]
    [InlineData("&time_in_ms=false", 1788263940)]
    public async Task The_time_is_in_the_unit_asked_for(string query, long time)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(time: "1788263940123")}]");

        Assert.Equal(time, Lines(await ExportAsync(mixpanel, TheDay + query))[0].GetProperty("properties").GetProperty("time").GetInt64());
    }

    [Fact]
    public async Task Duplicates_are_exported_and_reports_see_the_latest()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"n\":1")}]");
        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"n\":2")}]");

        Assert.Equal(2, Lines(await ExportAsync(mixpanel)).Count);
        Assert.Contains("\"n\":2", Assert.Single(await mixpanel.Server.EventsAsync(deduplicated: true)).Properties, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Both_days_of_the_range_are_included()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        DateTimeOffset[] times =
        [
            new(2026, 8, 30, 23, 59, 59, TimeSpan.Zero),
            new(2026, 8, 31, 0, 0, 0, TimeSpan.Zero),
            new(2026, 8, 31, 23, 59, 59, TimeSpan.Zero),
            new(2026, 9, 1, 0, 0, 0, TimeSpan.Zero),
        ];
        await mixpanel.ImportAsync($"[{string.Join(',', times.Select((time, i) => mixpanel.Event(time: $"{time.ToUnixTimeSeconds()}", insertId: $"\"id-{i}\"")))}]");

        Assert.Equal(2, Lines(await ExportAsync(mixpanel, "?project_id=1&from_date=2026-08-31&to_date=2026-08-31")).Count);
        Assert.Equal(4, Lines(await ExportAsync(mixpanel, "?project_id=1&from_date=0001-01-01&to_date=2026-09-01")).Count);
        (await ExportAsync(mixpanel, "?project_id=1&from_date=2020-01-01&to_date=2020-01-01")).Is(200, "");
    }

    [Theory]
    [InlineData("&event=[\"B\",\"C\"]", "B C")]
    [InlineData("&limit=2", "A B")]
    [InlineData("&where=properties[\"n\"]>=2", "B C")]
    [InlineData("&where=properties[\"n\"]>=1&limit=1", "A")]
    [InlineData("&where=event[\"$time\"]>=datetime(\"2026-09-01T11:59:00\")", "C")]
    public async Task An_export_can_be_narrowed(string query, string expected)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var events = new[] { "A", "B", "C" }.Select((name, i) =>
            mixpanel.Event(name: $"\"{name}\"", time: $"{mixpanel.Now - 62 + i}", more: $"\"n\":{i + 1}"));
        await mixpanel.ImportAsync($"[{string.Join(',', events)}]");

        var lines = Lines(await ExportAsync(mixpanel, TheDay + query));

        Assert.Equal(expected, string.Join(' ', lines.Select(line => line.GetProperty("event").GetString())));
    }

    [Fact]
    public async Task Gzip_is_given_to_who_takes_it()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event()}]");

        var answer = await mixpanel.SendAsync(
            HttpMethod.Get, "/api/2.0/export" + TheDay, authorization: LocalMixpanel.Basic("local", "local"),
            headers: headers => headers.Add("Accept-Encoding", "gzip"));

        using var text = new StreamReader(new GZipStream(new MemoryStream(answer.Bytes), CompressionMode.Decompress), Encoding.UTF8);
        Assert.StartsWith("""{"event":"Signed up",""", await text.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?project_id=1&to_date=2026-09-01", "missing required parameter: from_date")]
    [InlineData("?project_id=1&from_date=2026-09-01", "missing required parameter: to_date")]
    [InlineData("?project_id=1&from_date=1.9.2026&to_date=2026-09-01", "invalid from_date: must be a date like 2026-01-31")]
    [InlineData("?project_id=1&from_date=2026-09-02&to_date=2026-09-01", "invalid to_date: must not be before from_date")]
    [InlineData(TheDay + "&limit=100001", "invalid limit: must be an integer from 1 to 100000")]
    [InlineData(TheDay + "&event=A", "invalid event: must be a JSON array of strings")]
    public async Task A_bad_parameter_is_refused(string query, string error)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await ExportAsync(mixpanel, query);

        Assert.Equal(400, answer.Status);
        Assert.Equal(error, answer.Json.GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_bad_where_is_refused()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.StartsWith("invalid where: ", (await ExportAsync(mixpanel, TheDay + "&where=(")).Json.GetProperty("error").GetString(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    public async Task A_where_that_fails_on_an_event_is_refused(string encoding)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"n\":1")}]");

        var answer = await mixpanel.SendAsync(
            HttpMethod.Get, "/api/2.0/export" + TheDay + "&where=properties[\"n\"] and true",
            authorization: LocalMixpanel.Basic("local", "local"), headers: headers => headers.TryAddWithoutValidation("Accept-Encoding", encoding));

        Assert.Equal(400, answer.Status);
        Assert.StartsWith("invalid where: ", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    static Task<Answer> ExportAsync(LocalMixpanel mixpanel, string query = TheDay) =>
        mixpanel.GetAsync("/api/2.0/export" + query, LocalMixpanel.Basic("local", "local"));

    static List<JsonElement> Lines(Answer answer)
    {
        Assert.Equal(200, answer.Status);
        return [.. answer.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }
}
