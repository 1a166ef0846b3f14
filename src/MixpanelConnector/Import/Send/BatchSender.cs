using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>
/// Sends the batches of an import or a tracker. A retry sends the same bytes, after a wait. A server that counts wrong costs at most one request per
/// sender, plus one. If there is a state, it is durably saved that the records of a batch may have been delivered before they are sent again.
/// </summary>
sealed class BatchSender(Destination destination, ConcurrencyLimiter limiter, SendLimits limits, ImportCounts counts, ImportCancellation cancellation,
    TimeSpan maxOutage, Action<DeadLetter, Refusal> refused, byte[]? options = null, Action<RecordBatch>? markInFlight = null)
    : BatchDelivery(limits, cancellation.Resumption.Words)
{
    readonly PacedSender _sender = new(limiter, limits, counts);

    /// <summary>Compresses the body of a batch before it waits for its turn.</summary>
    public void Compress(RecordBatch batch)
    {
        if (batch.Count > 0 && batch.Length <= Limits.BatchBytes) destination.Compress(batch);
    }

    public async Task<BatchOutcome> SendAsync(RecordBatch batch)
    {
        var outcome = new BatchOutcome(batch);
        try
        {
            for (var confirmations = 1; ; confirmations++)
            {
                var proofs = Limits.Proofs;
                outcome.Final = batch.Count == 0 || await DeliverAsync(batch, outcome).ConfigureAwait(false);
                if (!outcome.Final || outcome.InDoubt.Count == 0) break;
                if (Limits.Proofs != proofs || outcome.Refused.Count > 0)
                {
                    Refuse(outcome, outcome.InDoubt);
                    break;
                }

                // Nothing in this batch was accepted, and no response in the meantime was Mixpanel's.
                var status = outcome.InDoubt[^1].Refusal.HttpStatus;
                outcome.Final = false;
                outcome.InDoubt.Clear();
                batch.MarkMaybeDelivered(); // as the responses to its parts left it open
                if (confirmations == PacedSender.UntrustedConfirmations)
                {
                    EndAsForeign(status);
                    break;
                }

                await limiter.WaitAsync(confirmations, cancellation.Stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested || cancellation.Abandon.IsCancellationRequested)
        {
            // Not final: the next run sends the rest.
        }

        return outcome;
    }

    protected override void EndAsForeign(int? status) =>
        cancellation.Because(RunOutcome.Unavailable, $"{AnotherServer(status)} {cancellation.Resumption.Again(" once this is fixed")}");

    void StopAsMiscounted(ImportVerdict verdict) =>
        cancellation.Because(RunOutcome.Unavailable,
            $"{verdict.Error!.Shown} This happened twice in a row: the responses cannot be trusted, and were ignored. {(destination.DropsInSilence
        ? $"With strict 0, Mixpanel silently drops what it does not accept: with strict 1, {cancellation.Resumption.Words.SameRun} reports it. Or another server"
        : "Another server")} responds in Mixpanel's place: check the endpoint and any proxies. {cancellation.Resumption.Again(" once this is fixed")}");

    protected override async Task<bool> RequestAsync(RecordBatch batch, BatchOutcome outcome)
    {
        destination.Compress(batch);
        for (var miscounts = 0; ;)
        {
            var (reply, verdict, _, isForeign, isDownTooLong) = await _sender.TryAsync(isRetry: batch.Attempts > 0, batch.Count, batch.Length,
                () => SendOnceAsync(batch, outcome), response => Judge(response, batch), cancellation.Stop).ConfigureAwait(false);
            if (verdict is { Kind: VerdictKind.Accepted or VerdictKind.Partial } or { Kind: VerdictKind.Ambiguous, IsForeign: false }) Limits.Proven();
            var unknown = IsUnknown(reply, verdict);
            if (unknown) Remember(batch, outcome);
            var inARow = verdict.Kind is VerdictKind.Miscounted ? Limits.Miscounted() : 0;

            switch (verdict.Kind)
            {
                case VerdictKind.Accepted or VerdictKind.Partial or VerdictKind.TooLarge or VerdictKind.Ambiguous:
                    return await SettleAsync(batch, outcome, reply, verdict).ConfigureAwait(false);

                // A batch that cannot be retried gets no second response: that of the next batch decides instead.
                case VerdictKind.Miscounted when ++miscounts == PacedSender.MiscountConfirmations
                    || (inARow >= PacedSender.MiscountConfirmations && !batch.Repeatable):
                    StopAsMiscounted(verdict);
                    return false;

                case VerdictKind.Unauthorized:
                    cancellation.Because(RunOutcome.NotAllowed, $"{verdict.Error!.Shown} {cancellation.Resumption.Again(" once this is fixed")}");
                    return false;

                case VerdictKind.Untrusted or VerdictKind.Retry when isForeign:
                    cancellation.Because(RunOutcome.Unavailable, $"{verdict.Error!.Shown} {cancellation.Resumption.Again(" once this is fixed")}");
                    return false;

                case VerdictKind.Retry or VerdictKind.Untrusted when isDownTooLong:
                    cancellation.Because(RunOutcome.Unavailable,
                        $"{verdict.Error!.Shown} This has lasted for {Counted.Of(maxOutage)}. {cancellation.Resumption.Again(" later")}");
                    return false;
            }

            if (unknown && !batch.Repeatable)
                return await DivideAsync(batch, outcome, RefuseUnrepeatable(batch, outcome, verdict, reply)).ConfigureAwait(false);
        }
    }

    /// <summary>If Mixpanel is up, other batches need not wait, but a batch that may have arrived is not resent immediately.</summary>
    protected override async ValueTask<List<List<int>>> PartsAsync(RecordBatch batch, BatchOutcome outcome, Reply reply, ImportVerdict verdict)
    {
        var parts = verdict.IsForeign && !batch.Repeatable ? RefuseUnrepeatable(batch, outcome, verdict, reply) : BySuspicion(batch);
        if (verdict.IsForeign && parts is not []) await limiter.WaitAsync(failures: 1, cancellation.Stop).ConfigureAwait(false);
        return parts;
    }

    async Task<Reply> SendOnceAsync(RecordBatch batch, BatchOutcome outcome)
    {
        batch.Attempts++;
        try
        {
            return await destination.SendAsync(batch, cancellation.Abandon).ConfigureAwait(false);
        }
        catch
        {
            outcome.MaybeDelivered = true;
            throw;
        }
    }

    /// <summary>Records that these records may have been delivered; all their dead letters will say so.</summary>
    void Remember(RecordBatch batch, BatchOutcome outcome)
    {
        batch.MarkMaybeDelivered();
        if (outcome.MaybeDelivered) return;
        outcome.MaybeDelivered = true;
        if (outcome.Batch.Repeatable) markInFlight?.Invoke(outcome.Batch); // for all others that is marked before sending
    }

    /// <summary>Interprets the response, after comparing the records that it names with those that were sent.</summary>
    ImportVerdict Judge(Reply reply, RecordBatch batch)
    {
        var verdict = destination.Read(reply, batch.Count);
        if (verdict.Failed.Count == 0) return verdict;
        using var records = batch.Open();
        foreach (var failed in verdict.Failed)
            if (failed.InsertId is { Length: > 0 } id && records.InsertIdOf(in batch[failed.Index]) is { } sent && id != sent)
                return ImportVerdict.Ambiguous(verdict.Error!, nothingImported: false);

        return verdict;
    }

    public static bool IsUnknown(Reply reply, ImportVerdict verdict) => verdict.Kind switch
    {
        VerdictKind.Retry => !reply.IsRateLimit && reply.MayHaveArrived,
        VerdictKind.Untrusted => reply.Status is >= 200 and < 300,
        VerdictKind.Miscounted => true,
        VerdictKind.Ambiguous => !verdict.NothingImported,
        _ => false,
    };

    /// <summary>Rejects what cannot be safely retried and may have taken effect; returns the rest, if any.</summary>
    List<List<int>> RefuseUnrepeatable(RecordBatch batch, BatchOutcome outcome, ImportVerdict verdict, Reply reply)
    {
        var refusal = new Refusal("outcome_unknown", null,
            $"{verdict.Error!.Message.TrimEnd('.')}. The update may have taken effect, and cannot be retried safely.")
        {
            HttpStatus = reply.Status is 0 ? null : reply.Status,
        };
        var all = Enumerable.Range(0, batch.Count).ToLookup(i => batch[i].Repeatable);
        Refuse(batch, outcome, verdict, all[false].Select(i => (i, refusal)));
        var rest = all[true].ToList();
        return rest.Count == 0 ? [] : [rest];
    }

    protected override void Accept(BatchOutcome outcome, int count)
    {
        outcome.Accepted += count;
        counts.Accepted(count);
    }

    protected override void Refuse(RecordBatch batch, BatchOutcome outcome, ImportVerdict verdict, IEnumerable<(int Index, Refusal Refusal)> refusals) =>
        Refuse(outcome, Letters(batch, refusals));

    protected override void Doubt(RecordBatch batch, BatchOutcome outcome, ImportVerdict verdict, Refusal refusal) =>
        outcome.InDoubt.AddRange(Letters(batch, [(0, refusal)]));

    void Refuse(BatchOutcome outcome, List<(DeadLetter Letter, Refusal Refusal)> letters)
    {
        foreach (var (letter, refusal) in letters)
        {
            outcome.Refused.Add(letter);
            refused(letter, refusal);
        }
    }

    List<(DeadLetter Letter, Refusal Refusal)> Letters(RecordBatch batch, IEnumerable<(int Index, Refusal Refusal)> refusals)
    {
        using var records = batch.Open();
        var letters = new List<(DeadLetter, Refusal)>();
        foreach (var (index, refusal) in refusals)
        {
            ref readonly var entry = ref batch[index];
            var named = refusal with { InsertId = records.InsertIdOf(in entry), Attempts = batch.Attempts, MaybeDelivered = entry.MaybeDelivered };
            letters.Add((DeadLetters.Of(entry.Source, entry.Line, entry.Offset, records.RawOf(in entry), oversized: null, options, in named), named));
        }

        return letters;
    }
}
