using Microsoft.Extensions.Logging;

namespace MixpanelConnector.Queues;

/// <summary>
/// Stores messages that the broker does not accept at the moment on the disk, and publishes them when it does, updates in their order.
/// While one of a kind waits, later ones of the same kind wait, too. A message is removed only after it was published: after a process crash it is
/// published again, so messages that must not be published twice are never stored.
/// </summary>
sealed class QueueOutbox : IAsyncDisposable
{
    readonly ITrackerOutbox _outbox;
    readonly TimeProvider _time;
    readonly byte[] _head;
    readonly SemaphoreSlim _turn = new(1, 1);
    readonly CancellationTokenSource _stop = new();
    readonly Lock _lock = new();
    readonly OutboxPublisher[] _publishers;
    List<Kept> _gathered = [];

    /// <param name="outbox">Stores the messages. It is disposed with this.</param>
    /// <param name="queue">The name of the queue, whichever broker has it.</param>
    /// <param name="ordersByKey">Whether order is kept only among messages with the same key.</param>
    /// <param name="publish">Publishes a message, and completes when the broker has confirmed it.</param>
    /// <param name="time">The clock for pauses.</param>
    /// <param name="logger">Logs stored messages, and those that cannot be published.</param>
    /// <exception cref="OutboxException">The disk failed.</exception>
    public QueueOutbox(ITrackerOutbox outbox, string queue, bool ordersByKey, Func<QueuedKind, QueueBody, CancellationToken, Task> publish, TimeProvider time,
        ILogger logger)
    {
        (_outbox, _time) = (outbox, time);
        _head = StoredMessage.HeadOf(queue);
        OutboxesInUse.Take(outbox);
        try
        {
            var others = outbox.Claim(batch => batch.Content.Span.StartsWith(_head));
            _publishers = [.. Enum.GetValues<QueuedKind>()
                .Select(kind => new OutboxPublisher(outbox, kind, _head, ordersByKey, publish, InTurnAsync, time, logger))];
            if (others > 0) OutboxPublisher.LogOthers(logger, queue, others);
        }
        catch
        {
            OutboxesInUse.Dispose(outbox); // nothing else disposes it
            throw;
        }

        foreach (var publisher in _publishers) publisher.Start(_stop.Token);
    }

    /// <summary>The number of messages waiting on the disk.</summary>
    public long Waiting => _publishers.Sum(publisher => publisher.Waiting);

    /// <summary>Publishes a message, or stores it on the disk when the broker does not accept it at the moment.</summary>
    /// <param name="kind">The kind of its records.</param>
    /// <param name="body">The message.</param>
    /// <param name="isRepeatable">Whether it may be published twice. If not, it is neither stored, nor published while others wait.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="QueueException">As far as is known, it is neither published nor stored.</exception>
    public async Task PublishAsync(QueuedKind kind, QueueBody body, bool isRepeatable, CancellationToken cancellationToken)
    {
        var publisher = _publishers[(int)kind];
        var mayHaveArrived = false;
        if (!publisher.IsWaiting)
        {
            try
            {
                await publisher.PublishAsync(body, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (QueueException e) when (isRepeatable && e.Fault is QueueFault.Unavailable or QueueFault.Full)
            {
                publisher.Begin(e); // later messages need not try the broker
                mayHaveArrived = e.MayHaveArrived;
            }
        }

        if (!isRepeatable)
            throw new QueueException(QueueFault.Unavailable,
                "Messages are waiting for the broker, and one with $add or $append cannot wait behind them: it might be published twice.");
        var kept = new Kept(new OutboxBatch(publisher.Kind, 1, _time.GetUtcNow(), StoredMessage.Write(body, _head)));
        lock (_lock) _gathered.Add(kept);
        _ = KeepGatheredAsync();
        try
        {
            await kept.Completion.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new QueueException(QueueFault.Unavailable, "The broker accepts no messages now, and the message cannot be stored.", e)
            {
                LocalDetail = e.Message,
                MayHaveArrived = mayHaveArrived,
            };
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_publishers.Select(publisher => publisher.Forwarding)).ConfigureAwait(false);
        await _turn.WaitAsync().ConfigureAwait(false); // until the messages being stored are stored
        OutboxesInUse.Dispose(_outbox);
        _turn.Dispose();
        _stop.Dispose();
    }

    /// <summary>Stores all messages that arrived while another action had access, with one sync of the disk.</summary>
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
                        foreach (var publisher in _publishers) publisher.Count();
                        all.ForEach(kept => kept.Completion.SetResult());
                    }
                    catch (Exception e)
                    {
                        all.ForEach(kept => kept.Completion.SetException(e));
                    }

                    foreach (var publisher in _publishers) publisher.Wake(); // also when nothing is stored: then new messages need not wait
                },
                _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            Gathered().ForEach(kept => kept.Completion.TrySetException(new OutboxException("This process is stopping.", mayPass: true, e)));
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

    /// <summary>Runs an action with exclusive access to the outbox, on a thread that nothing else waits for.</summary>
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
