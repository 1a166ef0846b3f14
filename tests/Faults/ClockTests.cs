namespace MixpanelConnector.Faults;

/// <summary>The wall clock jumps or stops during an outage. Waits use the monotonic clock.</summary>
public sealed class ClockTests
{
    [Theory]
    [InlineData("jump:5:86400")]
    [InlineData("jump:5:-86400")]
    [InlineData("jump:5:3600")]
    [InlineData("jump:5:-3600")]
    [InlineData("set:5:2147483640")] // eight seconds before the end of 32 bits
    [InlineData("freeze:5:0")]
    public async Task It_goes_on_at_its_pace(string clock)
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 20 }, 2000).With("--batch-events", "20", "--senders", "3", "--max-outage", "10m");
        scene.Server.Script =
            asked => asked.Number % 10 is 4 or 5 ? Reply.Error(503, stores: asked.Number % 10 == 4) : new Reply { Delay = TimeSpan.FromMilliseconds(3) };
        var shim = new Shim(scene) { Clock = clock };

        var done = await scene.RunAsync(shim);

        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done, mostRequestsPerBatch: 1.5)); // no loop without a wait
        Assert.InRange(scene.Report()!.Value.GetProperty("elapsed_seconds").GetDouble(), 0.1, 120);
    }

    [Fact]
    public async Task Ids_do_not_depend_on_the_clock()
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 20 }, 1000).With("--batch-events", "20");
        Assert.Equal("", scene.Judge(await scene.RunAsync()));
        scene.With("--restart");
        var tomorrow = await scene.RunAsync(new Shim(scene) { Clock = "jump:0:86400" });
        Assert.True(tomorrow.ExitCode == 3, tomorrow.ToString());
        Assert.Equal("", scene.Judge(tomorrow)); // among it: each event has arrived twice, under one key
        Assert.Equal(2 * 950, scene.Journal.Count);
    }
}
