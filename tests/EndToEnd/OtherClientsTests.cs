using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>Third-party clients against the embedded Mixpanel.</summary>
public sealed class OtherClientsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_npm_package_mixpanel_tracks_imports_and_sets_people_and_groups(bool byProxy)
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { TlsPort = 0, ProxyPort = 0 });
        using var home = new Home();
        string[] hosts = byProxy ? [] : [mixpanel.Address.Authority, mixpanel.TlsAddress!.Authority];
        var done = await NodeAsync("track.cjs", hosts, home, mixpanel);

        Assert.True(done.ExitCode == 0, done.ToString());
        var events = await mixpanel.EventsAsync();
        Assert.Equal(3, events.Count(e => e.Name == "Imported by npm"));
        var tracked = Assert.Single(events, e => e.Name == "Tracked by npm");
        Assert.Equal("npm-1", tracked.DistinctId);
        Assert.Contains("12.5", tracked.Properties, StringComparison.Ordinal);
        var group = Assert.Single(await mixpanel.GroupsAsync());
        Assert.Equal(("company", "npm"), (group.GroupKey, group.GroupId));
        var profile = Assert.Single(await mixpanel.ProfilesAsync());
        Assert.Equal("npm-1", profile.DistinctId);
        Assert.Contains("\"plan\":\"pro\"", profile.Properties, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_npm_package_mixpanel_import_imports_and_exports()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { ProxyPort = 0 });
        using var home = new Home();
        using var folder = new Testing.TemporaryFolder();
        var done = await NodeAsync("import.cjs", [folder.Path], home, mixpanel);

        Assert.True(done.ExitCode == 0, done.ToString());
        await mixpanel.AssertEventsAsync("Imported", 3);
        await mixpanel.AssertEventAsync("Imported", "user-2", properties => properties.GetProperty("n").GetInt32() == 2);
        await mixpanel.AssertProfileAsync("user-1", properties => properties.GetProperty("plan").GetString() == "pro");
        await mixpanel.AssertProfileAsync("user-2", properties => properties.GetProperty("plan").GetString() == "free");
        var group = Assert.Single(await mixpanel.GroupsAsync());
        Assert.Equal(("company", "acme"), (group.GroupKey, group.GroupId));
        Assert.Contains("1,one", Assert.Single(await mixpanel.LookupTablesAsync()).Csv, StringComparison.Ordinal);
        Assert.Equal(3,
            Directory.EnumerateFiles(folder.File("events"), "*", SearchOption.AllDirectories)
                .SelectMany(File.ReadAllLines)
                .Count(line => line.Contains("Imported", StringComparison.Ordinal)));
        Assert.Equal(2,
            Directory.EnumerateFiles(folder.File("profiles"), "*", SearchOption.AllDirectories)
                .SelectMany(File.ReadAllLines)
                .Count(line => line.Contains("plan", StringComparison.Ordinal)));
        mixpanel.AssertNothingRefused();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_npm_package_mixpanel_browser_tracks_identifies_and_sets_people_from_a_page(bool byProxy)
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { ProxyPort = byProxy ? 0 : null });
        using var home = new Home();
        var done = await NodeAsync("browser.cjs",
            [byProxy ? "https://api-js.mixpanel.com" : mixpanel.Address.AbsoluteUri.TrimEnd('/'),
                .. byProxy ? [mixpanel.ProxyAddress!.AbsoluteUri] : Array.Empty<string>()],
            home, mixpanel);

        Assert.True(done.ExitCode == 0, done.ToString());
        var before = await mixpanel.AssertEventAsync("Before",
            properties: properties => properties.GetProperty("flag").GetString() == "\U0001F3F3\uFE0F"); // its base64 is of CESU-8
        Assert.StartsWith("$device:", before.DistinctId, StringComparison.Ordinal);
        await mixpanel.AssertEventAsync("After", "browser-user",
            properties => properties.GetProperty("page").GetInt32() == 2
                && properties.GetProperty("$device_id").GetString() == before.DistinctId["$device:".Length..]);
        await mixpanel.AssertProfileAsync("browser-user", properties => properties.GetProperty("plan").GetString() == "pro");
        mixpanel.AssertNothingRefused();
    }

    [Fact]
    public async Task The_npm_package_mixpanel_node_sends_what_the_openapi_files_say()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync(new EmulatorOptions { ProxyPort = 0 });
        using var home = new Home();
        var done = await NodeAsync("spec.cjs", [], home, mixpanel);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Contains("import {\"code\":200,\"num_records_imported\":1,\"status\":\"OK\"}", done.Output, StringComparison.Ordinal);
        Assert.Contains("track {\"error\":null,\"status\":1}", done.Output, StringComparison.Ordinal);
        await mixpanel.AssertEventAsync("Imported by spec", "spec-1");
        await mixpanel.AssertEventAsync("Tracked by spec", "spec-1");
        var profile = await mixpanel.AssertProfileAsync("spec-1");
        Assert.StartsWith("""{"plan":"pro",""", profile.Properties, StringComparison.Ordinal);
        foreach (var property in (string[])["\"since\":2026", "\"visits\":2", "\"tags\":[\"a\",\"c\"]"])
            Assert.Contains(property, profile.Properties, StringComparison.Ordinal);
        Assert.DoesNotContain("gone", profile.Properties, StringComparison.Ordinal);
        mixpanel.AssertNothingRefused();
    }

    /// <summary>Runs a Node.js program, with the environment that the emulator prints if it has a proxy.</summary>
    static async Task<Finished> NodeAsync(string script, IEnumerable<string> arguments, Home home, EmulatedMixpanel mixpanel)
    {
        var variables = new Dictionary<string, string>(mixpanel.ProxyEnvironment, StringComparer.Ordinal)
        {
            ["CLIENTS"] = Repository.File("tests/EndToEnd/clients"),
        };
        using var node = Run.Start("node", [Repository.File($"tests/EndToEnd/clients/{script}"), .. arguments], home, variables);
        return await Run.EndAsync(node);
    }
}
