namespace MixpanelConnector.Faults;

/// <summary>F13: little memory.</summary>
public sealed class F13_MemoryCapTests
{
    [Fact]
    public async Task It_runs_within_a_small_heap_at_full_concurrency()
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 3, Padding = 1500 }, 40_000, "events.ndjson.gz").With("--senders", "20");
        scene.Environment["DOTNET_GCHeapHardLimit"] = "0x8000000"; // 128 MB
        scene.Server.Script = _ => new Reply { Delay = TimeSpan.FromMilliseconds(20) };

        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
    }

    [Fact]
    public async Task A_heap_that_is_too_small_loses_nothing()
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 10, Padding = 1500 }, 20_000).With("--senders", "20");
        scene.Environment["DOTNET_GCHeapHardLimit"] = "0x1000000"; // 16 MB
        var starved = await scene.RunAsync();
        Assert.NotEqual(0, starved.ExitCode);
        if (scene.ReadState() is { } state) Assert.Equal("", string.Join('\n', Oracle.JudgeState(null, state, [.. scene.Inputs.SelectMany(SourceRecord.ReadAll)], scene.Journal.Arrivals)));

        scene.Environment.Clear();
        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
    }
}
