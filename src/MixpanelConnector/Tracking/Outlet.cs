using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Import;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tracking;

/// <summary>
/// Sends the batches of one kind by the import's own sender, until each record is accepted or refused. What ends an import, such
/// as refused credentials, is for a tracker a time to wait: it tries again until it is stopped.
/// </summary>
sealed partial class Outlet(TrackedKind kind, Destination destination, MixpanelOptions options, TrackerOptions tracking, Pace pace, TrackerMetrics metrics)
{
    readonly Watched _destination = new(kind, destination, metrics);
    readonly SendLimits _limits = new(ImportRequest.LargestBatch);
    readonly ImportCounts _counts = new();
    readonly ILogger _logger = options.LoggerFactory.CreateLogger("MixpanelConnector.Tracker");
    readonly Lock _lock = new();
    int _dropping;
    TaskCompletionSource<MixpanelError> _trouble = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when nothing will be accepted until somebody mends something. A new one once something was accepted.</summary>
    public Task<MixpanelError> Trouble
    {
        get
        {
            lock (_lock) return _trouble.Task;
        }
    }

    /// <summary>Completes when the fate of every record is known.</summary>
    /// <exception cref="OperationCanceledException">The tracker was stopped before.</exception>
    public async Task DeliverAsync(RecordBatch batch, CancellationToken stop)
    {
        for (var failures = 1; ; failures++)
        {
            using var halt = new Halt(options.TimeProvider, stop, grace: TimeSpan.Zero); // who stops a tracker has waited already
            var sender = new BatchSender(_destination, pace, _limits, _counts, halt, TimeSpan.MaxValue, static (_, _) => { });
            var outcome = await sender.SendAsync(batch).ConfigureAwait(false);
            if (outcome.Final)
            {
                Mended();
                metrics.Records(kind, "accepted", outcome.Accepted);
                foreach (var letter in outcome.Refused) Reject(RejectedRecord.From(kind, letter));
                return;
            }

            stop.ThrowIfCancellationRequested();
            Troubled(_destination.LastError!);
            await Task.Delay(Backoff.Delay(failures, options.BackoffMin, options.BackoffMax, retryAfter: null, options.Randomizer()), options.TimeProvider, stop).ConfigureAwait(false);
        }
    }

    public void Reject(RejectedRecord record)
    {
        metrics.Records(kind, "rejected", 1);
        LogRejected(kind, record.Code, record.Field, record.Message);
        try
        {
            tracking.OnRejected?.Invoke(record);
        }
        catch (Exception e)
        {
            LogCallbackFailed(e.GetType().Name);
        }
    }

    /// <summary>Counts records that are not taken, and says so in the log when that begins.</summary>
    public void Drop(long count, string reason)
    {
        metrics.Records(kind, "dropped", count);
        if (Interlocked.Exchange(ref _dropping, 1) == 0) LogDropping(kind, reason);
    }

    /// <summary>A record was taken again.</summary>
    public void Taken()
    {
        if (Volatile.Read(ref _dropping) != 0) Volatile.Write(ref _dropping, 0);
    }

    void Troubled(MixpanelError error)
    {
        LogTrouble(kind, error.Message);
        lock (_lock) _trouble.TrySetResult(error);
    }

    void Mended()
    {
        lock (_lock)
            if (_trouble.Task.IsCompleted) _trouble = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A tracked {Kind} is not in Mixpanel: {Code} {Field} {Message}")]
    partial void LogRejected(TrackedKind kind, string code, string? field, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "Tracked records of kind {Kind} are kept and not accepted: {Message}")]
    partial void LogTrouble(TrackedKind kind, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "Records of kind {Kind} are dropped: {Reason}")]
    partial void LogDropping(TrackedKind kind, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The callback for rejected records threw {Exception}")]
    partial void LogCallbackFailed(string exception);

    /// <summary>The destination, with an eye on what goes there.</summary>
    sealed class Watched : Destination
    {
        readonly TrackedKind _kind;
        readonly Destination _inner;
        readonly TrackerMetrics _metrics;
        readonly System.Runtime.CompilerServices.ConditionalWeakTable<RecordBatch, object> _sent = [];

        public Watched(TrackedKind kind, Destination inner, TrackerMetrics metrics)
            : base(inner) => (_kind, _inner, _metrics) = (kind, inner, metrics);

        public MixpanelError? LastError { get; private set; }

        public override void EnsureAccess() => _inner.EnsureAccess();

        public override void Compress(RecordBatch batch) => _inner.Compress(batch);

        public override async Task<Reply> SendAsync(RecordBatch batch, CancellationToken cancellationToken)
        {
            _metrics.Requested(_kind, batch.Body.Length, isRetry: !_sent.TryAdd(batch, batch));
            using var activity = TrackerMetrics.Activities.StartActivity("mixpanel send", ActivityKind.Client);
            var reply = await _inner.SendAsync(batch, cancellationToken).ConfigureAwait(false);
            if (activity is not null)
            {
                activity.SetTag("mixpanel.record.kind", TrackerMetrics.NameOf(_kind));
                activity.SetTag("http.request.body.size", batch.Body.Length);
                if (reply.Status > 0) activity.SetTag("http.response.status_code", reply.Status);
                if (reply.Failure is { } failure) activity.SetStatus(ActivityStatusCode.Error, failure.Kind.ToString());
            }

            return reply;
        }

        public override ImportVerdict Read(Reply reply, int sent)
        {
            var verdict = _inner.Read(reply, sent);
            LastError = verdict.Error ?? LastError;
            return verdict;
        }
    }
}
