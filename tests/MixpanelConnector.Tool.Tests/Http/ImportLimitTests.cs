using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;
using MixpanelConnector.Tool.Surfaces.Http.Imports;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>The limits of one import's effects on the server and on the imports of others.</summary>
public sealed class ImportLimitTests
{
    static readonly ImportReport Done = new()
    {
        Read = 1,
        Accepted = 1,
        Rejected = 0,
        Pending = 0,
        Blank = 0,
        Bytes = 1,
        Requests = 1,
        Retries = 0,
        ResumedFrom = 0,
        ElapsedSeconds = 0,
        DeadLetter = null,
        Outcome = RunOutcome.Complete,
        Problems = [],
    };

    [Fact]
    public async Task A_body_that_ends_the_process_twice_is_set_aside_and_the_others_go_on()
    {
        using var folder = new TemporaryFolder();
        await using var first = new Scene(folder.File("1"), Hang);
        var killer = await first.TakeAsync("killer");
        await first.BegunAsync(1);
        Assert.Equal(1, Begun(first, killer));

        // A copy of the current disk is what the next start finds after a crash.
        await using var second = new Scene(first.Crash(folder.File("2")), Hang);
        await second.BegunAsync(1);
        Assert.Equal(2, Begun(second, killer));

        await using var third = new Scene(second.Crash(folder.File("3")), (_, _, _) => Task.FromResult(Done));
        var aside = third.Jobs.Find(killer)!;
        Assert.Equal(JobStatus.Failed, aside.Status);
        Assert.Contains("process ended during 2 consecutive runs", aside.Problem, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder.File("3"), "imports", killer, "body")));
        Assert.Equal(JobStatus.Finished, await third.EndAsync(await third.TakeAsync("another")));
        Assert.Equal(1, third.Begins);

        Assert.True(third.Jobs.Resume(aside)); // a caller may know better
        Assert.Equal(JobStatus.Finished, await third.EndAsync(killer));
    }

    [Fact]
    public async Task Runs_that_were_cut_off_begin_one_after_the_other_and_before_new_ones()
    {
        using var folder = new TemporaryFolder();
        await using var first = new Scene(folder.File("1"), Hang);
        for (var n = 0; n < 2; n++) await first.TakeAsync("a");
        await first.BegunAsync(2);

        await using var second = new Scene(first.Crash(folder.File("2")), Hang);
        await second.TakeAsync("a");
        await second.BegunAsync(1);
        Assert.Equal([JobStatus.Running, JobStatus.Queued, JobStatus.Queued], second.Statuses);
        await second.AdvanceUntilAsync(() => second.Statuses.All(status => status is JobStatus.Running));
        Assert.Equal([2, 2, 1], second.Jobs.All.Reverse().Select(job => job.Begun));
        Assert.True(second.Clock.GetUtcNow() - Scene.Began >= TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task A_slow_import_does_not_hold_up_others_and_one_caller_not_another()
    {
        using var folder = new TemporaryFolder();
        await using var scene = new Scene(folder.File("1"),
            (request, state, stop) => request.Properties is null ? Task.FromResult(Done) : Hang(request, state, stop), hasSeveralCallers: true);
        for (var n = 0; n < 5; n++) await scene.TakeAsync("greedy", options: Slow);
        await scene.BegunAsync(2);
        Assert.Equal([JobStatus.Running, JobStatus.Running, JobStatus.Queued, JobStatus.Queued, JobStatus.Queued], scene.Statuses);
        Assert.Equal(JobStatus.Finished, await scene.EndAsync(await scene.TakeAsync("modest")));
    }

    [Fact]
    public async Task A_run_over_its_time_is_stopped_and_can_be_resumed()
    {
        using var folder = new TemporaryFolder();
        var told = false;
        await using var scene = new Scene(folder.File("1"), (request, state, stop) =>
        {
            stop.Register(() => Volatile.Write(ref told, true));
            return Hang(request, state, stop);
        }, longest: TimeSpan.FromMinutes(5));
        var job = await scene.TakeAsync("a");
        await scene.BegunAsync(1);
        await scene.AdvanceUntilAsync(() => Volatile.Read(ref told));
        Assert.Equal(JobStatus.Stopped, await scene.EndAsync(job));
        Assert.Contains("--import-time", scene.Jobs.Find(job)!.Problem, StringComparison.Ordinal);
        Assert.True(scene.Jobs.Resume(scene.Jobs.Find(job)!));
    }

    [Fact]
    public async Task A_run_that_stands_still_and_does_not_stop_is_given_up()
    {
        using var folder = new TemporaryFolder();
        using var never = new ManualResetEventSlim();
        await using var scene = new Scene(folder.File("1"),
            (request, _, _) => request.Properties is null
                ? Task.FromResult(Done)
                : Task.Run(() => { never.Wait(TestContext.Current.CancellationToken); return Done; }));
        var job = await scene.TakeAsync("a", options: Slow);
        await scene.BegunAsync(1);
        await scene.AdvanceUntilAsync(() => scene.Jobs.Find(job)!.HasEnded);
        Assert.Equal(JobStatus.Failed, scene.Jobs.Find(job)!.Status);
        Assert.Contains("made no progress for 10 minutes", scene.Jobs.Find(job)!.Problem, StringComparison.Ordinal);
        Assert.Contains("abandoned", scene.Jobs.Find(job)!.Problem, StringComparison.Ordinal);
        Assert.Equal(JobStatus.Finished, await scene.EndAsync(await scene.TakeAsync("a")));
        never.Set();
    }

    [Fact]
    public async Task The_end_of_the_server_does_not_wait_for_a_run_that_does_not_stop_and_counts_it()
    {
        using var folder = new TemporaryFolder();
        using var never = new ManualResetEventSlim();
        await using (var scene = new Scene(folder.File("1"), (_, _, _) => Task.Run(() => { never.Wait(TestContext.Current.CancellationToken); return Done; })))
        {
            await scene.TakeAsync("a");
            await scene.BegunAsync(1);
            var stopping = scene.Jobs.StopAsync();
            await scene.AdvanceUntilAsync(() => stopping.IsCompleted);
        }

        never.Set();
        await using var next = new Scene(folder.File("1"), Hang);
        await next.BegunAsync(1);
        Assert.Equal(2, Assert.Single(next.Jobs.All).Begun);
    }

    [Fact]
    public async Task A_run_that_throws_whatever_it_is_stops_its_import_and_no_other()
    {
        using var folder = new TemporaryFolder();
        await using var scene = new Scene(folder.File("1"),
            (request, _, _) => request.Properties is null ? Task.FromResult(Done) : throw new InsufficientExecutionStackException());
        for (var n = 0; n < ImportJobs.MostAtOnce + 1; n++) Assert.Equal(JobStatus.Stopped, await scene.EndAsync(await scene.TakeAsync("a", options: Slow)));
        Assert.Equal(JobStatus.Finished, await scene.EndAsync(await scene.TakeAsync("a")));
        Assert.Equal(0, scene.Jobs.All.Max(job => job.Begun));
    }

    [Fact]
    public async Task How_a_run_ended_is_noted_as_soon_as_the_disk_takes_it()
    {
        using var folder = new TemporaryFolder();
        var end = new TaskCompletionSource<ImportReport>();
        await using var scene = new Scene(folder.File("1"), (_, _, _) => end.Task);
        var job = await scene.TakeAsync("a");
        await scene.BegunAsync(1);
        scene.Database.Execute("PRAGMA query_only = 1");
        end.SetResult(Done);
        await scene.LoggedAsync("import_not_noted");
        Assert.False(scene.Jobs.Find(job)!.HasEnded);
        scene.Database.Execute("PRAGMA query_only = 0");
        await scene.AdvanceUntilAsync(() => scene.Jobs.Find(job)!.HasEnded, milliseconds: 20);
        Assert.Equal(JobStatus.Finished, scene.Jobs.Find(job)!.Status);
    }

    [Fact]
    public async Task What_cannot_be_noted_is_not_begun_until_the_disk_takes_it()
    {
        using var folder = new TemporaryFolder();
        var end = new TaskCompletionSource<ImportReport>();
        await using var scene = new Scene(folder.File("1"), (_, _, _) => end.Task);
        var jobs = new List<string>();
        for (var n = 0; n < ImportJobs.MostAtOnce + 1; n++) jobs.Add(await scene.TakeAsync("a"));
        await scene.BegunAsync(ImportJobs.MostAtOnce);
        Assert.True(scene.Jobs.Cancel(scene.Jobs.Find(jobs[0])!));
        scene.Database.Execute("PRAGMA query_only = 1");
        end.SetResult(Done);
        await scene.LoggedAsync("import_not_noted");
        scene.Database.Execute("PRAGMA query_only = 0");
        await scene.AdvanceUntilAsync(() => jobs.TrueForAll(job => scene.Jobs.Find(job)!.HasEnded), milliseconds: 20);
        Assert.Equal(ImportJobs.MostAtOnce + 1, scene.Begins);
    }

    [Fact]
    public async Task Dry_runs_keep_little_and_nobody_pushes_out_what_is_anothers()
    {
        using var folder = new TemporaryFolder();
        await using var scene =
            new Scene(folder.File("1"), (request, _, _) => Task.FromResult(request.DryRun ? Done : Done with { Rejected = 1, Outcome = RunOutcome.Rejected }));
        var kept = await scene.TakeAsync("a");
        await scene.EndAsync(kept);
        var dry = new JsonObject { ["dry_run"] = new JsonArray("true") };
        for (var n = 0; n < ImportJobs.MostDryRunsKept + 3; n++) await scene.EndAsync(await scene.TakeAsync(n % 50 == 0 ? "a" : "b", options: dry));
        Assert.NotNull(scene.Jobs.Find(kept));
        Assert.Equal(ImportJobs.MostDryRunsKept, scene.Jobs.All.Count(job => job.Caller == "b"));
        Assert.Equal(4, scene.Jobs.All.Count(job => job.Caller == "a"));
    }

    [Theory]
    [InlineData(false, 100, 0)]
    [InlineData(true, 50, 25)]
    public void One_caller_has_half_of_what_the_others_leave_where_there_are_several(bool several, long first, long second)
    {
        var space = new ImportSpace(100, several);
        Assert.False(space.TryTake("1", "a", first + 1));
        Assert.True(space.TryTake("1", "a", first - 1));
        Assert.True(space.TryTake("2", "a", 1));
        Assert.False(space.TryTake("2", "a", 1));
        Assert.Equal(second > 0, space.TryTake("3", "b", Math.Max(second, 1)));
        space.Set("1", "a", 0);
        Assert.True(space.TryTake("4", "c", 20));
    }

    static readonly JsonObject Slow = new() { ["properties"] = new JsonArray("{}") };

    static async Task<ImportReport> Hang(ImportRequest request, IImportState? state, CancellationToken stop)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Done with { Outcome = RunOutcome.Stopped, Problems = ["Stopped before the end."] };
    }

    static int Begun(Scene scene, string job) => scene.Jobs.Find(job)!.Begun;

    /// <summary>The imports of a server, executed by the test.</summary>
    sealed class Scene : IAsyncDisposable
    {
        public static readonly DateTimeOffset Began = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

        readonly string _folder;
        readonly SharedText _log = new();
        readonly AuditLog _audit;
        int _begins;

        public Scene(string folder, CarryOut carryOut, bool hasSeveralCallers = false, TimeSpan? longest = null)
        {
            _folder = folder;
            Database = ServeDatabase.Open(folder);
            _audit = new AuditLog(_log, Clock);
            Jobs = new ImportJobs(folder, new ImportOptions(1 << 30, longest ?? TimeSpan.FromHours(24), hasSeveralCallers), Database, (request, state, stop) =>
            {
                if (request.StandardInput is not null) return Task.FromResult(Done); // the check of the options
                Interlocked.Increment(ref _begins);
                return carryOut(request, state, stop);
            }, _audit, Clock);
        }

        public ServeDatabase Database { get; }

        public FakeTimeProvider Clock { get; } = new(Began);

        public ImportJobs Jobs { get; }

        public string Log => _log.ToString();

        public int Begins => Volatile.Read(ref _begins);

        public IEnumerable<JobStatus> Statuses => Jobs.All.Reverse().Select(job => job.Status);

        public async Task<string> TakeAsync(string caller, JsonObject? options = null)
        {
            using var body = new MemoryStream(Encoding.UTF8.GetBytes("{}\n"));
            return (await Jobs.TakeAsync(body, body.Length, options ?? [], sourceId: null, key: null,
                new Caller(caller, Scope.Write, new TokenBucket(1, Clock), new RequestMemory()), TestContext.Current.CancellationToken)).Job.Id;
        }

        public async Task BegunAsync(int times)
        {
            while (Begins < times) await Task.Yield();
        }

        public async Task<JobStatus> EndAsync(string job)
        {
            while (!Jobs.Find(job)!.HasEnded) await Task.Yield();
            return Jobs.Find(job)!.Status;
        }

        public async Task LoggedAsync(string what)
        {
            while (!Log.Contains(what, StringComparison.Ordinal)) await Task.Yield();
        }

        /// <summary>Advances the clock by seconds, with real time for what they trigger.</summary>
        public async Task AdvanceUntilAsync(Func<bool> done, int milliseconds = 1)
        {
            while (!done())
            {
                Clock.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(TimeSpan.FromMilliseconds(milliseconds), TimeProvider.System);
            }
        }

        /// <summary>Copies the disk as a crash would leave it.</summary>
        public string Crash(string copy)
        {
            foreach (var file in new DirectoryInfo(_folder).EnumerateFiles("*", SearchOption.AllDirectories))
            {
                var to = Path.Combine(copy, Path.GetRelativePath(_folder, file.FullName));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                file.CopyTo(to);
            }

            return copy;
        }

        public async ValueTask DisposeAsync()
        {
            await Jobs.DisposeAsync();
            Database.Dispose();
            await _audit.DisposeAsync();
            await _log.DisposeAsync();
        }
    }
}
