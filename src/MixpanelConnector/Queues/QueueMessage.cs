namespace MixpanelConnector.Queues;

/// <summary>A message as it is published and received: records, line by line.</summary>
/// <param name="Body">NDJSON, compressed as <paramref name="ContentEncoding"/> specifies.</param>
/// <param name="ContentEncoding">The compression; null for none.</param>
/// <param name="Id">The message id; null when the publisher set none.</param>
record QueueBody(ReadOnlyMemory<byte> Body, string? ContentEncoding, string? Id)
{
    public const string ContentType = "application/x-ndjson", VersionName = "mixpanel-version", CurrentVersion = "1";

    /// <summary>The version of the format; null when it was not specified.</summary>
    public string? Version { get; init; } = CurrentVersion;

    /// <summary>The key within which messages are ordered; null for none.</summary>
    public string? Key { get; init; }
}

/// <summary>A received message, held until it is acknowledged or returned.</summary>
sealed record QueueMessage(ReadOnlyMemory<byte> Body, string? ContentEncoding, string? Id) : QueueBody(Body, ContentEncoding, Id)
{
    /// <summary>The name in dead letters and messages: the same when it is redelivered.</summary>
    public required string Name { get; init; }

    /// <summary>The source from which ids are computed for its records: the same when it is redelivered.</summary>
    public required string Source { get; init; }

    /// <summary>Whether <see cref="Name"/> is unique to this message.</summary>
    public required bool IsNamed { get; init; }

    /// <summary>Whether it was delivered before, so that it may have been sent.</summary>
    public bool IsRedelivered { get; init; }

    /// <summary>The broker's position or tag of the message.</summary>
    public required ulong Position { get; init; }

    /// <summary>The partition that contains it; 0 for a queue without partitions.</summary>
    public int Partition { get; init; }

    /// <summary>When it was received.</summary>
    public required long ReceivedAt { get; init; }
}
