using System.Diagnostics.Metrics;

namespace MixpanelConnector.Consume;

/// <summary>The metrics of a consumer. Their names are documented in docs/observability.md.</summary>
sealed class ConsumeMetrics : IDisposable
{
    readonly Meter _meter = new("MixpanelConnector");
    readonly Counter<long> _records;
    readonly Counter<long> _messages;
    readonly Counter<long> _redelivered;
    long _toldAccepted;
    long _toldRejected;
    long _toldMessages;
    long _toldRedelivered;

    public ConsumeMetrics(Func<long?> lag)
    {
        _records = _meter.CreateCounter<long>("mixpanel.consumer.records", "{record}", "Records by outcome.");
        _messages = _meter.CreateCounter<long>("mixpanel.consumer.messages", "{message}", "Messages that were acknowledged.");
        _redelivered = _meter.CreateCounter<long>("mixpanel.consumer.redelivered", "{message}", "Messages that had been delivered before.");
        _meter.CreateObservableGauge("mixpanel.consumer.lag", () => lag() is { } left ? [new Measurement<long>(left)] : Array.Empty<Measurement<long>>(),
            "{message}", "Messages that remain in the queue.");
    }

    /// <summary>Reports the total counts.</summary>
    public void Records(long accepted, long rejected)
    {
        // Records lost with a connection count once: the totals may decrease, but what was reported does not.
        if (accepted > _toldAccepted) _records.Add(accepted - _toldAccepted, new KeyValuePair<string, object?>("mixpanel.outcome", "accepted"));
        if (rejected > _toldRejected) _records.Add(rejected - _toldRejected, new KeyValuePair<string, object?>("mixpanel.outcome", "rejected"));
        (_toldAccepted, _toldRejected) = (Math.Max(accepted, _toldAccepted), Math.Max(rejected, _toldRejected));
    }

    public void Messages(long settled, long redelivered)
    {
        _messages.Add(settled - _toldMessages);
        _redelivered.Add(redelivered - _toldRedelivered);
        (_toldMessages, _toldRedelivered) = (settled, redelivered);
    }

    public void Dispose() => _meter.Dispose();
}
