using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Settle;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>
/// Sends a batch until the fate of each of its records is known. A retry sends the same bytes; a batch whose answer leaves
/// the fate of single records open is divided until none is.
/// </summary>
sealed class BatchSender(Destination destination, Pace pace, SendLimits limits, ImportCounts counts, Halt halt, TimeSpan maxOutage, Action<DeadLetter, Refusal> refused)
{
    /// <summary>How often a success with a wrong count is tried again before the batch is divided.</summary>
    const int MiscountRetries = 2;

    /// <summary>After so many answers in a row that are not Mixpanel's, something else answers in its place.</summary>
    const int UntrustedConfirmations = 3;

    /// <summary>
    /// After so many single records in a row that were refused without a word of Mixpanel's, it is not the records. Enough for a
    /// few bad neighbours that a firewall stops, and far fewer requests than dividing whole batches for nothing.
    /// </summary>
    const int MostInDoubt = 20;

    /// <summary>Makes the body of a batch what is sent, before it waits for its turn.</summary>
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
                outcome.Final = batch.Count == 0 || await DeliverAsync(batch, outcome, attempts: 0, MiscountRetries).ConfigureAwait(false);
                if (!outcome.Final || outcome.InDoubt.Count == 0) break;
                if (limits.Proofs != proofs || outcome.Refused.Count > 0)
                {
                    Refuse(outcome, outcome.InDoubt);
                    break;
                }

                // Nothing of this batch was taken, and nothing that came meanwhile was Mixpanel's.
                outcome.Final = false;
                outcome.InDoubt.Clear();
                if (confirmations == UntrustedConfirmations)
                {
                    HaltAsForeign();
                    break;
                }

                await pace.WaitAsync(confirmations, halt.Stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (halt.Stop.IsCancellationRequested || halt.Abandon.IsCancellationRequested)
        {
            // Not final: what is left is sent by the next run.
        }

        return outcome;
    }

    void HaltAsForeign() => halt.Because(5, "The answers are HTTP 400 without the JSON that Mixpanel gives: something else answers in its place. Check the endpoint and what lies between. Run the same command again when that is mended; it resumes.");

    /// <summary>False when the import ends before the outcome is final.</summary>
    async Task<bool> DeliverAsync(RecordBatch batch, BatchOutcome outcome, int attempts, int miscountRetries)
    {
        if (batch.Count > 1 && batch.Length > limits.BatchBytes) return await DivideAsync(batch, outcome, attempts, BySize(batch, limits.BatchBytes), miscountRetries).ConfigureAwait(false);

        destination.Compress(batch);
        while (true)
        {
            var (reply, leave) = await TryOnceAsync(batch, outcome, ++attempts).ConfigureAwait(false);
            var verdict = Judge(reply, batch);
            var answer = reply.IsRateLimit ? Answer.Busy : verdict.Kind is VerdictKind.Again or VerdictKind.Untrusted ? Answer.Down : Answer.Served;
            pace.Return(leave, answer, reply.RetryAfter);
            if (answer is not Answer.Down && !verdict.IsForeign) limits.Trusted();
            if (verdict is { Kind: VerdictKind.Accepted or VerdictKind.Partial } or { Kind: VerdictKind.Unclear, IsForeign: false }) limits.Proven();
            var unknown = IsUnknown(reply, verdict);
            outcome.MaybeDelivered |= unknown;

            switch (verdict.Kind)
            {
                case VerdictKind.Accepted:
                    Accept(outcome, batch.Count);
                    return true;

                case VerdictKind.Partial:
                    Refuse(outcome, batch, verdict.Failed.Select(failed => (failed.Index, new Refusal("rejected", failed.Field, failed.Message) { HttpStatus = reply.Status, Attempts = attempts })));
                    Accept(outcome, batch.Count - verdict.Failed.Count);
                    return true;

                case VerdictKind.TooLarge when batch.Count == 1:
                    Refuse(outcome, batch, [(0, new("record_too_large", null, verdict.Error!.Message) { HttpStatus = reply.Status, Attempts = attempts })]);
                    return true;

                case VerdictKind.TooLarge:
                    limits.Lower(batch.Length / 2);
                    return await DivideAsync(batch, outcome, attempts, BySize(batch, batch.Length / 2), miscountRetries).ConfigureAwait(false);

                case VerdictKind.Unclear when batch.Count == 1 && verdict.IsForeign && outcome.Batch.Repeatable:
                    outcome.InDoubt.AddRange(Letters(batch, [(0, new("rejected", null, verdict.Error!.Message) { HttpStatus = reply.Status, Attempts = attempts, MaybeDelivered = true })]));
                    if (limits.InDoubt() < MostInDoubt) return true;
                    HaltAsForeign();
                    return false;

                case VerdictKind.Unclear when batch.Count == 1:
                    Refuse(outcome, batch, [(0, new("rejected", null, verdict.Error!.Message) { HttpStatus = reply.Status, Attempts = attempts, MaybeDelivered = !verdict.NothingImported })]);
                    return true;

                case VerdictKind.Miscounted when batch.Count == 1 && miscountRetries == 0:
                    Refuse(outcome, batch, [(0, new("miscounted", null, verdict.Error!.Message) { HttpStatus = reply.Status, Attempts = attempts, MaybeDelivered = verdict.Imported != 0 })]);
                    return true;

                case VerdictKind.Fatal:
                    halt.Because(4, $"{verdict.Error!.Shown} Run the same command again when that is mended; it resumes.");
                    return false;

                case VerdictKind.Untrusted or VerdictKind.Again when IsNotMixpanel(reply, verdict) && limits.Untrusted() >= UntrustedConfirmations:
                    halt.Because(5, $"{verdict.Error!.Shown} Run the same command again when that is mended; it resumes.");
                    return false;

                case VerdictKind.Again or VerdictKind.Untrusted when pace.Outage >= maxOutage:
                    halt.Because(5, $"{verdict.Error!.Shown} This has lasted for {maxOutage}. Run the same command again later; it resumes.");
                    return false;
            }

            // What cannot be repeated safely and may have taken effect is not sent again.
            if (unknown && !batch.Repeatable) return await KeepRepeatableAsync(batch, outcome, attempts, verdict, reply).ConfigureAwait(false);
            if (verdict.Kind is VerdictKind.Unclear || (verdict.Kind is VerdictKind.Miscounted && miscountRetries-- == 0))
                return await DivideAsync(batch, outcome, attempts, InHalves(batch), miscountRetries: 0).ConfigureAwait(false);
        }
    }

    async Task<(Reply, Leave)> TryOnceAsync(RecordBatch batch, BatchOutcome outcome, int attempt)
    {
        var leave = await pace.EnterAsync(halt.Stop).ConfigureAwait(false);
        counts.Requested(isRetry: attempt > 1);
        try
        {
            return (await destination.SendAsync(batch, halt.Abandon).ConfigureAwait(false), leave);
        }
        catch (OperationCanceledException)
        {
            outcome.MaybeDelivered |= !batch.Repeatable;
            pace.Return(leave, Answer.GivenUp);
            throw;
        }
    }

    /// <summary>The answer's meaning, once the records that it names were compared with those that were sent.</summary>
    ImportVerdict Judge(Reply reply, RecordBatch batch)
    {
        var verdict = destination.Read(reply, batch.Count);
        if (verdict.Failed.Count == 0) return verdict;
        using var records = batch.Open();
        foreach (var failed in verdict.Failed)
            if (failed.InsertId is { Length: > 0 } id && records.InsertIdOf(in batch[failed.Index]) is { } sent && id != sent)
                return ImportVerdict.Unclear(verdict.Error!, nothingImported: false);

        return verdict;
    }

    public static bool IsUnknown(Reply reply, ImportVerdict verdict) => verdict.Kind switch
    {
        VerdictKind.Again => !reply.IsRateLimit && reply.MayHaveArrived,
        VerdictKind.Untrusted => reply.Status is >= 200 and < 300,
        VerdictKind.Miscounted => true,
        VerdictKind.Unclear => !verdict.NothingImported,
        _ => false,
    };

    /// <summary>A cut answer tells of a bad connection; any other that cannot be trusted, of something else in Mixpanel's place.</summary>
    static bool IsNotMixpanel(Reply reply, ImportVerdict verdict) => !reply.IsCut && (verdict.Kind is VerdictKind.Untrusted || verdict.Error is { Kind: ErrorKind.Protocol });

    async Task<bool> KeepRepeatableAsync(RecordBatch batch, BatchOutcome outcome, int attempts, ImportVerdict verdict, Reply reply)
    {
        var refusal = new Refusal("outcome_unknown", null, $"{verdict.Error!.Message} The update may have taken effect, and cannot be repeated safely.") { HttpStatus = reply.Status is 0 ? null : reply.Status, Attempts = attempts, MaybeDelivered = true };
        var all = Enumerable.Range(0, batch.Count).ToLookup(i => batch[i].Repeatable);
        Refuse(outcome, batch, all[false].Select(i => (i, refusal)));
        var rest = all[true].ToList();
        return rest.Count == 0 || await DivideAsync(batch, outcome, attempts, [rest], miscountRetries: MiscountRetries).ConfigureAwait(false);
    }

    async Task<bool> DivideAsync(RecordBatch batch, BatchOutcome outcome, int attempts, List<List<int>> parts, int miscountRetries)
    {
        foreach (var indexes in parts)
        {
            var part = Select(batch, indexes);
            try
            {
                if (!await DeliverAsync(part, outcome, attempts, miscountRetries).ConfigureAwait(false)) return false;
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

    /// <summary>Parts of at most so many bytes; a record that is larger goes alone.</summary>
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

    static List<(DeadLetter Letter, Refusal Refusal)> Letters(RecordBatch batch, IEnumerable<(int Index, Refusal Refusal)> refusals)
    {
        using var records = batch.Open();
        var letters = new List<(DeadLetter, Refusal)>();
        foreach (var (index, refusal) in refusals)
        {
            ref readonly var entry = ref batch[index];
            var named = refusal with { InsertId = records.InsertIdOf(in entry) };
            letters.Add((DeadLetters.Of(entry.Source, entry.Line, entry.Offset, records.RawOf(in entry), oversized: null, in named), named));
        }

        return letters;
    }
}
