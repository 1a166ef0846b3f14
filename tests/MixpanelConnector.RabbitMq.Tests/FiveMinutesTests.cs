using System.Diagnostics;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.RabbitMq.Tests;

/// <summary>The first page of docs/scale-out.md, from a broker's address to consumed events, with its examples in other languages.</summary>
public class FiveMinutesTests(BrokerFixture fixture)
{
    [Theory]
    [InlineData("/usr/bin/python3", "import pika", "examples/python/publish.py")]
    public async Task What_another_language_publishes_is_consumed(string program, string needs, string example)
    {
        var broker = await fixture.GetAsync();
        using var run = new RabbitMqRun(broker);
        if (!File.Exists(program) || (await RunAsync(run.Folder, program, "-c", needs)).ExitCode != 0) Assert.Skip($"{program} has no package for it: {needs}");

        var declared = await ConsumeAsync(run, "--declare");
        var published = await RunAsync(run.Folder, program, Path.Combine(Repository.Root, example), run.Address);
        var consumed = await ConsumeAsync(run);

        Assert.True((declared.ExitCode, published.ExitCode, consumed.ExitCode) == (0, 0, 0), $"{declared} {published} {consumed}");
        var report = JsonElement.Parse(consumed.Output);
        Assert.Equal((1, 2, 0), (report.GetProperty("messages").GetInt32(), report.GetProperty("accepted").GetInt32(), report.GetProperty("lag").GetInt32()));
    }

    static Task<(int ExitCode, string Output, string Error)> ConsumeAsync(RabbitMqRun run, params string[] options) =>
        RunAsync(run.Folder, ToolUnderTest.Command[0],
            [.. ToolUnderTest.Command.Skip(1), "consume", run.Address, .. options, "--until-empty", "--local", "--output", "json"]);

    static async Task<(int ExitCode, string Output, string Error)> RunAsync(TemporaryFolder folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in (string[])["XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"]) start.Environment[name] = folder.Path;
        using var process = Process.Start(start)!;
        return await process.EndAsync();
    }
}
