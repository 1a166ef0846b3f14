using System.Collections.Concurrent;
using System.Text;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Tests.Consume;

/// <summary>An in-process queue: unsettled messages are redelivered.</summary>
sealed class FakeQueue : QueueScheme
{
    readonly Lock _lock = new();
    readonly LinkedList<Kept> _ready = new();
    readonly List<Consumer> _consumers = [];
    ulong _positions;

    public FakeQueue()
        : base("fake", 1, 2) { }

    public const string Address = "fake://localhost/events";

    /// <summary>The positions of settled messages, in order.</summary>
    public ConcurrentQueue<ulong> Settled { get; } = new();

    /// <summary>The published messages, by name of the queue.</summary>
    public ConcurrentQueue<(string? Name, QueueBody Body)> Published { get; } = new();

    public int Returned;

    public int Connections;

    /// <summary>Thrown on connecting.</summary>
    public Func<int, QueueException?> Refuses { get; set; } = _ => null;

    /// <summary>Awaited before a consumer is connected, with the number of the connection.</summary>
    public Func<int, Task> ConnectingConsumers { get; set; } = _ => Task.CompletedTask;

    /// <summary>Thrown on publishing.</summary>
    public Func<QueueException?> RefusesToPublish { get; set; } = () => null;

    /// <summary>Thrown when a publisher is opened.</summary>
    public Func<QueueException?> RefusesPublishers { get; set; } = () => null;

    /// <summary>Awaited before a message counts as published.</summary>
    public Func<QueueBody, Task> Confirming { get; set; } = _ => Task.CompletedTask;

    /// <summary>Awaited before a publisher is ready.</summary>
    public Func<Task> Connecting { get; set; } = () => Task.CompletedTask;

    /// <summary>Whether the publishers' connections have ended.</summary>
    public bool IsClosed { get; set; }

    public int Publishers;

    public int PublishersClosed;

    /// <summary>Thrown while waiting for a message.</summary>
    public Func<QueueException?> RefusesToGive { get; set; } = () => null;

    /// <summary>Called before messages are marked as sent; its exceptions propagate.</summary>
    public Action Marking { get; set; } = () => { };

    /// <summary>Whether order is guaranteed only among messages with the same key.</summary>
    public bool OrdersByKey { get; set; }

    /// <summary>Called before a message is settled; its exceptions propagate.</summary>
    public Action<QueueMessage> Settling { get; set; } = _ => { };

    /// <summary>The maximum number of unsettled messages of a consumer.</summary>
    public int Ahead { get; set; } = 100;

    public int Left
    {
        get
        {
            lock (_lock) return _ready.Count;
        }
    }

    public void Add(string body, string? id = null, bool redelivered = false) => Add(Encoding.UTF8.GetBytes(body), id, null, redelivered);

    public void Add(byte[] body, string? id, string? encoding, bool redelivered = false, string? version = null)
    {
        lock (_lock) _ready.AddLast(new Kept(new QueueBody(body, encoding, id) { Version = version }, ++_positions, redelivered));
        Changed();
    }

    /// <summary>Drops the connections; unsettled messages are redelivered.</summary>
    public void Lose()
    {
        foreach (var consumer in _consumers.ToArray()) consumer.Lose();
    }

    internal override DeliveryQueue Open(QueueAddress address, QueueOptions options, TimeProvider time) => new Queue(this, time);

    Publisher NewPublisher(string name)
    {
        Interlocked.Increment(ref Publishers);
        return new(this, name);
    }

    void Changed()
    {
        foreach (var consumer in _consumers.ToArray()) consumer.Wake();
    }

    sealed record Kept(QueueBody Body, ulong Position, bool Redelivered);

    sealed class Queue(FakeQueue fake, TimeProvider time) : DeliveryQueue
    {
        public override string Name => "events";

        public override bool OrdersByKey => fake.OrdersByKey;

        public override async Task<QueueConsumer> ConsumeAsync(ConsumeLimits limits, CancellationToken cancellationToken)
        {
            var number = Interlocked.Increment(ref fake.Connections);
            if (fake.Refuses(number) is { } refusal) throw refusal;
            await fake.ConnectingConsumers(number);
            var consumer = new Consumer(fake, limits, time);
            fake._consumers.Add(consumer);
            return consumer;
        }

        public override async Task<QueuePublisher> PublishAsync(string name, bool isLast, CancellationToken cancellationToken)
        {
            if (fake.RefusesPublishers() is { } refusal) throw refusal;
            await fake.Connecting();
            return fake.NewPublisher(name);
        }

        public override ValueTask DisposeAsync() => default;
    }

    sealed class Publisher(FakeQueue fake, string? name) : QueuePublisher
    {
        public override bool IsOpen => !fake.IsClosed;

        public override async Task PublishAsync(QueueBody body, CancellationToken cancellationToken)
        {
            if (fake.RefusesToPublish() is { } refusal) throw refusal;
            await fake.Confirming(body);
            fake.Published.Enqueue((name, body));
        }

        public override ValueTask DisposeAsync()
        {
            Interlocked.Increment(ref fake.PublishersClosed);
            return default;
        }
    }

    sealed class Consumer(FakeQueue fake, ConsumeLimits limits, TimeProvider time) : QueueConsumer
    {
        readonly Dictionary<ulong, (Kept Kept, long At)> _held = [];
        TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bool _isLost;

        public override TimeSpan OldestHeld
        {
            get
            {
                lock (fake._lock) return _held.Count == 0 ? TimeSpan.Zero : time.GetElapsedTime(_held.Values.Min(held => held.At));
            }
        }

        public override int Held
        {
            get
            {
                lock (fake._lock) return _held.Count;
            }
        }

        public override bool IsFull
        {
            get
            {
                lock (fake._lock) return _held.Count >= Math.Min(limits.Messages, fake.Ahead);
            }
        }

        public override async ValueTask<QueueMessage?> ReceiveAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                if (fake.RefusesToGive() is { } refusal) throw refusal;
                Task changed;
                lock (fake._lock)
                {
                    if (_isLost) throw Gone();
                    if (_held.Count < Math.Min(limits.Messages, fake.Ahead) && fake._ready.First is { } first)
                    {
                        fake._ready.RemoveFirst();
                        var kept = first.Value;
                        _held.Add(kept.Position, (kept, time.GetTimestamp()));
                        return new QueueMessage(kept.Body.Body, kept.Body.ContentEncoding, kept.Body.Id)
                        {
                            Name = kept.Body.Id ?? "unnamed",
                            Source = kept.Body.Id ?? "",
                            IsNamed = kept.Body.Id is not null,
                            IsRedelivered = kept.Redelivered,
                            Position = kept.Position,
                            ReceivedAt = time.GetTimestamp(),
                            Version = kept.Body.Version,
                        };
                    }

                    if (limits.UntilEmpty && fake._ready.Count == 0) return null;
                    changed = _changed.Task;
                }

                await changed.WaitAsync(cancellationToken);
            }
        }

        public override Task SettleAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken)
        {
            foreach (var message in messages)
            {
                fake.Settling(message);
                lock (fake._lock)
                {
                    if (_isLost) throw Gone();
                    Assert.True(_held.Remove(message.Position));
                    fake.Settled.Enqueue(message.Position);
                }
            }

            Wake();
            return Task.CompletedTask;
        }

        public override Task MarkSentAsync(IReadOnlyCollection<QueueMessage> messages, CancellationToken cancellationToken)
        {
            fake.Marking();
            return Task.CompletedTask;
        }

        public override Task GiveBackAsync(CancellationToken cancellationToken)
        {
            lock (fake._lock)
            {
                foreach (var (kept, _) in _held.Values.OrderByDescending(held => held.Kept.Position)) fake._ready.AddFirst(kept with { Redelivered = true });
                fake.Returned += _held.Count;
                _held.Clear();
            }

            return Task.CompletedTask;
        }

        public override Task<long> LagAsync(CancellationToken cancellationToken) => Task.FromResult((long)fake.Left);

        public override async ValueTask DisposeAsync()
        {
            await GiveBackAsync(CancellationToken.None);
            fake._consumers.Remove(this);
        }

        public void Lose()
        {
            lock (fake._lock) _isLost = true;
            Wake();
        }

        public void Wake()
        {
            TaskCompletionSource changed;
            lock (fake._lock) (changed, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
            changed.TrySetResult();
        }

        static QueueException Gone() => new(QueueFault.Unavailable, "The connection is gone.");
    }
}
