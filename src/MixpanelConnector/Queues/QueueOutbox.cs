using Microsoft.Extensions.Logging;

namespace MixpanelConnector.Queues;

/// <summary>
/// In front of a queue: messages that the broker does not take now lie on the disk, and are published when it does, updates in their order.
/// While one of a kind waits, those of the kind that come after it wait, too. What was published is removed only then: after a kill it is
/// published again, so that nothing is kept that may not be published twice.
/// </summary>
sealed class QueueOutbox : IAsyncDisposable
{
    readonly ITrackerOutbox _outbox;
    readonly TimeProvider _time;
    readonly byte[] _head;
    readonly SemaphoreSlim _turn = new(1, 1);
    readonly CancellationTokenSource _stop = new();
    readonly Lock _lock = new();
    readonly OutboxLane[] _lanes;
    List<Kept> _gathered = [];

    /// <param name="outbox">Where messages lie. It is disposed with this.</param>
    /// <param name="queue">Names the queue, whichever broker has it.</param>
    /// <param name="ordersByKey">Whether messages of different keys have no order among them.</param>
    /// <param name="publish">Publishes a message, and completes when the broker has it.</param>
    /// <param name="time">The clock of pauses.</param>
    /// <param name="logger">Is told what is kept, and what cannot be published.</param>
    /// <exception cref="OutboxException">The disk failed.</exception>
    public QueueOutbox(ITrackerOutbox outbox, string queue, bool ordersByKey, Func<QueuedKind, QueueBody, CancellationToken, Task> publish, TimeProvider time, ILogger logger)
    {
        (_outbox, _time) = (outbox, time);
        _head = StoredMessage.HeadOf(queue);
        try
        {
            var others = outbox.Claim(batch => batch.Content.Span.StartsWith(_head));
            _lanes = [.. Enum.GetValues<QueuedKind>().Select(kind => new OutboxLane(outbox, kind, _head, ordersByKey, publish, InTurnAsync, time, logger))];
            if (others > 0) OutboxLane.LogOthers(logger, queue, others);
        }
        catch
        {
            outbox.Dispose(); // nobody else will
            throw;
        }

        foreach (var lane in _lanes) lane.Start(_stop.Token);
    }

    /// <summary>How many messages wait on the disk.</summary>
    public long Waiting => _lanes.Sum(lane => lane.Waiting);

    /// <summary>Publishes a message, or keeps it on the disk where the broker does not take it now.</summary>
    /// <param name="kind">What it holds.</param>
    /// <param name="body">The message.</param>
    /// <param name="isRepeatable">Whether it may be published twice. Else it is not kept, nor published while others wait.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="QueueException">It is neither published nor kept, for all that is known.</exception>
    public async Task PublishAsync(QueuedKind kind, QueueBody body, bool isRepeatable, CancellationToken cancellationToken)
    {
        var lane = _lanes[(int)kind];
        var mayHaveArrived = false;
        if (!lane.IsWaiting)
        {
            try
            {
                await lane.PublishAsync(body, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (QueueException e) when (isRepeatable && e.Fault is QueueFault.Unavailable or QueueFault.Full)
            {
                lane.Begin(e); // those who come now need not ask
                mayHaveArrived = e.MayHaveArrived;
            }
        }

        if (!isRepeatable) throw new QueueException(QueueFault.Unavailable, "Messages wait until the broker takes them, and one with $add or $append cannot wait behind them: it might be published twice.");
        var kept = new Kept(new OutboxBatch(lane.Kind, 1, _time.GetUtcNow(), StoredMessage.Write(body, _head)));
        lock (_lock) _gathered.Add(kept);
        _ = KeepGatheredAsync();
        try
        {
            await kept.Completion.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new QueueException(QueueFault.Unavailable, $"The broker takes no message now, and it cannot be kept: {e.Message}", e) { MayHaveArrived = mayHaveArrived };
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_lanes.Select(lane => lane.Forwarding)).ConfigureAwait(false);
        await _turn.WaitAsync().ConfigureAwait(false); // until what is being kept is
        _outbox.Dispose();
        _turn.Dispose();
        _stop.Dispose();
    }

    /// <summary>All that came while another had the turn shares one sync of the disk.</summary>
    async Task KeepGatheredAsync()
    {
        try
        {
            await InTurnAsync(
                () =>
                {
                    if (Gathered() is not { Count: > 0 } all) return;
                    try
                    {
                        _outbox.Append([.. all.Select(kept => kept.Batch)]);
                        foreach (var lane in _lanes) lane.Count();
                        all.ForEach(kept => kept.Completion.SetResult());
                    }
                    catch (Exception e)
                    {
                        all.ForEach(kept => kept.Completion.SetException(e));
                    }

                    foreach (var lane in _lanes) lane.Wake(); // also where nothing is kept: then nobody need wait
                },
                _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            Gathered().ForEach(kept => kept.Completion.TrySetException(new OutboxException("This process ends.", mayPass: true, e)));
        }
    }

    List<Kept> Gathered()
    {
        lock (_lock)
        {
            var all = _gathered;
            _gathered = [];
            return all;
        }
    }

    /// <summary>An outbox is asked by one at a time, and not by a thread that others wait for.</summary>
    async Task InTurnAsync(Action action, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Run(action, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    sealed record Kept(OutboxBatch Batch)
    {
        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
