namespace MixpanelConnector;

/// <summary>Specifies which queue to consume, and how. Immutable: change a copy with <c>with</c>.</summary>
public sealed record ConsumeRequest
{
    /// <summary>The address of the queue, such as <c>amqps://host/queue</c>. It contains no password.</summary>
    public required string Address { get; init; }

    /// <summary>The supported address schemes. Default: none. MixpanelConnector.RabbitMq and MixpanelConnector.Kafka provide some.</summary>
    public IReadOnlyList<QueueScheme> Schemes { get; init; } = [];

    /// <summary>How to connect to the queue.</summary>
    public QueueOptions Queue { get; init; } = new();

    /// <summary>
    /// How the records are read, sent and reported: like those of an NDJSON file. Options for inputs and a checkpoint are not used: the broker keeps track of
    /// what is acknowledged.
    /// </summary>
    public ImportRequest Records { get; init; } = new();

    /// <summary>
    /// The file to which every record that was not accepted is appended and synced, before its message is acknowledged. Default: null. One of
    /// <see cref="DeadLetterPath"/> and <see cref="DeadLetterQueue"/> is required.
    /// </summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>A queue or topic of the same broker that receives such records instead, each as a confirmed message. Default: null.</summary>
    public string? DeadLetterQueue { get; init; }

    /// <summary>
    /// Whether to stop when nothing is left; for a topic, at the end offsets that it had at the start. Default: false, which means to continue until it is
    /// canceled.
    /// </summary>
    public bool UntilEmpty { get; init; }

    /// <summary>
    /// The time that the broker allows for the acknowledgement of a message. Messages that cannot be acknowledged are returned before that, and received again
    /// when
    /// Mixpanel answers. Default: 30 minutes, the default of RabbitMQ.
    /// </summary>
    public TimeSpan ConsumerTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The maximum size of a decompressed message, in bytes: a larger one is a dead letter as a whole. Default: 10 MB.</summary>
    public int MaxMessageBytes { get; init; } = 10_000_000;

    /// <summary>Receives a snapshot of the counts, at most five times a second. Default: none.</summary>
    public IProgress<ConsumeProgress>? Progress { get; init; }

    /// <exception cref="MixpanelException">An option is out of range.</exception>
    internal ConsumeRequest Validated()
    {
        if (Records.Type is ImportType.LookupTable)
            throw MixpanelException.Invalid("type",
                "A lookup table is a file that is replaced as a whole: a queue can only contain events, profiles or groups.");
        if (Records.DryRun) throw MixpanelException.Invalid("dry_run", "Messages are consumed: a queue has no dry run.");
        if (DeadLetterPath is null == DeadLetterQueue is null)
            throw MixpanelException.Invalid("dead_letter", "Dead letters go to a file or a queue: specify one of them.");
        if (DeadLetterPath is "" || DeadLetterQueue is "") throw MixpanelException.Invalid("dead_letter", "The destination of the dead letters is empty.");
        if (ConsumerTimeout < TimeSpan.FromSeconds(1)) throw MixpanelException.Invalid("consumer_timeout", "The consumer timeout must be at least a second.");
        if (MaxMessageBytes is < 1 or > OptionRanges.LargestMessage)
            throw MixpanelException.Invalid("max_message_bytes",
                $"The maximum message size must be from 1 to {OptionRanges.LargestMessage} bytes after decompression.");
        return this with
        {
            Records = (Records with
            {
                Inputs = [Address],
                Storages = [],
                Format = ImportFormat.Ndjson.Name,
                Formats = [ImportFormat.Ndjson],
                AllowEmpty = true,
                StopWhenRefusedAlike = false,
                DeadLetterPath = null,
            }).Validated(),
        };
    }
}

/// <summary>The progress of consuming a queue, for display.</summary>
public sealed record ConsumeProgress
{
    /// <summary>The counts of the records.</summary>
    public required ImportProgress Records { get; init; }

    /// <summary>The number of acknowledged messages.</summary>
    public required long Messages { get; init; }

    /// <summary>The number of messages left in the queue, at the last query; null before the first.</summary>
    public long? Lag { get; init; }
}
