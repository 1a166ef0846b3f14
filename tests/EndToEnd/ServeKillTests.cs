using System.Text;
using System.Text.Json.Nodes;

namespace MixpanelConnector.EndToEnd;

/// <summary>A server that is killed while an import runs.</summary>
[Trait("tool", "native")]
public sealed class ServeKillTests
{
    [Fact]
    public async Task An_import_under_which_the_process_ended_twice_is_set_aside_and_the_server_goes_on()
    {
        var isAway = true;
        await using var mixpanel = await RecordingServer.StartAsync(request =>
            Volatile.Read(ref isAway)
                ? Answer.Json("{}", 503)
                : Answer.Json($$"""{"code":200,"num_records_imported":{{request.Json.GetArrayLength()}},"status":"OK"}"""));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["MIXPANEL_ENDPOINT"] = mixpanel.Url,
            ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "robot",
            ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "secret",
            ["MIXPANEL_PROJECT_ID"] = "1",
        };
        using var home = new Home();
        var path = "";
        for (var start = 0; start < 2; start++)
        {
            await using var serve = await Serve.StartAsync(home, [], environment);
            var requests = mixpanel.Requests.Count;
            if (start == 0) path = (string)(await SendAsync(serve, HttpMethod.Post, "v1/imports"))["id"]!;
            while (mixpanel.Requests.Count == requests)
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken); // it runs
            await serve.KillAsync();
        }

        Volatile.Write(ref isAway, false);
        await using var last = await Serve.StartAsync(home, [], environment);
        var aside = await SendAsync(last, HttpMethod.Get, $"v1/imports/{path}");
        Assert.Equal("failed", (string?)aside["status"]);
        Assert.Contains("process ended during 2 consecutive runs", (string?)aside["problem"], StringComparison.Ordinal);
        Assert.Equal("finished", await EndAsync(last, (string)(await SendAsync(last, HttpMethod.Post, "v1/imports"))["id"]!));
        Assert.Null((await SendAsync(last, HttpMethod.Post, $"v1/imports/{path}/resume", "{}"))["kind"]); // no problem
        Assert.Equal("finished", await EndAsync(last, path));
    }

    static async Task<string> EndAsync(Serve serve, string id)
    {
        while (true)
        {
            var status = (string)(await SendAsync(serve, HttpMethod.Get, $"v1/imports/{id}"))["status"]!;
            if (status is not ("queued" or "running")) return status;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    static async Task<JsonNode> SendAsync(Serve serve, HttpMethod method, string path, string? json = null)
    {
        using var http = new HttpClient { Timeout = Hang.Limit };
        using var request = new HttpRequestMessage(method, new Uri(serve.Address, path));
        if (method == HttpMethod.Post)
            request.Content = new StringContent(json ?? """{"event":"E","properties":{"time":1690000000,"distinct_id":"u"}}""", Encoding.UTF8,
                json is null ? "application/x-ndjson" : "application/json");
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
    }
}
