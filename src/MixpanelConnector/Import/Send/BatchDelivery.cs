using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>
/// Decides what a response means for the records of a batch: which are accepted, which are refused, and how the others are divided and sent again,
/// until the outcome of each is known. How a request is sent, whether it is retried, and what ends the delivery is up to the derived class.
/// </summary>
abstract class BatchDelivery(SendLimits limits, MessageWords words)
{
    /// <summary>
    /// The number of consecutive single records that may be rejected without a response recognizable as Mixpanel's; at that point the records are not the
    /// cause.
    /// Enough for a few adjacent bad records blocked by a firewall, and far fewer requests than splitting whole batches in vain.
    /// </summary>
    const int MostInDoubt = 20;

    /// <summary>What is learned from responses.</summary>
    protected SendLimits Limits { get; } = limits;

    protected static string AnotherServer(int? status) =>
        $"The responses are HTTP {status} without Mixpanel's JSON, or with contradictory JSON: another server responds in its place. "
        + "Check the endpoint and any proxies.";

    /// <summary>Delivers a batch. False when the delivery ends before the outcome is final.</summary>
    protected Task<bool> DeliverAsync(RecordBatch batch, BatchOutcome outcome)
    {
        if (batch.SaysWhoIsWho && Limits.RefusedWhoIsWho is { } verdict) return LeaveOutWhoIsWhoAsync(batch, outcome, verdict);
        return batch.Count > 1 && batch.Length > Limits.BatchBytes
            ? DivideAsync(batch, outcome, BySize(batch, Limits.BatchBytes))
            : RequestAsync(batch, outcome);
    }

    /// <summary>Sends a batch as one request, and settles the response; or deals with one that settles nothing.</summary>
    protected abstract Task<bool> RequestAsync(RecordBatch batch, BatchOutcome outcome);

    protected abstract void Accept(BatchOutcome outcome, int count);

    protected abstract void Refuse(RecordBatch batch, BatchOutcome outcome, ImportVerdict verdict, IEnumerable<(int Index, Refusal Refusal)> refusals);

    /// <summary>Refuses a single record that was rejected by a response that may not be Mixpanel's.</summary>
    protected virtual void Doubt(RecordBatch batch, BatchOutcome outcome, ImportVerdict verdict, Refusal refusal) =>
        Refuse(batch, outcome, verdict, [(0, refusal)]);

    /// <summary>Ends the delivery, because something else responds in Mixpanel's place.</summary>
    protected abstract void EndAsForeign(int? status);

    /// <summary>Returns how a batch is divided that was refused without an outcome for each record.</summary>
    protected virtual ValueTask<List<List<int>>> PartsAsync(RecordBatch batch, BatchOutcome outcome, Reply reply, ImportVerdict verdict) =>
        new(BySuspicion(batch));

    /// <summary>Applies a response that settles at least some records. False when the delivery ends before the outcome is final.</summary>
    protected async Task<bool> SettleAsync(RecordBatch batch, BatchOutcome outcome, Reply reply, ImportVerdict verdict)
    {
        switch (verdict.Kind)
        {
            case VerdictKind.Accepted:
                Accept(outcome, batch.Count);
                return true;

            case VerdictKind.Partial:
                Refuse(batch, outcome, verdict,
                    verdict.Failed.Select(failed => (failed.Index, new Refusal("rejected", failed.Field, failed.Message) { HttpStatus = reply.Status })));
                Accept(outcome, batch.Count - verdict.Failed.Count);
                return true;

            case VerdictKind.TooLarge when batch.Count == 1:
                Refuse(batch, outcome, verdict, [(0, new("record_too_large", null, verdict.Error!.Message) { HttpStatus = reply.Status })]);
                return true;

            case VerdictKind.TooLarge:
                Limits.Lower(batch.Length / 2);
                return await DivideAsync(batch, outcome, BySize(batch, batch.Length / 2)).ConfigureAwait(false);

            case VerdictKind.Ambiguous when verdict.RefusesWhoIsWho && batch.SaysWhoIsWho:
                Limits.RefusedWhoIsWho = verdict;
                return await LeaveOutWhoIsWhoAsync(batch, outcome, verdict).ConfigureAwait(false);

            case VerdictKind.Ambiguous when batch.Count > 1:
                return await DivideAsync(batch, outcome, await PartsAsync(batch, outcome, reply, verdict).ConfigureAwait(false)).ConfigureAwait(false);

            case VerdictKind.Ambiguous:
                var refusal = new Refusal("rejected", null, verdict.Error!.Message) { HttpStatus = reply.Status };
                if (!verdict.IsForeign || !outcome.Batch.Repeatable)
                {
                    Refuse(batch, outcome, verdict, [(0, refusal)]);
                    return true;
                }

                Doubt(batch, outcome, verdict, refusal);
                if (Limits.InDoubt() < MostInDoubt) return true;
                EndAsForeign(reply.Status);
                return false;

            default:
                throw new InvalidOperationException($"{verdict.Kind} settles nothing.");
        }
    }

    /// <summary>Sends a batch without the events that would make Mixpanel reject all of it.</summary>
    async Task<bool> LeaveOutWhoIsWhoAsync(RecordBatch batch, BatchOutcome outcome, ImportVerdict verdict)
    {
        var refusal = new Refusal(EventRules.WhoIsWho.Code, EventRules.WhoIsWho.Field, EventRules.WhoIsWho.Message.In(words));
        var all = Enumerable.Range(0, batch.Count).ToLookup(i => batch[i].SaysWhoIsWho);
        Refuse(batch, outcome, verdict, all[true].Select(i => (i, refusal)));
        var rest = all[false].ToList();
        return rest.Count == 0 || await DivideAsync(batch, outcome, [rest]).ConfigureAwait(false);
    }

    protected async Task<bool> DivideAsync(RecordBatch batch, BatchOutcome outcome, List<List<int>> parts)
    {
        foreach (var indexes in parts)
        {
            var part = batch.Select(indexes);
            try
            {
                if (!await DeliverAsync(part, outcome).ConfigureAwait(false)) return false;
            }
            finally
            {
                part.Release();
            }
        }

        return true;
    }

    /// <summary>
    /// Separates the records that break a documented rule from the others, since halving takes about ten requests for each of them; in halves, if that leaves
    /// all together.
    /// </summary>
    protected static List<List<int>> BySuspicion(RecordBatch batch)
    {
        var all = Enumerable.Range(0, batch.Count).ToLookup(i => batch[i].BreaksRule);
        var middle = batch.Count / 2;
        return all.Count > 1 ? [[.. all[false]], [.. all[true]]] : [[.. Enumerable.Range(0, middle)], [.. Enumerable.Range(middle, batch.Count - middle)]];
    }

    /// <summary>Splits into parts of at most a given size; a larger record is sent alone.</summary>
    static List<List<int>> BySize(RecordBatch batch, int bytes)
    {
        var parts = new List<List<int>> { new() };
        var length = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            var record = batch[i].Length + 1;
            if (length > 0 && length + record > bytes)
            {
                parts.Add([]);
                length = 0;
            }

            parts[^1].Add(i);
            length += record;
        }

        return parts;
    }
}
