using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Import.Send;

namespace MixpanelConnector.Tests.Import.Network;

/// <summary>How many requests may be under way, and when the next may begin: on a clock that moves only when the test says so.</summary>
public class PaceTests
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    Pace New(int most = 20, int begin = 4, double random = 0) =>
        new(most, begin, new MixpanelOptions { TimeProvider = _clock, Randomizer = () => random }, TimeSpan.FromHours(24));

    /// <summary>Takes every leave that is to be had now.</summary>
    static async Task<List<Leave>> TakeAllAsync(Pace pace)
    {
        var leaves = new List<Leave>();
        while (true)
        {
            using var giveUp = new CancellationTokenSource();
            var entering = pace.EnterAsync(giveUp.Token);
            if (!entering.IsCompleted)
            {
                await giveUp.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(entering.AsTask);
                return leaves;
            }

            leaves.Add(await entering);
        }
    }

    static async Task<int> LimitAsync(Pace pace)
    {
        var leaves = await TakeAllAsync(pace);
        foreach (var leave in leaves) pace.Return(leave, Answer.GivenUp);
        return leaves.Count;
    }

    async Task ServeAsync(Pace pace, TimeSpan took)
    {
        var leaves = await TakeAllAsync(pace);
        _clock.Advance(took);
        foreach (var leave in leaves) pace.Return(leave, Answer.Served);
    }

    [Fact]
    public async Task It_grows_by_one_for_each_round_up_to_the_most()
    {
        var pace = New();
        for (var expected = 4; expected <= 20; expected++)
        {
            Assert.Equal(expected, await LimitAsync(pace));
            await ServeAsync(pace, TimeSpan.FromMilliseconds(150));
        }

        await ServeAsync(pace, TimeSpan.FromMilliseconds(150));
        Assert.Equal(20, await LimitAsync(pace));
    }

    [Fact]
    public async Task It_does_not_grow_while_answers_take_twice_as_long_as_the_fastest()
    {
        var pace = New();
        await ServeAsync(pace, 2 * Second);
        Assert.Equal(5, await LimitAsync(pace));
        for (var i = 0; i < 5; i++) await ServeAsync(pace, 5 * Second);
        Assert.Equal(5, await LimitAsync(pace));
        await ServeAsync(pace, 3 * Second);
        Assert.Equal(6, await LimitAsync(pace));
    }

    [Fact]
    public async Task A_rate_limit_halves_it_and_pauses_all()
    {
        var pace = New(begin: 16);
        pace.Return(await pace.EnterAsync(default), Answer.Busy);
        Assert.True(pace.Waiting);
        Assert.Equal(0, await LimitAsync(pace));
        _clock.Advance(2 * Second);
        Assert.Equal(8, await LimitAsync(pace));
    }

    [Fact]
    public async Task Requests_that_fail_together_are_one_failure()
    {
        var pace = New(begin: 16);
        var leaves = await TakeAllAsync(pace);
        foreach (var leave in leaves) pace.Return(leave, Answer.Busy);
        _clock.Advance(2 * Second);
        Assert.Equal(8, await LimitAsync(pace));
        leaves = await TakeAllAsync(pace);
        foreach (var leave in leaves) pace.Return(leave, Answer.Busy);
        _clock.Advance(4 * Second - TimeSpan.FromTicks(1));
        Assert.Equal(0, await LimitAsync(pace));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(4, await LimitAsync(pace));
    }

    [Fact]
    public async Task The_longest_wait_that_was_asked_for_holds_for_all()
    {
        var pace = New(begin: 3);
        var leaves = await TakeAllAsync(pace);
        pace.Return(leaves[0], Answer.Busy, 10 * Second);
        pace.Return(leaves[1], Answer.Busy, 100 * Second);
        pace.Return(leaves[2], Answer.Busy, 5 * Second);
        _clock.Advance(99 * Second);
        Assert.Equal(0, await LimitAsync(pace));
        _clock.Advance(Second);
        Assert.Equal(1, await LimitAsync(pace));
    }

    [Fact]
    public async Task A_server_that_asks_for_no_wait_is_not_asked_in_a_loop()
    {
        var pace = New(begin: 1);
        pace.Return(await pace.EnterAsync(default), Answer.Busy, TimeSpan.Zero);
        Assert.Equal(0, await LimitAsync(pace));
        _clock.Advance(Second);
        Assert.Equal(1, await LimitAsync(pace));
    }

    [Fact]
    public async Task In_an_outage_one_request_probes_and_after_it_the_number_grows_again()
    {
        var pace = New(begin: 16);
        var leaves = await TakeAllAsync(pace);
        foreach (var leave in leaves) pace.Return(leave, Answer.Down);
        _clock.Advance(2 * Second);
        var probe = Assert.Single(await TakeAllAsync(pace));
        _clock.Advance(Second);
        Assert.Equal(3 * Second, pace.Outage);
        pace.Return(probe, Answer.Served);
        Assert.Equal(TimeSpan.Zero, pace.Outage);
        Assert.Equal(2, await LimitAsync(pace));
    }

    [Fact]
    public async Task A_whole_day_of_outage_takes_one_probe_a_minute_and_ends_within_65_seconds()
    {
        var pace = New(begin: 20, random: 0.999);
        foreach (var leave in await TakeAllAsync(pace)) pace.Return(leave, Answer.Down);
        var probes = new List<DateTimeOffset>();
        for (var second = 0; second < 24 * 3600; second++)
        {
            _clock.Advance(Second);
            if (pace.Waiting) continue;
            foreach (var probe in await TakeAllAsync(pace))
            {
                probes.Add(_clock.GetUtcNow());
                pace.Return(probe, Answer.Down);
            }
        }

        var waits = probes.Zip(probes.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
        Assert.InRange(probes.Count, 24 * 55, 24 * 60);
        Assert.Equal([5, 9, 17, 33], waits[..4]);
        Assert.All(waits[4..^1], wait => Assert.InRange(wait, 60, 65));
        _clock.Advance(65 * Second);
        Assert.Equal(1, await LimitAsync(pace));
    }

    [Fact]
    public async Task Flapping_begins_each_time_with_the_first_wait()
    {
        var pace = New(begin: 1);
        for (var i = 0; i < 50; i++)
        {
            pace.Return(await pace.EnterAsync(default), Answer.Down);
            _clock.Advance(2 * Second);
            pace.Return(await pace.EnterAsync(default), Answer.Served);
            Assert.Equal(TimeSpan.Zero, pace.Outage);
        }
    }

    [Fact]
    public async Task The_last_try_is_made_when_the_longest_outage_is_over()
    {
        var pace = new Pace(1, 1, new MixpanelOptions { TimeProvider = _clock, Randomizer = () => 0 }, maxOutage: 10 * Second);
        pace.Return(await pace.EnterAsync(default), Answer.Down, 300 * Second);
        _clock.Advance(10 * Second);
        Assert.Equal(1, await LimitAsync(pace));
        Assert.Equal(10 * Second, pace.Outage);
    }

    [Fact]
    public async Task Leave_that_is_dropped_comes_back_once()
    {
        var pace = New(most: 4, begin: 4);
        await Assert.ThrowsAsync<InvalidCastException>(async () =>
        {
            using var leave = await pace.EnterAsync(default);
            throw new InvalidCastException();
        });
        using (var leave = await pace.EnterAsync(default)) pace.Return(leave, Answer.Served);
        Assert.Equal(4, await LimitAsync(pace));
    }

    [Fact]
    public async Task What_is_sent_again_goes_before_what_was_never_sent()
    {
        var pace = New(most: 1, begin: 1);
        var running = await pace.EnterAsync(default);
        var fresh = pace.EnterAsync(isRetry: false, default).AsTask();
        var again = pace.EnterAsync(isRetry: true, default).AsTask();
        pace.Return(running, Answer.GivenUp);
        var first = await again;
        Assert.False(fresh.IsCompleted);
        pace.Return(first, Answer.Served);
        await fresh;
    }

    [Fact]
    public async Task What_is_given_up_before_it_is_sent_again_holds_nobody_up()
    {
        var pace = New(most: 1, begin: 1);
        var running = await pace.EnterAsync(default);
        using var giveUp = new CancellationTokenSource();
        var again = pace.EnterAsync(isRetry: true, giveUp.Token).AsTask();
        var fresh = pace.EnterAsync(default).AsTask();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => again);
        pace.Return(running, Answer.Served);
        await fresh;
    }
}
