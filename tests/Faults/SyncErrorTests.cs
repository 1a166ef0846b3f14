using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>A sync to disk fails. That is never ignored, and the sync is never just retried.</summary>
public sealed class SyncErrorTests
{
    [Theory]
    [InlineData(Shim.InputOutputError)]
    [InlineData(Shim.NoSpace)]
    [InlineData(Shim.QuotaExceeded)]
    public async Task A_failed_sync_ends_with_7_and_the_next_run_finishes(int error)
    {
        long syncs;
        await using (var whole = Small())
        {
            var shim = new Shim(whole);
            Assert.Equal("", whole.Judge(await whole.RunAsync(shim)));
            syncs = shim.Syncs;
            Assert.True(syncs > 5, $"only {syncs} syncs");
        }

        var stride = error == Shim.InputOutputError ? 1 : 4;
        for (var at = 1; at <= syncs; at += stride) await FailAsync(at, error);
    }

    [Fact]
    public async Task New_folders_of_the_state_are_synced_into_the_folders_above_them()
    {
        await using var scene = Small();
        var (above, top) = (scene.File("new/above"), scene.File("new"));
        scene.With("--state", Path.Combine(above, "state"));
        var shim = new Shim(scene);
        var ended = await scene.RunAsync(shim);

        Assert.True(ended.ExitCode == 3, ended.ToString());
        Assert.Superset(new HashSet<string>([above, top], StringComparer.Ordinal), shim.Log.Select(entry => entry.File).ToHashSet(StringComparer.Ordinal));
    }

    static async Task FailAsync(int at, int error)
    {
        await using var scene = Small();
        var shim = new Shim(scene) { Fail = string.Create(CultureInfo.InvariantCulture, $"sync:{at}:{error}") };
        var ended = await scene.RunAsync(shim);
        if (shim.Failures == 0) return; // this run needed fewer

        var log = shim.Log;
        var index = Enumerable.Range(0, log.Count).Single(i => log[i].Error == error);
        var failed = log[index];
        Assert.True(ended.ExitCode == 7, $"sync {at}, of {failed.File}, failed:\n{ended}");
        Assert.Contains(failed.File.StartsWith(scene.State, StringComparison.Ordinal) ? scene.State : Path.GetFileName(failed.File), ended.Said,
            StringComparison.Ordinal);
        Assert.Equal("", scene.Judge(ended, deadLettersWritten: false));

        // Never retried: a second sync would not bring back data that the kernel has dropped.
        if (!failed.File.Contains("import.db", StringComparison.Ordinal) && !Directory.Exists(failed.File))
            Assert.Single(log, entry => entry.File == failed.File && entry.Name == failed.Name);
        Assert.Equal("",
            string.Join('\n', Oracle.JudgeState(null, scene.ReadState(), [.. scene.Inputs.SelectMany(SourceRecord.ReadAll)], scene.Journal.Arrivals)));

        var again = await scene.RunAsync();
        Assert.True(again.ExitCode == 3, again.ToString());
        Assert.Equal("", scene.Judge(again));
    }

    static Scene Small() => new Scene().Given(new Lines { BadEvery = 10 }, 100).With("--batch-events", "20", "--senders", "1");
}
