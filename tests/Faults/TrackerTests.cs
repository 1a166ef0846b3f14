using System.Globalization;

namespace MixpanelConnector.Faults;

/// <summary>Events for which <c>TrackAsync</c> has completed arrive, whatever happens to the process and its disk; the caller knows the refused ones.</summary>
public sealed class TrackerTests
{
    // Every nth operation is tested: a few in the suite, all in the campaign.
    static readonly int? Every =
        int.TryParse(Environment.GetEnvironmentVariable("CAMPAIGN_EVERY"), NumberStyles.None, CultureInfo.InvariantCulture, out var every)
        ? every
        : null;

    [Fact]
    public async Task On_a_full_disk_every_refusal_is_seen_and_counted_and_nothing_taken_is_lost_once_there_is_room()
    {
        await using var scene = new TrackedScene { Padding = 1000 };

        var lines = await scene.InNamespaceAsync(
            """mount -t tmpfs -o size=4m none disk; "$@" """,
            "disk/outbox",
            "track:6000", // in an outage: more than the disk holds
            "sh:touch up; df disk | tail -1 >&2",
            "flush", // what was taken makes room by leaving
            "track:200",
            "flush");

        Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
        Assert.InRange(scene.Refused.Count, 1, 5999);
        Assert.True(scene.Taken.Count > 100, $"only {scene.Taken.Count} were taken:\n{scene.Ended.Said}");
        Assert.Contains(lines, line => line.StartsWith("refused ", StringComparison.Ordinal) && line.Contains("full", StringComparison.Ordinal));
        Assert.Contains(lines,
            line => line.StartsWith($"did track; dropped {scene.Refused.Count}, trouble ", StringComparison.Ordinal)
                && !line.Contains("outbox", StringComparison.Ordinal)); // the outage is one, the disk may pass
        Assert.Equal(2, lines.Count(line => line == "flushed 0"));
        Assert.Equal(200, scene.Taken.Count(oid => oid >= 6000));
        Assert.Equal("", scene.Judge());
    }

    [Fact]
    public async Task A_disk_that_others_fill_refuses_and_takes_again_when_they_make_room()
    {
        await using var scene = new TrackedScene();

        var lines = await scene.InNamespaceAsync(
            """mount -t tmpfs -o size=8m none disk; "$@" """,
            "disk/outbox",
            "track:100",
            "sh:cat /dev/zero > disk/filler 2>/dev/null || true", // to the last byte
            "track:8000",
            "sh:rm disk/filler",
            "track:100",
            "sh:touch up",
            "flush");

        Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
        Assert.NotEmpty(scene.Refused);
        Assert.Equal(100, scene.Taken.Count(oid => oid < 100));
        Assert.Equal(100, scene.Taken.Count(oid => oid >= 8100));
        Assert.Contains("flushed 0", lines, StringComparer.Ordinal);
        Assert.Equal("", scene.Judge());
    }

    [Fact]
    public async Task A_full_disk_at_the_start_still_sends_what_is_there()
    {
        await using var scene = new TrackedScene();
        const string Program = """mount -t tmpfs -o size=8m none disk; "$@"; FIRST=500000; export FIRST; cat /dev/zero > disk/filler 2>/dev/null; touch up; "${@:1:3}" flush; df --output=avail disk | tail -1""";

        await scene.InNamespaceAsync(Program, "disk/outbox", "track:500", "kill");

        Assert.Equal(500, scene.Taken.Count);
        Assert.Equal("", scene.Judge());
    }

    [Fact]
    public async Task What_cannot_be_written_is_said_at_the_start()
    {
        foreach (var made in (string[])
        [
            "mount -t tmpfs none disk; mkdir disk/outbox; mount -o remount,ro disk",
            "mount -t tmpfs none disk; mount -o remount,ro disk",
            "touch disk/outbox",
        ])
        {
            await using var scene = new TrackedScene();
            var lines = await scene.InNamespaceAsync($"{made}; \"$@\"", "disk/outbox", "track:1");
            Assert.True(scene.Ended.ExitCode == 7, scene.Ended.ToString());
            Assert.Contains("disk/outbox", Assert.Single(lines), StringComparison.Ordinal);
            Assert.Equal(0, scene.Scene.Server.Requests);
        }
    }

    [Theory]
    [InlineData(Shim.InputOutputError)]
    [InlineData(Shim.NoSpace)]
    public async Task After_a_failed_sync_nothing_is_promised_and_what_was_promised_before_arrives(int error)
    {
        long syncs;
        await using (var whole = new TrackedScene().MixpanelIsUp())
        {
            var shim = new Shim(whole.Scene);
            await whole.RunAsync(shim, "outbox", "track:60", "flush");
            Assert.Equal("", whole.Judge());
            syncs = shim.Syncs;
        }

        var failed = 0;
        // The first are of opening; an odd stride meets each kind of the others. How many appends share a sync depends on the machine: if the stride
        // met none of theirs, the others follow until one is met.
        var strided = new List<long>();
        for (long at = 1; at <= syncs; at += Every ?? (at < 8 ? 3 : 9)) strided.Add(at);
        var others = Enumerable.Range(1, (int)syncs).Select(at => (long)at).Except(strided).TakeWhile(_ => failed == 0);
        foreach (var at in strided.Concat(others))
        {
            await using var scene = new TrackedScene();
            var shim = new Shim(scene.Scene) { Fail = string.Create(CultureInfo.InvariantCulture, $"sync:{at}:{error}") };
            var lines = await scene.RunAsync(shim, "outbox", "track:60", "track:20", "track:10");
            if (shim.Failures == 0) continue;
            var file = shim.Log.First(entry => entry.Error == error).File;
            if (lines[0].StartsWith("not opened", StringComparison.Ordinal))
            {
                Assert.Equal(7, scene.Ended.ExitCode);
            }
            else if (scene.Refused.Count > 0)
            {
                failed++;
                var inTheLastStep = scene.Refused.All(oid => oid >= 80); // what it took before the sync was taken rightly
                Assert.True(inTheLastStep || scene.Refused.Count(oid => oid >= 80) == 10,
                    $"sync {at}, of {file}, failed, and the outbox was trusted again:\n{scene.Ended}");
                Assert.Contains(lines,
                    line => line.StartsWith("did track; dropped ", StringComparison.Ordinal) && line.Contains("does not sync", StringComparison.Ordinal));
            }

            scene.MixpanelIsUp();
            await scene.RunAsync("outbox", "track:5", "flush");
            Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
            Assert.Equal("", scene.JudgeTaken());
        }

        Assert.True(failed > 0, "no sync of an append failed");
    }

    [Fact]
    public async Task A_folder_that_does_not_sync_is_said_at_the_start()
    {
        for (var at = 1; ; at++)
        {
            await using var scene = new TrackedScene().MixpanelIsUp();
            var shim = new Shim(scene.Scene) { Fail = string.Create(CultureInfo.InvariantCulture, $"sync:{at}:{Shim.InputOutputError}"), FailFile = "/outbox" };
            var lines = await scene.RunAsync(shim, "outbox", "track:5", "flush");
            if (shim.Failures == 0)
            {
                Assert.True(at > 3, $"the folder was synced {at - 1} times"); // its files: the database, its journal, its log
                Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
                return;
            }

            Assert.True(scene.Ended.ExitCode == 7, $"sync {at} of the folder failed:\n{scene.Ended}");
            Assert.Contains("sync", Assert.Single(lines), StringComparison.Ordinal);
            await scene.RunAsync("outbox", "track:5", "flush");
            Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
            Assert.Equal("", scene.Judge());
        }
    }

    [Fact]
    public async Task More_threads_than_the_pool_has_wait_for_room_for_their_time_at_most()
    {
        await using var scene = new TrackedScene { Padding = 100_000 }.MixpanelIsUp();

        var lines = await scene.RunAsync("outbox", "crowd:12", "flush");

        Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
        Assert.NotEmpty(scene.Taken);
        Assert.NotEmpty(scene.Refused);
        Assert.Contains("flushed 0", lines, StringComparer.Ordinal);
        Assert.Equal("", scene.Judge());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_kill_at_any_operation_all_that_was_taken_arrives(bool powerGoesToo)
    {
        for (var at = 1L; ; at += Every ?? (at < 60 ? 19 : 97))
        {
            await using var scene = new TrackedScene().MixpanelIsUp();
            var shadow = Directory.CreateDirectory(scene.Scene.File("shadow/outbox")).FullName;
            var shim = new Shim(scene.Scene) { KillAt = at, Tear = at % 2 == 0, Shadow = powerGoesToo ? shadow : null };
            await scene.RunAsync(shim, "outbox", "track:100", "track:100", "flush");
            var killed = scene.Ended.ExitCode != 0;

            // A power loss drops everything that no sync had made durable.
            await scene.RunAsync(powerGoesToo ? "shadow/outbox" : "outbox", "track:5", "flush");
            Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
            Assert.True(scene.JudgeTaken().Length == 0, $"killed at {at}: {scene.JudgeTaken()}");
            if (!killed)
            {
                Assert.True(at > 60, $"only {at} operations");
                return;
            }
        }
    }

    [Theory]
    [InlineData("rm disk/outbox/outbox-1.db")]
    [InlineData("mv disk/outbox/outbox-1.db disk/elsewhere.db")]
    [InlineData("cp disk/outbox/outbox-1.db disk/copy; mv disk/copy disk/outbox/outbox-1.db")]
    [InlineData("rm -r disk/outbox")]
    public async Task When_its_file_is_taken_away_nothing_more_is_promised_and_what_was_is_still_sent(string fate)
    {
        await using var scene = new TrackedScene();

        var lines = await scene.RunAsync("disk/outbox", "track:100", $"sh:cd '{scene.Scene.Folder}'; {fate}", "track:50",
            $"sh:touch '{scene.Scene.File("up")}'", "flush");

        Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
        Assert.Equal(100, scene.Taken.Count);
        Assert.Equal(50, scene.Refused.Count);
        Assert.Contains(lines,
            line => line.StartsWith("refused ", StringComparison.Ordinal) && line.Contains("was removed or replaced", StringComparison.Ordinal));
        Assert.Equal("", scene.Judge());

        await scene.RunAsync("disk/outbox", "track:10", "flush");
        Assert.Equal(110, scene.Taken.Count);
        Assert.Equal("", scene.JudgeTaken());
    }

    [Theory]
    [InlineData("jump:1:86400")]
    [InlineData("jump:1:-86400")]
    [InlineData("set:1:2147483640")]
    [InlineData("freeze:1:0")]
    public async Task Whatever_the_wall_clock_does_it_sends_at_its_pace(string clock)
    {
        await using var scene = new TrackedScene().MixpanelIsUp();
        scene.Scene.Server.Script = asked => asked.Number % 5 == 2 ? Reply.Error(503, stores: true) : Reply.Good;
        var shim = new Shim(scene.Scene) { Clock = clock };

        var lines = await scene.RunAsync(shim, "outbox", "track:300", "flush", "track:300", "flush");

        Assert.True(scene.Ended.ExitCode == 0, scene.Ended.ToString());
        Assert.Equal(600, scene.Taken.Count);
        Assert.Equal(2, lines.Count(line => line == "flushed 0"));
        Assert.InRange(scene.Scene.Server.Requests, 1, 200); // no loop without a wait
        Assert.Equal("", scene.Judge());
    }
}
