using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

public sealed class ImportTests
{
    [Fact]
    public async Task A_valid_batch_is_stored_and_counted()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync($"[{mixpanel.Event()},{mixpanel.Event(insertId: "\"id-2\"")}]");

        answer.Is(200, """{"code":200,"num_records_imported":2,"status":"OK"}""");
        var events = await mixpanel.Server.EventsAsync();
        Assert.Equal("id-1 id-2", string.Join(" ", events.Select(e => e.InsertId)));
        Assert.Equal([1, 2], events.Select(e => e.Sequence));
        Assert.All(events, e => Assert.Equal("Signed up", e.Name));
        Assert.All(events, e => Assert.Equal("ada", e.DistinctId));
        Assert.All(events, e => Assert.Equal(mixpanel.Now - 60, e.Time.ToUnixTimeSeconds()));
        Assert.All(events, e => Assert.Equal(LocalMixpanel.Noon, e.ReceivedAt));
    }

    [Fact]
    public async Task Numbers_and_text_are_stored_as_they_were_written()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.ImportAsync($"[{mixpanel.Event(more: """
            "big":12345678901234567890123,"cents":1.10,"tiny":1e-400,
            "umlaut":"\u00e4","list":[1.0, 2.00]
            """)}]");

        var properties = (await mixpanel.OnlyEventAsync()).Properties;
        Assert.Contains("\"big\":12345678901234567890123", properties, StringComparison.Ordinal);
        Assert.Contains("\"cents\":1.10", properties, StringComparison.Ordinal);
        Assert.Contains("\"tiny\":1e-400", properties, StringComparison.Ordinal);
        Assert.Contains("\"umlaut\":\"\\u00e4\"", properties, StringComparison.Ordinal);
        Assert.Contains("\"list\":[1.0, 2.00]", properties, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', properties);
    }

    [Fact]
    public async Task An_event_is_marked_as_imported_and_with_the_moment_of_receipt()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.ImportAsync($"[{mixpanel.Event()}]");

        var properties = JsonElement.Parse((await mixpanel.OnlyEventAsync()).Properties);
        Assert.True(properties.GetProperty("$import").GetBoolean());
        Assert.Equal(LocalMixpanel.Noon.ToUnixTimeMilliseconds(), properties.GetProperty("mp_processing_time_ms").GetInt64());
    }

    [Fact]
    public async Task One_event_a_line_is_taken()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync(
            mixpanel.Event() + "\r\n\n" + mixpanel.Event(insertId: "\"id-2\""), contentType: "application/x-ndjson");

        answer.Is(200, """{"code":200,"num_records_imported":2,"status":"OK"}""");
    }

    [Fact]
    public async Task Gzip_is_taken()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync(LocalMixpanel.Gzip(Encoding.UTF8.GetBytes($"[{mixpanel.Event()}]")));

        answer.Is(200, """{"code":200,"num_records_imported":1,"status":"OK"}""");
    }
}
