using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces;
using MixpanelConnector.Tool.Surfaces.Http;
using MixpanelConnector.Tool.Surfaces.Mcp;
using MixpanelConnector.Tool.Tests.Http;

namespace MixpanelConnector.Tool.Tests.Interfaces;

/// <summary>The result of a call on an interface: its JSON, whether that is a problem, and whether it reports refused data.</summary>
sealed record InterfaceAnswer(JsonElement Json, bool IsProblem, bool IsRefused = false);

/// <summary>The library, the command line, the HTTP server and the tools for agents, all in this process and with the same settings.</summary>
sealed class EveryInterface : IAsyncDisposable
{
    readonly IReadOnlyDictionary<string, string> _environment;
    readonly TemporaryFolder _folder = new();
    readonly List<MixpanelClient> _clients = [];
    readonly RenewedClock _clock = new();
    Gateway _gateway = null!;
    HttpClient _http = null!;

    EveryInterface(IReadOnlyDictionary<string, string> environment) => _environment = environment;

    /// <param name="environment">The settings, as environment variables.</param>
    public static async Task<EveryInterface> StartAsync(IReadOnlyDictionary<string, string> environment)
    {
        var every = new EveryInterface(environment);
        var options = new ServeOptions
        {
            Port = 0,
            StateFolder = every._folder.File("state"),
            SecretFolder = every._folder.File("secrets"),
            Destination = "test",
            ToolsMayWrite = true,
            Rate = 1_000_000,
            TimeProvider = new HurriedClock(),
        };
        every._gateway = await Gateway.StartAsync(options, every.NewClient(), every.NewClient, TextWriter.Null, TestContext.Current.CancellationToken);
        every._http = new HttpClient { Timeout = Hang.Limit, BaseAddress = every._gateway.Address };
        return every;
    }

    public async Task<InterfaceAnswer> ThroughLibraryAsync(ActionDescriptor action, JsonElement input)
    {
        var client = NewClient();
        try
        {
            var result = await action.InvokeAsync(client, input, TestContext.Current.CancellationToken);
            return new(JsonElement.Parse(result.Json.Span), IsProblem: false, result.Refused);
        }
        catch (MixpanelException e)
        {
            return new(JsonElement.Parse(ErrorTable.Problem(e.Error).Span), IsProblem: true);
        }
    }

    /// <summary>The command with its input as one JSON object: from standard input if it has confidential fields.</summary>
    public Task<InterfaceAnswer> ThroughCommandLineAsync(ActionDescriptor action, JsonElement input) =>
        input.ValueKind is JsonValueKind.Object && ConfidentialOf(action, input).Length > 0
            ? RunAsync(action, ["--input", "-"], input.GetRawText())
            : RunAsync(action, ["--input", input.GetRawText()]);

    /// <summary>The command with an option for each field of the input.</summary>
    public Task<InterfaceAnswer> ThroughOptionsAsync(ActionDescriptor action, JsonElement input)
    {
        var properties = action.InputSchema()["properties"]!;
        var confidential = ConfidentialOf(action, input);
        var options = input.EnumerateObject().Where(field => !confidential.Contains(field.Name) && field.Value.ValueKind is not JsonValueKind.Null)
            .Select(field => $"--{field.Name.Replace('_', '-')}={(properties[field.Name]!["type"] is JsonValue type && (string?)type == "string" ? field.Value.GetString() : field.Value.GetRawText())}");
        return RunAsync(action, [.. options, .. confidential.Length > 0 ? ["--input", "-"] : Array.Empty<string>()],
            $"{{{string.Join(',', confidential.Select(name => $"\"{name}\":{input.GetProperty(name).GetRawText()}"))}}}");
    }

    /// <summary>All results of a paginated action, which the command prints one per line.</summary>
    public async Task<IReadOnlyList<JsonElement>> AllThroughCommandLineAsync(ActionDescriptor action, JsonElement input)
    {
        using var tool = NewTool();
        var run = await tool.RunAsync(action.Name.Replace('_', '-'), "--input", input.GetRawText(), "--all");
        Assert.Equal((ExitCode.Success, ""), (run.Exit, run.Err));
        return [.. run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    public async Task<InterfaceAnswer> ThroughHttpAsync(ActionDescriptor action, JsonElement input)
    {
        using var body = new StringContent(Confirmed(action, input), Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri($"/v1/actions/{action.Name}", UriKind.Relative), body, TestContext.Current.CancellationToken);
        var json = await answer.JsonAsync();
        var isProblem = (int)answer.StatusCode != 200;
        Assert.Equal(isProblem ? "application/problem+json" : "application/json", answer.Content.Headers.ContentType!.ToString());
        if (isProblem) Assert.Equal(json.GetProperty("status").GetInt32(), (int)answer.StatusCode);
        return new(json, isProblem);
    }

    /// <summary>Calls the action's own tool if it has one, otherwise the tool that runs any action. A protocol error is returned as such.</summary>
    public async Task<InterfaceAnswer> ThroughMcpAsync(ActionDescriptor action, JsonElement input)
    {
        var answer = ToolSelection.Default.Holds(action) ? await CallAsync(action.Name, input) : await RunAsync(action, input);
        if (answer["error"] is { } refusal) return new(JsonElement.Parse(refusal.ToJsonString()), IsProblem: true);
        var result = answer["result"]!;
        if ((bool?)result["isError"] is true) return new(JsonElement.Parse((string)result["content"]![0]!["text"]!), IsProblem: true);
        var json = JsonElement.Parse(result["structuredContent"]!.ToJsonString());
        Assert.True(JsonElement.DeepEquals(json, JsonElement.Parse((string)result["content"]!.AsArray()[^1]!["text"]!)), "The text of the answer is its JSON.");
        return new(json, IsProblem: false);
    }

    /// <summary>Requests an action that agents must not run, in both ways.</summary>
    public async Task EnsureAgentsAreRefusedAsync(ActionDescriptor action, JsonElement input)
    {
        Assert.NotNull((await CallAsync(action.Name, input))["error"]);
        var answer = await RunAsync(action, JsonElement.Parse(Confirmed(action, input)));
        if (answer["error"] is not null) return;
        var result = answer["result"]!;
        var problem = JsonNode.Parse((string)result["content"]![0]!["text"]!)!;
        Assert.Equal((true, "invalid_input", "action"), ((bool)result["isError"]!, (string?)problem["kind"], (string?)problem["field"]));
    }

    /// <summary>Sets the clock back.</summary>
    public void Renew() => _clock.Renew();

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _gateway.DisposeAsync();
        foreach (var client in _clients) client.Dispose();
        _folder.Dispose();
    }

    /// <summary>The input with the confirmation that it needs.</summary>
    static string Confirmed(ActionDescriptor action, JsonElement input) => action.NeedsConfirmation ? ActionRow.Confirmed(input) : input.GetRawText();

    static string[] ConfidentialOf(ActionDescriptor action, JsonElement input) =>
        [
            .. action.InputSchema()["properties"]!.AsObject()
                .Where(property => property.Value!["writeOnly"] is not null && input.TryGetProperty(property.Key, out _))
                .Select(property => property.Key),
        ];

    Tool NewTool(string standardInput = "")
    {
        var tool = new Tool { Input = standardInput };
        foreach (var (name, value) in _environment) tool.Environment[name] = value;
        return tool;
    }

    async Task<InterfaceAnswer> RunAsync(ActionDescriptor action, string[] arguments, string standardInput = "")
    {
        using var tool = NewTool(standardInput);
        var run = await tool.RunAsync([action.Name.Replace('_', '-'), .. arguments, "--output", "json",
            .. action.NeedsConfirmation ? ["--yes"] : Array.Empty<string>(), .. action.HasSecret ? ["--show-secret"] : Array.Empty<string>()]);
        if (run.Out.Length > 0)
        {
            Assert.True(run is { Exit: ExitCode.Success or ExitCode.Refused, Err: "" }, $"exit {run.Exit}: {run.Err}");
            return new(run.Json, IsProblem: false, run.Exit == ExitCode.Refused);
        }

        var kind = Enum.Parse<ErrorKind>(run.Problem.GetProperty("kind").GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        Assert.Equal(ErrorTable.Row(kind).ExitCode, run.Exit);
        return new(run.Problem, IsProblem: true);
    }

    Task<JsonNode> RunAsync(ActionDescriptor action, JsonElement input) =>
        CallAsync(AnyAction.Run, JsonElement.Parse($$"""{"action":"{{action.Name}}","input":{{input.GetRawText()}}}"""));

    async Task<JsonNode> CallAsync(string name, JsonElement arguments)
    {
        using var body = new StringContent(
            $$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{name}}}","arguments":{{{arguments.GetRawText()}}}}}""", Encoding.UTF8,
            "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/mcp")
        {
            Content = body,
            Headers = { { "Accept", "application/json, text/event-stream" } },
        };
        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        const string Data = "data: ";
        var text = await answer.TextAsync();
        return JsonNode.Parse(answer.Content.Headers.ContentType!.MediaType == "application/json"
            ? text
            : text.Split('\n').Single(line => line.StartsWith(Data, StringComparison.Ordinal))[Data.Length..])!;
    }

    MixpanelClient NewClient()
    {
        var host = new HostEnvironment
        {
            Environment = name => name == "HOME" ? _folder.Path : _environment.GetValueOrDefault(name),
            Input = Stream.Null,
            Output = Stream.Null,
            Error = TextWriter.Null,
        };
        var client = new MixpanelClient(Configuration.Load(new GivenSettings(), host).ToOptions(_clock));
        _clients.Add(client);
        return client;
    }

    /// <summary>A clock on which a second passes whenever it is asked for a timestamp, so that limits per minute do not apply to tests.</summary>
    sealed class HurriedClock : TimeProvider
    {
        long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Interlocked.Increment(ref _seconds);
    }

    /// <summary>An <see cref="ImpatientClock"/> that can be reset, so that the waits of one call do not affect the next.</summary>
    sealed class RenewedClock : TimeProvider
    {
        ImpatientClock _clock = new();

        public override long TimestampFrequency => _clock.TimestampFrequency;

        public void Renew() => _clock = new();

        public override DateTimeOffset GetUtcNow() => _clock.GetUtcNow();

        public override long GetTimestamp() => _clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            _clock.CreateTimer(callback, state, dueTime, period);
    }
}
