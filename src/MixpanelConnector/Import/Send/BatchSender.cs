using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>
/// Sends a batch until the outcome of each of its records is known. A retry sends the same bytes, after a wait. A batch whose response
/// leaves the outcome of single records open is split until none is. A server that counts wrong costs at most one request per sender,
/// plus one. If there is a state, it is durably saved that the records of a batch may have been delivered
/// before they are sent again.
/// </summary>
sealed class BatchSender(Destination destination, ConcurrencyLimiter limiter, SendLimits limits, ImportCounts counts, ImportCancellation cancellation,
    TimeSpan maxOutage, Action<DeadLetter, Refusal> refused, byte[]? options = null, Action<RecordBatch>? markInFlight = null)
{
    /// <summary>The number of wrong counts of the same bytes after which no count is trusted.</summary>
    const int MiscountConfirmations = 2;

    /// <summary>
    /// The number of consecutive single records that may be rejected without a response recognizable as Mixpanel's; at that point the records are not the
    /// cause.
    /// Enough for a few adjacent bad records blocked by a firewall, and far fewer requests than splitting whole batches in vain.
    /// </summary>
    const int MostInDoubt = 20;

    readonly PacedSender _sender = new(limiter, limits, counts);

    /// <summary>Compresses the body of a batch before it waits for its turn.</summary>
    public void Compress(RecordBatch batch)
    {
        if (batch.Count > 0 && batch.Length <= limits.BatchBytes) destination.Compress(batch);
    }

    public async Task<BatchOutcome> SendAsync(RecordBatch batch)
    {
        var outcome = new BatchOutcome(batch);
        try
        {
            for (var confirmations = 1; ; confirmations++)
            {
                var proofs = limits.Proofs;
                outcome.Final = batch.Count == 0 || await DeliverAsync(batch, outcome).ConfigureAwait(false);
                if (!outcome.Final || outcome.InDoubt.Count == 0) break;
                if (limits.Proofs != proofs || outcome.Refused.Count > 0)
                {
                    Refuse(outcome, outcome.InDoubt);
                    break;
                }

                // Nothing in this batch was accepted, and no response in the meantime was Mixpanel's.
                outcome.Final = false;
                outcome.InDoubt.Clear();
                batch.MarkMaybeDelivered(); // as the responses to its parts left it open
                if (confirmations == PacedSender.UntrustedConfirmations)
                {
                    StopAsForeign();
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

    void StopAsForeign() =>
        cancellation.Because(RunOutcome.Unavailable,
            $"The responses are HTTP 400 without Mixpanel's JSON, or with contradictory JSON: another server responds in its place. "
            + $"Check the endpoint and any proxies. {cancellation.Resumption.Again(" once this is fixed")}");

    void StopAsMiscounted(ImportVerdict verdict) =>
        cancellation.Because(RunOutcome.Unavailable,
            $"{verdict.Error!.Shown} This happened twice in a row: the responses cannot be trusted, and were ignored. {(destination.DropsInSilence
        ? $"With strict 0, Mixpanel silently drops what it does not accept: with strict 1, {cancellation.Resumption.Words.SameRun} reports it. Or another server"
        : "Another server")} responds in Mixpanel's place: check the endpoint and any proxies. {cancellation.Resumption.Again(" once this is fixed")}");

    /// <summary>Delivers a batch. False when the import ends before the outcome is final.</summary>
    async Task<bool> DeliverAsync(RecordBatch batch, BatchOutcome outcome)
    {
        if (batch.SaysWhoIsWho && limits.RefusesWhoIsWho) return await LeaveOutWhoIsWhoAsync(batch, outcome).ConfigureAwait(false);
        if (batch.Count > 1 && batch.Length > limits.BatchBytes)
            return await DivideAsync(batch, outcome, BySize(batch, limits.BatchBytes)).ConfigureAwait(false);

        destination.Compress(batch);
        for (var miscounts = 0; ;)
        {
            var (reply, verdict, answer, isForeign, isDownTooLong) = await _sender.TryAsync(isRetry: batch.Attempts > 0, batch.Count, batch.Length,
                () => SendOnceAsync(batch, outcome), response => Judge(response, batch), cancellation.Stop).ConfigureAwait(false);
            if (verdict is { Kind: VerdictKind.Accepted or VerdictKind.Partial } or { Kind: VerdictKind.Ambiguous, IsForeign: false }) limits.Proven();
            var unknown = IsUnknown(reply, verdict);
            if (unknown) Remember(batch, outcome);
            var inARow = verdict.Kind is VerdictKind.Miscounted ? limits.Miscounted() : 0;

            switch (verdict.Kind)
            {
                case VerdictKind.Accepted:
                    Accept(outcome, batch.Count);
                    return true;

                case VerdictKind.Partial:
                    Refuse(outcome, batch,
                        verdict.Failed.Select(failed => (failed.Index, new Refusal("rejected", failed.Field, failed.Message) { HttpStatus = reply.Status })));
                    Accept(outcome, batch.Count - verdict.Failed.Count);
                    return true;

                case VerdictKind.TooLarge when batch.Count == 1:
                    Refuse(outcome, batch, [(0, new("record_too_large", null, verdict.Error!.Message) { HttpStatus = reply.Status })]);
                    return true;

                case VerdictKind.TooLarge:
                    limits.Lower(batch.Length / 2);
                    return await DivideAsync(batch, outcome, BySize(batch, batch.Length / 2)).ConfigureAwait(false);

                case VerdictKind.Ambiguous when verdict.RefusesWhoIsWho && batch.SaysWhoIsWho:
                    limits.RefusesWhoIsWho = true;
                    return await LeaveOutWhoIsWhoAsync(batch, outcome).ConfigureAwait(false);

                case VerdictKind.Ambiguous when batch.Count == 1:
                    var refusal = (0, new Refusal("rejected", null, verdict.Error!.Message) { HttpStatus = reply.Status });
                    if (!verdict.IsForeign || !outcome.Batch.Repeatable)
                    {
                        Refuse(outcome, batch, [refusal]);
                        return true;
                    }

                    outcome.InDoubt.AddRange(Letters(batch, [refusal]));
                    if (limits.InDoubt() < MostInDoubt) return true;
                    StopAsForeign();
                    return false;

                // A batch that cannot be retried gets no second response: that of the next batch decides instead.
                case VerdictKind.Miscounted when ++miscounts == MiscountConfirmations || (inARow >= MiscountConfirmations && !batch.Repeatable):
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

            var parts = unknown && !batch.Repeatable ? RefuseUnrepeatable(batch, outcome, verdict, reply)
                : verdict.Kind is VerdictKind.Ambiguous ? InHalves(batch)
                : null;

            // If Mixpanel is up, other batches need not wait, but a batch that may have arrived is not resent immediately.
            if (unknown && parts is not [] && answer is Answer.Served) await limiter.WaitAsync(failures: 1, cancellation.Stop).ConfigureAwait(false);
            if (parts is not null) return await DivideAsync(batch, outcome, parts).ConfigureAwait(false);
        }
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
        Refuse(outcome, batch, all[false].Select(i => (i, refusal)));
        var rest = all[true].ToList();
        return rest.Count == 0 ? [] : [rest];
    }

    /// <summary>Sends a batch without the events that would make Mixpanel reject all of it.</summary>
    async Task<bool> LeaveOutWhoIsWhoAsync(RecordBatch batch, BatchOutcome outcome)
    {
        var refusal = new Refusal(EventRules.WhoIsWho.Code, EventRules.WhoIsWho.Field, EventRules.WhoIsWho.Message.In(cancellation.Resumption.Words));
        var all = Enumerable.Range(0, batch.Count).ToLookup(i => batch[i].SaysWhoIsWho);
        Refuse(outcome, batch, all[true].Select(i => (i, refusal)));
        var rest = all[false].ToList();
        return rest.Count == 0 || await DivideAsync(batch, outcome, [rest]).ConfigureAwait(false);
    }

    async Task<bool> DivideAsync(RecordBatch batch, BatchOutcome outcome, List<List<int>> parts)
    {
        foreach (var indexes in parts)
        {
            var part = Select(batch, indexes);
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

    static List<List<int>> InHalves(RecordBatch batch)
    {
        var middle = batch.Count / 2;
        return [[.. Enumerable.Range(0, middle)], [.. Enumerable.Range(middle, batch.Count - middle)]];
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

    void Accept(BatchOutcome outcome, int count)
    {
        outcome.Accepted += count;
        counts.Accepted(count);
    }

    static RecordBatch Select(RecordBatch batch, List<int> indexes)
    {
        using var records = batch.Open();
        return records.Select(indexes);
    }

    void Refuse(BatchOutcome outcome, RecordBatch batch, IEnumerable<(int Index, Refusal Refusal)> refusals) => Refuse(outcome, Letters(batch, refusals));

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
