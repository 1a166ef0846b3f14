using System.Threading.Channels;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Settle;

namespace MixpanelConnector.Import.Pipeline;

/// <summary>Steps 6 and 7 on the threads of the senders: compresses batches, and sends them until the outcome of every record is known.</summary>
/// <param name="sender">Sends a batch.</param>
/// <param name="isDryRun">Whether nothing is sent.</param>
/// <param name="checkpoints">Learns which batches are in flight.</param>
/// <param name="counts">The progress of this run.</param>
/// <param name="cancellation">Stops sending.</param>
/// <param name="batches">Supplies the batches.</param>
/// <param name="verdicts">Receives their outcomes.</param>
sealed class SendStage(BatchSender sender, bool isDryRun, CheckpointTracker checkpoints, ImportCounts counts, ImportCancellation cancellation,
    ChannelReader<RecordBatch> batches, ChannelWriter<BatchOutcome> verdicts)
{
    public async Task RunAsync(int senders)
    {
        await Task.WhenAll(Enumerable.Range(0, senders).Select(_ => cancellation.GuardAsync(SendAsync))).ConfigureAwait(false);
        verdicts.Complete();
    }

    async Task SendAsync()
    {
        await foreach (var batch in batches.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            BatchOutcome outcome;
            try
            {
                if (isDryRun)
                {
                    outcome = new BatchOutcome(batch) { Accepted = batch.Count, Final = true };
                    counts.Accepted(batch.Count);
                }
                else if (cancellation.Stop.IsCancellationRequested)
                {
                    continue;
                }
                else
                {
                    if (batch.Repeatable) checkpoints.Begin();
                    else checkpoints.MarkInFlight(batch);
                    sender.Compress(batch);
                    batch.Lease?.ShrinkTo(batch.Memory);
                    outcome = await sender.SendAsync(batch).ConfigureAwait(false);
                }
            }
            catch (ImportStateException e)
            {
                cancellation.Because(e);
                continue;
            }
            catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
            {
                continue; // its state has ended the import before this was sent
            }
            finally
            {
                batch.Release();
            }

            batch.Lease?.ShrinkTo(batch.RejectedBytes + outcome.Refused.Sum(letter => (long)letter.Json.Length)); // until they are durable
            await verdicts.WriteAsync(outcome, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
