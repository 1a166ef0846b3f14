namespace MixpanelConnector.Queues;

/// <summary>What is published, and received again: records, line by line.</summary>
/// <param name="Body">NDJSON, compressed as <paramref name="ContentEncoding"/> says.</param>
/// <param name="ContentEncoding">How it is compressed; null for not.</param>
/// <param name="Id">Names the message; null where nobody named it.</param>
record QueueBody(ReadOnlyMemory<byte> Body, string? ContentEncoding, string? Id)
{
    public const string ContentType = "application/x-ndjson", VersionName = "mixpanel-version", CurrentVersion = "1";

    /// <summary>The version of the form; null where it was not said.</summary>
    public string? Version { get; init; } = CurrentVersion;

    /// <summary>What messages are ordered by that have it; null for none.</summary>
    public string? Key { get; init; }
}

/// <summary>A message that was received, and is held until it is settled or given back.</summary>
sealed record QueueMessage(ReadOnlyMemory<byte> Body, string? ContentEncoding, string? Id) : QueueBody(Body, ContentEncoding, Id)
{
    /// <summary>Names it in dead letters and messages: the same when it is delivered again.</summary>
    public required string Name { get; init; }

    /// <summary>What the ids come from that are computed for its records: the same when it is delivered again.</summary>
    public required string Source { get; init; }

    /// <summary>Whether <see cref="Name"/> is this message's alone.</summary>
    public required bool IsNamed { get; init; }

    /// <summary>Whether it was delivered before, so that it may have been sent.</summary>
    public bool IsRedelivered { get; init; }

    /// <summary>Where the broker has it.</summary>
    public required ulong Position { get; init; }

    /// <summary>The part of the queue in which that is; 0 where it has no parts.</summary>
    public int Partition { get; init; }

    /// <summary>When it came.</summary>
    public required long ReceivedAt { get; init; }
}
