namespace MixpanelConnector;

/// <summary>Which queue to consume, and how. Immutable: change a copy with <c>with</c>.</summary>
public sealed record ConsumeRequest
{
    /// <summary>The address of the queue, such as <c>amqps://host/queue</c>. It holds no password.</summary>
    public required string Address { get; init; }

    /// <summary>What such addresses lead to. Default: none. MixpanelConnector.RabbitMq and MixpanelConnector.Kafka hold some.</summary>
    public IReadOnlyList<QueueScheme> Schemes { get; init; } = [];

    /// <summary>How the queue is reached.</summary>
    public QueueOptions Queue { get; init; } = new();

    /// <summary>How its records are read, sent and reported: as those of a file of NDJSON. What is about inputs and a checkpoint is not used: what is settled, the broker keeps.</summary>
    public ImportRequest Records { get; init; } = new();

    /// <summary>The file to which every record that was not accepted is appended, and synced, before its message is settled. Default: null. One of the two places must be named.</summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>The queue or topic of the same broker that gets them in its place, each as a message that was confirmed. Default: null.</summary>
    public string? DeadLetterQueue { get; init; }

    /// <summary>Whether it ends when nothing is left; of a topic: at the ends that it had at the start. Default: false, which means that it goes on until it is cancelled.</summary>
    public bool UntilEmpty { get; init; }

    /// <summary>How long the broker waits for a message to be settled: what cannot be is given back before, and taken again when Mixpanel answers. Default: 30 minutes, as RabbitMQ has it.</summary>
    public TimeSpan ConsumerTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The most bytes of a message after decompression: a larger one is a dead letter as a whole. Default: 10 MB.</summary>
    public int MaxMessageBytes { get; init; } = 10_000_000;

    /// <summary>Gets a snapshot of the counts, at most five times a second. Default: none.</summary>
    public IProgress<ConsumeProgress>? Progress { get; init; }

    /// <exception cref="MixpanelException">An option is out of range.</exception>
    internal ConsumeRequest Validated()
    {
        if (Records.Type is ImportType.LookupTable) throw MixpanelException.Invalid("type", "A lookup table is a file, and replaced whole: a queue gives events, profiles or groups.");
        if (Records.DryRun) throw MixpanelException.Invalid("dry_run", "What a queue gives is consumed: there is no dry run.");
        if (DeadLetterPath is null == DeadLetterQueue is null) throw MixpanelException.Invalid("dead_letter", "Dead letters go to a file or to a queue: name one of them.");
        if (DeadLetterPath is "" || DeadLetterQueue is "") throw MixpanelException.Invalid("dead_letter", "The place of the dead letters is empty.");
        if (ConsumerTimeout < TimeSpan.FromSeconds(1)) throw MixpanelException.Invalid("consumer_timeout", "The time for a message must be at least a second.");
        if (MaxMessageBytes is < 1 or > LargestMessage) throw MixpanelException.Invalid("max_message_bytes", $"A message holds from 1 to {LargestMessage} bytes after decompression.");
        return this with { Records = (Records with { Inputs = [Address], Storages = [], Format = ImportFormat.Ndjson.Name, Formats = [ImportFormat.Ndjson], AllowEmpty = true, StopWhenRefusedAlike = false, DeadLetterPath = null }).Validated() };
    }

    internal const int LargestMessage = 128 << 20;
}

/// <summary>How far the consuming of a queue is, for the eye.</summary>
public sealed record ConsumeProgress
{
    /// <summary>The counts of the records.</summary>
    public required ImportProgress Records { get; init; }

    /// <summary>The messages that are settled.</summary>
    public required long Messages { get; init; }

    /// <summary>The messages that are left in the queue, as it was last asked; null when it was not yet.</summary>
    public long? Lag { get; init; }
}
