namespace MixpanelConnector.Queues;

/// <summary>A connection for publishing that is opened on demand, and again after it is lost. All callers that wait for it share one attempt.</summary>
sealed class PublisherLink(DeliveryQueue queue, string name, TimeProvider time) : IAsyncDisposable
{
    /// <summary>
    /// After the loss of a leader, RabbitMQ may forever refuse over an old connection what it accepts over a new one. This is the minimum interval between new
    /// connections in that case.
    /// </summary>
    static readonly TimeSpan Doubt = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    readonly CancellationTokenSource _stop = new();
    readonly List<Task> _closing = [];
    Connection? _connection;
    Task<Connection>? _opening;

    /// <exception cref="QueueException">The broker refuses it, or did not confirm it in time.</exception>
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

                    Leave(open, atOnce: true); // it was closed while nobody used it
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

    /// <summary>Retires a connection: no new caller uses it.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="atOnce">Whether callers that wait for a confirmation over it will not get one any more.</param>
    void Leave(Connection connection, bool atOnce)
    {
        lock (_lock)
        {
            if (_connection == connection) _connection = null;
            connection.IsLeft = true;
            if (atOnce || connection.Users == 0) Close(connection);
        }
    }

    /// <summary>Closes in the background, so that a broker that hangs does not block callers that could publish over the next connection.</summary>
    void Close(Connection connection)
    {
        if (connection.IsClosed) return;
        connection.IsClosed = true;
        _closing.RemoveAll(earlier => earlier.IsCompleted);
        _closing.Add(Task.Run(async () => await connection.Publisher.DisposeAsync().ConfigureAwait(false)));
    }

    /// <summary>A connection, and the number of its users.</summary>
    sealed class Connection(QueuePublisher publisher, long since)
    {
        public QueuePublisher Publisher => publisher;

        public long Since => since;

        public int Users { get; set; }

        public bool IsLeft { get; set; }

        public bool IsClosed { get; set; }
    }
}
