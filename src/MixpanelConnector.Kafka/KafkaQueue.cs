using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Confluent.Kafka;
using MixpanelConnector.Queues;

namespace MixpanelConnector.Kafka;

/// <summary>A Kafka topic.</summary>
sealed class KafkaQueue : DeliveryQueue
{
    const string Methods = "Confluent.Kafka.Impl.NativeMethods.NativeMethods", Package = "Confluent.Kafka";

    readonly QueueAddress _address;
    readonly QueueOptions _options;
    readonly TimeProvider _time;
    readonly string _brokers;

    // The client finds the functions of the native library by reflection.
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, Methods, Package)]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, $"{Methods}_Alpine", Package)]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, $"{Methods}_Centos8", Package)]
    public KafkaQueue(QueueAddress address, QueueOptions options, TimeProvider time) =>
        (_address, _options, _time, Name, _brokers) = (address, options, time, address.Path[0], string.Join(',', address.Hosts));

    public override string Name { get; }

    public override bool OrdersByKey => true;

    /// <summary>The timeout in the client's unit.</summary>
    int Milliseconds => (int)_options.Timeout.TotalMilliseconds;

    public override Task<QueueConsumer> ConsumeAsync(ConsumeLimits limits, CancellationToken cancellationToken) => Task.Run<QueueConsumer>(
        async () =>
        {
            var errors = new KafkaErrors(_brokers, _options.Words);
            var config = new ConsumerConfig(Settings())
            {
                GroupId = _options.Group,
                EnableAutoCommit = false, // only settled messages are committed
                EnableAutoOffsetStore = false,
                AutoOffsetReset = AutoOffsetReset.Earliest,
                PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky,
                AllowAutoCreateTopics = false,
                EnablePartitionEof = true,
                SessionTimeoutMs = 10_000, // a killed member is detected after this time
                HeartbeatIntervalMs = 3_000,
                IsolationLevel = IsolationLevel.ReadCommitted,
                QueuedMaxMessagesKbytes = (int)Math.Max(1, limits.Bytes / 2 >> 10),
                FetchMaxBytes = (int)Math.Max(1 << 20, limits.Bytes / 2),
                MaxPartitionFetchBytes = 1 << 20,
            };
            var consumer = new ConsumerBuilder<byte[]?, byte[]>(config).SetErrorHandler((_, error) => errors.Take(error)).SetLogHandler(static (_, _) => { });
            // A configuration created from another one shares its settings, so the settings are copied.
            var marking = new ConsumerConfig(config.ToDictionary(StringComparer.Ordinal)) { GroupId = $"{_options.Group}.sent" };
            return await KafkaConsumer.BeginAsync(consumer, marking, Name, limits, errors, _options.Timeout, _time, cancellationToken).ConfigureAwait(false);
        },
        cancellationToken);

    public override Task<QueuePublisher> PublishAsync(string name, bool isLast, CancellationToken cancellationToken) => Task.Run<QueuePublisher>(
        () =>
        {
            var errors = new KafkaErrors(_brokers, _options.Words);
            var config = new ProducerConfig(Settings())
            {
                EnableIdempotence = true,
                Acks = Acks.All,
                MessageTimeoutMs = Milliseconds,
                MessageMaxBytes = 100 << 20, // the broker has its own limit
                LingerMs = 5,
                QueueBufferingMaxKbytes = 64 << 10,
            };
            var producer = new ProducerBuilder<string?, byte[]>(config)
                .SetErrorHandler((_, error) => errors.Take(error))
                .SetLogHandler(static (_, _) => { }).Build();
            try
            {
                using var admin = new DependentAdminClientBuilder(producer.Handle).Build();
                EnsureTopic(() => admin.GetMetadata(name, _options.Timeout), name, errors);
                return new KafkaPublisher(producer, name, errors, _options.Timeout, _time);
            }
            catch
            {
                producer.Dispose();
                throw;
            }
        },
        cancellationToken);

    public override ValueTask DisposeAsync() => default;

    /// <exception cref="QueueException">There is no such topic, or no response.</exception>
    public static IReadOnlyList<TopicPartition> EnsureTopic(Func<Metadata> ask, string topic, KafkaErrors errors)
    {
        try
        {
            var found = ask().Topics.Find(found => found.Topic == topic);
            if (found is null || found.Error.Code is ErrorCode.UnknownTopicOrPart or ErrorCode.Local_UnknownTopic
                || (!found.Error.IsError && found.Partitions.Count == 0))
                throw new QueueException(QueueFault.Missing, $"Kafka at {errors.Brokers} has no topic {topic}. Create it with Kafka's own tools.");
            return found.Error.IsError
                ? throw errors.Of(found.Error)
                : [.. found.Partitions.Select(partition => new TopicPartition(topic, partition.PartitionId))];
        }
        catch (KafkaException e)
        {
            throw errors.Of(e.Error, e);
        }
    }

    Dictionary<string, string> Settings()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["bootstrap.servers"] = _brokers,
            ["client.id"] = "mixpanel",
            ["socket.timeout.ms"] = Milliseconds.ToString(CultureInfo.InvariantCulture),
            ["security.protocol"] = (_address.IsSecure, _options.Username is not null) switch
            {
                (false, false) => "plaintext",
                (true, false) => "ssl",
                (false, true) => "sasl_plaintext",
                _ => "sasl_ssl",
            },
        };
        if (_options.CaFile is { } authorities) settings["ssl.ca.location"] = authorities;
        if (_options.Username is { } user)
        {
            settings["sasl.mechanism"] = (_options.Sasl ?? "plain").ToUpperInvariant();
            settings["sasl.username"] = user;
#pragma warning disable RS0030 // it is handed to the broker, and nobody else
            settings["sasl.password"] = _options.Password?.Reveal() ?? "";
#pragma warning restore RS0030
        }

        return settings;
    }
}
