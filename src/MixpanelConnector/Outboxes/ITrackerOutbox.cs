namespace MixpanelConnector;

/// <summary>
/// Stores on the disk the records that Mixpanel does not have yet. A tracker calls it from one thread at a time. Any exception other than an
/// <see cref="OutboxException"/> is treated as transient.
/// </summary>
public interface ITrackerOutbox : IDisposable
{
    /// <summary>
    /// Specifies which batches the tracker sends. Called once, before anything is appended or read. An outbox shared by trackers of several projects leaves the
    /// other batches available to those. An implementation that does nothing here is still safe, because a tracker sends only its own batches.
    /// </summary>
    /// <param name="isOwn">Whether a batch belongs to the tracker.</param>
    /// <returns>The number of records that stay for others.</returns>
    /// <exception cref="OutboxException">The disk failed.</exception>
    long Claim(Func<OutboxBatch, bool> isOwn) => 0;

    /// <summary>Stores batches. When it returns, they survive a process crash and a power loss.</summary>
    /// <param name="batches">The batches.</param>
    /// <returns>Their numbers, ascending.</returns>
    /// <exception cref="OutboxException">None of them is stored.</exception>
    IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches);

    /// <summary>Returns the batches of a kind after a number, oldest first.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="after">The number to start after; 0 for the beginning.</param>
    /// <param name="records">The number of records to read. If there is a batch, at least one is returned; fewer than available are returned if they are
    /// large.</param>
    /// <exception cref="OutboxException">The disk failed.</exception>
    IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records);

    /// <summary>Removes batches that Mixpanel has accepted or refused.</summary>
    /// <param name="numbers">The batches' numbers.</param>
    /// <exception cref="OutboxException">The disk failed; they will be sent again.</exception>
    void Remove(IReadOnlyList<long> numbers);

    /// <summary>The number of records that were found damaged and set aside since this outbox was opened.</summary>
    long Quarantined { get; }

    /// <summary>The last number assigned; 0 when there is none.</summary>
    long LastNumber { get; }

    /// <summary>Returns the number of stored records of a kind, and when the oldest of them was stored.</summary>
    /// <param name="kind">The kind.</param>
    (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind);
}

/// <summary>Records of one kind in an outbox.</summary>
/// <param name="Kind">The kind of the records.</param>
/// <param name="Records">The number of records.</param>
/// <param name="At">When they were tracked.</param>
/// <param name="Content">The records, in the tracker's own format.</param>
public sealed record OutboxBatch(TrackedKind Kind, int Records, DateTimeOffset At, ReadOnlyMemory<byte> Content)
{
    /// <summary>Its number in the outbox, from 1; 0 before it is stored.</summary>
    public long Number { get; init; }
}

/// <summary>An outbox failed to store or return records.</summary>
public sealed class OutboxException : Exception
{
    /// <summary>Creates an exception.</summary>
    /// <param name="message">What is wrong, and what to do.</param>
    /// <param name="mayPass">Whether the failure may be transient, such as a full disk until space is freed.</param>
    /// <param name="innerException">The cause, if any.</param>
    public OutboxException(string message, bool mayPass, Exception? innerException = null)
        : base(message, innerException) => MayPass = mayPass;

    /// <summary>Whether the failure may be transient, such as a full disk until space is freed. If not, this outbox cannot be used any more.</summary>
    public bool MayPass { get; }
}
