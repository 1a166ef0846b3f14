using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>Several imports with the same state.</summary>
public sealed class ManyImportersTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Of_several_at_once_one_runs_and_the_others_end_with_8(int importers)
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 50 }, 500).With("--batch-events", "100");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Server.Script = _ =>
        {
            gate.Task.Wait(); // the one that runs waits here for the others to end
            return Reply.Good;
        };
        var running = Enumerable.Range(0, importers).Select(_ => scene.Start()).ToList();
        var ends = running.ConvertAll(scene.EndAsync);

        for (var ended = 0; ended < importers - 1; ended++)
        {
            var turnedAway = await Task.WhenAny(ends);
            ends.Remove(turnedAway);
            var end = await turnedAway;
            Assert.True(end.ExitCode == 8, end.ToString());
            Assert.Contains("Another import", end.Said, StringComparison.Ordinal);
        }

        gate.SetResult();
        var done = await ends.Single();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
        Assert.Equal(scene.Journal.Count, scene.Journal.Arrivals.Select(arrival => arrival.Oid).Distinct().Count());
        running.ForEach(importer => importer.Dispose());
    }

    [Fact]
    public async Task What_a_dead_import_left_behind_is_taken_over()
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 50 }, 2000).With("--batch-events", "20", "--senders", "1");
        scene.Server.Script = _ => new Reply { Delay = TimeSpan.FromMilliseconds(10) };
        using (var importer = scene.Start())
        {
            await scene.Server.UntilAsync(() => scene.Server.Requests > 30, importer.Exit);
            importer.Send(Signal.Kill);
            Assert.Equal(137, (await scene.EndAsync(importer)).ExitCode);
        }

        // As if another process had been given the dead one's process id.
        await File.WriteAllTextAsync(Path.Combine(scene.State, "import.holder"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        var done = await scene.RunAsync();
        Assert.True(done.ExitCode == 3, done.ToString());
        Assert.Equal("", scene.Judge(done));
        Assert.True(scene.Report()!.Value.GetProperty("resumed_from").GetInt64() > 0);
    }

    [Fact]
    public async Task A_database_that_is_deleted_under_a_running_import_lets_no_second_one_in()
    {
        await using var scene = new Scene().Given(new Lines { BadEvery = 50 }, 1000).With("--batch-events", "20", "--senders", "1");
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        scene.Server.Script = asked =>
        {
            if (asked.Number == 20) gate.Task.Wait();
            return Reply.Good;
        };
        using var first = scene.Start();
        await scene.Server.UntilAsync(() => scene.Server.Requests >= 19, first.Exit);
        foreach (var file in Directory.EnumerateFiles(scene.State, "import.db*")) File.Delete(file);

        var second = await scene.RunAsync();
        Assert.True(second.ExitCode == 7, second.ToString());
        gate.SetResult();
        var done = await scene.EndAsync(first);
        Assert.True(done.ExitCode is 3 or 7, done.ToString());
        Assert.Equal("", scene.Judge(done, deadLettersWritten: done.ExitCode == 3));
    }
}
