using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

public sealed class AsyncAutoResetEventTests
{
    /// <summary>A waiter left in the queue after its timeout consumed the next one's signal, which then waited forever: the tracker stalled silently.</summary>
    [Fact]
    public async Task What_is_set_after_a_wait_that_ended_by_time_wakes_the_next()
    {
        var signal = new AsyncAutoResetEvent();
        for (var i = 0; i < 20_000; i++)
        {
            await signal.WaitAsync(TimeSpan.FromTicks(1), TimeProvider.System, CancellationToken.None);
            signal.Set();
            await signal.WaitAsync(CancellationToken.None).WaitAsync(Hang.Limit);
        }
    }

    [Fact]
    public async Task What_is_set_ends_a_wait_before_its_time()
    {
        var signal = new AsyncAutoResetEvent();
        var wait = signal.WaitAsync(TimeSpan.FromHours(2), TimeProvider.System, CancellationToken.None);
        signal.Set();
        await wait.WaitAsync(Hang.Limit);
    }

    [Fact]
    public async Task A_wait_that_is_cancelled_says_so()
    {
        using var stop = new CancellationTokenSource();
        var wait = new AsyncAutoResetEvent().WaitAsync(TimeSpan.FromHours(2), TimeProvider.System, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }
}
