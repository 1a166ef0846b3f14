using System.Text;
using System.Text.RegularExpressions;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary><c>mixpanel serve</c> on a free port, until it is disposed.</summary>
sealed class ServeCommandRun : IAsyncDisposable
{
    readonly Stop _stop = new();
    readonly Task<Run> _run;
    HttpClient _http = null!;

    ServeCommandRun(Tool tool, string[] options) => _run = tool.RunAsync(_stop, ["serve", "--port", "0", .. options]);

    public static async Task<ServeCommandRun> StartAsync(Tool tool, ServingOutput output, params string[] options)
    {
        var serving = new ServeCommandRun(tool, options);
        if (await Task.WhenAny(output.Address, serving._run) == serving._run) Assert.Fail((await serving._run).Err);
        serving._http = new HttpClient { Timeout = Hang.Limit, BaseAddress = new Uri(await output.Address) };
        return serving;
    }

    public Task<HttpResponseMessage> QueryAsync() => CallAsync("query_user_profiles", "{}");

    public Task<HttpResponseMessage> CallAsync(string action, string input) =>
        _http.PostAsync(new Uri($"/v1/actions/{action}", UriKind.Relative), new StringContent(input, Encoding.UTF8, "application/json"),
            TestContext.Current.CancellationToken);

    /// <summary>The response to a message of an agent.</summary>
    public async Task<string> AskAsync(string message)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp")
        {
            Content = new StringContent(message, Encoding.UTF8, "application/json"),
            Headers = { { "Accept", "application/json, text/event-stream" } },
        };
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        return await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    public Task<Run> StopAsync()
    {
        _stop.Begin(RunOutcome.Stopped);
        return _run;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        _stop.Dispose();
    }
}

/// <summary>Standard output that signals the address of the server.</summary>
sealed partial class ServingOutput : MemoryStream
{
    readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<string> Address => _address.Task;

    public override void Write(byte[] buffer, int offset, int count)
    {
        base.Write(buffer, offset, count);
        if (Served().Match(Encoding.UTF8.GetString(GetBuffer().AsSpan(0, (int)Length))) is { Success: true } served) _address.TrySetResult(served.Value);
    }

    [GeneratedRegex("(?<=^Serving .* at )http://\\S+", RegexOptions.Multiline, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Served();
}
