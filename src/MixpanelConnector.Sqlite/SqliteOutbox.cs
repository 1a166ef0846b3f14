using System.Globalization;

namespace MixpanelConnector.Sqlite;

/// <summary>
/// The outbox of a tracker on SQLite, in a folder that several processes of an application may share: each holds a database of
/// its own there, and the next one to start takes over what an ended one left. Each commit is synced to the disk; a damaged database
/// is set aside as <c>*.corrupt-N</c>, and what can be read of it is sent.
/// </summary>
public sealed class SqliteOutbox : ITrackerOutbox
{
    const int MostProcesses = 1000;
    const int TakenOverAtOnce = 1000;

    readonly OutboxDatabase _database;
    readonly FileStream _lock;
    long _quarantinedElsewhere;

    SqliteOutbox(OutboxDatabase database, FileStream @lock) => (_database, _lock) = (database, @lock);

    /// <summary>How many bytes an outbox may take unless another limit is given: 1 GB.</summary>
    public const long DefaultMostBytes = 1L << 30;

    /// <summary>Opens an outbox in a folder, which is made when it does not exist.</summary>
    /// <param name="folder">A folder for the outbox alone, on a disk of this machine. It holds personal data: only its owner may read it.</param>
    /// <param name="mostBytes">How many bytes this process's part may take; beyond, records are refused until some are sent. Default: 1 GB.</param>
    /// <exception cref="OutboxException">The folder cannot be written.</exception>
    public static SqliteOutbox Open(string folder, long mostBytes = DefaultMostBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(mostBytes, 2 << 20);
        folder = Path.GetFullPath(folder);
        try
        {
            MakeFolder(folder);
            for (var number = 1; number <= MostProcesses; number++)
            {
                if (TryLock(folder, number) is not { } @lock) continue;
                if (OutboxDatabase.Open(PathOf(folder, number), mostBytes) is { } database)
                {
                    var outbox = new SqliteOutbox(database, @lock);
                    outbox.TakeOver(folder, number, mostBytes);
                    return outbox;
                }

                @lock.Dispose();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutboxException($"The outbox in {folder} cannot be written: {e.Message}", mayPass: true, e);
        }

        throw new OutboxException($"{MostProcesses} processes use the outbox in {folder}. Give this one another folder.", mayPass: true);
    }

    /// <inheritdoc/>
    public long Quarantined => _database.Quarantined + _quarantinedElsewhere;

    /// <inheritdoc/>
    public long LastNumber => _database.LastNumber;

    /// <inheritdoc/>
    public IReadOnlyList<long> Append(IReadOnlyList<OutboxBatch> batches)
    {
        ArgumentNullException.ThrowIfNull(batches);
        return batches.Count == 0 ? [] : _database.Append(batches);
    }

    /// <inheritdoc/>
    public IReadOnlyList<OutboxBatch> Read(TrackedKind kind, long after, int records) => _database.Read(kind, after, records);

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<long> numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        _database.Remove(numbers);
    }

    /// <inheritdoc/>
    public (long Records, DateTimeOffset? Oldest) Count(TrackedKind kind) => _database.Count(kind);

    /// <inheritdoc/>
    public void Dispose()
    {
        _database.Dispose();
        _lock.Dispose();
    }

    /// <summary>Takes over what processes left that have ended. A kill in between leaves records in both places: they have the same ids.</summary>
    void TakeOver(string folder, int own, long mostBytes)
    {
        foreach (var path in Directory.EnumerateFiles(folder, "outbox-*.db").Order(StringComparer.Ordinal).ToList())
        {
            if (!int.TryParse(Path.GetFileNameWithoutExtension(path).AsSpan("outbox-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == own) continue;
            using var @lock = TryLock(folder, number);
            if (@lock is null) continue;
            try
            {
                using (var left = OutboxDatabase.Open(path, mostBytes))
                {
                    if (left is null) continue;
                    foreach (var kind in Enum.GetValues<TrackedKind>())
                    {
                        while (left.Read(kind, 0, TakenOverAtOnce) is { Count: > 0 } batches)
                        {
                            _database.Append(batches);
                            left.Remove([.. batches.Select(batch => batch.Number)]);
                        }
                    }

                    _quarantinedElsewhere += left.Quarantined;
                    if (left.Quarantined > 0) continue; // what is set aside in it stays
                }

                OutboxDatabase.Delete(path);
            }
            catch (OutboxException)
            {
                // It stays for the next start: this one has an outbox of its own.
            }
        }
    }

    /// <summary>Null when another process has it. The lock ends with the process.</summary>
    static FileStream? TryLock(string folder, int number)
    {
        try
        {
            return new FileStream(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"outbox-{number}.lock")), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException) && IsHeld(e))
        {
            return null;
        }
    }

    /// <summary>Held by another process, in the words of Windows and of Unix (EWOULDBLOCK of Linux and of macOS); anything else is the disk's.</summary>
    static bool IsHeld(IOException e) => (e.HResult & 0xFFFF) is 32 or 33 || e.HResult is 11 or 35;

    static string PathOf(string folder, int number) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"outbox-{number}.db"));

    static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
