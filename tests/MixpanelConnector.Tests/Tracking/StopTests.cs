using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Testing;
using MixpanelConnector.Tracking.Buffering;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>Every call returns, whatever happened to the tracker.</summary>
public sealed class StopTests
{
    static readonly TrackerOptions StopAtOnce = new() { StopTimeout = TimeSpan.Zero };

    [Fact]
    public async Task Who_waits_for_room_when_the_tracker_stops_is_told_that_the_record_was_not_taken()
    {
        var run = new TrackerRun(StopAtOnce with { MaxBufferedBytes = 1 << 20, WhenFull = WhenFull.Wait });
        run.Mixpanel.Stalls = _ => true;
        var text = new string('x', 300_000);
        var blocked = Enumerable.Range(0, 5).Select(_ => Task.Run(() => run.Tracker.Track("E", "u", new { text }))).ToList();
        var waiting = Enumerable.Range(0, 5).Select(_ => run.Tracker.TrackAsync("E", "u", new { text }).AsTask()).ToList();
        while (run.Tracker.Pending < 3) await Task.Yield();

        await run.DisposeAsync();

        var taken = (await Task.WhenAll(blocked)).Count(isTaken => isTaken);
        foreach (var each in waiting)
        {
            await Task.WhenAny(each);
            if (each.IsCompletedSuccessfully) taken++;
            else Assert.Contains("stopped", (await Given.FailsAsync(() => each)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(3, taken);
    }

    [Fact]
    public async Task Who_has_waited_for_room_for_its_time_is_told_that_there_was_none()
    {
        await using var run = new TrackerRun(
            StopAtOnce with { MaxBufferedBytes = 1 << 20, WhenFull = WhenFull.Wait, WaitTimeout = TimeSpan.FromMilliseconds(1) },
            clock: ImpatientClock.ForImports());
        run.Mixpanel.Stalls = _ => true;
        var text = new string('x', 300_000);
        for (var i = 0; i < 3; i++) Assert.True(run.Tracker.Track("E", "u", new { text }));

        Assert.False(run.Tracker.Track("E", "u", new { text }));
        Assert.Contains("full", (await Given.FailsAsync(() => run.Tracker.TrackAsync("E", "u", new { text }).AsTask())).Message, StringComparison.Ordinal);
        Assert.True(run.Tracker.Track("small", "u"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_handler_that_blocks_its_thread_does_not_hold_the_stop_for_ever(bool isSynchronous)
    {
        var log = new RecordedLog();
        using var hang = new ManualResetEventSlim();
        var run = new TrackerRun(StopAtOnce with { Unwinding = TimeSpan.FromMilliseconds(1) }, Given.Token() with { LoggerFactory = log },
            clock: ImpatientClock.ForImports());
        run.Mixpanel.Script = _ =>
        {
            hang.Wait();
            return null;
        };
        run.Tracker.Track("E", "u");
        while (run.Mixpanel.Requests.Count == 0) await Task.Yield();

        if (isSynchronous) run.Tracker.Dispose();
        else await run.Tracker.DisposeAsync();

        Assert.Contains(log.From(LogLevel.Error), line => line.Contains("has not ended", StringComparison.Ordinal));
        Assert.False(run.Tracker.Track("E", "u"));
        hang.Set();
        await run.Tracker.StopAsync();
        await run.DisposeAsync();
    }

    [Fact]
    public void A_blocked_thread_disposes_as_well()
    {
        var run = new TrackerRun(new TrackerOptions { StopTimeout = Hang.Limit });
        for (var i = 0; i < 10; i++) run.Tracker.Track("E", "u");

        run.Tracker.Dispose();
        run.Tracker.Dispose();

        Assert.Equal(10, run.Stored.Count);
    }

    [Fact]
    public async Task After_a_stop_that_gave_up_every_call_says_so_and_ends()
    {
        var run = new TrackerRun(StopAtOnce);
        run.Mixpanel.Script = _ => MixpanelDouble.Answer(503, "");
        run.Tracker.Track("E", "u");
        var underWay = run.Tracker.FlushAsync();

        await run.DisposeAsync();

        Assert.Contains("stopped", (await Given.FailsAsync(() => underWay)).Message, StringComparison.Ordinal);
        Assert.Contains("stopped", (await Given.FailsAsync(() => run.Tracker.FlushAsync())).Message, StringComparison.Ordinal);
        await Given.FailsAsync(() => run.Tracker.TrackAsync("E", "u").AsTask());
        Assert.False(run.Tracker.Track("E", "u"));
        Assert.Equal(1, run.Tracker.Pending);
        Assert.Contains("stopped", run.Tracker.LastError!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_gives_up_waiting_hears_so_and_nothing_is_lost()
    {
        await using var run = new TrackerRun(StopAtOnce);
        run.Mixpanel.Stalls = _ => true;
        using var enough = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.Tracker.TrackAsync("E", "u", new CancellationToken(canceled: true)).AsTask());
        run.Tracker.Track("E", "u");
        var flushed = run.Tracker.FlushAsync(enough.Token);

        await enough.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flushed);
        Assert.Equal(1, run.Tracker.Pending);
    }

    [Fact]
    public async Task After_a_stop_that_sent_everything_a_flush_completes()
    {
        var run = new TrackerRun(new TrackerOptions { StopTimeout = TimeSpan.FromHours(2) });
        run.Tracker.Track("E", "u");

        await run.DisposeAsync();
        await run.Tracker.FlushAsync();

        Assert.Single(run.Stored);
    }

    [Fact]
    public async Task A_second_stop_ends_when_the_first_has()
    {
        var run = new TrackerRun(new TrackerOptions { StopTimeout = TimeSpan.FromHours(2) });
        var answer = new TaskCompletionSource();
        run.Mixpanel.Script = _ =>
        {
            answer.Task.Wait();
            return null;
        };
        run.Tracker.Track("E", "u");

        var first = run.Tracker.DisposeAsync().AsTask();
        var second = run.Tracker.DisposeAsync().AsTask();
        var third = run.Tracker.StopAsync();
        while (run.Mixpanel.Requests.Count == 0) await Task.Yield();
        Assert.False(second.IsCompleted || third.IsCompleted);
        answer.SetResult();
        await Task.WhenAll(second, third);

        Assert.Single(run.Stored);
        Assert.True(first.IsCompleted);
        await run.DisposeAsync();
    }

    [Fact]
    public async Task A_second_stop_that_gives_up_ends_the_first()
    {
        var run = new TrackerRun(new TrackerOptions { StopTimeout = TimeSpan.FromHours(2) });
        run.Mixpanel.Stalls = _ => true;
        run.Tracker.Track("E", "u");
        var first = run.Tracker.DisposeAsync().AsTask();

        await run.Tracker.StopAsync(new CancellationToken(canceled: true));

        await first;
        Assert.Equal(1, run.Tracker.Pending);
    }

    [Fact]
    public async Task An_addition_that_was_under_way_at_the_stop_is_told_and_not_counted_as_lost()
    {
        var run = new TrackerRun(StopAtOnce);
        run.Mixpanel.Stalls = _ => true;
        run.Tracker.Profile("u").Add("Logins", 1);
        while (run.Mixpanel.Requests.Count == 0) await Task.Yield();

        await run.DisposeAsync();

        var rejected = Assert.Single(run.Rejected);
        Assert.Equal(("outcome_unknown", true), (rejected.Code, rejected.MaybeDelivered));
        Assert.Equal(0, run.Tracker.Pending);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(503)]
    public async Task A_stop_still_sends_what_was_refused_once_and_what_was_not_tried(int status)
    {
        var run =
            new TrackerRun(new TrackerOptions { FlushInterval = TimeSpan.FromHours(1), StopTimeout = TimeSpan.FromHours(2), Senders = 1, BatchRecords = 2 });
        run.Mixpanel.Script = request => request.Number == 1 ? MixpanelDouble.Answer(status, """{"code":1,"error":"no","status":"no"}""") : null;
        for (var i = 0; i < 5; i++) run.Tracker.Track("E", "u");
        run.Tracker.Profile("u").Set("a", 1);
        run.Tracker.Group("company", "acme").Set("a", 1);

        await run.DisposeAsync();

        Assert.Equal(7, run.Stored.Count);
        Assert.Equal(0, run.Tracker.Pending);
    }

    [Fact]
    public async Task A_stop_retries_at_once_what_waits_for_its_next_attempt()
    {
        var clock = new FakeTimeProvider(ImpatientClock.Noon);
        var run = new TrackerRun(new TrackerOptions { FlushInterval = TimeSpan.Zero },
            Given.Token() with { BackoffMin = TimeSpan.FromHours(1), BackoffMax = TimeSpan.FromHours(1) }, clock);
        var refuses = true;
        run.Mixpanel.Script = _ => refuses ? MixpanelDouble.Answer(401, """{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""") : null;
        run.Tracker.Track("E", "u");
        await Given.FailsAsync(() => run.Tracker.FlushAsync());
        refuses = false;

        await run.DisposeAsync();

        Assert.Single(run.Stored);
    }

    [Fact]
    public async Task An_addition_of_a_batch_that_was_taken_in_part_is_not_sent_again()
    {
        await using var run = new TrackerRun(new TrackerOptions { FlushInterval = TimeSpan.FromHours(1), StopTimeout = TimeSpan.FromHours(2) });
        // Two parts: the first is accepted, then the credentials are refused until the flush has said so.
        var refuses = true;
        run.Mixpanel.Script = request => request.Number switch
        {
            1 => MixpanelDouble.Answer(413, """{"error":"too large","status":0}"""),
            >= 3 when Volatile.Read(ref refuses) => MixpanelDouble.Answer(401, """{"code":401,"error":"Invalid credentials","status":"Unauthorized"}"""),
            _ => null,
        };
        for (var i = 0; i < 4; i++) run.Tracker.Profile("u").Add($"Logins{i}", 1);

        await Given.FailsAsync(() => run.Tracker.FlushAsync());
        Volatile.Write(ref refuses, false);
        while (run.Tracker.Pending > 0) await Task.Yield();

        Assert.Equal(4, run.Mixpanel.Stored.Count);
        Assert.Equal(4, run.Mixpanel.Stored.Distinct(StringComparer.Ordinal).Count());
        Assert.Empty(run.Rejected);
    }
}

public sealed class RoomTests
{
    [Fact]
    public void Threads_that_wait_get_room_in_their_order_without_a_thread_of_the_pool()
    {
        var room = new RecordBudget(10);
        Assert.True(room.TryTake(10));
        var order = new List<int>();
        var threads = new List<Thread>();
        for (var i = 0; i < 4; i++)
        {
            var number = i;
            var thread = new Thread(() =>
            {
                Assert.True(room.Take(10, Hang.Limit));
                lock (order) order.Add(number);
                room.GiveBack(10);
            });
            thread.Start();
            threads.Add(thread);
            while (thread.ThreadState is not ThreadState.WaitSleepJoin) Thread.Yield();
        }

        Assert.False(room.TryTake(1)); // not before those who wait
        room.GiveBack(10);
        threads.ForEach(thread => thread.Join());

        Assert.Equal(4, order.Count);
        Assert.True(room.TryTake(10));
    }

    [Fact]
    public async Task Who_gives_up_lets_those_behind_it_pass()
    {
        var room = new RecordBudget(10);
        room.TryTake(8);
        using var enough = new CancellationTokenSource();
        var large = room.TakeAsync(9, Hang.Limit, TimeProvider.System, enough.Token).AsTask();
        var small = room.TakeAsync(2, Hang.Limit, TimeProvider.System, CancellationToken.None).AsTask();
        Assert.False(small.IsCompleted);

        await enough.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        Assert.True(await small);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_has_waited_for_its_time_gives_up_and_lets_those_behind_it_pass(bool isBlocked)
    {
        var room = new RecordBudget(10);
        room.TryTake(8);
        var large = isBlocked
            ? Task.Factory.StartNew(() => room.Take(9, TimeSpan.FromMilliseconds(20)), CancellationToken.None, TaskCreationOptions.LongRunning,
                TaskScheduler.Default)
            : room.TakeAsync(9, TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None).AsTask();
        var small = room.TakeAsync(2, Hang.Limit, TimeProvider.System, CancellationToken.None).AsTask();

        Assert.False(await large);
        Assert.True(await small);
        Assert.False(room.IsClosed);
        room.GiveBack(10);
        Assert.True(room.TryTake(10)); // nothing is held for who gave up
    }

    [Fact]
    public async Task A_closed_room_lets_nobody_in_and_nobody_wait()
    {
        var room = new RecordBudget(10);
        room.TryTake(10);
        var waiting = room.TakeAsync(1, Hang.Limit, TimeProvider.System, CancellationToken.None).AsTask();

        room.Close();

        Assert.False(await waiting);
        Assert.False(room.Take(1, Hang.Limit));
        Assert.True(room.IsClosed);
    }

    [Fact]
    public async Task A_signal_is_not_lost_with_one_who_gave_up_waiting_for_it()
    {
        var signal = new AsyncAutoResetEvent();
        using var enough = new CancellationTokenSource();
        var given = signal.WaitAsync(enough.Token);
        await enough.CancelAsync();
        await Task.WhenAny(given);

        signal.Set();

        await signal.WaitAsync(CancellationToken.None);
    }
}
