using System.Threading.Channels;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Settle;

namespace MixpanelConnector.Import.Pipeline;

/// <summary>Steps 8 and 9 on one thread: settles outcomes, and saves what is settled.</summary>
/// <param name="checkpoints">The progress.</param>
/// <param name="verdicts">Supplies the outcomes.</param>
/// <param name="cancellation">Learns when the state cannot be written.</param>
/// <param name="interval">The longest time that a settled record is not saved while there are no outcomes.</param>
/// <param name="time">The clock.</param>
sealed class SettleStage(CheckpointTracker checkpoints, ChannelReader<BatchOutcome> verdicts, ImportCancellation cancellation, TimeSpan interval,
    TimeProvider time)
{
    /// <summary>Consumes all outcomes, so that the senders can finish, and records them as long as that is possible.</summary>
    public async Task RunAsync()
    {
        while (await NextAsync().ConfigureAwait(false) is { } outcome) Keep(() => checkpoints.Settle(outcome));
    }

    /// <summary>Returns the next outcome; null when there are no more. While it waits for long, settled records are saved.</summary>
    async Task<BatchOutcome?> NextAsync()
    {
        BatchOutcome? outcome;
        while (!verdicts.TryRead(out outcome))
        {
            var more = verdicts.WaitToReadAsync(CancellationToken.None).AsTask();
            if (checkpoints.IsBehind && !await Waits.EndsWithinAsync(more, interval, time).ConfigureAwait(false)) Keep(checkpoints.Save);
            if (!await more.ConfigureAwait(false)) return null;
        }

        return outcome;
    }

    void Keep(Action entry)
    {
        if (cancellation.StateFailed || !checkpoints.IsSound) return;
        try
        {
            entry();
        }
        catch (ImportStateException e)
        {
            cancellation.Because(e);
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
        {
            // The state has ended the import; it lags behind.
        }
        catch (Exception e)
        {
            checkpoints.IsSound = false;
            cancellation.Fail(e);
        }
    }
}
