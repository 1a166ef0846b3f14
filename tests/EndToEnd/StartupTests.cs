namespace MixpanelConnector.EndToEnd;

/// <summary>What a start of the program loads and builds: only what the command needs, however many actions there are.</summary>
public sealed class StartupTests
{
    [Theory]
    [InlineData("--version", 0, 0, "MixpanelConnector System.CommandLine mixpanel")]
    [InlineData("help", 0, 0, "MixpanelConnector System.CommandLine mixpanel")]
    [InlineData("help annotations", 0, 0, "MixpanelConnector System.CommandLine mixpanel")]
    [InlineData("track-event --help", 0, 0, "MixpanelConnector System.CommandLine mixpanel")]
    [InlineData("track-event --event A", 2, 1,
        "Microsoft.Extensions.Logging.Abstractions MixpanelConnector MixpanelConnector.Emulator Polly.Core System.CommandLine mixpanel")]
    public async Task A_command_loads_and_builds_what_it_needs(string line, int exit, int schemas, string assemblies)
    {
        using var home = new Home();
        var report = home.File("report");
        using var program = Run.Start("dotnet", [ToolUnderTest.OfThisBuild, .. line.Split(' ')], home, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location,
            [StartupHook.Report] = report,
            ["MIXPANEL_TOKEN"] = "t",
        });
        var run = await Run.EndAsync(program);

        Assert.True(run.ExitCode == exit, run.Error);
        var lines = await File.ReadAllLinesAsync(report, TestContext.Current.CancellationToken);
        Assert.Equal($"{schemas} schemas, {assemblies}", string.Join(' ', lines));
    }
}
