using System.Globalization;
using System.Text;
using System.Threading.Channels;
using MixpanelConnector.Queues;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace MixpanelConnector.RabbitMq;

/// <summary>
/// Consumes messages over one connection. The broker limits prefetching only by the number of messages. So the number begins low, and grows
/// as far as the sizes of received messages allow; when these exceed the memory limit, consuming is paused until less is held.
/// </summary>
sealed class RabbitMqConsumer : QueueConsumer, IAsyncBasicConsumer
{
    /// <summary>Two messages of maximum size are not too much.</summary>
    const int FirstAhead = 2;

    const int Growth = 4;

    /// <summary>How long a queue must deliver nothing before it is asked whether it is empty.</summary>
    static readonly TimeSpan EmptyPatience = TimeSpan.FromMilliseconds(200);

    readonly RabbitMqConnection _connection;
    readonly string _name;
    readonly ConsumeLimits _limits;
    readonly TimeProvider _time;
    readonly string _broker;
    readonly Channel<QueueMessage> _arrived = System.Threading.Channels.Channel.CreateUnbounded<QueueMessage>(); // bounded by the limit on held messages
    readonly SemaphoreSlim _resizing = new(1, 1);
    readonly Lock _lock = new();
    readonly Dictionary<ulong, (long At, int Bytes)> _held = [];
    QueueException? _lost;
    long _heldBytes;
    int _largest = 1;
    int _ahead;
    string? _tag;
    volatile bool _isOver; // held messages were returned
    int _isStoppingAhead; // 1 while it is
    bool _isDisposed;

    RabbitMqConsumer(RabbitMqConnection connection, string name, QueueAddress address, ConsumeLimits limits, TimeProvider time)
    {
        (_connection, _name, _limits, _time, _broker) = (connection, name, limits, time, string.Join(", ", address.Hosts));
        _ahead = limits.Messages <= FirstAhead * Growth ? limits.Messages : FirstAhead;
    }

    public IChannel Channel => _connection.Channel;

    public override TimeSpan OldestHeld
    {
        get
        {
            lock (_lock) return _held.Count == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_held.Values.Min(held => held.At));
        }
    }

    public override int Held
    {
        get
        {
            lock (_lock) return _held.Count;
        }
    }

    public override bool IsFull
    {
        get
        {
            lock (_lock) return _arrived.Reader.Count == 0 && (_tag is null || _held.Count >= _ahead);
        }
    }

    public static async Task<RabbitMqConsumer> BeginAsync(RabbitMqConnection connection, string name, QueueAddress address, ConsumeLimits limits,
        TimeProvider time, CancellationToken cancellationToken)
    {
        var consumer = new RabbitMqConsumer(connection, name, address, limits, time);
        try
        {
            await connection.CallAsync((channel, token) => channel.QueueDeclarePassiveAsync(name, token), cancellationToken).ConfigureAwait(false);
            await consumer.BeginAsync(cancellationToken).ConfigureAwait(false);
            return consumer;
        }
        catch
        {
            await consumer.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public override async ValueTask<QueueMessage?> ReceiveAsync(CancellationToken cancellationToken)
    {
        for (var isEmpty = false; ;)
        {
            if (_arrived.Reader.TryRead(out var message)) return message;
            if (_lost is { } lost) throw lost;
            await ResizeAsync(cancellationToken).ConfigureAwait(false);
            var arriving = _arrived.Reader.WaitToReadAsync(cancellationToken).AsTask();
            if (_limits.UntilEmpty && !await Waits.EndsWithinAsync(arriving, EmptyPatience, _time).ConfigureAwait(false))
            {
                // Messages in flight are no longer in the queue, so it is asked twice.
                var wasEmpty = isEmpty;
                isEmpty = await LagAsync(cancellationToken).ConfigureAwait(false) == 0;
                if (isEmpty && wasEmpty) return null;
                if (isEmpty) await Waits.EndsWithinAsync(arriving, EmptyPatience, _time).ConfigureAwait(false);
                continue;
            }

            isEmpty = false;
            await arriving.ConfigureAwait(false);
        }
    }

    public override async Task SettleAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken)
    {
        if (_lost is { } lost) throw lost;
        await _connection.CallAsync(
            async (channel, token) =>
            {
                foreach (var message in messages) await channel.BasicAckAsync(message.Position, multiple: false, token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            foreach (var message in messages)
                if (_held.Remove(message.Position, out var held)) _heldBytes -= held.Bytes;
        }

        await ResizeAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task GiveBackAsync(CancellationToken cancellationToken)
    {
        _isOver = true;
        await _resizing.WaitAsync(cancellationToken).ConfigureAwait(false); // until no consumer can begin any more
        try
        {
            await EndAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _resizing.Release();
        }

        int held;
        lock (_lock)
        {
            held = _held.Count;
            _held.Clear();
            _heldBytes = 0;
        }

        if (held == 0) return;
        var before = await LagAsync(cancellationToken).ConfigureAwait(false);
        await _connection.CallAsync((channel, token) => channel.BasicNackAsync(0, multiple: true, requeue: true, token).AsTask(),
            cancellationToken).ConfigureAwait(false); // 0: all of them

        // The broker counts them a moment later, unless another consumer receives them first.
        for (var looks = 0; looks < 20 && await LagAsync(cancellationToken).ConfigureAwait(false) < before + held; looks++)
            await Task.Delay(EmptyPatience, _time, cancellationToken).ConfigureAwait(false);
    }

    public override Task<long> LagAsync(CancellationToken cancellationToken) =>
        _connection.CallAsync(async (channel, token) => (long)await channel.MessageCountAsync(_name, token).ConfigureAwait(false), cancellationToken);

    public override ValueTask DisposeAsync()
    {
        if (_isDisposed) return default;
        _isDisposed = true;
        _resizing.Dispose();
        return _connection.DisposeAsync();
    }

    /// <remarks>The body belongs to the client, and is invalid once this returns.</remarks>
    public Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey,
        IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
    {
        var id = properties.MessageId is { Length: > 0 } given ? given : null;
        var name = id ?? Hash128.Of(body.Span).ToString();
        var at = _time.GetTimestamp();
        bool isTooMuch;
        lock (_lock)
        {
            _held.Add(deliveryTag, (at, body.Length));
            _heldBytes += body.Length;
            isTooMuch = _tag is not null && _heldBytes > _limits.Bytes;
            _largest = Math.Max(_largest - (_largest / 64), Math.Max(1, body.Length)); // decays, so that a large message is forgotten after a few hundred
        }

        _arrived.Writer.TryWrite(new QueueMessage(body.ToArray(), properties.ContentEncoding, id)
        {
            Name = name,
            Source = id is null ? "" : $"message:{id}",
            IsNamed = id is not null,
            IsRedelivered = redelivered,
            Position = deliveryTag,
            ReceivedAt = at,
            Version = VersionOf(properties),
        });
        if (isTooMuch && Interlocked.Exchange(ref _isStoppingAhead, 1) == 0)
            _ = StopAheadAsync(); // not awaited: the answer comes over the connection that waits for this to end
        return Task.CompletedTask;
    }

    public Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
    {
        Lose(new QueueException(QueueFault.Unavailable, $"RabbitMQ at {_broker} has ended the consumer: the queue was deleted, or its node is gone."));
        return Task.CompletedTask;
    }

    public Task HandleBasicCancelOkAsync(string consumerTag, CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task HandleBasicConsumeOkAsync(string consumerTag, CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task HandleChannelShutdownAsync(object channel, ShutdownEventArgs reason)
    {
        Lose(RabbitMqConnection.Of(reason, _broker, _connection.Words));
        return Task.CompletedTask;
    }

    void Lose(QueueException why)
    {
        if (Interlocked.CompareExchange(ref _lost, why, null) is null) _arrived.Writer.TryComplete();
    }

    static string? VersionOf(IReadOnlyBasicProperties properties)
    {
        object? version = null;
        if (properties.Headers?.TryGetValue(QueueBody.VersionName, out version) != true) return null;
        return version is byte[] text ? Encoding.UTF8.GetString(text) : Convert.ToString(version, CultureInfo.InvariantCulture);
    }

    async Task BeginAsync(CancellationToken cancellationToken)
    {
        await _connection.CallAsync((channel, token) => channel.BasicQosAsync(0, (ushort)_ahead, global: false, token),
            cancellationToken).ConfigureAwait(false);
        _tag = await _connection.CallAsync(
            (channel, token) => channel.BasicConsumeAsync(_name, autoAck: false, "", noLocal: false, exclusive: false, arguments: null, this, token),
            cancellationToken).ConfigureAwait(false);
    }

    async Task EndAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _tag, null) is { } tag)
            await _connection.CallAsync((channel, token) => channel.BasicCancelAsync(tag, noWait: false, token), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops consuming because message sizes have changed: it may be long until the next receive or settlement.</summary>
    async Task StopAheadAsync()
    {
        try
        {
            await ResizeAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (QueueException e)
        {
            Lose(e);
        }
        catch (ObjectDisposedException)
        {
            // It was disposed meanwhile.
        }
        finally
        {
            Volatile.Write(ref _isStoppingAhead, 0);
        }
    }

    /// <summary>Increases the prefetch count if that fits, stops consuming while too much is held, and resumes when less is.</summary>
    async Task ResizeAsync(CancellationToken cancellationToken)
    {
        await _resizing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ResizeNowAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _resizing.Release();
        }
    }

    async Task ResizeNowAsync(CancellationToken cancellationToken)
    {
        bool ends, begins;
        if (_isOver) return;
        lock (_lock)
        {
            var fit = (int)Math.Clamp(_limits.Bytes / _largest, 1, _limits.Messages);
            ends = _tag is not null && _heldBytes > _limits.Bytes;
            begins = _tag is null && _heldBytes <= _limits.Bytes / 2;
            if (begins)
            {
                _ahead = Math.Min(_ahead, fit);
            }
            else if (_tag is not null && _held.Count >= _ahead && fit >= _ahead * Growth)
            {
                _ahead *= Growth;
                ends = begins = true;
            }
        }

        if (ends) await EndAsync(cancellationToken).ConfigureAwait(false);
        if (begins) await BeginAsync(cancellationToken).ConfigureAwait(false);
    }
}
