using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.RabbitMq.Tests;

/// <summary>The command <c>mixpanel serve --queue</c>: everything it answered with success arrives, whatever happens to the broker and to itself.</summary>
public sealed class ServeQueueTests(BrokerFixture fixture)
{
    const string Away = "amqp://127.0.0.1:1/";

    [Fact]
    public async Task What_is_tracked_is_published_and_consumed()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        await using var serve = await Serve.StartAsync(run, run.Address, "--declare");

        Assert.Equal(HttpStatusCode.OK, await serve.TrackAsync(0));
        Assert.Equal(HttpStatusCode.OK, await serve.PostAsync("set_user_properties", """{"distinct_id":"u","properties":{"plan":"pro"}}"""));
        Assert.Equal(HttpStatusCode.OK, await serve.PostAsync("increment_user_properties", """{"distinct_id":"u","properties":{"n":1}}"""));

        Assert.Equal(1, (await run.RunAsync(run.Request)).Accepted);
        Assert.Equal(2,
            (await run.RunAsync(run.Request with
            {
                Address = $"{run.Address}.profiles",
                Records = run.Request.Records with { Type = ImportType.Profiles },
            })).Accepted);
    }

    [Fact]
    public async Task What_was_taken_while_the_broker_was_away_arrives_although_the_server_is_killed()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        await using (var first = await Serve.StartAsync(run, Away + run.Name, "--declare"))
        {
            for (var i = 0; i < 20; i++) Assert.Equal(HttpStatusCode.OK, await first.TrackAsync(i));
            Assert.Equal(HttpStatusCode.OK, await first.PostAsync("set_user_properties", """{"distinct_id":"u","properties":{"plan":"pro"}}"""));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await first.PostAsync("increment_user_properties", """{"distinct_id":"u","properties":{"n":1}}"""));
            first.Kill();
        }

        await using var second = await Serve.StartAsync(run, run.Address, "--declare");
        while ((await run.RunAsync(run.Request)).Outcome is RunOutcome.Complete && run.Numbers.Count < 20) { }

        Assert.Equal(Enumerable.Range(0, 20).Select(n => (long)n), run.Numbers.Order());
        Assert.Equal(20, run.Mixpanel.Stored.Count);
    }

    [Fact]
    public async Task Without_an_outbox_nothing_is_taken_while_the_broker_is_away()
    {
        using var run = new RabbitMqRun(await fixture.GetAsync());
        await using var serve = await Serve.StartAsync(run, Away + run.Name, "--queue-outbox", "none");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await serve.TrackAsync(0));
        Assert.False(Directory.Exists(run.Folder.File("serve/queue")));
    }

    sealed class Serve(Process process, HttpClient client) : IAsyncDisposable
    {
        public static async Task<Serve> StartAsync(RabbitMqRun run, string queue, params string[] options)
        {
            var start = new ProcessStartInfo(ToolUnderTest.Command[0],
                [.. ToolUnderTest.Command.Skip(1), "serve", "--port", "0", "--state", run.Folder.File("serve"), "--queue", queue, .. options])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["MIXPANEL_ENDPOINT"] = "http://127.0.0.1:1",
                    ["MIXPANEL_TOKEN"] = "token",
                    ["MIXPANEL_PROJECT_ID"] = "1",
                    ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "account",
                    ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "canary-58c1",
                    ["XDG_STATE_HOME"] = run.Folder.Path,
                    ["XDG_CONFIG_HOME"] = run.Folder.Path,
                    ["XDG_DATA_HOME"] = run.Folder.Path,
                },
            };
            var process = Process.Start(start)!;
            process.BeginErrorReadLine();
            var first = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server ended.");
            return new Serve(process,
                new HttpClient { Timeout = Hang.Limit, BaseAddress = new Uri(first[first.LastIndexOf("http://", StringComparison.Ordinal)..]) });
        }

        public Task<HttpStatusCode> TrackAsync(int number) =>
            PostAsync("track_event",
                string.Create(CultureInfo.InvariantCulture,
                    $$$"""{"event":"e","properties":{"time":{{{RabbitMqRun.Time}}},"distinct_id":"u","$insert_id":"i{{{number}}}","n":{{{number}}}}}"""));

        public async Task<HttpStatusCode> PostAsync(string action, string json)
        {
            using var content = new StringContent(json, Encoding.UTF8, "application/json");
            using var response = await client.PostAsync(new Uri($"/v1/actions/{action}", UriKind.Relative), content);
            var answer = JsonElement.Parse(await response.Content.ReadAsByteArrayAsync());
            Assert.DoesNotContain("canary", answer.GetRawText(), StringComparison.Ordinal);
            return response.StatusCode;
        }

        public void Kill() => process.Kill();

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
