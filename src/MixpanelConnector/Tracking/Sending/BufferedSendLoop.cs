using MixpanelConnector.Tracking.Buffering;

namespace MixpanelConnector.Tracking.Sending;

/// <summary>Sends records from memory to Mixpanel.</summary>
sealed class BufferedSendLoop(IReadOnlyList<RecordChannel> channels, IReadOnlyList<AsyncAutoResetEvent> signals, RecordBudget budget, MixpanelOptions options)
    : SendLoop(channels, budget, options)
{
    public override bool MakesDurable => false;

    public override long Unsafe(TrackedKind kind) => Channels[(int)kind].Buffer.Records;

    public override (long Records, TimeSpan Oldest) Queue(TrackedKind kind) => (Channels[(int)kind].Buffer.Records, Channels[(int)kind].Buffer.OldestAge);

    public override Task FlushAsync() => Task.WhenAll(Channels.Select(channel => channel.Buffer.FlushAsync()));

    public override Task SecureAsync() => Task.CompletedTask;

    protected override IEnumerable<Func<Task>> Work() =>
        Channels.Zip(signals,
            (channel, signal) => (Func<Task>)(() => SendEachAsync(channel, () => NextAsync(channel, signal), pending => DeliverAsync(channel, pending))));

    async Task<PendingBatch> NextAsync(RecordChannel channel, AsyncAutoResetEvent signal)
    {
        PendingBatch? pending;
        while ((pending = channel.Buffer.Take()) is null) await signal.WaitAsync(Stop).ConfigureAwait(false);
        return pending;
    }

    async Task DeliverAsync(RecordChannel channel, PendingBatch pending)
    {
        await Task.Yield(); // compressing is work for the sender, not for the loop
        var left = await channel.Exporter.DeliverAsync(pending.Batch, Stop).ConfigureAwait(false);
        if (left is not null)
        {
            channel.Buffer.Keep(pending, left.Count);
            return;
        }

        Budget.GiveBack(pending.Bytes);
        channel.Buffer.Settle(pending);
    }
}
