namespace MixpanelConnector.Tracking;

/// <summary>From memory onto the wire.</summary>
sealed class BufferedConveyor(IReadOnlyList<Lane> lanes, IReadOnlyList<Signal> signals, Room room, MixpanelOptions options) : Conveyor(lanes, room, options)
{
    public override bool MakesDurable => false;

    public override long Unsafe(TrackedKind kind) => Lanes[(int)kind].Gathering.Records;

    public override (long Records, TimeSpan Oldest) Queue(TrackedKind kind) => (Lanes[(int)kind].Gathering.Records, Lanes[(int)kind].Gathering.OldestAge);

    public override Task FlushAsync() => Task.WhenAll(Lanes.Select(lane => lane.Gathering.FlushAsync()));

    public override Task SecureAsync() => Task.CompletedTask;

    protected override IEnumerable<Func<Task>> Work() => Lanes.Zip(signals, (lane, signal) => (Func<Task>)(() => SendEachAsync(lane, () => NextAsync(lane, signal), chunk => DeliverAsync(lane, chunk))));

    async Task<Chunk> NextAsync(Lane lane, Signal signal)
    {
        Chunk? chunk;
        while ((chunk = lane.Gathering.Take()) is null) await signal.WaitAsync(Stop).ConfigureAwait(false);
        return chunk;
    }

    async Task DeliverAsync(Lane lane, Chunk chunk)
    {
        await Task.Yield(); // compressing is the sender's work, not the loop's
        var left = await lane.Outlet.DeliverAsync(chunk.Batch, Stop).ConfigureAwait(false);
        if (left is not null)
        {
            lane.Gathering.Keep(chunk, left.Count);
            return;
        }

        Room.GiveBack(chunk.Bytes);
        lane.Gathering.Settle(chunk);
    }
}
