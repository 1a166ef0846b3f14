using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Confluent.Kafka;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Kafka;

/// <summary>
/// Consumes messages as a member of a group. A dedicated thread polls, even while no messages are wanted, since a member that does not poll is considered dead.
/// Messages
/// that cannot be safely retried are marked before they are sent, as the offsets of a second group, for the next owner of the partition.
/// </summary>
sealed class KafkaConsumer : QueueConsumer
{
    static readonly TimeSpan PollTime = TimeSpan.FromMilliseconds(100);

    /// <summary>How often the partitions of other members are checked, when this one has nothing left.</summary>
    static readonly TimeSpan LookTime = TimeSpan.FromSeconds(1);

    /// <summary>The time to wait for leaving the group when closing.</summary>
    static readonly TimeSpan ClosingPatience = TimeSpan.FromSeconds(10);

    readonly IConsumer<byte[]?, byte[]> _consumer;
    readonly ConsumerConfig _marking;
    readonly string _topic;
    readonly ConsumeLimits _limits;
    readonly KafkaErrors _errors;
    readonly TimeSpan _timeout;
    readonly TimeProvider _time;
    readonly Channel<QueueMessage> _arrived = Channel.CreateUnbounded<QueueMessage>(); // bounded by the limit on held messages
    readonly CancellationTokenSource _stop = new();
    readonly Lock _lock = new();
    readonly Dictionary<int, Owned> _owned = [];
    readonly IReadOnlyList<TopicPartition> _partitions;
    readonly Dictionary<int, long> _ends = []; // as of the start, by partition
    readonly List<Task> _calls = []; // in flight
    IConsumer<byte[]?, byte[]>? _marks;
    Task _polling = Task.CompletedTask;
    QueueException? _lost;
    long _heldBytes;
    int _held;
    bool? _isPaused; // null when partitions may differ
    bool _isDisposed;

    KafkaConsumer(ConsumerBuilder<byte[]?, byte[]> builder, ConsumerConfig marking, string topic, ConsumeLimits limits, KafkaErrors errors, TimeSpan timeout,
        TimeProvider time)
    {
        (_marking, _topic, _limits, _errors, _timeout, _time) = (marking, topic, limits, errors, timeout, time);
        _consumer = builder.SetPartitionsAssignedHandler((_, assigned) => Own(assigned))
            .SetPartitionsRevokedHandler((_, revoked) => Disown(revoked))
            .SetPartitionsLostHandler((_, gone) => Disown(gone)).Build();
        try
        {
            using var admin = new DependentAdminClientBuilder(_consumer.Handle).Build();
            _partitions = KafkaQueue.EnsureTopic(() => admin.GetMetadata(topic, timeout), topic, errors);
            foreach (var partition in limits.UntilEmpty ? _partitions : [])
                _ends[partition.Partition.Value] = Call(() => _consumer.QueryWatermarkOffsets(partition, timeout)).High.Value;
        }
        catch
        {
            _consumer.Dispose();
            throw;
        }
    }

    /// <summary>Zero: Kafka does not take back messages that are held for long.</summary>
    public override TimeSpan OldestHeld => TimeSpan.Zero;

    public override int Held
    {
        get
        {
            lock (_lock) return _held;
        }
    }

    public override bool IsFull
    {
        get
        {
            lock (_lock) return _arrived.Reader.Count == 0 && (_heldBytes > _limits.Bytes || _held >= _limits.Messages);
        }
    }

    public static Task<KafkaConsumer> BeginAsync(ConsumerBuilder<byte[]?, byte[]> builder, ConsumerConfig marking, string topic, ConsumeLimits limits,
        KafkaErrors errors, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var consumer = new KafkaConsumer(builder, marking, topic, limits, errors, timeout, time);
        consumer._consumer.Subscribe(topic);
        consumer._polling = Task.Factory.StartNew(consumer.Poll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return Task.FromResult(consumer);
    }

    public override async ValueTask<QueueMessage?> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_arrived.Reader.TryRead(out var message)) return message;
            if (_lost is { } lost) throw lost;
            if (_limits.UntilEmpty && IsAtEnd())
            {
                // Another member may have the rest, or may have left it to the next: a missing member is detected after the session timeout.
                if (await ApartAsync(() => Call(AreOthersAtEnd), cancellationToken).ConfigureAwait(false)) return null;
                await Task.WhenAny(_arrived.Reader.WaitToReadAsync(cancellationToken).AsTask(),
                    Task.Delay(LookTime, _time, cancellationToken)).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                continue;
            }

            var arriving = _arrived.Reader.WaitToReadAsync(cancellationToken).AsTask();
            if (!_limits.UntilEmpty) await arriving.ConfigureAwait(false);
            else await Task.WhenAny(arriving, Task.Delay(PollTime, _time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public override Task SettleAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken) => ApartAsync(
        () =>
        {
            List<TopicPartitionOffset> reached;
            lock (_lock)
            {
                reached = Reached(messages);
                foreach (var message in messages.Where(IsOurs))
                {
                    _owned[message.Partition].Sizes.Remove(message.Position, out var size);
                    _heldBytes -= size;
                    _held--;
                }
            }

            if (reached.Count > 0) Call(() => _consumer.Commit(reached));
        },
        cancellationToken);

    public override Task MarkSentAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken) => ApartAsync(
        () =>
        {
            List<TopicPartitionOffset> reached;
            lock (_lock)
            {
                if (!messages.All(IsOurs)) throw new QueueException(QueueFault.Unavailable, "Another consumer of the group has taken partitions over.");
                reached = Reached(messages);
            }

            if (reached.Count > 0) Call(() => Marks().Commit(reached));
        },
        cancellationToken);

    /// <remarks>Uncommitted messages are delivered to the next owner of the partition.</remarks>
    public override async Task GiveBackAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _polling.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock) (_held, _heldBytes) = (0, 0);
    }

    public override Task<long> LagAsync(CancellationToken cancellationToken) => ApartAsync(
        () => Call(() =>
        {
            var lag = 0L;
            foreach (var committed in _consumer.Committed(_partitions, _timeout))
            {
                var ends = _consumer.QueryWatermarkOffsets(committed.TopicPartition, _timeout);
                lag += Math.Max(0, ends.High.Value - FirstOf(committed.Offset, ends));
            }

            return lag;
        }),
        cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Task calls;
        lock (_lock) calls = Task.WhenAll(_calls);
        var closing = Task.Run(async () =>
        {
            await calls.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // abandoned calls still use the client
            try
            {
                _consumer.Close(); // leaves the group, so that the others need not wait for the session timeout
            }
            catch (KafkaException)
            {
                // The broker detects it after the session timeout.
            }

            _consumer.Dispose();
            _marks?.Dispose();
        });
        // A broker that hangs must not prevent shutdown.
        await closing.WaitAsync(ClosingPatience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    Task<bool> ApartAsync(Action call, CancellationToken cancellationToken) => ApartAsync(
        () =>
        {
            call();
            return true;
        },
        cancellationToken);

    /// <summary>Runs a client call, which cannot be canceled: if nobody waits for it any more, it ends on its own, before the client is disposed.</summary>
    Task<T> ApartAsync<T>(Func<T> call, CancellationToken cancellationToken)
    {
        var running = Task.Run(call, cancellationToken);
        lock (_lock)
        {
            _calls.RemoveAll(earlier => earlier.IsCompleted);
            _calls.Add(running);
        }

        return running.WaitAsync(cancellationToken);
    }

    /// <summary>Polls until stopped. Only polling must be done by one thread at a time.</summary>
    void Poll()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                Pause();
                if (_consumer.Consume(PollTime) is { } result)
                {
                    _errors.Clear();
                    if (result.IsPartitionEOF) Reach(result.TopicPartitionOffset);
                    else Take(result);
                }

                if (_errors.Fatal is { } fatal) throw fatal;
            }
        }
        catch (ConsumeException e)
        {
            _lost = _errors.Of(e.Error, e);
        }
        catch (KafkaException e)
        {
            _lost = _errors.Of(e.Error, e);
        }
        catch (QueueException e)
        {
            _lost = e;
        }
        finally
        {
            _arrived.Writer.TryComplete();
        }
    }

    /// <summary>Pauses fetching while too much is held.</summary>
    void Pause()
    {
        bool isFull;
        lock (_lock) isFull = _heldBytes > _limits.Bytes || _held >= _limits.Messages;
        if (isFull == _isPaused) return;
        _isPaused = isFull;
        if (isFull) _consumer.Pause(_consumer.Assignment);
        else _consumer.Resume(_consumer.Assignment);
    }

    void Take(ConsumeResult<byte[]?, byte[]> result)
    {
        var (partition, offset, body) = (result.Partition.Value, result.Offset.Value, result.Message.Value ?? []);
        var name = string.Create(CultureInfo.InvariantCulture, $"{_topic}:{partition}:{offset}");
        bool isRedelivered;
        lock (_lock)
        {
            if (!_owned.TryGetValue(partition, out var owned)) return;
            isRedelivered = offset < owned.SentTo;
            owned.Next = offset + 1;
            owned.Sizes[(ulong)offset] = body.Length;
            _heldBytes += body.Length;
            _held++;
        }

        _arrived.Writer.TryWrite(new QueueMessage(body, Header(result, "content-encoding"), Header(result, "message-id"))
        {
            Name = name,
            Source = name,
            IsNamed = true,
            IsRedelivered = isRedelivered,
            Position = (ulong)offset,
            Partition = partition,
            ReceivedAt = _time.GetTimestamp(),
            Version = Header(result, QueueBody.VersionName),
        });
    }

    static string? Header(ConsumeResult<byte[]?, byte[]> result, string name) =>
        result.Message.Headers?.TryGetLastBytes(name, out var value) == true ? Encoding.UTF8.GetString(value) : null;

    void Own(List<TopicPartition> assigned)
    {
        var sent = Marks().Committed(assigned, _timeout);
        var owned = new List<(int Partition, Owned Owned)>();
        foreach (var partition in assigned)
        {
            var ends = _consumer.QueryWatermarkOffsets(partition, _timeout);
            var mark = sent.Find(mark => mark.TopicPartition == partition)?.Offset ?? Offset.Unset;
            var next = _consumer.Committed([partition], _timeout)[0].Offset;
            owned.Add((partition.Partition.Value, new() { SentTo = mark.IsSpecial ? 0 : mark.Value, Next = FirstOf(next, ends) }));
        }

        lock (_lock)
        {
            foreach (var (partition, of) in owned) _owned[partition] = of;
        }

        _isPaused = null;
    }

    /// <summary>Handles the end of a partition: there are no messages between the last one and it.</summary>
    void Reach(TopicPartitionOffset end)
    {
        lock (_lock)
        {
            if (_owned.TryGetValue(end.Partition.Value, out var owned)) owned.Next = Math.Max(owned.Next, end.Offset.Value);
        }
    }

    /// <summary>The offset at which a group continues, skipping messages that are no longer retained.</summary>
    static long FirstOf(Offset committed, WatermarkOffsets ends) => committed.IsSpecial ? ends.Low.Value : Math.Max(committed.Value, ends.Low.Value);

    void Disown(List<TopicPartitionOffset> gone)
    {
        lock (_lock)
        {
            foreach (var partition in gone)
            {
                if (!_owned.Remove(partition.Partition.Value, out var owned)) continue;
                _held -= owned.Sizes.Count;
                _heldBytes -= owned.Sizes.Values.Sum(size => (long)size);
            }
        }
    }

    bool IsAtEnd()
    {
        lock (_lock) return _owned.All(owned => owned.Value.Next >= _ends.GetValueOrDefault(owned.Key));
    }

    /// <summary>Whether the group has settled the partitions of other members up to the ends as of the start.</summary>
    bool AreOthersAtEnd()
    {
        List<TopicPartition> others;
        lock (_lock) others = [.. _partitions.Where(partition => !_owned.ContainsKey(partition.Partition.Value))];
        return others.Count == 0 || _consumer.Committed(others, _timeout).TrueForAll(committed =>
            _ends.GetValueOrDefault(committed.Partition.Value) is var end
                && (committed.Offset.Value >= end || FirstOf(committed.Offset, _consumer.QueryWatermarkOffsets(committed.TopicPartition, _timeout)) >= end));
    }

    bool IsOurs(QueueMessage message) => _owned.TryGetValue(message.Partition, out var owned) && owned.Sizes.ContainsKey(message.Position);

    /// <summary>The offsets that messages reach in their partitions, except partitions that others have taken over.</summary>
    List<TopicPartitionOffset> Reached(IEnumerable<QueueMessage> messages) =>
        [
            .. messages.Where(IsOurs)
                .GroupBy(message => message.Partition)
                .Select(part => new TopicPartitionOffset(_topic, part.Key, (long)part.Max(message => message.Position) + 1)),
        ];

    IConsumer<byte[]?, byte[]> Marks()
    {
        lock (_lock)
            return _marks ??= new ConsumerBuilder<byte[]?, byte[]>(_marking)
                .SetErrorHandler((_, error) => _errors.Take(error))
                .SetLogHandler(static (_, _) => { }).Build();
    }

    void Call(Action call) => Call(() =>
    {
        call();
        return true;
    });

    T Call<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (KafkaException e)
        {
            throw _errors.Of(e.Error, e);
        }
    }

    /// <summary>A partition that is assigned to this consumer.</summary>
    sealed class Owned
    {
        /// <summary>The offset before which messages that cannot be safely retried may have been sent.</summary>
        public long SentTo { get; init; }

        /// <summary>The next offset.</summary>
        public long Next { get; set; }

        /// <summary>The sizes of held messages in bytes, by offset.</summary>
        public Dictionary<ulong, int> Sizes { get; } = [];
    }
}
