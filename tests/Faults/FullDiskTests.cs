using System.Globalization;
using System.Text.RegularExpressions;

namespace MixpanelConnector.Faults;

/// <summary>No disk space for the state, the dead letters or the report.</summary>
public sealed class FullDiskTests
{
    static readonly Lines HalfBad = new() { BadEvery = 2, Padding = 200 };

    [Fact]
    public async Task A_full_disk_for_the_state_ends_with_7_and_the_import_resumes_once_there_is_room()
    {
        await using var scene = OnSmallDisk(4000).With("--state", "disk/state", "--batch-events", "100", "--senders", "1");

        var done = await scene.InNamespaceAsync("""
            mount -t tmpfs -o size=600k none disk
            "$@" > first; echo "first $?"
            mount -o remount,size=60m disk
            "$@" > second; code=$?
            cp disk/state/dead-letters.ndjson state-of-the-disk; mkdir -p state; cp disk/state/* state/
            exit $code
            """);

        Assert.StartsWith("first 7\n", System.Text.Encoding.UTF8.GetString(done.Output), StringComparison.Ordinal);
        Assert.Equal("", scene.Judge(done));
        Assert.Equal(3, done.ExitCode);
    }

    [Fact]
    public async Task A_full_disk_for_the_dead_letters_ends_with_7_and_nothing_is_skipped()
    {
        await using var scene = OnSmallDisk(2000).With("--dead-letter", "disk/dead.ndjson");

        var done = await scene.InNamespaceAsync("""
            mount -t tmpfs -o size=64k none disk
            "$@" > first; echo "first $?"; ls disk
            mount -o remount,size=60m disk
            "$@" > second; code=$?
            cp disk/dead.ndjson state/dead-letters.ndjson
            exit $code
            """);

        Assert.Equal("first 7\n", System.Text.Encoding.UTF8.GetString(done.Output));
        Assert.Contains("disk/dead.ndjson", done.Said, StringComparison.Ordinal);
        Assert.Equal(3, done.ExitCode);
        Assert.Equal("", scene.Judge(done));
    }

    [Fact]
    public async Task A_full_disk_for_the_report_ends_with_7_and_the_import_itself_is_done()
    {
        await using var scene = OnSmallDisk(200);
        var report = scene.Command.ToList();
        report[report.IndexOf("--report") + 1] = "/dev/full";
        using var importer = Importer.Start(report, scene.Settings());
        var ended = await scene.EndAsync(importer);
        Assert.True(ended.ExitCode == 7, ended.ToString());
        Assert.Contains("/dev/full", ended.Said, StringComparison.Ordinal);

        var again = await scene.RunAsync();
        Assert.Equal(3, again.ExitCode);
        Assert.Equal("", scene.Judge(again));
    }

    [Fact]
    public async Task No_room_at_any_write_ends_with_7_and_the_next_run_finishes()
    {
        for (var at = 1; ; at += at < 10 ? 2 : 7)
        {
            await using var scene = new Scene().Given(new Lines { BadEvery = 10 }, 100).With("--batch-events", "20", "--senders", "1");
            var shim = new Shim(scene) { Fail = string.Create(CultureInfo.InvariantCulture, $"write*:{at}:{Shim.NoSpace}") };
            var ended = await scene.RunAsync(shim);
            if (shim.Failures == 0)
            {
                Assert.True(at > 10, $"only {at} writes");
                return;
            }

            var failed = shim.Log.First(entry => entry.Error == Shim.NoSpace).File;
            if (failed.EndsWith("import.holder", StringComparison.Ordinal) && ended.ExitCode == 3) continue;
            Assert.True(ended.ExitCode == 7, $"write {at}, of {failed}, failed:\n{ended}");
            Assert.Equal("",
                string.Join('\n', Oracle.JudgeState(null, scene.ReadState(), [.. scene.Inputs.SelectMany(SourceRecord.ReadAll)], scene.Journal.Arrivals)));

            var again = await scene.RunAsync();
            Assert.True(again.ExitCode == 3, $"after write {at}, of {failed}, failed:\n{again}");
            Assert.Equal("", scene.Judge(again));
        }
    }

    /// <summary>The failing operation depends on the size: the log of the database, its checkpoint, or a later one after an unrecoverable error.</summary>
    [Theory]
    [InlineData("10m")]
    [InlineData("18m")]
    [InlineData("20m")]
    public async Task A_full_disk_for_the_embedded_Mixpanel_ends_with_5_at_once_and_names_the_store(string size)
    {
        const int Count = 60_000;
        await using var scene = new Scene().Given(new Lines { Padding = 300 }, Count).With("--local", "--data", "disk/store");

        var done = await scene.InNamespaceAsync($"""
            mount -t tmpfs -o size={size} none disk
            for trial in 1 2 3 4; do
              rm -rf disk/store state
              timeout --foreground -s KILL 3600 "$@" > first || echo "trial $?"
            done
            mount -o remount,size=500m disk
            "$@" > second; code=$?
            timeout 3600 {ToolUnderTest.InShell} emulator export --data disk/store --deduplicated exported > third || code=$?
            wc -l < exported
            exit $code
            """);

        Assert.Equal(string.Concat(Enumerable.Repeat("trial 5\n", 4)) + $"{Count}\n", System.Text.Encoding.UTF8.GetString(done.Output));
        Assert.Equal(4, Regex.Count(done.Said, "HTTP 507"));
        Assert.Equal(4, Regex.Count(done.Said, "That was the embedded Mixpanel, whose store is in .*/disk/store\\."));
        Assert.Equal(0, done.ExitCode);
    }

    static Scene OnSmallDisk(int count) => new Scene().Given(HalfBad, count);
}
