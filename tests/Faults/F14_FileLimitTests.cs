using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>F14: few file descriptors.</summary>
public sealed class F14_FileLimitTests
{
    [Theory]
    [InlineData(256)]
    [InlineData(64)]
    [InlineData(48)]
    [InlineData(40)]
    [InlineData(36)]
    [InlineData(32)]
    [InlineData(28)]
    public async Task It_finishes_or_says_why_not_and_loses_nothing(int most)
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 10 }, 2000).With("--batch-events", "20", "--senders", "20", "--max-outage", "1s");
        using var shell = Importer.StartOther("prlimit", [string.Create(CultureInfo.InvariantCulture, $"--nofile={most}"), "dotnet", Importer.Program, .. scene.Command], scene.Settings());
        var starved = await scene.EndAsync(shell);
        if (starved.ExitCode == 3)
        {
            Assert.Equal("", scene.Judge(starved));
            return;
        }

        Assert.True(most < 256, starved.ToString());
        Assert.NotEqual(0, starved.ExitCode);
        Assert.NotEqual("", starved.Said);
        Assert.Equal("", string.Join('\n', Oracle.JudgeState(null, scene.ReadState(), [.. scene.Inputs.SelectMany(SourceRecord.ReadAll)], scene.Journal.Arrivals)));
        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, $"{done}\nafter\n{starved}");
        Assert.Equal("", scene.Judge(done));
    }
}
