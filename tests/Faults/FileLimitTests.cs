using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>Few file descriptors. The runtime needs one for each assembly: with too few, the program cannot be loaded, and reports it.</summary>
public sealed class FileLimitTests
{
    [Theory]
    [InlineData(256)]
    [InlineData(160)]
    [InlineData(128)]
    [InlineData(96)]
    [InlineData(64)]
    public async Task It_finishes_or_says_why_not_and_loses_nothing(int most)
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 10 }, 2000).With("--batch-events", "20", "--senders", "20", "--max-outage", "1s");
        using var shell = Importer.StartOther("prlimit",
            [string.Create(CultureInfo.InvariantCulture, $"--nofile={most}"), .. ToolUnderTest.Command, .. scene.Command], scene.Settings());
        var starved = await scene.EndAsync(shell);
        if (starved.ExitCode == 3)
        {
            Assert.Equal("", scene.Judge(starved));
            return;
        }

        Assert.True(most < 256, starved.ToString());
        // 134: the runtime itself aborted because a thread or a mapping could not be created. That cannot be caught, and the runtime reports it.
        Assert.True(starved.ExitCode is 5 or 7 || (starved.ExitCode is 134 && !starved.Said.Contains("Unhandled exception", StringComparison.Ordinal)),
            starved.ToString());
        Assert.NotEmpty(starved.Said);
        Assert.Equal("",
            string.Join('\n', Oracle.JudgeState(null, scene.ReadState(), [.. scene.Inputs.SelectMany(SourceRecord.ReadAll)], scene.Journal.Arrivals)));
        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, $"{done}\nafter\n{starved}");
        Assert.Equal("", scene.Judge(done));
    }
}
