namespace MixpanelConnector.Import.Outcome;

/// <summary>The progress of this run, for display: updated by every stage, read at any time.</summary>
sealed class ImportCounts
{
    long _read;
    long _accepted;
    long _rejected;
    long _requests;
    long _retries;
    long _inputBytes;

    public long Read => Interlocked.Read(ref _read);

    public long Requests => Interlocked.Read(ref _requests);

    public long Retries => Interlocked.Read(ref _retries);

    public void RecordsRead(long count) => Interlocked.Add(ref _read, count);

    public void Accepted(long count) => Interlocked.Add(ref _accepted, count);

    public void Rejected() => Interlocked.Increment(ref _rejected);

    public void InputBytes(long position) => Interlocked.Exchange(ref _inputBytes, position);

    public void Requested(bool isRetry)
    {
        Interlocked.Increment(ref _requests);
        if (isRetry) Interlocked.Increment(ref _retries);
    }

    public ImportProgress Snapshot(long? totalInputBytes, bool waiting, double? quotaRate) => new()
    {
        Read = Read,
        Accepted = Interlocked.Read(ref _accepted),
        Rejected = Interlocked.Read(ref _rejected),
        Requests = Requests,
        Retries = Retries,
        InputBytes = Interlocked.Read(ref _inputBytes),
        TotalInputBytes = totalInputBytes,
        Waiting = waiting,
        QuotaRate = quotaRate,
    };
}
