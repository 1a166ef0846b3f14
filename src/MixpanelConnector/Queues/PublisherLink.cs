namespace MixpanelConnector.Queues;

/// <summary>A connection to publish over that is made when it is needed, and again when it is gone. All who wait for it share one attempt.</summary>
sealed class PublisherLink(DeliveryQueue queue, string name, TimeProvider time) : IAsyncDisposable
{
    /// <summary>After the loss of a leader, RabbitMQ may refuse over an old connection for ever what it takes over a new one. So often it is asked over a new one.</summary>
    static readonly TimeSpan Doubt = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    readonly CancellationTokenSource _stop = new();
    readonly List<Task> _closing = [];
    Connection? _connection;
    Task<Connection>? _opening;

    /// <exception cref="QueueException">The broker does not take it, or did not say in time that it has it.</exception>
    public async Task PublishAsync(QueueBody body, CancellationToken cancellationToken)
    {
        var connection = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await connection.Publisher.PublishAsync(body, cancellationToken).ConfigureAwait(false);
        }
        catch (QueueException e)
        {
            var isGone = e.Fault is QueueFault.Unavailable || !connection.Publisher.IsOpen;
            if (isGone || (e.Fault is QueueFault.Full && time.GetElapsedTime(connection.Since) >= Doubt)) Leave(connection, atOnce: isGone);
            throw new QueueException(e.Fault, e.Message, e) { MayHaveArrived = e.Fault is QueueFault.Unavailable };
        }
        finally
        {
            Exit(connection);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Task<Connection>? opening;
        lock (_lock) opening = _opening;
        if (opening is not null) await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_connection is { } connection) Leave(connection, atOnce: true);
        Task closing;
        lock (_lock) closing = Task.WhenAll(_closing);
        await closing.ConfigureAwait(false);
        _stop.Dispose();
    }

    async Task<Connection> ConnectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task<Connection> opening;
            lock (_lock)
            {
                if (_connection is { } open)
                {
                    if (open.Publisher.IsOpen)
                    {
                        open.Users++;
                        return open;
                    }

                    Leave(open, atOnce: true); // it ended while nobody used it
                }

                opening = _opening ??= Task.Run(OpenAsync, CancellationToken.None);
            }

            await opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    async Task<Connection> OpenAsync()
    {
        try
        {
            var publisher = await queue.PublishAsync(name, isLast: false, _stop.Token).ConfigureAwait(false);
            lock (_lock) return _connection = new Connection(publisher, time.GetTimestamp());
        }
        finally
        {
            lock (_lock) _opening = null;
        }
    }

    void Exit(Connection connection)
    {
        lock (_lock)
        {
            if (--connection.Users == 0 && connection.IsLeft) Close(connection);
        }
    }

    /// <summary>Nobody uses it from now on.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="atOnce">Whether those who wait for a confirmation over it get none any more.</param>
    void Leave(Connection connection, bool atOnce)
    {
        lock (_lock)
        {
            if (_connection == connection) _connection = null;
            connection.IsLeft = true;
            if (atOnce || connection.Users == 0) Close(connection);
        }
    }

    /// <summary>A broker that hangs keeps nobody who could publish over the next one.</summary>
    void Close(Connection connection)
    {
        if (connection.IsClosed) return;
        connection.IsClosed = true;
        _closing.RemoveAll(earlier => earlier.IsCompleted);
        _closing.Add(Task.Run(async () => await connection.Publisher.DisposeAsync().ConfigureAwait(false)));
    }

    /// <summary>One connection, and those who use it.</summary>
    sealed class Connection(QueuePublisher publisher, long since)
    {
        public QueuePublisher Publisher => publisher;

        public long Since => since;

        public int Users { get; set; }

        public bool IsLeft { get; set; }

        public bool IsClosed { get; set; }
    }
}
