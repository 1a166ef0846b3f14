using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>The server in this process, in front of a fake Mixpanel.</summary>
sealed class Served : IAsyncDisposable
{
    public const string Imported = """{"code":200,"num_records_imported":1,"status":"OK"}""";
    public const string OneEvent =
        """{"strict":"1","properties":{},"events":[{"event":"A","properties":{"time":1790000000,"distinct_id":"u1","$insert_id":"i-1"}}]}""";
    public const string Create = """{"username":"bot","organization_id":5}""";
    public const string Created = """{"results":{"id":9,"username":"bot.x","token":"one-time-4711"},"status":"ok"}""";

    readonly SharedText _log = new();
    MixpanelClient? _client;
    bool _stopped;

    public required RecordingServer Mixpanel { get; init; }

    public TemporaryFolder Folder { get; } = new();

    public Gateway Gateway { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    /// <summary>The log; complete once the server has stopped.</summary>
    public string Log => _log.ToString();

    public static Task<Served> StartAsync(params Answer[] answers) => StartAsync(options => options, answers);

    public static async Task<Served> StartAsync(Func<ServeOptions, ServeOptions> with, params Answer[] answers)
    {
        var next = -1;
        return await StartAsync(with,
            _ => answers.Length == 0 ? Answer.Json(Imported) : answers[Math.Min(Interlocked.Increment(ref next), answers.Length - 1)]);
    }

    public static async Task<Served> StartAsync(Func<ServeOptions, ServeOptions> with, Func<RecordedRequest, Answer> script)
    {
        var served = new Served { Mixpanel = await RecordingServer.StartAsync(script) };
        await served.RestartAsync(with);
        return served;
    }

    public async Task RestartAsync(Func<ServeOptions, ServeOptions>? with = null)
    {
        if (_client is not null) await StopAsync();
        _stopped = false;
        var options = new ServeOptions { Port = 0, StateFolder = Folder.File("state"), SecretFolder = Folder.File("secrets"), Destination = "test" };
        _client = NewClient();
        Gateway = await Gateway.StartAsync(with is null ? options : with(options), _client, NewClient, _log, TestContext.Current.CancellationToken);
        Http = new HttpClient { Timeout = Hang.Limit, BaseAddress = Gateway.Address };
    }

    public async Task StopAsync()
    {
        if (_stopped) return;
        _stopped = true;
        Http.Dispose();
        await Gateway.DisposeAsync();
        _client!.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Mixpanel.DisposeAsync();
        Folder.Dispose();
        await _log.DisposeAsync();
    }

    public Task<HttpResponseMessage> PostAsync(string path, string body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, body, headers);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body, params (string Name, string Value)[] headers) =>
        SendAsync(method, path, body is null ? null : Encoding.UTF8.GetBytes(body), headers);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[]? body, params (string Name, string Value)[] headers) =>
        SendAsync(method, path, body, headers, HttpCompletionOption.ResponseContentRead);

    /// <summary>The start of an answer, which may be an endless stream.</summary>
    public Task<HttpResponseMessage> BeginAsync(string method, string path, string? body, params (string Name, string Value)[] headers) =>
        SendAsync(new HttpMethod(method), path, body is null ? null : Encoding.UTF8.GetBytes(body), headers, HttpCompletionOption.ResponseHeadersRead);

    async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[]? body, (string Name, string Value)[] headers, HttpCompletionOption until)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        foreach (var (name, value) in headers)
        {
            if (name.StartsWith("Content-", StringComparison.Ordinal))
            {
                request.Content!.Headers.Remove(name);
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return await Http.SendAsync(request, until, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends raw bytes and returns the status of the answer; 0 if the connection just ends, or switches to another protocol.</summary>
    public async Task<int> RawAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Gateway.Address.Host, Gateway.Address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request.Replace("HOST", Gateway.Address.Authority, StringComparison.Ordinal)));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        try
        {
            return (await reader.ReadLineAsync())?.Split(' ') is ["HTTP/1.1", var status, ..]
                ? int.Parse(status, System.Globalization.CultureInfo.InvariantCulture)
                : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>A key file, and the key for a name in it.</summary>
    public static Keys KeysIn(TemporaryFolder folder, out string read, out string write, int rate = ServeOptions.DefaultRate, TimeProvider? time = null)
    {
        var file = folder.File("keys.txt");
        read = Keys.Make(file, "reader", Scope.Read);
        write = Keys.Make(file, "writer", Scope.Write);
        return Keys.Load(file, new HostEnvironment { Environment = _ => null, Input = Stream.Null, Output = Stream.Null, Error = TextWriter.Null },
            () => new TokenBucket(rate, time ?? TimeProvider.System));
    }

    MixpanelClient NewClient() => new(new MixpanelOptions
    {
        Endpoint = Mixpanel.Address,
        ServiceAccount = new("robot", new MixpanelSecret(Tool.Secret)),
        ProjectId = 12345,
        Token = "0123456789abcdef0123456789abcdef",
        MaxRetries = 0,
    });
}

static class AnswerExtensions
{
    public static async Task<string> TextAsync(this HttpResponseMessage answer) =>
        await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage answer) => JsonElement.Parse(await answer.TextAsync());

    public static async Task<string> KindAsync(this HttpResponseMessage answer) => (await answer.JsonAsync()).GetProperty("kind").GetString()!;
}
