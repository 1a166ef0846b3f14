using MixpanelConnector.Emulator;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;
using NSwag.CodeGeneration.OperationNameGenerators;

namespace MixpanelConnector.EndToEnd;

/// <summary>Clients generated from the OpenAPI document by common generators compile, and call the real server.</summary>
public sealed class GeneratedClientTests
{
    [Fact]
    public async Task A_CSharp_client_of_NSwag_tracks_and_reads()
    {
        var document = await OpenApiDocument.FromJsonAsync(await File.ReadAllTextAsync(Repository.File("docs/openapi.json"), TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
        var settings = new CSharpClientGeneratorSettings { ClassName = "Client", OperationNameGenerator = new SingleClientFromOperationIdOperationNameGenerator() };
        (settings.CSharpGeneratorSettings.Namespace, settings.CSharpGeneratorSettings.JsonLibrary) = ("Generated", CSharpJsonLibrary.SystemTextJson);
        var client = new CSharpClientGenerator(document, settings).GenerateFile();

        using var home = new Home();
        var program = await CSharp.CompileAsync(home, "client", $$"""
            {{CSharp.Usings}}
            using Generated;
            {{client}}
            static class Program
            {
                static async Task Main(string[] arguments)
                {
                    using var http = new HttpClient { Timeout = TimeSpan.FromHours(1) };
                    var client = new Client(http) { BaseUrl = arguments[0] };
                    var tracked = await client.Track_eventAsync(null, new() { Strict = "1", Project_id = "1", Event = "From C#", Properties = new() { Time = 1690000000, Distinct_id = "c", Insert_id = "c-1" } });
                    var accounts = await client.Get_all_service_accountsAsync(new() { Organization_id = 1 });
                    Console.Write($"{tracked.Status} {accounts.Total}");
                }
            }
            """);
        await AssertAsync(home, address => CSharp.RunAsync(home, program, address), "From C#");
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
        await NodeAsync(home, [Path.Combine(modules, "typescript/bin/tsc"), "--strict", "--target", "es2024", "--module", "nodenext", "--allowImportingTsExtensions", "--rewriteRelativeImportExtensions", program]);
        await AssertAsync(home, address => NodeAsync(home, [home.File("client.js"), address]), "From TypeScript");
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
