using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>Third-party programs use every programmatic interface of the real program.</summary>
public sealed class InterfaceClientsTests
{
    /// <summary>The actions that are tools by default; their examples work on any project.</summary>
    internal static readonly string[] Usual = Tools.Split(' ')[..^2];

    const string Tools = "create_service_account get_all_service_accounts get_event_names get_event_properties get_event_property_values get_top_events "
        + "import_events query_event_counts query_event_property_counts query_user_profiles track_event find_actions run_action";

    static readonly string Actions = string.Join(' ', ActionCatalogue.Actions.Select(action => action.Name));

    /// <summary>Examples that cannot work: things that the API cannot create, that started at once, or that simplified ID merge refuses.</summary>
    static readonly Dictionary<string, string> Unanswered = new(StringComparer.Ordinal)
    {
        ["cancel_data_deletion"] = "rejected",
        ["query_funnel"] = "not_found",
        ["query_insights"] = "not_found",
        ["merge_identities"] = "rejected",
    };

    [Fact]
    public async Task The_official_MCP_client_lists_and_calls_every_tool_on_standard_input_and_output()
    {
        await using var mixpanel = await WithAnEventAsync();
        using var home = new Home();
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/mcp.mjs"), "stdio", .. ToolUnderTest.Command, "mcp", "--allow-write"], home,
            Credentials.For(mixpanel));
        AssertEveryTool(await Run.EndAsync(node));
    }

    [Fact]
    public async Task The_official_MCP_client_lists_and_calls_every_tool_over_HTTP()
    {
        await using var mixpanel = await WithAnEventAsync();
        using var home = new Home();
        var keys = home.File("keys.txt");
        var made = await Run.MixpanelAsync(home, ["serve", "new-key", "--keys", keys, "--name", "agent", "--scope", "write"]);
        var key = (string)JsonNode.Parse(made.Output)!["key"]!;
        await using var serve = await Serve.StartAsync(home, ["--keys", keys, "--allow-write"], Credentials.For(mixpanel));
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/mcp.mjs"), "http", $"{serve.Address}mcp", key], home);
        AssertEveryTool(await Run.EndAsync(node));
    }

    [Fact]
    public async Task Standard_output_holds_nothing_but_the_protocol_even_when_the_input_is_not_of_it()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var home = new Home();
        using var process = Run.StartMixpanel(home, ["mcp"], Credentials.For(mixpanel));
        await process.StandardInput.WriteLineAsync("this is not JSON\n{}\n[]\n{\"jsonrpc\":\"2.0\"}");
        await process.StandardInput.WriteLineAsync(
            """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""");
        await process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        string line;
        do
        {
            line = (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken))!;
            Assert.Equal("2.0", (string?)JsonNode.Parse(line)!["jsonrpc"]);
        }
        while (JsonNode.Parse(line)!["result"] is null);
        var done = await Run.EndAsync(process);
        Assert.Equal(0, done.ExitCode);
        Assert.All(done.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), rest => Assert.Equal("2.0", (string?)JsonNode.Parse(rest)!["jsonrpc"]));
    }

    [Fact]
    public async Task A_client_made_from_the_OpenAPI_document_calls_every_action()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var home = new Home();
        await using var serve = await Serve.StartAsync(home, [], Credentials.For(mixpanel));
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/openapi.cjs"), serve.Address.AbsoluteUri.TrimEnd('/')], home);
        AssertEveryAction(await Run.EndAsync(node));
    }

    internal static void AssertEveryAction(Finished done)
    {
        Assert.True(done.ExitCode == 0, done.ToString());
        var result = JsonNode.Parse(done.Output)!;
        AssertEveryAnswer(result["answers"]!.AsObject());
        Assert.Equal(ActionCatalogue.Actions.Length, (int?)result["listed"]);
        Assert.Equal(("finished", 1), ((string?)result["import"]!["status"], (int?)result["import"]!["report"]!["accepted"]));
    }

    internal static void AssertEveryAnswer(JsonObject answers)
    {
        Assert.Equal(Actions, string.Join(' ', answers.Select(answer => answer.Key).Order(StringComparer.Ordinal)));
        AssertAnswers(answers);
    }

    internal static void AssertAnswers(JsonObject answers)
    {
        foreach (var (name, answer) in answers)
        {
            var (status, data) = ((int)answer!["status"]!, answer["data"]!.AsObject());
            var schema = ActionCatalogue.Find(name)!.OutputSchema();
            if (Unanswered.TryGetValue(name, out var kind)) Assert.True((string?)data["kind"] == kind, $"{name}: {answer}");
            else Assert.True(status == 200 && (schema["required"]?.AsArray() ?? []).All(field => data.ContainsKey((string)field!)), $"{name}: {answer}");
        }
    }

    [Fact]
    public async Task A_validator_of_others_finds_nothing_in_the_OpenAPI_document()
    {
        using var home = new Home();
        using var node = Run.Start("node",
            [Repository.File("tests/EndToEnd/clients/node_modules/@redocly/cli/bin/cli.js"), "lint", "docs/openapi.json", "--format", "json"], home,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["REDOCLY_TELEMETRY"] = "off", ["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true" });
        var done = await Run.EndAsync(node);
        var totals = JsonNode.Parse(done.Output[done.Output.IndexOf('{', StringComparison.Ordinal)..])!["totals"]!;
        Assert.True(((int?)totals["errors"], (int?)totals["warnings"]) == (0, 0), done.ToString());
    }

    [Fact]
    public async Task Spectral_finds_nothing_in_the_OpenAPI_document()
    {
        using var home = new Home();
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/spectral.cjs"), "docs/openapi.json"], home);
        var done = await Run.EndAsync(node);
        Assert.True(done.ExitCode == 0 && done.Output.Trim() == "[]", done.ToString());
    }

    internal static async Task<EmulatedMixpanel> WithAnEventAsync()
    {
        var mixpanel = await EmulatedMixpanel.StartAsync();
        using var client = new MixpanelClient(new MixpanelOptions { Endpoint = mixpanel.Address, Token = DevelopmentCredentials.ProjectToken });
        var properties = new JsonObject { ["time"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(), ["distinct_id"] = "u1", ["plan"] = "pro" };
        await client.ImportEventsAsync(new() { Strict = "1", Events = [new() { Event = "Ordered / ü?", Properties = properties }], Properties = [] },
            TestContext.Current.CancellationToken);
        return mixpanel;
    }

    internal static void AssertEveryTool(Finished done)
    {
        Assert.True(done.ExitCode == 0, done.ToString());
        var result = JsonNode.Parse(done.Output)!;
        Assert.Equal(Tools, string.Join(' ', result["tools"]!.AsArray().Select(name => (string?)name)));
        foreach (var (name, call) in result["calls"]!.AsObject())
        {
            if ((bool?)call!["isError"] != true)
            {
                Assert.NotNull(call["structuredContent"]);
                continue;
            }

            var problem = JsonNode.Parse((string)call["content"]![0]!["text"]!)!;
            Assert.True((string?)problem["kind"] is "forbidden" or "not_found", $"{name}: {problem}");
        }

        Assert.All(result["resources"]!.AsArray(), text => Assert.True((bool?)text));
        Assert.Contains("plan", result["properties"]!["Ordered / ü?"]!.AsArray().Select(property => (string?)property), StringComparer.Ordinal);
        Assert.NotEmpty(result["prompts"]!.AsArray());
    }
}

/// <summary>The server as a separate process.</summary>
sealed class Serve : IAsyncDisposable
{
    readonly Process _process;

    Serve(Process process, Uri address) => (_process, Address) = (process, address);

    public Uri Address { get; }

    public static async Task<Serve> StartAsync(Home home, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, string? tool = null,
        int? files = null)
    {
        string[] all = ["serve", "--port", "0", .. arguments];
        var command = tool is null ? ToolUnderTest.Command : ToolUnderTest.CommandOf(tool);
        var process = files is { } most
            ? Run.Start("prlimit", [$"--nofile={most}", .. command, .. all], home, environment)
            : Run.Start(command[0], [.. command.Skip(1), .. all], home, environment);
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)
            ?? await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var address = Regex.Match(line, @" at (?<address>https?://\S+)$", RegexOptions.NonBacktracking);
        Assert.True(address.Success, line);
        return new Serve(process, new Uri(address.Groups["address"].Value));
    }

    /// <summary>Ends it like a power loss.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
