using System.Text.Json;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>The files and data that the console receives. EndToEnd tests the console itself in a browser.</summary>
public sealed class ConsoleRoutesTests
{
    [Fact]
    public async Task The_console_and_its_files_are_open_and_what_they_show_is_not()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out _, out _);
        await using var served = await Served.StartAsync(options => options with { Keys = keys });
        foreach (var (path, type) in (ReadOnlySpan<(string, string)>)
        [
            ("/", "text/html"),
            ("/console.js", "text/javascript"),
            ("/console.css", "text/css"),
            ("/console.svg", "image/svg+xml"),
        ])
            Assert.Equal((path, 200, type), (path, (int)Get(served, path).StatusCode, Get(served, path).Content.Headers.ContentType!.MediaType));
        Assert.Equal(401, (int)Get(served, "/v1/server").StatusCode);
        Assert.Equal(401, (int)Get(served, "/v1/live").StatusCode);
    }

    [Theory]
    [InlineData(true, "read")]
    [InlineData(false, "write")]
    public async Task The_server_says_what_it_is_connected_to_and_what_the_caller_may_do(bool mayOnlyRead, string scope)
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out var write);
        await using var served = await Served.StartAsync(options => options with { Keys = keys });
        using var answer = await served.BeginAsync("GET", "/v1/server", null, ("Authorization", $"Bearer {(mayOnlyRead ? read : write)}"));
        var about = await answer.JsonAsync();
        Assert.Equal(("real", scope), (about.GetProperty("mixpanel").GetString(), about.GetProperty("scope").GetString()));
        Assert.Equal(12345, about.GetProperty("project_id").GetInt64());
    }

    [Fact]
    public async Task An_import_shows_in_the_stream_when_it_moves_and_the_stream_ends_with_the_server()
    {
        var served = await Served.StartAsync(options => options,
            request => Answer.Json($$"""{"code":200,"num_records_imported":{{request.Json.GetArrayLength()}},"status":"OK"}"""));
        using var stream = await served.BeginAsync("GET", "/v1/live", null);
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.Equal("""{"imports":[]}""", await lines.ReadLineAsync(TestContext.Current.CancellationToken));
        await served.PostAsync("/v1/imports", """{"event":"E","properties":{"time":1690000000,"distinct_id":"u"}}""", ("Content-Type", "application/x-ndjson"));
        string status;
        do
        {
            var line = JsonElement.Parse((await lines.ReadLineAsync(TestContext.Current.CancellationToken))!);
            status = line.GetProperty("imports")[0].GetProperty("status").GetString()!;
        }
        while (status != "finished");

        await served.DisposeAsync();
        Assert.Equal("", await lines.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(false, """{"imports":[],"terminal":[{"read":5,"name":"may.csv, june.csv"}]}""")]
    [InlineData(true, """{"imports":[]}""")]
    public async Task Imports_of_the_command_line_show_without_their_folders_and_to_no_caller_with_a_key(bool hasKeys, string told)
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out _);
        await using var served = await Served.StartAsync(options =>
            options with
            {
                Keys = hasKeys ? keys : Keys.None,
                TerminalImports = () => [JsonElement.Parse("""{"sources":"/home/a/may.csv, C:\\data\\june.csv","read":5}""")],
            });
        using var stream = await served.BeginAsync("GET", "/v1/live", null, ("Authorization", $"Bearer {read}"));
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));

        Assert.Equal(told, await lines.ReadLineAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_feed_of_the_embedded_Mixpanel_is_passed_on_as_it_is()
    {
        await using var served = await Served.StartAsync(options => options with
        {
            LiveFeed = _ => Task.FromResult(new HttpResponseMessage
            {
                Content = new StringContent("{\"accepted\":1,\"events\":[{\"event\":\"\u202e<b>\"}]}\n\n{\"accepted\":2}\n"),
            }),
        });
        Assert.Equal("embedded", (await Get(served, "/v1/server").JsonAsync()).GetProperty("mixpanel").GetString());
        var seen = (await Get(served, "/v1/live").TextAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("{\"accepted\":1,\"events\":[{\"event\":\"\u202e<b>\"}]}", seen, StringComparer.Ordinal);
        Assert.Contains("{\"accepted\":2}", seen, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Streams_have_a_number_and_a_place_is_free_again_when_one_ends()
    {
        await using var served = await Served.StartAsync();
        List<HttpResponseMessage> streams = [];
        for (var i = 0; i < Limits.Streams; i++) streams.Add(await served.BeginAsync("GET", "/v1/live", null));
        Assert.All(streams, stream => Assert.Equal(200, (int)stream.StatusCode));
        using (var refused = await served.BeginAsync("GET", "/v1/live", null))
        {
            Assert.Equal(503, (int)refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        streams[0].Dispose();
        while (true)
        {
            using var again = await served.BeginAsync("GET", "/v1/live", null);
            if ((int)again.StatusCode == 200) break;
            await Task.Yield();
        }

        foreach (var stream in streams) stream.Dispose();
    }

    static HttpResponseMessage Get(Served served, string path) => served.SendAsync(HttpMethod.Get, path, (string?)null).GetAwaiter().GetResult();
}
