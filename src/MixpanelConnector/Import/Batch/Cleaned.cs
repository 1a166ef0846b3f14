namespace MixpanelConnector.Import.Batch;

/// <summary>The changes made to a record.</summary>
[Flags]
enum Cleaned
{
    Nothing = 0,
    Time = 1,
    Ids = 2,
    Nulls = 4,
    Renamed = 8,
    Dropped = 16,
    TimeOffset = 32,
    InsertIds = 64,
}

/// <summary>Counts records by the changes made to them.</summary>
sealed class CleanedCounts
{
    long _time;
    long _ids;
    long _nulls;
    long _insertIds;
    long _renamed;
    long _dropped;
    long _timeOffset;

    public void Add(Cleaned made)
    {
        if (made is Cleaned.Nothing) return;
        if (made.HasFlag(Cleaned.Time)) _time++;
        if (made.HasFlag(Cleaned.Ids)) _ids++;
        if (made.HasFlag(Cleaned.Nulls)) _nulls++;
        if (made.HasFlag(Cleaned.InsertIds)) _insertIds++;
        if (made.HasFlag(Cleaned.Renamed)) _renamed++;
        if (made.HasFlag(Cleaned.Dropped)) _dropped++;
        if (made.HasFlag(Cleaned.TimeOffset)) _timeOffset++;
    }

    /// <summary>Adds the counts to those of the requested kinds.</summary>
    public ImportFixed? AddedTo(ImportFixed? counts) => counts is null ? null : new ImportFixed
    {
        Time = counts.Time + _time,
        Ids = counts.Ids + _ids,
        Nulls = counts.Nulls + _nulls,
        InsertIds = counts.InsertIds + _insertIds,
        Renamed = counts.Renamed + _renamed,
        Dropped = counts.Dropped + _dropped,
        TimeOffset = counts.TimeOffset + _timeOffset,
    };
}
