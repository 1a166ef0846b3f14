using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Import.Send;

namespace MixpanelConnector.Tests.Import.Network;

/// <summary>How many requests may be in flight, and when the next may start: on a clock that only the test advances.</summary>
public class ConcurrencyLimiterTests
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    ConcurrencyLimiter New(int most = 20, int begin = 4, double random = 0) =>
        new(most, begin, new MixpanelOptions { TimeProvider = _clock, Randomizer = () => random }, TimeSpan.FromHours(24));

    static ValueTask<Permit> EnterAsync(ConcurrencyLimiter limiter, CancellationToken cancellationToken) =>
        limiter.EnterAsync(isRetry: false, records: 1, bytes: 0, cancellationToken);

    /// <summary>Acquires every permit that is available now.</summary>
    static async Task<List<Permit>> TakeAllAsync(ConcurrencyLimiter limiter)
    {
        var permits = new List<Permit>();
        while (true)
        {
            using var giveUp = new CancellationTokenSource();
            var entering = EnterAsync(limiter, giveUp.Token);
            if (!entering.IsCompleted)
            {
                await giveUp.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(entering.AsTask);
                return permits;
            }

            permits.Add(await entering);
        }
    }

    static async Task<int> LimitAsync(ConcurrencyLimiter limiter)
    {
        var permits = await TakeAllAsync(limiter);
        foreach (var permit in permits) limiter.Return(permit, Answer.GivenUp);
        return permits.Count;
    }

    async Task ServeAsync(ConcurrencyLimiter limiter, TimeSpan took)
    {
        var permits = await TakeAllAsync(limiter);
        _clock.Advance(took);
        foreach (var permit in permits) limiter.Return(permit, Answer.Served);
    }

    [Fact]
    public async Task It_grows_by_one_for_each_round_up_to_the_most()
    {
        var limiter = New();
        for (var expected = 4; expected <= 20; expected++)
        {
            Assert.Equal(expected, await LimitAsync(limiter));
            await ServeAsync(limiter, TimeSpan.FromMilliseconds(150));
        }

        await ServeAsync(limiter, TimeSpan.FromMilliseconds(150));
        Assert.Equal(20, await LimitAsync(limiter));
    }

    [Fact]
    public async Task It_does_not_grow_while_answers_take_twice_as_long_as_the_fastest()
    {
        var limiter = New();
        await ServeAsync(limiter, 2 * Second);
        Assert.Equal(5, await LimitAsync(limiter));
        for (var i = 0; i < 5; i++) await ServeAsync(limiter, 5 * Second);
        Assert.Equal(5, await LimitAsync(limiter));
        await ServeAsync(limiter, 3 * Second);
        Assert.Equal(6, await LimitAsync(limiter));
    }

    [Fact]
    public async Task A_rate_limit_pauses_all_until_one_that_probes_was_served()
    {
        var limiter = New(begin: 16);
        limiter.Return(await EnterAsync(limiter, default), Answer.Busy);
        Assert.True(limiter.Waiting);
        Assert.Equal(0, await LimitAsync(limiter));
        _clock.Advance(Second);
        var probe = Assert.Single(await TakeAllAsync(limiter));
        Assert.True(limiter.Waiting);
        limiter.Return(probe, Answer.Served);
        Assert.False(limiter.Waiting);
        Assert.Equal(TimeSpan.Zero, limiter.Outage);
        Assert.NotNull(limiter.QuotaRate);
    }

    [Fact]
    public async Task Requests_that_fail_together_are_one_failure()
    {
        var limiter = New(begin: 16);
        var permits = await TakeAllAsync(limiter);
        foreach (var permit in permits) limiter.Return(permit, Answer.Down);
        _clock.Advance(2 * Second);
        limiter.Return(Assert.Single(await TakeAllAsync(limiter)), Answer.Down);
        _clock.Advance(4 * Second - TimeSpan.FromTicks(1));
        Assert.Equal(0, await LimitAsync(limiter));
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(1, await LimitAsync(limiter));
    }

    [Fact]
    public async Task The_longest_wait_that_was_asked_for_holds_for_all()
    {
        var limiter = New(begin: 3);
        var permits = await TakeAllAsync(limiter);
        limiter.Return(permits[0], Answer.Busy, 10 * Second);
        limiter.Return(permits[1], Answer.Busy, 100 * Second);
        limiter.Return(permits[2], Answer.Busy, 5 * Second);
        _clock.Advance(99 * Second);
        Assert.Equal(0, await LimitAsync(limiter));
        _clock.Advance(Second);
        Assert.Equal(1, await LimitAsync(limiter));
    }

    [Theory]
    [InlineData(2000, 1000)]
    [InlineData(1000, 1000)]
    [InlineData(500, 500)]
    [InlineData(20, 20)]
    public async Task A_server_that_asks_for_no_wait_is_not_asked_in_a_loop(int backoffMin, int pause)
    {
        foreach (var answer in (Answer[])[Answer.Busy, Answer.Down])
        {
            var limiter = new ConcurrencyLimiter(20, 1,
                new MixpanelOptions { TimeProvider = _clock, Randomizer = () => 0, BackoffMin = TimeSpan.FromMilliseconds(backoffMin) },
                TimeSpan.FromHours(24));
            limiter.Return(await EnterAsync(limiter, default), answer, TimeSpan.Zero);
            _clock.Advance(TimeSpan.FromMilliseconds(pause - 1));
            Assert.Equal(0, await LimitAsync(limiter));
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(1, await LimitAsync(limiter));
        }
    }

    [Fact]
    public async Task In_an_outage_one_request_probes_and_after_it_the_number_grows_again()
    {
        var limiter = New(begin: 16);
        var permits = await TakeAllAsync(limiter);
        foreach (var permit in permits) limiter.Return(permit, Answer.Down);
        _clock.Advance(2 * Second);
        var probe = Assert.Single(await TakeAllAsync(limiter));
        _clock.Advance(Second);
        Assert.Equal(3 * Second, limiter.Outage);
        limiter.Return(probe, Answer.Served);
        Assert.Equal(TimeSpan.Zero, limiter.Outage);
        Assert.Equal(2, await LimitAsync(limiter));
    }

    [Fact]
    public async Task A_whole_day_of_outage_takes_one_probe_a_minute_and_ends_within_65_seconds()
    {
        var limiter = New(begin: 20, random: 0.999);
        foreach (var permit in await TakeAllAsync(limiter)) limiter.Return(permit, Answer.Down);
        var probes = new List<DateTimeOffset>();
        for (var second = 0; second < 24 * 3600; second++)
        {
            _clock.Advance(Second);
            if (limiter.Waiting) continue;
            foreach (var probe in await TakeAllAsync(limiter))
            {
                probes.Add(_clock.GetUtcNow());
                limiter.Return(probe, Answer.Down);
            }
        }

        var waits = probes.Zip(probes.Skip(1), (a, b) => (b - a).TotalSeconds).ToList();
        Assert.InRange(probes.Count, 24 * 55, 24 * 60);
        Assert.Equal([5, 9, 17, 33], waits[..4]);
        Assert.All(waits[4..^1], wait => Assert.InRange(wait, 60, 65));
        _clock.Advance(65 * Second);
        Assert.Equal(1, await LimitAsync(limiter));
    }

    [Fact]
    public async Task Flapping_begins_each_time_with_the_first_wait()
    {
        var limiter = New(begin: 1);
        for (var i = 0; i < 50; i++)
        {
            limiter.Return(await EnterAsync(limiter, default), Answer.Down);
            _clock.Advance(2 * Second);
            limiter.Return(await EnterAsync(limiter, default), Answer.Served);
            Assert.Equal(TimeSpan.Zero, limiter.Outage);
        }
    }

    [Fact]
    public async Task The_last_try_is_made_when_the_longest_outage_is_over()
    {
        var limiter = new ConcurrencyLimiter(1, 1, new MixpanelOptions { TimeProvider = _clock, Randomizer = () => 0 }, maxOutage: 10 * Second);
        limiter.Return(await EnterAsync(limiter, default), Answer.Down, 300 * Second);
        _clock.Advance(10 * Second);
        Assert.Equal(1, await LimitAsync(limiter));
        Assert.Equal(10 * Second, limiter.Outage);
    }

    [Fact]
    public async Task Leave_that_is_dropped_comes_back_once()
    {
        var limiter = New(most: 4, begin: 4);
        await Assert.ThrowsAsync<InvalidCastException>(async () =>
        {
            using var permit = await EnterAsync(limiter, default);
            throw new InvalidCastException();
        });
        using (var permit = await EnterAsync(limiter, default)) limiter.Return(permit, Answer.Served);
        Assert.Equal(4, await LimitAsync(limiter));
    }

    [Fact]
    public async Task What_is_sent_again_goes_before_what_was_never_sent()
    {
        var limiter = New(most: 1, begin: 1);
        var running = await EnterAsync(limiter, default);
        var fresh = limiter.EnterAsync(isRetry: false, 1, 0, default).AsTask();
        var again = limiter.EnterAsync(isRetry: true, 1, 0, default).AsTask();
        limiter.Return(running, Answer.GivenUp);
        var first = await again;
        Assert.False(fresh.IsCompleted);
        limiter.Return(first, Answer.Served);
        await fresh;
    }

    [Fact]
    public async Task What_is_given_up_before_it_is_sent_again_holds_nobody_up()
    {
        var limiter = New(most: 1, begin: 1);
        var running = await EnterAsync(limiter, default);
        using var giveUp = new CancellationTokenSource();
        var again = limiter.EnterAsync(isRetry: true, 1, 0, giveUp.Token).AsTask();
        var fresh = EnterAsync(limiter, default).AsTask();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => again);
        limiter.Return(running, Answer.Served);
        await fresh;
    }
}
