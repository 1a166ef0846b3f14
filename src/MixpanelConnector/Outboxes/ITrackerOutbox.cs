namespace MixpanelConnector;

/// <summary>Records on the disk that Mixpanel does not have yet. A tracker calls it from one thread at a time. Whatever else it throws than an <see cref="OutboxException"/> is taken for one that may pass.</summary>
public interface ITrackerOutbox : IDisposable
{
    /// <summary>Tells which batches the tracker sends. Called once, before anything is appended or read. An outbox that trackers of several projects share leaves the others where those find them; one that does nothing here is still safe, for a tracker sends its own alone.</summary>
    /// <param name="isOwn">Whether a batch is the tracker's.</param>
    /// <returns>How many records stay for others.</returns>
    /// <exception cref="OutboxException">The disk failed.</exception>
    long Claim(Func<OutboxBatch, bool> isOwn) => 0;

    /// <summary>Keeps batches. When it returns, they survive the end of the process and of the machine.</summary>
    /// <param name="batches">The batches.</param>
    /// <returns>Their numbers, ascending.</returns>
    /// <exception cref="OutboxException">None of them is kept.</exception>
    IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches);

    /// <summary>The batches of a kind after a number, oldest first.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="after">The number to start after; 0 from the beginning.</param>
    /// <param name="records">So many records are enough; at least one batch is given where there is one, and fewer than there are where they are large.</param>
    /// <exception cref="OutboxException">The disk failed.</exception>
    IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records);

    /// <summary>Forgets batches that Mixpanel has, or has refused.</summary>
    /// <param name="numbers">The batches' numbers.</param>
    /// <exception cref="OutboxException">The disk failed; they will be sent again.</exception>
    void Remove(IReadOnlyList<long> numbers);

    /// <summary>How many records were found damaged and set aside since this outbox was opened.</summary>
    long Quarantined { get; }

    /// <summary>The last number that was given; 0 when none was.</summary>
    long LastNumber { get; }

    /// <summary>How many records of a kind are kept, and when the oldest of them was.</summary>
    /// <param name="kind">The kind.</param>
    (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind);
}

/// <summary>Records of one kind in an outbox.</summary>
/// <param name="Kind">What they are.</param>
/// <param name="Records">How many.</param>
/// <param name="At">When they were tracked.</param>
/// <param name="Content">The records, in the tracker's own form.</param>
public sealed record OutboxBatch(TrackedKind Kind, int Records, DateTimeOffset At, ReadOnlyMemory<byte> Content)
{
    /// <summary>Its number in the outbox, from 1; 0 before it is there.</summary>
    public long Number { get; init; }
}

/// <summary>An outbox could not keep or give what it should.</summary>
public sealed class OutboxException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="message">What is wrong and what to do.</param>
    /// <param name="mayPass">Whether it may pass by itself, as a full disk does when room is made.</param>
    /// <param name="innerException">The cause, when there is one.</param>
    public OutboxException(string message, bool mayPass, Exception? innerException = null)
        : base(message, innerException) => MayPass = mayPass;

    /// <summary>Whether it may pass by itself, as a full disk does when room is made. When not, nothing more can be trusted to this outbox.</summary>
    public bool MayPass { get; }
}
