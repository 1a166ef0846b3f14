using System.Net;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

public sealed class ServeCommandTests
{
    [Theory]
    [InlineData("port", "--port", "abc")]
    [InlineData("port", "--port", "65536")]
    [InlineData("rate", "--rate", "0")]
    [InlineData("listen", "--listen", "everywhere")]
    [InlineData("keys", "--listen", "0.0.0.0")]
    [InlineData("keys", "--keys", "missing")]
    [InlineData("certificate", "--certificate", "cert.pem")]
    [InlineData("queue", "--declare")]
    [InlineData("queue", "--queue-outbox", "none")]
    public async Task A_mistake_ends_with_2_and_names_the_option(string field, params string[] arguments)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        var run = await tool.RunAsync(["serve", .. field == "port" ? Array.Empty<string>() : ["--port", "0"], .. arguments]);
        Assert.Equal((2, field), (run.Exit, run.Problem.GetProperty("field").GetString()));
    }

    [Theory]
    [InlineData("state")]
    [InlineData("listen")]
    [InlineData("port")]
    public async Task What_prevents_the_start_is_named(string field)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        Served.KeysIn(tool.Folder, out _, out _);
        var run = await tool.RunAsync(["serve", .. field switch
        {
            "state" => (string[])["--port", "0", "--state", Path.Combine(tool.Folder.Write("file", ""), "state")],
            "listen" =>
            [
                "--port", "0", "--listen", "203.0.113.7", "--keys", tool.Folder.File("keys.txt"), "--behind-proxy", "--allow-host", "mixpanel.example.com",
            ], // an address of documentation, never of this machine
            _ => ["--port", server.Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)],
        }]);

        Assert.True((run.Exit, run.Out) == (2, ""), $"exit {run.Exit}: {run.Err}");
        Assert.Equal(field, run.Problem.GetProperty("field").GetString());
    }

    [Fact]
    public async Task A_new_key_is_printed_once_and_its_name_is_taken_then()
    {
        using var tool = new Tool();
        string[] line = ["serve", "new-key", "--keys", tool.Folder.File("keys"), "--name", "zapier", "--scope", "read"];
        var made = await tool.RunAsync(line);
        Assert.StartsWith("mpk_", made.Json.GetProperty("key").GetString(), StringComparison.Ordinal);
        var again = await tool.RunAsync(line);
        Assert.Equal((2, "name"), (again.Exit, again.Problem.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task Metrics_and_traces_are_sent_where_the_variable_says_without_what_was_asked_for()
    {
        await using var collector = await RecordingServer.StartAsync(_ => Answer.Plain(""));
        Environment.SetEnvironmentVariable("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
        await using (var served = await Served.StartAsync(options => options with { Telemetry = collector.Url }))
        {
            await served.PostAsync("/v1/actions/import_events?hidden-query", Served.OneEvent, ("Idempotency-Key", "hidden-key"),
                ("User-Agent", "hidden-agent"));
            await served.RawAsync(
                "GET /hidden-path?hidden HTTP/1.1\r\nHost: HOST\r\n\r\n"); // the client of .NET would tell its own address in a trace of its own
        }

        Assert.Contains(collector.Requests,
            request => request.Path == "/v1/metrics" && request.Text.Contains("http.server.request.duration", StringComparison.Ordinal));
        Assert.Contains(collector.Requests,
            request => request.Path == "/v1/traces" && request.Text.Contains("/v1/actions/import_events", StringComparison.Ordinal));
        Assert.All(collector.Requests, request => Assert.DoesNotContain("hidden", request.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_servers_do_not_share_a_state()
    {
        await using var served = await Served.StartAsync();
        using var client = new MixpanelClient(new MixpanelOptions { Endpoint = served.Mixpanel.Address, Token = "t" });
        var options = new ServeOptions { Port = 0, StateFolder = served.Folder.File("state"), SecretFolder = "", Destination = "" };
        var refused = await Assert.ThrowsAsync<MixpanelException>(() =>
            Gateway.StartAsync(options, client, () => client, TextWriter.Null, TestContext.Current.CancellationToken));
        Assert.Equal("state", refused.Error.Field);
        Assert.Equal(HttpStatusCode.OK, (await served.SendAsync(HttpMethod.Get, "/readyz", (string?)null)).StatusCode);
    }
}
