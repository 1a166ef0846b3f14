using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The examples in other languages that docs/emulator.md refers to: they run, and match the page.</summary>
public sealed class ExampleTests
{
    [Fact]
    public async Task The_example_for_nodejs_is_green()
    {
        using var home = new Home();
        foreach (var file in Directory.GetFiles(Repository.File("examples/node"), "*.mjs")) File.Copy(file, home.File(Path.GetFileName(file)));
        Directory.CreateSymbolicLink(home.File("node_modules"), Repository.File("tests/EndToEnd/clients/node_modules"));

        using var node = Run.Start("node", ["--test", home.File("orders.test.mjs")], home, Environment(home));
        var done = await Run.EndAsync(node);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Matches(@"(?m)^. pass 2$", done.Output);
    }

    /// <summary>As npm packs it, installs it and runs it.</summary>
    [Fact]
    public async Task Npx_runs_it_and_the_npm_package_mixpanel_tracks_to_it()
    {
        using var home = new Home();
        var environment = Environment(home);
        using var pack = Run.Start("npm", ["pack", "--silent", "--pack-destination", home.Path, Repository.File("examples/node")], home, environment);
        Assert.Equal(0, (await Run.EndAsync(pack)).ExitCode);
        using var install = Run.Start("npm",
            ["install", "--silent", "--offline", "--no-audit", "--no-fund", "--prefix", home.Path, home.File("mixpanel-emulator-0.1.0.tgz")], home,
            environment);
        var installed = await Run.EndAsync(install);
        Assert.True(installed.ExitCode == 0, installed.ToString());
        Directory.CreateSymbolicLink(home.File("node_modules/mixpanel"), Repository.File("tests/EndToEnd/clients/node_modules/mixpanel"));

        home.Write("track.mjs", """
            import { spawn } from "node:child_process";
            import { once } from "node:events";
            import { createInterface } from "node:readline";
            import { promisify } from "node:util";
            import Mixpanel from "mixpanel";

            const child = spawn("npx", ["--no-install", "mixpanel-emulator", "--port", "0", "--data", ":memory:"], { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"], detached: true });
            const [line] = await once(createInterface({ input: child.stdout }), "line");
            const told = JSON.parse(line);
            const mixpanel = Mixpanel.init(told.token, { host: new URL(told.address).host, protocol: "http", keepAlive: false });
            await promisify(mixpanel.track.bind(mixpanel))("Order Placed", { distinct_id: "ada" });
            const answer = await fetch(told.address + "/emulator/requests", { headers: { authorization: "Basic " + Buffer.from("local:local").toString("base64") } });
            console.log((await answer.json()).results.map(request => request.records.kept).join());
            process.kill(-child.pid, "SIGTERM");
            await once(child, "exit");
            """);
        using var node = Run.Start("node", [home.File("track.mjs")], home, environment);
        var done = await Run.EndAsync(node);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal("1", done.Output.Trim());
    }

    [Fact]
    public async Task The_example_for_python_is_green()
    {
        using var home = new Home();
        foreach (var file in Directory.GetFiles(Repository.File("examples/python"), "*.py")) File.Copy(file, home.File(Path.GetFileName(file)));

        using var python = Run.Start("python3", [home.File("test_orders.py")], home, Environment(home));
        var done = await Run.EndAsync(python);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("Ran 2 tests", done.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_health_of_a_container_is_asked_for_by_the_program_itself()
    {
        using var home = new Home();
        var mixpanel = await EmulatedMixpanel.StartAsync();
        string[] health = ["emulator", "health", "--port", $"{mixpanel.Address.Port}"];

        Assert.Equal(new Finished(0, "", ""), await Run.MixpanelAsync(home, health));
        await mixpanel.DisposeAsync();
        var gone = await Run.MixpanelAsync(home, health);
        Assert.True(gone is { ExitCode: 5, Output: "" } && gone.Error.Contains("/healthz does not respond", StringComparison.Ordinal), gone.ToString());
    }

    [Fact]
    public async Task Curl_comes_to_it_by_the_environment_alone()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { ProxyPort = 0 });
        using var home = new Home();

        using var curl = Run.Start("curl",
            ["--silent", "--show-error", "https://api-eu.mixpanel.com/track", "--data", """data=[{"event":"Curled","properties":{"token":"local"}}]"""], home,
            new Dictionary<string, string>(mixpanel.ProxyEnvironment, StringComparer.Ordinal));
        var done = await Run.EndAsync(curl);
        using var other = Run.Start("curl", ["--silent", "--show-error", "https://example.com/"], home,
            new Dictionary<string, string>(mixpanel.ProxyEnvironment, StringComparer.Ordinal));

        Assert.True(done is { ExitCode: 0, Output: "1" }, done.ToString());
        await mixpanel.AssertEventAsync("Curled");
        Assert.Contains("403", (await Run.EndAsync(other)).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("examples/node/orders.test.mjs")]
    [InlineData("examples/python/test_orders.py")]
    public async Task The_page_shows_the_example_as_it_is(string file) =>
        Assert.Contains(await File.ReadAllTextAsync(Repository.File(file), TestContext.Current.CancellationToken),
            await File.ReadAllTextAsync(Repository.File("docs/emulator.md"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

    [Fact]
    public async Task The_seed_of_the_page_is_taken_and_its_schema_is_the_one_that_the_emulator_describes()
    {
        var page = await File.ReadAllTextAsync(Repository.File("docs/emulator.md"), TestContext.Current.CancellationToken);
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { Seed = page.Split("`seed.json`:\n\n```json\n")[1].Split("```")[0] });
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = mixpanel.Address };

        await mixpanel.AssertEventAsync("Order Placed", "ada");
        await mixpanel.AssertProfileAsync("ada");
        var described =
            System.Text.Json.Nodes.JsonNode.Parse(await http.GetStringAsync("/emulator/openapi.json"))!["components"]!["schemas"]!["Seed"]!.AsObject();
        var schema = System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(Repository.File("docs/emulator-seed.schema.json"),
            TestContext.Current.CancellationToken))!.AsObject();
        Assert.Equal(described["properties"]!.ToJsonString(), schema["properties"]!.ToJsonString());
    }

    static Dictionary<string, string> Environment(Home home)
    {
        var start = ToolUnderTest.Command;
        var tool = home.Write("mixpanel-under-test", $"#!/bin/sh\nexec {string.Join(' ', start.Select(word => $"'{word}'"))} \"$@\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new(StringComparer.Ordinal) { ["MIXPANEL_TOOL"] = tool, ["PYTHONDONTWRITEBYTECODE"] = "1" };
    }
}
