using System.Globalization;
using Microsoft.Data.Sqlite;

namespace MixpanelConnector.Sqlite;

/// <content>The limit of an outbox, which holds for its file and its log together.</content>
sealed partial class OutboxDatabase
{
    // This much of the log and of the file is reserved at once, so that a full disk leaves space to remove what was sent.
    const int Reserve = 512 << 10;

    // The pages that any transaction may change in addition to those of its rows.
    const int BytesOfATransaction = 64 << 10;

    // Removals of this many rows fit into the reserve of the log.
    const int RowsRemovedInReserve = 100;

    /// <summary>The share of the limit that the file leaves to the log.</summary>
    static long LogBytes(long mostBytes) => Math.Min(mostBytes / 4, 48 << 20);

    /// <summary>Ensures that the file and the log stay within the limit when the batches are appended, even at the next checkpoint.</summary>
    /// <exception cref="OutboxException">They would not.</exception>
    void EnsureRoom(IReadOnlyList<OutboxBatch> batches)
    {
        var needed = BytesOfATransaction + batches.Sum(batch => (long)batch.Content.Length + BytesOfARow);
        if (SizeWith(needed) + LogLength() + needed <= _mostBytes) return;
        ShortenLog();
        if (SizeWith(needed) + Math.Max(LogLength(), needed) > _mostBytes) throw Full(_path);
    }

    /// <summary>The size of the file with further bytes, which first use its free pages.</summary>
    long SizeWith(long bytes) =>
        (Number(_connection, "PRAGMA page_count") * _pageBytes) + Math.Max(0, bytes - (Number(_connection, "PRAGMA freelist_count") * _pageBytes));

    long LogLength() => new FileInfo(_path + "-wal") is { Exists: true } log ? log.Length : 0;

    /// <summary>
    /// Moves the log into the file, and shortens it to its reserve, which happens at the next commit: that of the version, which stays the same. On a full disk
    /// it may stay as it is.
    /// </summary>
    void ShortenLog()
    {
        try
        {
            Execute(_connection,
                string.Create(CultureInfo.InvariantCulture,
                    $"PRAGMA journal_size_limit = {Reserve}; PRAGMA wal_checkpoint(PASSIVE); PRAGMA user_version = 1; PRAGMA wal_checkpoint(PASSIVE); "
                    + $"PRAGMA journal_size_limit = -1"));
            _logged = 0;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == FullCode)
        {
            // What needs room is refused.
        }
    }

    void MakeReserve()
    {
        try
        {
            Execute(_connection,
                string.Create(CultureInfo.InvariantCulture,
                    $"BEGIN; INSERT INTO damaged VALUES (0, 0, 0, 0, zeroblob({Reserve}), x''); DELETE FROM damaged WHERE number = 0; COMMIT"));
        }
        catch (SqliteException e) when (e.SqliteErrorCode == FullCode)
        {
            // The disk is already full: sending what is stored makes space.
        }
    }
}
