namespace MixpanelConnector.Import.Batch;

/// <summary>One record in a batch's buffer, and where it came from.</summary>
struct Entry
{
    /// <summary>Where its bytes are in the buffer, additions included.</summary>
    public int Start;
    public int Length;

    /// <summary>The bytes that were added, from the record's start: without them, it is the record as it was read.</summary>
    public int AddedAt;
    public int AddedLength;

    /// <summary>Its <c>$insert_id</c>, from the record's start; length 0 when it has none.</summary>
    public int IdAt;
    public int IdLength;

    /// <summary>The record as it was read, when that is not its bytes without the added ones.</summary>
    public byte[]? Raw;

    public string Source;
    public long Offset;
    public long Line;

    /// <summary>Whether sending it twice is the same as once.</summary>
    public bool Repeatable;

    /// <summary>Whether any request that carried it, in this run or an earlier one, left open whether it was taken.</summary>
    public bool MaybeDelivered;

    /// <summary>Whether it is one of the events by which some projects are told which ids are one user's, and which others refuse.</summary>
    public bool SaysWhoIsWho;
}
