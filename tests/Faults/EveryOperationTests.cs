using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>Killed before each operation with an effect outside the process, every second time in the middle of a write.</summary>
public sealed class EveryOperationTests
{
    const int KillsInTheSuite = 25;

    [Fact]
    public async Task Killed_at_any_operation_it_resumes_without_loss()
    {
        var operations = await CountAsync();
        Assert.True(operations > 50, $"only {operations} operations were counted");
        var stride = Campaign.Number("EVERY", (int)Math.Max(1, operations / KillsInTheSuite));
        var next = 1 - stride;
        var killed = 0;
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(async _ =>
        {
            // Thread scheduling varies: slightly above the counted operations, a run may end before the kill.
            for (var at = Interlocked.Add(ref next, stride); at <= operations + 2; at = Interlocked.Add(ref next, stride))
            {
                if (await KillAsync(at))
                    Campaign.Show(string.Create(CultureInfo.InvariantCulture, $"{Interlocked.Increment(ref killed)} kills, at {at} of {operations}"));
            }
        }));

        Campaign.Show(string.Create(CultureInfo.InvariantCulture,
            $"kills {killed}, at every {stride} of {operations} operations: 0 lost, 0 doubled, 0 merged, 0 altered"));
        Assert.True(killed >= operations / stride * 9 / 10, $"only {killed} runs were killed");
    }

    static async Task<long> CountAsync()
    {
        await using var scene = Small();
        var shim = new Shim(scene);
        var ended = await scene.RunAsync(shim);
        Assert.Equal("", scene.Judge(ended));
        return shim.Operations;
    }

    static async Task<bool> KillAsync(int at)
    {
        await using var scene = Small();
        var ended = await scene.RunAsync(new Shim(scene) { KillAt = at, Tear = at % 2 == 0 });
        var killed = ended.ExitCode == 137;
        if (killed)
        {
            var findings =
                string.Join('\n', Oracle.JudgeState(null, scene.ReadState(), [.. scene.Inputs.SelectMany(SourceRecord.ReadAll)], scene.Journal.Arrivals));
            Assert.True(findings.Length == 0, $"killed at {at}:\n{findings}");
            ended = await scene.RunAsync();
        }

        Assert.True(ended.ExitCode == 3, $"killed at {at}:\n{ended}");
        Assert.Equal("", scene.Judge(ended));
        return killed;
    }

    static Scene Small()
    {
        var scene = new Scene().Given(new Lines { BadEvery = 10, BlankEvery = 33 }, 120).With("--batch-events", "10", "--senders", "2");
        scene.Server.Script = _ => new Reply { Delay = TimeSpan.FromMilliseconds(60) }; // slow enough for checkpoints on the way
        return scene;
    }
}
