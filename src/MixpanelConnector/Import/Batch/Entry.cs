namespace MixpanelConnector.Import.Batch;

/// <summary>A record in a batch's buffer, and its origin.</summary>
struct Entry
{
    /// <summary>Its position in the buffer, including additions.</summary>
    public int Start;
    public int Length;

    /// <summary>The position of the added bytes, relative to the record's start: without them, it is the record as read.</summary>
    public int AddedAt;
    public int AddedLength;

    /// <summary>The position of its <c>$insert_id</c>, relative to the record's start; length 0 when it has none.</summary>
    public int IdAt;
    public int IdLength;

    /// <summary>The record as read, when that is not its bytes without the added ones.</summary>
    public byte[]? Raw;

    public string Source;
    public long Offset;
    public long Line;

    /// <summary>Whether sending it is idempotent.</summary>
    public bool Repeatable;

    /// <summary>Whether a request that contained it, in this run or an earlier one, may have been accepted without a clear answer.</summary>
    public bool MaybeDelivered;

    /// <summary>Whether it is an event that links the ids of a user, which some projects accept and others reject.</summary>
    public bool SaysWhoIsWho;

    /// <summary>Whether Mixpanel is expected to refuse it, and it is sent nevertheless.</summary>
    public bool BreaksRule;
}
