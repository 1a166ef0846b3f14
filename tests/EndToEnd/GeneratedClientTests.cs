using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Emulator;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;
using NSwag.CodeGeneration.OperationNameGenerators;

namespace MixpanelConnector.EndToEnd;

/// <summary>Clients generated from the OpenAPI document by common generators compile, and call the real server.</summary>
public sealed class GeneratedClientTests
{
    /// <summary>Rows whose input the generated types cannot contain, and why.</summary>
    static readonly Dictionary<string, string> Impossible = new(StringComparer.Ordinal)
    {
        ["delete_annotation: a number with a fraction of zero"] = "System.Text.Json reads no 1.0 as an integer.",
        ["query_insights: 1.0 is an integer"] = "System.Text.Json reads no 1.0 as an integer.",
        ["create_service_account"] = "NSwag keeps only the object of an item's alternatives: a project cannot be its id alone.",
        ["create_service_account: a time with a fraction and an offset"] = "The same.",
    };

    [Fact]
    public async Task A_CSharp_client_of_NSwag_tracks_and_reads()
    {
        using var home = new Home();
        var program = await CSharp.CompileAsync(home, "client", $$"""
            {{CSharp.Usings}}
            using Generated;
            {{await CSharpClientAsync(leavesOut: false)}}
            static class Program
            {
                static async Task Main(string[] arguments)
                {
                    using var http = new HttpClient { Timeout = TimeSpan.FromHours(1) };
                    var client = new Client(http) { BaseUrl = arguments[0] };
                    var tracked = await client.Track_eventAsync(null, new() { Strict = TrackEventInputStrict._1, Project_id = "1", Event = "From C#", Properties = new() { Time = 1690000000, Distinct_id = "c", Insert_id = "c-1" } });
                    var accounts = await client.Get_all_service_accountsAsync(new() { Organization_id = 1 });
                    Console.Write($"{tracked.Status} {accounts.Total}");
                }
            }
            """);
        await AssertAsync(home, address => CSharp.RunAsync(home, program, address), "From C#");
    }

    /// <summary>Every row of <c>tests/Cases/actions</c> as the generated types, and back.</summary>
    [Fact]
    public async Task A_CSharp_client_of_NSwag_asks_and_answers_as_every_row_says()
    {
        using var home = new Home();
        var program = await CSharp.CompileAsync(home, "client", $$"""
            {{CSharp.Usings}}
            using System.Reflection;
            using System.Text.Json;
            using Generated;
            {{await CSharpClientAsync(leavesOut: true)}}
            static class Program
            {
                static async Task Main()
                {
                    using var http = new HttpClient { Timeout = TimeSpan.FromHours(1) };
                    while (await Console.In.ReadLineAsync() is { } line)
                        Console.WriteLine(JsonSerializer.Serialize(await CallAsync(http, JsonSerializer.Deserialize<Dictionary<string, string>>(line)!)));
                }

                static async Task<Dictionary<string, string>> CallAsync(HttpClient http, Dictionary<string, string> call)
                {
                    var method = typeof(Client).GetMethods().Single(method => method.Name.Equals(call["action"] + "Async", StringComparison.OrdinalIgnoreCase) && method.GetParameters()[^1].ParameterType != typeof(CancellationToken));
                    var type = method.GetParameters()[^1].ParameterType;
                    var answer = new Dictionary<string, string>();
                    try
                    {
                        var input = JsonSerializer.Deserialize(call["input"], type);
                        answer["sent"] = JsonSerializer.Serialize(input, type);
                        var task = (Task)method.Invoke(new Client(http) { BaseUrl = call["address"] }, [.. method.GetParameters().SkipLast(1).Select(_ => (object?)null), input])!;
                        await task;
                        answer["output"] = Json(task.GetType().GetProperty("Result")!.GetValue(task)!);
                    }
                    catch (ApiException e) when (e.GetType().GetProperty("Result")?.GetValue(e) is { } problem)
                    {
                        answer["problem"] = Json(problem);
                    }
                    catch (Exception e)
                    {
                        answer["error"] = e.ToString();
                    }

                    return answer;
                }

                static string Json(object value) => JsonSerializer.Serialize(value, value.GetType());
            }
            """);

        var faults = new List<string>();
        await using var mixpanel = await RowServer.StartAsync();
        using var client = CSharp.Start(home, program);
        foreach (var rows in ActionRow.All.Where(row => !row.IsTimed && !Impossible.ContainsKey(row.Name))
            .GroupBy(row => string.Join(' ', row.Settings ?? new Dictionary<string, long?>(StringComparer.Ordinal)), StringComparer.Ordinal))
        {
            await using var serve = await Serve.StartAsync(home, ["--rate", "1000000"], mixpanel.Settings(rows.First()));
            foreach (var row in rows)
            {
                mixpanel.Begin(row);
                var call = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["address"] = serve.Address.AbsoluteUri.TrimEnd('/'),
                    ["action"] = row.Action,
                    ["input"] = ActionCatalogue.Find(row.Action)!.NeedsConfirmation ? ActionRow.Confirmed(row.Input) : row.Input.GetRawText(),
                };
                await client.StandardInput.WriteLineAsync(JsonSerializer.Serialize(call));
                var line = await client.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)
                    ?? await client.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
                if (Fault(row, mixpanel, JsonNode.Parse(line)!) is { } fault) faults.Add($"{row.Name}: {fault}");
            }
        }

        Assert.Equal(0, (await Run.EndAsync(client)).ExitCode);
        Assert.True(faults.Count == 0, string.Join("\n\n", faults));
    }

    [Fact]
    public async Task A_TypeScript_client_of_openapi_typescript_tracks_and_reads()
    {
        using var home = new Home();
        var modules = Repository.File("tests/EndToEnd/clients/node_modules");
        Directory.CreateSymbolicLink(home.File("node_modules"), modules);
        await NodeAsync(home, [Path.Combine(modules, "openapi-typescript/bin/cli.js"), "docs/openapi.json", "--output", home.File("schema.d.ts")]);
        home.Write("package.json", """{ "type": "module" }""");
        var program = home.Write("client.ts", """
            import createClient from "openapi-fetch";
            import type { paths } from "./schema.d.ts";

            declare const process: { argv: string[]; stdout: { write(text: string): void } };
            const client = createClient<paths>({ baseUrl: process.argv[2] });
            const tracked = await client.POST("/v1/actions/track_event", { body: { strict: "1", project_id: "1", event: "From TypeScript", properties: { time: 1690000000, distinct_id: "t", $insert_id: "t-1" } } });
            const accounts = await client.POST("/v1/actions/get_all_service_accounts", { body: { organization_id: 1 } });
            process.stdout.write(`${tracked.data?.status ?? tracked.error?.title} ${accounts.data?.total}`);
            """);
        await NodeAsync(home,
            [Path.Combine(modules, "typescript/bin/tsc"), "--strict", "--target", "es2024", "--module", "nodenext", "--allowImportingTsExtensions",
                "--rewriteRelativeImportExtensions", program]);
        await AssertAsync(home, address => NodeAsync(home, [home.File("client.js"), address]), "From TypeScript");
    }

    /// <summary>How a call of the generated client differs from its row; null if it does not, or if the types exclude the mistake in the input.</summary>
    static string? Fault(ActionRow row, RowServer mixpanel, JsonNode answer)
    {
        var isExcluded = row.Problem?.Mistake is { } mistake
            && (answer["sent"] is not { } sent || row.Changed(JsonElement.Parse((string)sent!)).Contains(mistake, StringComparer.Ordinal));
        if (isExcluded) return null;
        var given = (string?)(answer["output"] ?? answer["problem"]);
        return given is null
            ? (string?)answer["error"]
            : (row with { Output = WithoutNulls(row.Output) }).Difference(WithoutNulls(JsonElement.Parse(given))!.Value, answer["problem"] is not null,
                row.Secret)
                ?? mixpanel.Difference();
    }

    /// <summary>An answer without its fields that are null, which the generated types do not tell from absent ones.</summary>
    static JsonElement? WithoutNulls(JsonElement? answer) =>
        answer is { } json ? JsonElement.Parse(Clean(JsonNode.Parse(json.GetRawText())!).ToJsonString()) : null;

    static JsonNode Clean(JsonNode node)
    {
        if (node is JsonObject fields)
            foreach (var (name, _) in fields.Where(field => field.Value is null).ToList()) fields.Remove(name);
        foreach (var inner in node switch { JsonObject members => members.Select(member => member.Value), JsonArray items => items, _ => [] })
            if (inner is not null) Clean(inner);
        return node;
    }

    /// <param name="leavesOut">Whether an optional number or boolean that is not set is left out, instead of being sent as 0 or false.</param>
    static async Task<string> CSharpClientAsync(bool leavesOut)
    {
        var document = await OpenApiDocument.FromJsonAsync(
            await File.ReadAllTextAsync(Repository.File("docs/openapi.json"), TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        var settings = new CSharpClientGeneratorSettings
        {
            ClassName = "Client",
            OperationNameGenerator = new SingleClientFromOperationIdOperationNameGenerator(),
        };
        (settings.CSharpGeneratorSettings.Namespace, settings.CSharpGeneratorSettings.JsonLibrary) = ("Generated", CSharpJsonLibrary.SystemTextJson);
        settings.CSharpGeneratorSettings.JsonLibraryVersion = 9; // with the names of enumeration members, such as gcs-raw
        settings.CSharpGeneratorSettings.GenerateOptionalPropertiesAsNullable = leavesOut;
        return new CSharpClientGenerator(document, settings).GenerateFile();
    }

    static async Task AssertAsync(Home home, Func<string, Task<Finished>> run, string name)
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        await using var serve = await Serve.StartAsync(home, [], Credentials.For(mixpanel));
        var done = await run(serve.Address.AbsoluteUri.TrimEnd('/'));
        Assert.True(done is { ExitCode: 0, Output: "1 1" }, done.ToString());
        await mixpanel.Received.Event(name);
    }

    static async Task<Finished> NodeAsync(Home home, IEnumerable<string> arguments)
    {
        using var node = Run.Start("node", arguments, home);
        var done = await Run.EndAsync(node);
        Assert.True(done.ExitCode == 0, done.ToString());
        return done;
    }
}
