using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The programs of the guides in docs/, which are projects of their own, run against the embedded Mixpanel.</summary>
public sealed class GuideTests
{
    [Theory]
    [InlineData("docs/tracking.md", "Console/Program.cs")]
    [InlineData("docs/aspnetcore.md", "AspNetCore/Program.cs")]
    [InlineData("docs/aspnetcore.md", "AspNetCore/RequestTracker.cs")]
    [InlineData("docs/worker.md", "Worker/Program.cs")]
    [InlineData("docs/testing.md", "Testing/Program.cs")]
    public async Task A_guide_shows_exactly_the_code_that_runs_here(string page, string file) =>
        Assert.Contains(await File.ReadAllTextAsync(Repository.File($"tests/Guides/{file}")), MarkdownBlocks.Of(page, "csharp"), StringComparer.Ordinal);

    [Fact]
    public async Task The_console_program_sends_all()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = Run.Start("dotnet", [Guide("Console")], home, new Dictionary<string, string>(StringComparer.Ordinal) { ["MIXPANEL_TOKEN"] = "local", ["MIXPANEL_ENDPOINT"] = mixpanel.Address.AbsoluteUri });
        var done = await Run.EndAsync(process);

        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal("All sent; 0 left.\n", done.Output);
        Assert.Equal(["Order placed", "Order shipped"], (await mixpanel.EventsAsync()).Select(stored => stored.Name).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        var profile = JsonElement.Parse(Assert.Single(await mixpanel.ProfilesAsync()).Properties);
        Assert.Equal(("pro", 1), (profile.GetProperty("Plan").GetString(), profile.GetProperty("Orders").GetInt32()));
    }

    [Fact]
    public async Task The_worker_tracks_durably_and_sends_before_it_has_stopped()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = Run.Start("dotnet", [Guide("Worker")], home, new Dictionary<string, string>(StringComparer.Ordinal) { ["Mixpanel__Token"] = "local", ["Mixpanel__Endpoint"] = mixpanel.Address.AbsoluteUri, ["Outbox"] = home.File("outbox") });
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
        Assert.True(done.ExitCode == 0 && done.Output == "Both hold.\n", done.ToString());
    }

    [Fact]
    public async Task A_controller_tracks_in_one_line_and_nothing_is_lost_on_sigterm()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var process = Run.Start("dotnet", [Guide("AspNetCore"), "--urls", "http://127.0.0.1:0"], home, new Dictionary<string, string>(StringComparer.Ordinal) { ["Mixpanel__Token"] = "local", ["Mixpanel__Endpoint"] = mixpanel.Address.AbsoluteUri, ["Mixpanel__FlushInterval"] = "00:10:00" });
        using var http = new HttpClient { BaseAddress = await WebProgram.AddressOfAsync(process) };
        http.DefaultRequestHeaders.Add("Cookie", "device_id=d-1");

        for (var i = 0; i < 20; i++) (await http.PostAsJsonAsync(new Uri("/orders", UriKind.Relative), new { Total = i, Currency = "EUR" })).EnsureSuccessStatusCode();
        Assert.Equal("Healthy", await http.GetStringAsync(new Uri("/health", UriKind.Relative)));
        Assert.Empty(await mixpanel.EventsAsync());
        await WebProgram.TerminateAsync(process);

        var stored = await mixpanel.EventsAsync();
        Assert.Equal(20, stored.Count);
        Assert.All(stored, placed => Assert.Equal("$device:d-1", placed.DistinctId));
        Assert.EndsWith("/orders", JsonElement.Parse(stored[0].Properties).GetProperty("$current_url").GetString(), StringComparison.Ordinal);
    }

    static string Guide(string name) => Repository.File($"tests/Guides/{name}/bin/{Configuration}/net10.0/Guides.{name}.dll");

    static string Configuration => AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug";
}

/// <summary>A web program that prints where it listens.</summary>
static class WebProgram
{
    public static async Task<Uri> AddressOfAsync(Process process)
    {
        const string Says = "Now listening on: ";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (line.IndexOf(Says, StringComparison.Ordinal) is >= 0 and var at) return new Uri(line[(at + Says.Length)..].Trim());
        throw new InvalidOperationException($"The program ended: {await process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>SIGTERM, as a container's host sends it.</summary>
    public static async Task TerminateAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        var done = await Run.EndAsync(process);
        Assert.True(done.ExitCode == 0, done.ToString());
    }
}
