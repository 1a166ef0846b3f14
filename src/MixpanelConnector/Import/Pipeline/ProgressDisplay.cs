using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Send;

namespace MixpanelConnector.Import.Pipeline;

/// <summary>Reports the progress of a run in regular intervals, if somebody observes it.</summary>
sealed class ProgressDisplay(IProgress<ImportProgress>? observer, ImportCounts counts, ConcurrencyLimiter limiter, long? totalInputBytes)
{
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    public async Task RunAsync(CancellationToken ended)
    {
        while (observer is not null)
        {
            // By the real clock, like the observer; advancing a fake clock has no effect.
            await Task.Delay(Interval, TimeProvider.System, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested) return;
            observer.Report(counts.Snapshot(totalInputBytes, limiter.Waiting, limiter.QuotaRate));
        }
    }

    public void ShowEnd() => observer?.Report(counts.Snapshot(totalInputBytes, waiting: false, limiter.QuotaRate));
}
