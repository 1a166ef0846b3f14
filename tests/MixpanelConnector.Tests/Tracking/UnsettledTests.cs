using MixpanelConnector.Tracking.Buffering;

namespace MixpanelConnector.Tests.Tracking;

public sealed class UnsettledTests
{
    readonly Unsettled _work = new();

    [Fact]
    public async Task A_flush_ends_when_everything_up_to_its_number_is_settled_in_whatever_order()
    {
        _work.Add([1, 2, 3], known: 3);
        var (all, first) = (_work.FlushAsync(3), _work.FlushAsync(1));

        _work.Settle([3]);
        _work.Settle([1]);
        await first;
        Assert.False(all.IsCompleted);
        _work.Settle([2]);

        await all;
        await _work.FlushAsync(3);
    }

    [Fact]
    public async Task A_flush_waits_until_it_is_known_what_there_is_up_to_its_number()
    {
        var flushed = _work.FlushAsync(7);

        _work.Add([5], known: 5);
        _work.Settle([5]);
        Assert.False(flushed.IsCompleted);
        _work.Add([8], known: 8);

        await flushed;
    }

    [Fact]
    public async Task What_is_given_up_fails_the_flushes_that_wait_for_it_and_no_other()
    {
        _work.Add([1, 2], known: 2);
        var (first, both) = (_work.FlushAsync(1), _work.FlushAsync(2));

        _work.Settle([2], new InvalidOperationException("lost"));
        _work.Settle([1]);

        await first;
        Assert.Equal("lost", (await Assert.ThrowsAsync<InvalidOperationException>(() => both)).Message);
        await _work.FlushAsync(2);
    }

    [Fact]
    public async Task Once_abandoned_a_flush_that_would_have_to_wait_fails()
    {
        _work.Add([1, 2], known: 2);
        _work.Settle([1]);
        var waiting = _work.FlushAsync(2);

        _work.Abandon(new InvalidOperationException("abandoned"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => waiting);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _work.FlushAsync(2));
        await _work.FlushAsync(1);
    }
}
