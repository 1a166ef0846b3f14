namespace MixpanelConnector.Migration;

/// <summary>The progress of a migration, for display.</summary>
sealed class MigrationMeter(IProgress<MigrationProgress>? progress) : IProgress<ImportProgress>, IProgress<ExportProgress>
{
    readonly Lock _lock = new();
    string _part = "";
    MigrationCounts _before = MigrationCounts.None;
    long _retries;
    int _finished;
    int? _total;

    public void Begin(string part, int finished = 0, int? total = null)
    {
        lock (_lock) (_part, _finished, _total) = (part, finished, total);
        Show(read: 0, accepted: 0, rejected: 0, retries: 0, isWaiting: false);
    }

    /// <summary>Adds settled records.</summary>
    public void Add(MigrationCounts counts, bool isDay = false)
    {
        lock (_lock)
        {
            _before = _before.And(counts);
            if (isDay) _finished++;
        }

        Show(read: 0, accepted: 0, rejected: 0, retries: 0, isWaiting: false);
    }

    public void Sent(ImportReport report)
    {
        lock (_lock) _retries += report.Retries;
    }

    public void Report(ImportProgress value) => Show(value.Read, value.Accepted, value.Rejected, value.Retries, value.Waiting);

    public void Report(ExportProgress value) => Show(read: 0, accepted: 0, rejected: 0, retries: 0, value.Waiting);

    void Show(long read, long accepted, long rejected, long retries, bool isWaiting)
    {
        if (progress is null) return;
        MigrationProgress shown;
        lock (_lock)
        {
            shown = new()
            {
                Part = _part,
                Finished = _finished,
                Total = _total,
                Read = _before.Read + read,
                Accepted = _before.Accepted + accepted,
                Rejected = _before.Rejected + rejected,
                Retries = _retries + retries,
                Waiting = isWaiting,
            };
        }

        progress.Report(shown);
    }
}
