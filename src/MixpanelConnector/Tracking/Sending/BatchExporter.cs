using Microsoft.Extensions.Logging;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Tracking.Observing;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tracking.Sending;

/// <summary>
/// Sends the batches of one kind with the importer's sender, until each record is accepted or refused. Conditions that end an import, such
/// as refused credentials, make a tracker wait: it retries until it is stopped.
/// </summary>
sealed partial class BatchExporter(TrackedKind kind, Destination destination, MixpanelOptions options, TrackerOptions tracking, ConcurrencyLimiter limiter,
    TrackerMetrics metrics, OutageWatch outage)
{
    static readonly Refusal OutcomeUnknown = new("outcome_unknown", null,
        "The update was sent, but no response was received. It may have taken effect, and cannot be retried safely.")
    { MaybeDelivered = true };

    readonly SendLimits _limits = new(OptionRanges.LargestBatch);
    readonly ImportCounts _counts = new();
    readonly ILogger _logger = HarmlessLogger.Create(options, "MixpanelConnector.Tracker");
    readonly LogLimit _rejections = new(options.TimeProvider, lines: 10);
    readonly LogLimit _drops = new(options.TimeProvider, lines: 1);
    readonly LogLimit _callbacks = new(options.TimeProvider, lines: 1);
    readonly Lock _lock = new();
    readonly TaskCompletionSource _hurry = new(TaskCreationOptions.RunContinuationsAsynchronously);
    string _dropReason = "";
    TaskCompletionSource<MixpanelError> _lastError = new(TaskCreationOptions.RunContinuationsAsynchronously);
    ServiceAccountCredentials? _failedAccount; // the account in use when sending began to fail

    /// <summary>
    /// Completes when nothing will be accepted until somebody fixes the cause. Replaced by a new task once something was accepted, or the account was replaced.
    /// </summary>
    public Task<MixpanelError> WhenFailing
    {
        get
        {
            lock (_lock)
            {
                if (_failedAccount != options.Rotation?.Current) Renew();
                return _lastError.Task;
            }
        }
    }

    /// <summary>Sends until the outcome of every record is known, or the tracker is stopped.</summary>
    /// <returns>The records whose outcome is unknown when the tracker is stopped: they can be sent again. Null when there are none.</returns>
    public async Task<RecordBatch?> DeliverAsync(RecordBatch batch, CancellationToken stop)
    {
        var left = batch;
        for (int failures = 1, pauses = 0; ; failures++)
        {
            var hurries = _hurry.Task.IsCompleted;
            var delivery = new Delivery(kind, destination, options, tracking.Patience, metrics, outage, isRetry: failures > 1);
            var (replaced, account) = (options.Rotation?.WhenReplaced, options.Rotation?.Current);
            List<(long Position, Refusal Refusal)> refused = [];
            MixpanelError error;
            try
            {
                using var cancellation = new ImportCancellation(options.TimeProvider, stop, grace: TimeSpan.Zero); // whoever stops a tracker has already waited
                var sender = new BatchSender(delivery, limiter, _limits, _counts, cancellation, TimeSpan.MaxValue,
                    (letter, refusal) => refused.Add((letter.Offset, refusal)));
                var outcome = await sender.SendAsync(left).ConfigureAwait(false);
                if (outcome.Final)
                {
                    var rejected = Rejected(left, refused);
                    Mended();
                    metrics.Records(kind, "accepted", outcome.Accepted);
                    rejected.ForEach(record => Reject(record));
                    if (left != batch) left.Release();
                    return null;
                }

                // Updates that are not idempotent are settled now, as far as they were sent.
                if (!left.Repeatable) Settle();
                error = delivery.LastError ?? new(ErrorKind.Unavailable, "The records could not be sent.");
            }
            catch (Exception e)
            {
                // The failure is unforeseen, so how much was sent is unknown.
                if (!left.Repeatable) Settle();
                error = new(ErrorKind.Unavailable, $"Sending failed with {e.GetType().Name}.");
            }

            if (left.Count == 0)
            {
                left.Release();
                return null;
            }

            if (stop.IsCancellationRequested) return left;
            Failing(error, account);
            var wait = Backoff.Delay(++pauses, options.BackoffMin, options.BackoffMax, retryAfter: null, options.Randomizer());
            // Replaced credentials are tried at once, and so is what waits when the tracker is about to stop.
            using var done = CancellationTokenSource.CreateLinkedTokenSource(stop);
            List<Task> ends = [Task.Delay(wait, options.TimeProvider, done.Token)];
            if (replaced is not null) ends.Add(replaced);
            if (!hurries) ends.Add(_hurry.Task);
            await Task.WhenAny(ends).ConfigureAwait(false);
            await done.CancelAsync().ConfigureAwait(false);
            if (!hurries && _hurry.Task.IsCompleted) pauses = 0;

            void Settle()
            {
                HashSet<long> settled = [.. delivery.Accepted, .. refused.Select(each => each.Position)];
                List<int> rest = [];
                for (var i = 0; i < left.Count; i++)
                {
                    ref readonly var entry = ref left[i];
                    if (settled.Contains(entry.Offset)) continue;
                    if (entry.Repeatable || !delivery.MayHaveArrived.Contains(entry.Offset)) rest.Add(i);
                    else refused.Add((entry.Offset, OutcomeUnknown));
                }

                var rejected = Rejected(left, refused);
                var selected = rest.Count == left.Count ? left : left.Select(rest);
                metrics.Records(kind, "accepted", delivery.Accepted.Count);
                rejected.ForEach(record => Reject(record));
                if (left != batch && left != selected) left.Release();
                left = selected;
            }
        }
    }

    /// <summary>Retries what waits for its next attempt: the tracker stops soon.</summary>
    public void Hurry() => _hurry.TrySetResult();

    public void Reject(RejectedRecord record, int count = 1)
    {
        metrics.Records(kind, "rejected", count);
        if (_rejections.Allows(count, out var all))
        {
            if (all == count) LogRejected(kind, record.Code, record.Field ?? "-", record.Message);
            else LogRejectedMore(all, kind, record.Code, record.Field ?? "-", record.Message);
        }

        try
        {
            tracking.OnRejected?.Invoke(record);
        }
        catch (Exception e)
        {
            if (_callbacks.Allows(1, out var times)) LogCallbackFailed(e.GetType().Name, times);
        }
    }

    /// <summary>Counts a record that is left out intentionally.</summary>
    public void LeaveOut(string reason) => metrics.LeftOut(kind, reason);

    /// <summary>Counts records that are not accepted, and logs it when that begins.</summary>
    public void Drop(long count, string reason)
    {
        metrics.Records(kind, "dropped", count);
        _dropReason = reason;
        if (_drops.Allows(count, out var all)) LogDropped(all, kind, reason);
    }

    /// <summary>Logs, at the end, the drops that the log limit suppressed.</summary>
    public void Conclude()
    {
        if (_drops.TakeUntold() is > 0 and var dropped) LogDropped(dropped, kind, _dropReason);
        if (_rejections.TakeUntold() is > 0 and var rejected) LogRejectedAtLast(rejected, kind);
    }

    /// <summary>Notes that nothing will be accepted until somebody fixes the cause.</summary>
    public void Failing(MixpanelError error) => Failing(error, options.Rotation?.Current);

    /// <summary>Like the other overload, unless the account was replaced meanwhile: then the result of the next attempt counts.</summary>
    void Failing(MixpanelError error, ServiceAccountCredentials? account)
    {
        lock (_lock)
        {
            if (account != options.Rotation?.Current) return;
            (_failedAccount, _) = (account, _lastError.TrySetResult(error));
        }

        outage.Failed(kind, error, again: true, forGood: true);
    }

    public void Mended()
    {
        lock (_lock) Renew();
    }

    void Renew()
    {
        if (_lastError.Task.IsCompleted) _lastError = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Returns refused records of a batch with the bytes that were sent. Nothing of the application runs while a batch is open.</summary>
    List<RejectedRecord> Rejected(RecordBatch batch, List<(long Position, Refusal Refusal)> refused)
    {
        if (refused.Count == 0) return [];
        var indexes = Enumerable.Range(0, batch.Count).ToDictionary(i => batch[i].Offset);
        using var records = batch.Open();
        List<RejectedRecord> rejected = [];
        foreach (var (position, refusal) in refused) rejected.Add(RejectedRecord.Of(kind, in refusal, records.RawOf(in batch[indexes[position]])));
        return rejected;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A tracked {Kind} is not in Mixpanel: {Code} {Field} {Message}")]
    partial void LogRejected(TrackedKind kind, string code, string field, string message);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Count} more tracked records of kind {Kind} are not in Mixpanel, the last because of {Code} {Field} {Message}")]
    partial void LogRejectedMore(long count, TrackedKind kind, string code, string field, string message);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} more tracked records of kind {Kind} are not in Mixpanel")]
    partial void LogRejectedAtLast(long count, TrackedKind kind);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} records of kind {Kind} were dropped: {Reason}")]
    partial void LogDropped(long count, TrackedKind kind, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The callback for rejected records threw {Exception}, {Count} times")]
    partial void LogCallbackFailed(string exception, long count);
}
