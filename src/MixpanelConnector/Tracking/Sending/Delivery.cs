using System.Diagnostics;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Tracking.Observing;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tracking.Sending;

/// <summary>
/// The destination of one batch. It turns every exception into an answer. For updates that are not idempotent, it records
/// which were accepted and which may have arrived.
/// </summary>
sealed class Delivery : Destination
{
    // The slowest upload that is still considered working.
    const int SlowestUploadBytesPerSecond = 8 << 10;

    readonly TrackedKind _kind;
    readonly Destination _inner;
    readonly MixpanelOptions _options;
    readonly TimeSpan _patience;
    readonly TrackerMetrics _metrics;
    readonly OutageWatch _outage;
    readonly bool _isRetry;
    readonly HashSet<RecordBatch> _tried = new(ReferenceEqualityComparer.Instance);
    RecordBatch? _last;
    bool _lastWasRetry;

    public Delivery(TrackedKind kind, Destination inner, MixpanelOptions options, TimeSpan patience, TrackerMetrics metrics, OutageWatch outage, bool isRetry)
        : base(inner) => (_kind, _inner, _options, _patience, _metrics, _outage, _isRetry) = (kind, inner, options, patience, metrics, outage, isRetry);

    public MixpanelError? LastError { get; private set; }

    /// <summary>The positions of the accepted records, for batches with records that cannot be repeated.</summary>
    public HashSet<long> Accepted { get; } = [];

    /// <summary>The positions of the records that were sent and may have arrived, for batches with records that cannot be repeated.</summary>
    public HashSet<long> MayHaveArrived { get; } = [];

    public override void EnsureAccess() => _inner.EnsureAccess();

    public override void Compress(RecordBatch batch) => _inner.Compress(batch);

    public override async Task<Reply> SendAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        (_last, _lastWasRetry) = (batch, !_tried.Add(batch) || _isRetry);
        _metrics.Requested(_kind, batch.Body.Length, _lastWasRetry);
        if (!batch.Repeatable) MayHaveArrived.UnionWith(Positions(batch));
        var activity = TrackerMetrics.StartRequest();
        try
        {
            using var due = _outage.Await(_kind, _patience + TimeSpan.FromSeconds(batch.Body.Length / SlowestUploadBytesPerSecond),
                Hosts.BaseAddress(_options, Api.Ingestion).Host);
            var reply = await TryAsync(batch, cancellationToken).ConfigureAwait(false);
            if (activity is not null)
            {
                activity.SetTag("mixpanel.record.kind", TrackerMetrics.NameOf(_kind));
                activity.SetTag("http.request.body.size", batch.Body.Length);
                if (reply.Status > 0) activity.SetTag("http.response.status_code", reply.Status);
                if (reply.Failure is { } failure) activity.SetStatus(ActivityStatusCode.Error, failure.Kind.ToString());
            }

            return reply;
        }
        finally
        {
            TrackerMetrics.EndRequest(activity);
        }
    }

    public override ImportVerdict Read(Reply reply, int sent)
    {
        var verdict = _inner.Read(reply, sent);
        LastError = verdict.Error ?? LastError;
        if (_last is { Repeatable: false } batch)
        {
            if (verdict.Kind is VerdictKind.Accepted) Accepted.UnionWith(Positions(batch));
            if (!BatchSender.IsUnknown(reply, verdict)) MayHaveArrived.ExceptWith(Positions(batch));
        }

        if (verdict.Kind is VerdictKind.Retry or VerdictKind.Untrusted or VerdictKind.Unauthorized) _outage.Failed(_kind, verdict.Error!, _lastWasRetry);
        else _outage.Served(_kind);
        return verdict;
    }

    /// <summary>An HTTP handler of the application may throw any exception, and may ignore cancellation.</summary>
    async Task<Reply> TryAsync(RecordBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await _inner.SendAsync(batch, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return Reply.None(new(ErrorKind.Unavailable, $"Sending failed with {e.GetType().Name}. Whether the request took effect is unknown."),
                mayHaveArrived: true);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    static IEnumerable<long> Positions(RecordBatch batch) => Enumerable.Range(0, batch.Count).Select(i => batch[i].Offset);
}
