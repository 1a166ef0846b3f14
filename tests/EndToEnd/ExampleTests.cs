using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>What docs/emulator.md sends a developer of another language to: the examples run, and are what stands there.</summary>
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
    public async Task Curl_comes_to_it_by_the_environment_alone()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { ProxyPort = 0 });
        using var home = new Home();

        using var curl = Run.Start("curl", ["--silent", "--show-error", "https://api-eu.mixpanel.com/track", "--data", """data=[{"event":"Curled","properties":{"token":"local"}}]"""], home, new Dictionary<string, string>(mixpanel.ProxyEnvironment, StringComparer.Ordinal));
        var done = await Run.EndAsync(curl);
        using var other = Run.Start("curl", ["--silent", "--show-error", "https://example.com/"], home, new Dictionary<string, string>(mixpanel.ProxyEnvironment, StringComparer.Ordinal));

        Assert.True(done is { ExitCode: 0, Output: "1" }, done.ToString());
        await mixpanel.AssertEventAsync("Curled");
        Assert.Contains("403", (await Run.EndAsync(other)).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("examples/node/orders.test.mjs")]
    [InlineData("examples/python/test_orders.py")]
    public async Task The_page_shows_the_example_as_it_is(string file) =>
        Assert.Contains(await File.ReadAllTextAsync(Repository.File(file), TestContext.Current.CancellationToken), await File.ReadAllTextAsync(Repository.File("docs/emulator.md"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

    [Fact]
    public async Task The_seed_of_the_page_is_taken_and_its_schema_is_the_one_that_the_emulator_describes()
    {
        var page = await File.ReadAllTextAsync(Repository.File("docs/emulator.md"), TestContext.Current.CancellationToken);
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { Seed = page.Split("`seed.json`:\n\n```json\n")[1].Split("```")[0] });
        using var http = new HttpClient { BaseAddress = mixpanel.Address };

        await mixpanel.AssertEventAsync("Order Placed", "ada");
        await mixpanel.AssertProfileAsync("ada");
        var described = System.Text.Json.Nodes.JsonNode.Parse(await http.GetStringAsync("/emulator/openapi.json"))!["components"]!["schemas"]!["Seed"]!.AsObject();
        var schema = System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(Repository.File("docs/emulator-seed.schema.json"), TestContext.Current.CancellationToken))!.AsObject();
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
