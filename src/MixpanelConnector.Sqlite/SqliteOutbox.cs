using System.Globalization;
using MixpanelConnector.Files;

namespace MixpanelConnector.Sqlite;

/// <summary>
/// A tracker's outbox on SQLite, in a folder that several processes of an application may share. Each process has its
/// own database there, and the next one to start takes over what ended processes left. Each commit is synced to disk. A damaged database
/// is set aside as <c>*.corrupt-N</c>, and what can be read from it is sent. Each tracker takes over only its own records; those of another
/// project or endpoint wait for a tracker of theirs.
/// </summary>
public sealed class SqliteOutbox : ITrackerOutbox
{
    const int MostProcesses = 1000;
    const int TakenOverAtOnce = 1000;

    readonly string _folder;
    readonly long _maxBytes;
    Held _own;
    bool _isClaimed;
    bool _isDisposed;
    long _quarantinedElsewhere;

    SqliteOutbox(string folder, long maxBytes)
    {
        (_folder, _maxBytes) = (folder, maxBytes);
        _own = Hold(static _ => true);
    }

    /// <summary>The default maximum size of an outbox in bytes: 1 GB.</summary>
    public const long DefaultMaxBytes = 1L << 30;

    /// <summary>Opens an outbox in a folder, creating it if needed.</summary>
    /// <param name="folder">A folder used only for the outbox, on a local disk. It contains personal data, so only its owner may read it. Trackers of several
    /// projects may share it.</param>
    /// <param name="maxBytes">The maximum size of this process's part in bytes, the database and its log together; beyond that, records are rejected until
    /// some are sent. At least 2 MB. Default: 1 GB.</param>
    /// <returns>The opened outbox.</returns>
    /// <exception cref="ArgumentException">The folder is empty, or the size is less than 2 MB.</exception>
    /// <exception cref="OutboxException">The folder cannot be written.</exception>
    public static SqliteOutbox Open(string folder, long maxBytes = DefaultMaxBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxBytes, 2 << 20);
        folder = Path.GetFullPath(folder);
        try
        {
            OwnFolder.Make(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(folder, e);
        }

        return new SqliteOutbox(folder, maxBytes);
    }

    /// <inheritdoc/>
    public long Quarantined => Own.Quarantined + _quarantinedElsewhere;

    /// <inheritdoc/>
    public long LastNumber => Own.LastNumber;

    /// <summary>The process's database, after taking over what ended processes left. If used without a claim, it takes over everything.</summary>
    OutboxDatabase Own
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_isClaimed) Claim(static _ => true);
            return _own.Database;
        }
    }

    /// <inheritdoc/>
    public long Claim(Func<OutboxBatch, bool> isOwn)
    {
        ArgumentNullException.ThrowIfNull(isOwn);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _isClaimed = true;
        try
        {
            if (HoldsOthers(_own.Database, isOwn))
            {
                // Another tracker's records must not wait for the end of this process: it opens a new database and moves its own records there.
                var next = Hold(database => !HoldsOthers(database, isOwn));
                _own.Dispose();
                _own = next;
            }

            return TakeOver(isOwn);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(_folder, e);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches)
    {
        ArgumentNullException.ThrowIfNull(batches);
        return batches.Count == 0 ? [] : Own.Append(batches);
    }

    /// <inheritdoc/>
    public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records) => Own.Read(kind, after, records);

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<long> numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        Own.Remove(numbers);
    }

    /// <inheritdoc/>
    public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind) => Own.Count(kind);

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        _own.Dispose();
    }

    /// <summary>Takes the first database that no other process is using and that fits.</summary>
    Held Hold(Func<OutboxDatabase, bool> fits)
    {
        try
        {
            for (var number = 1; number <= MostProcesses; number++)
            {
                if (TryLock(_folder, number) is not { } @lock) continue;
                OutboxDatabase? database = null;
                var isHeld = false;
                try
                {
                    database = OutboxDatabase.Open(PathOf(_folder, number), _maxBytes);
                    isHeld = database is not null && fits(database);
                    if (isHeld) return new Held(number, database!, @lock);
                }
                finally
                {
                    if (!isHeld)
                    {
                        database?.Dispose();
                        @lock.Dispose();
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(_folder, e);
        }

        throw new OutboxException($"{MostProcesses} processes use the outbox in {_folder}. Give this one another folder.", mayPass: true);
    }

    static bool HoldsOthers(OutboxDatabase database, Func<OutboxBatch, bool> isOwn) =>
        Enum.GetValues<TrackedKind>().Any(kind => All(database, kind).Any(batch => !isOwn(batch)));

    static IEnumerable<OutboxBatch> All(OutboxDatabase database, TrackedKind kind) => InParts(database, kind).SelectMany(batches => batches);

    static IEnumerable<IReadOnlyList<OutboxBatch>> InParts(OutboxDatabase database, TrackedKind kind)
    {
        for (var after = 0L; database.Read(kind, after, TakenOverAtOnce) is { Count: > 0 } batches; after = batches[^1].Number) yield return batches;
    }

    /// <summary>Takes over what ended processes left. A process crash in between leaves records in both databases, with the same ids.</summary>
    /// <returns>The number of records left for others.</returns>
    long TakeOver(Func<OutboxBatch, bool> isOwn)
    {
        var others = 0L;
        foreach (var path in Directory.EnumerateFiles(_folder, "outbox-*.db").Order(StringComparer.Ordinal).ToList())
        {
            if (!int.TryParse(Path.GetFileNameWithoutExtension(path).AsSpan("outbox-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number == _own.Number)
                continue;
            using var @lock = TryLock(_folder, number);
            if (@lock is null) continue;
            try
            {
                var stay = 0L;
                using (var left = OutboxDatabase.Open(path, _maxBytes))
                {
                    if (left is null) continue;
                    foreach (var batches in Enum.GetValues<TrackedKind>().SelectMany(kind => InParts(left, kind)))
                    {
                        List<OutboxBatch> own = [.. batches.Where(isOwn)];
                        stay += batches.Sum(batch => batch.Records) - own.Sum(batch => batch.Records);
                        if (own.Count == 0) continue;
                        _own.Database.Append(own);
                        left.Remove([.. own.Select(batch => batch.Number)]);
                    }

                    others += stay;
                    _quarantinedElsewhere += left.Quarantined;
                    if (stay > 0 || left.Quarantined > 0) continue; // quarantined records in it stay, too
                }

                OutboxDatabase.Delete(path);
            }
            catch (OutboxException)
            {
                // It stays for the next start; this process has its own outbox.
            }
        }

        return others;
    }

    static OutboxException NotWritable(string folder, Exception e) => new($"The outbox in {folder} cannot be written: {e.Message}", mayPass: true, e);

    /// <summary>Takes the lock of a database; null when another process has it. The lock ends with the process.</summary>
    static FileStream? TryLock(string folder, int number) =>
        FileLock.TryTake(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"outbox-{number}.lock")));

    static string PathOf(string folder, int number) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"outbox-{number}.db"));

    /// <summary>A database that no other process uses while this one holds its lock.</summary>
    sealed record Held(int Number, OutboxDatabase Database, FileStream Lock) : IDisposable
    {
        public void Dispose()
        {
            Database.Dispose();
            Lock.Dispose();
        }
    }
}
