namespace MixpanelConnector.Tracking;

/// <summary>From memory onto the wire.</summary>
sealed class BufferedConveyor(IReadOnlyList<Lane> lanes, IReadOnlyList<Signal> signals, Room room) : Conveyor(lanes, room)
{
    public override bool MakesDurable => false;

    public override long Unsafe => Lanes.Sum(lane => lane.Gathering.Records);

    public override (long Records, TimeSpan Oldest) Queue(TrackedKind kind) => (Lanes[(int)kind].Gathering.Records, Lanes[(int)kind].Gathering.OldestAge);

    public override Task FlushAsync() => Task.WhenAll(Lanes.Select(lane => lane.Gathering.FlushAsync()));

    public override Task SecureAsync() => Task.CompletedTask;

    protected override IEnumerable<Func<Task>> Work() => Lanes.Zip(signals, (lane, signal) => (Func<Task>)(() => RunAsync(lane, signal)));

    async Task RunAsync(Lane lane, Signal signal)
    {
        while (true)
        {
            // A sender first: while none is free, the open chunk goes on filling.
            await lane.Free.WaitAsync(Stop).ConfigureAwait(false);
            Chunk? chunk;
            while ((chunk = lane.Gathering.Take()) is null) await signal.WaitAsync(Stop).ConfigureAwait(false);
            Send(lane, () => DeliverAsync(lane, chunk));
        }
    }

    async Task DeliverAsync(Lane lane, Chunk chunk)
    {
        await Task.Yield(); // compressing is the sender's work, not the loop's
        await lane.Outlet.DeliverAsync(chunk.Batch, Stop).ConfigureAwait(false);
        Room.GiveBack(chunk.Bytes);
        lane.Gathering.Settle(chunk);
    }
}
