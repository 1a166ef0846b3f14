namespace MixpanelConnector.Tracking;

/// <summary>Takes records from where they gather to Mixpanel.</summary>
abstract class Conveyor(IReadOnlyList<Lane> lanes, Room room) : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly List<Task> _sending = [];

    protected IReadOnlyList<Lane> Lanes { get; } = lanes;

    protected Room Room { get; } = room;

    protected CancellationToken Stop => _stop.Token;

    protected Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>Whether a record is only safe some time after it was added.</summary>
    public abstract bool MakesDurable { get; }

    /// <summary>Why nothing can be taken any more; null while all is well.</summary>
    public virtual Exception? Failure => null;

    public abstract (long Records, TimeSpan Oldest) Queue(TrackedKind kind);

    /// <summary>Completes when everything that was added is accepted or refused.</summary>
    public abstract Task FlushAsync();

    /// <summary>Completes when everything that was added survives the end of the process, as far as that is promised.</summary>
    public abstract Task SecureAsync();

    /// <summary>What is lost when the process ends now.</summary>
    public abstract long Unsafe { get; }

    public void Start() => Running = Task.WhenAll(Work().Select(work => Task.Run(() => UntilStoppedAsync(work))));

    public virtual async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Running.ConfigureAwait(false);
        Task sending;
        lock (_sending) sending = Task.WhenAll(_sending);
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // nothing is on its way any more once this is disposed
        foreach (var lane in Lanes)
        {
            lane.Gathering.Abandon(new MixpanelException(new(ErrorKind.Unavailable, "The tracker was stopped before the record was safe.")));
            lane.Dispose();
        }
    }

    protected abstract IEnumerable<Func<Task>> Work();

    /// <summary>Sends on a sender of the lane's, which the caller has taken, and gives it back. Does not wait for it.</summary>
    protected void Send(Lane lane, Func<Task> send)
    {
        var task = SendAsync(lane, send);
        lock (_sending)
        {
            _sending.RemoveAll(earlier => earlier.IsCompleted);
            _sending.Add(task);
        }
    }

    async Task SendAsync(Lane lane, Func<Task> send)
    {
        try
        {
            await send().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (Stop.IsCancellationRequested)
        {
            return; // what was not sent is told or kept by whoever stops
        }

        lane.Free.Release();
    }

    async Task UntilStoppedAsync(Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (Stop.IsCancellationRequested)
        {
            // Stopped.
        }
    }
}
