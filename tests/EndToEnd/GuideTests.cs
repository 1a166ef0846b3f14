using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The programs of the guides in docs/, each a separate project, run against the embedded Mixpanel.</summary>
public sealed class GuideTests
{
    [Theory]
    [InlineData("docs/tracking.md", "Console/Program.cs")]
    [InlineData("docs/aspnetcore.md", "AspNetCore/Program.cs")]
    [InlineData("docs/blazor.md", "Blazor/Program.cs")]
    [InlineData("docs/blazor.md", "Blazor/Components/Pages/Home.razor", "razor")]
    [InlineData("docs/feature-flags.md", "Flags/Program.cs")]
    [InlineData("docs/minimal-api.md", "MinimalApi/Program.cs")]
    [InlineData("docs/typed-events.md", "TypedEvents/Program.cs")]
    [InlineData("docs/worker.md", "Worker/Program.cs")]
    [InlineData("docs/testing.md", "Testing/Program.cs")]
    public async Task A_guide_shows_exactly_the_code_that_runs_here(string page, string file, string language = "csharp") =>
        Assert.Contains(await File.ReadAllTextAsync(Repository.File($"tests/Guides/{file}")), MarkdownBlocks.Of(page, language), StringComparer.Ordinal);

    [Fact]
    public async Task The_console_program_sends_all()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = Run.Start("dotnet", [Guide("Console")], home,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["MIXPANEL_TOKEN"] = "local", ["MIXPANEL_ENDPOINT"] = mixpanel.Address.AbsoluteUri });
        var done = await Run.EndAsync(process);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal("All sent; 0 left.\n", done.Output);
        Assert.Equal(["Order placed", "Order shipped"], (await mixpanel.EventsAsync()).Select(stored => stored.Name).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
        var profile = JsonElement.Parse(Assert.Single(await mixpanel.ProfilesAsync()).Properties);
        Assert.Equal(("pro", 1), (profile.GetProperty("Plan").GetString(), profile.GetProperty("Orders").GetInt32()));
    }

    [Fact]
    public async Task The_program_with_typed_events_sends_them()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = Run.Start("dotnet", [Guide("TypedEvents")], home,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["MIXPANEL_TOKEN"] = "local", ["MIXPANEL_ENDPOINT"] = mixpanel.Address.AbsoluteUri });
        var done = await Run.EndAsync(process);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal("All sent; 0 left.\n", done.Output);
        var stored = (await mixpanel.EventsAsync()).OrderBy(one => one.Name, StringComparer.Ordinal).ToList();
        Assert.Equal(["Order placed", "Order shipped"], stored.Select(one => one.Name), StringComparer.Ordinal);
        var properties = JsonElement.Parse(stored[0].Properties);
        Assert.Equal(("EUR", "tea"), (properties.GetProperty("Currency").GetString(), properties.GetProperty("Items")[0].GetProperty("Name").GetString()));
        Assert.False(JsonElement.Parse(stored[1].Properties).TryGetProperty("Carrier", out _));
    }

    [Fact]
    public async Task The_worker_tracks_durably_and_sends_before_it_has_stopped()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = Run.Start("dotnet", [Guide("Worker")], home,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Mixpanel__Token"] = "local",
                ["Mixpanel__Endpoint"] = mixpanel.Address.AbsoluteUri,
                ["Outbox"] = home.File("outbox"),
            });
        var done = await Run.EndAsync(process);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal(3, (await mixpanel.EventsAsync()).Count(stored => stored.Name == "Invoice sent"));
        Assert.True(File.Exists(home.File("outbox/outbox-1.db")));
    }

    [Fact]
    public async Task The_tests_of_the_testing_guide_hold()
    {
        using var home = new Home();
        using var process = Run.Start("dotnet", [Guide("Testing")], home);
        var done = await Run.EndAsync(process);
        Assert.True(done.ExitCode == 0 && done.Output == "All three hold.\n", done.ToString());
    }

    /// <summary>Each is a separate program with the framework's own runner.</summary>
    [Theory]
    [InlineData("XUnit")]
    [InlineData("NUnit")]
    [InlineData("MSTest")]
    [InlineData("TUnit")]
    public async Task The_fixture_for_a_test_framework_works_as_the_guide_shows_it(string framework)
    {
        using var home = new Home();
        Assert.Contains(
            await File.ReadAllTextAsync(Repository.File($"tests/Guides/Frameworks/{framework}/OrderTests.cs"), TestContext.Current.CancellationToken),
            MarkdownBlocks.Of("docs/testing.md", "cs"), StringComparer.Ordinal);

        using var process = Run.Start("dotnet", [Guide($"Frameworks/{framework}")], home);
        var done = await Run.EndAsync(process);

        Assert.True(done.ExitCode == 0, done.ToString()); // not 8: a test ran
    }

    [Fact]
    public async Task A_controller_tracks_in_one_line_and_nothing_is_lost_on_sigterm()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = Run.Start("dotnet", [Guide("AspNetCore"), "--urls", "http://127.0.0.1:0"], home,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Mixpanel__Token"] = "local",
                ["Mixpanel__Endpoint"] = mixpanel.Address.AbsoluteUri,
                ["Mixpanel__FlushInterval"] = "00:10:00",
            });
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = await WebProgram.AddressOfAsync(process) };
        http.DefaultRequestHeaders.Add("Cookie", "device_id=d-1");
        http.DefaultRequestHeaders.Add("X-Company", "acme");

        for (var i = 0; i < 20; i++)
            (await http.PostAsJsonAsync(new Uri("/orders?utm_source=letter&utm_campaign=", UriKind.Relative),
                new { Total = i, Currency = "EUR" })).EnsureSuccessStatusCode();
        Assert.Equal("Healthy", await http.GetStringAsync(new Uri("/health", UriKind.Relative)));
        Assert.Empty(await mixpanel.EventsAsync());
        await WebProgram.TerminateAsync(process);

        var stored = await mixpanel.EventsAsync();
        Assert.Equal(20, stored.Count);
        Assert.All(stored, placed => Assert.Equal("$device:d-1", placed.DistinctId));
        var properties = JsonElement.Parse(stored[0].Properties);
        Assert.EndsWith("/orders", properties.GetProperty("$current_url").GetString(), StringComparison.Ordinal);
        Assert.Equal(("acme", "letter", "d-1"),
            (properties.GetProperty("company").GetString(), properties.GetProperty("utm_source").GetString(),
                properties.GetProperty("$device_id").GetString()));
        Assert.False(properties.TryGetProperty("utm_campaign", out _));
    }

    [Fact]
    public async Task A_page_of_Blazor_knows_its_person_when_it_is_rendered_for_the_request()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = StartBlazor(home, mixpanel);
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = await WebProgram.AddressOfAsync(process) };

        var page = await http.GetStringAsync(new Uri("/sign-in", UriKind.Relative)); // which leads to the page
        await WebProgram.TerminateAsync(process);

        Assert.Contains("0 ordered", page, StringComparison.Ordinal);
        await mixpanel.Received.Event("Page viewed").By("user-1").With("Page", "Tea");
    }

    [Fact]
    public async Task A_button_of_Blazor_knows_its_person_and_page_in_the_circuit()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = StartBlazor(home, mixpanel);
        var address = await WebProgram.AddressOfAsync(process);

        using var browser = Run.Start("node", [Repository.File("tests/EndToEnd/clients/blazor.mjs"), new Uri(address, "sign-in").AbsoluteUri], home);
        var done = await Run.EndAsync(browser);
        await WebProgram.TerminateAsync(process);

        Assert.True(done.ExitCode == 0, done.ToString());
        await mixpanel.Received.Event("Page viewed").By("user-1");
        await mixpanel.Received.Event("Order placed").By("user-1").With("$current_url", address.AbsoluteUri);
    }

    /// <summary>In development, as <c>dotnet run</c> starts it: a build alone does not copy the script that connects circuits.</summary>
    static Process StartBlazor(Home home, EmulatedMixpanel mixpanel) =>
        Run.Start("dotnet", [Guide("Blazor"), "--urls", "http://127.0.0.1:0"], home,
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Mixpanel__Token"] = "local",
                ["Mixpanel__Endpoint"] = mixpanel.Address.AbsoluteUri,
                ["ASPNETCORE_ENVIRONMENT"] = "Development",
            });

    [Fact]
    public async Task Flags_gate_a_controller_and_give_values_and_each_variant_is_reported_once()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var owner = new HttpClient { Timeout = Hang.Limit, BaseAddress = mixpanel.Address };
        owner.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("local:local"u8));
        foreach (var (key, value, rule) in new[] { ("new-checkout", "true", """{"==":[{"var":"language"},"IT"]}"""), ("price", "12.5", "{}") })
        {
            using var flag = new StringContent(
                $$$"""{"name":"N","key":"{{{key}}}","tags":[],"context":"distinct_id","serving_method":"remote_or_local","status":"enabled","ruleset":{"variants":[{"key":"on","value":{{{value}}},"is_control":false,"split":1}],"rollout":[{"rollout_percentage":1,"variant_splits":{},"runtime_evaluation_rule":{{{rule}}}}]}}""");
            (await owner.PostAsync(new Uri("/api/app/projects/1/workspaces/1/feature-flags", UriKind.Relative), flag)).EnsureSuccessStatusCode();
        }

        using var process = Run.Start("dotnet", [Guide("Flags"), "--urls", "http://127.0.0.1:0"], home,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["Mixpanel__Token"] = "local", ["Mixpanel__Endpoint"] = mixpanel.Address.AbsoluteUri });
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = await WebProgram.AddressOfAsync(process) };
        http.DefaultRequestHeaders.Add("Cookie", "device_id=d-1");
        await UntilAsync(async () => await http.GetStringAsync(new Uri("/flags",
            UriKind.Relative)) == """{"price":12.5}"""); // the host starts after two seconds in any case

        for (var i = 0; i < 3; i++) Assert.Equal("12.5", await http.GetStringAsync(new Uri("/price", UriKind.Relative)));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync(new Uri("/checkout", UriKind.Relative))).StatusCode);
        http.DefaultRequestHeaders.Add("Accept-Language", "it");
        Assert.Equal("The new checkout.", await http.GetStringAsync(new Uri("/checkout", UriKind.Relative)));
        await WebProgram.TerminateAsync(process);

        var reported = (await mixpanel.EventsAsync()).Select(exposure =>
            (exposure.Name, exposure.DistinctId, JsonElement.Parse(exposure.Properties).GetProperty("Experiment name").GetString())).Order().ToList();
        Assert.Equal([("$experiment_started", "$device:d-1", "new-checkout"), ("$experiment_started", "$device:d-1", "price")], reported);
    }

    static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(Hang.Limit);
        while (!await holds()) limit.Token.ThrowIfCancellationRequested();
    }

    [Fact]
    public async Task The_minimal_program_tracks_what_it_is_sent()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = Run.Start("dotnet", [Guide("MinimalApi"), "--urls", "http://127.0.0.1:0"], home,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["Mixpanel__Token"] = "local", ["Mixpanel__Endpoint"] = mixpanel.Address.AbsoluteUri });
        using var http = new HttpClient { Timeout = Hang.Limit, BaseAddress = await WebProgram.AddressOfAsync(process) };

        (await http.PostAsJsonAsync(new Uri("/orders", UriKind.Relative), new { Total = 12.5m, Currency = "EUR" })).EnsureSuccessStatusCode();
        await WebProgram.TerminateAsync(process);

        await mixpanel.AssertEventAsync("Order placed");
    }

    static string Guide(string name) => Repository.File($"tests/Guides/{name}/bin/{Configuration}/net10.0/Guides.{Path.GetFileName(name)}.dll");

    static string Configuration => AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug";
}

/// <summary>A web program that prints its address.</summary>
static class WebProgram
{
    public static async Task<Uri> AddressOfAsync(Process process)
    {
        const string Says = "Now listening on: ";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.IndexOf(Says, StringComparison.Ordinal) is >= 0 and var at) return new Uri(line[(at + Says.Length)..].Trim());
        throw new InvalidOperationException($"The program ended: {await process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>Sends SIGTERM, as a container host does.</summary>
    public static async Task TerminateAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        var done = await Run.EndAsync(process);
        Assert.True(done.ExitCode == 0, done.ToString());
    }
}
