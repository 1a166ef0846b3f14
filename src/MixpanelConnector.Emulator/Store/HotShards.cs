using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>
/// Counts the events of each <c>distinct_id</c> on each day (UTC). Beyond the limit, an event is stored under another name and without a user, with the
/// original values as properties.
/// </summary>
sealed class HotShards(int limit)
{
    public const string EventName = "$hotshard_events";

    const int Buckets = 1 << 16;

    /// <summary>The number of events in each bucket of keys, an upper bound for each of its keys. For most events, only this is checked.</summary>
    int[]? _most;

    /// <summary>
    /// The counts of keys in buckets that have reached the limit. Keyed by a hash: a few collisions among billions matter less than the memory for all ids.
    /// </summary>
    readonly Dictionary<ulong, int> _counts = [];

    /// <summary>The keys of the uncommitted transaction.</summary>
    readonly List<ulong> _uncommitted = [];

    /// <summary>Starts a transaction. Counts of a previous transaction that failed are discarded.</summary>
    public void Begin()
    {
        foreach (var key in _uncommitted)
            _counts.Remove(key);
        _uncommitted.Clear();
    }

    /// <summary>Resets the counts, because the counted events may have been deleted.</summary>
    public void Forget()
    {
        _most = null;
        _counts.Clear();
        _uncommitted.Clear();
    }

    public void Commit() => _uncommitted.Clear();

    /// <summary>Counts an event; returns whether it exceeds the limit.</summary>
    public bool IsTooMany(DuckDBConnection connection, in EventRow row)
    {
        if (row.DistinctId == "") return false;
        _most ??= Load(connection);
        var day = DateOnly.FromDateTime(row.Time.UtcDateTime);
        var key = KeyOf(row.ProjectId, row.DistinctId, day.DayNumber);
        var isTooMany = ++_most[BucketOf(key)] > limit && CountOf(connection, row, day, key) > limit;
        _uncommitted.Add(key);
        return isTooMany;
    }

    /// <summary>The number of events of the key, including this one.</summary>
    int CountOf(DuckDBConnection connection, in EventRow row, DateOnly day, ulong key)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, key, out var isKnown);
        if (!isKnown)
        {
            var from = day.ToDateTime(TimeOnly.MinValue);
            using var query = connection.Command(
                "SELECT count(*) FROM events WHERE project_id = $project AND distinct_id = $id AND time >= $from AND time < $end",
                ("project", row.ProjectId), ("id", row.DistinctId), ("from", from), ("end", from.AddDays(1)));
            count = (int)(long)query.ExecuteScalar()! + _uncommitted.Count(uncommitted => uncommitted == key); // rows being appended cannot be queried yet
        }
        return ++count;
    }

    public static byte[] Rename(in EventRow row, ReadOnlySpan<byte> properties)
    {
        var name = JsonEncodedText.Encode(row.Name, ProfileText.Encoder);
        var id = JsonEncodedText.Encode(row.DistinctId, ProfileText.Encoder);
        return [.. Encoding.UTF8.GetBytes($"{{\"mp_original_event_name\":\"{name}\",\"mp_original_distinct_id\":\"{id}\","), .. properties[1..]];
    }

    /// <summary>Loads the buckets from existing events; keys far below the limit are skipped.</summary>
    int[] Load(DuckDBConnection connection)
    {
        using var query = connection.Command(
            """
            SELECT project_id, distinct_id, time::DATE AS day, count(*)
            FROM events
            WHERE distinct_id <> ''
            GROUP BY ALL
            HAVING count(*) > $least
            """,
            ("least", limit / 100));
        using var row = query.ExecuteReader();
        var most = new int[Buckets];
        while (row.Read())
            most[BucketOf(KeyOf(row.GetInt32(0), row.GetString(1), DateOnly.FromDateTime(row.GetDateTime(2)).DayNumber))] += (int)row.GetInt64(3);
        return most;
    }

    /// <summary>Uses the bits that depend on all bytes of the key.</summary>
    static int BucketOf(ulong key) => (int)((key ^ (key >> 32)) & (Buckets - 1));

    /// <summary>FNV-1a.</summary>
    static ulong KeyOf(int projectId, string distinctId, int day)
    {
        const ulong Prime = 1099511628211;
        var hash = (((14695981039346656037 ^ (uint)projectId) * Prime) ^ (uint)day) * Prime;
        foreach (var character in distinctId)
            hash = (hash ^ character) * Prime;
        return hash;
    }
}
