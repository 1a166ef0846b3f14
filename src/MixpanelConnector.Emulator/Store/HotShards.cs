using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>
/// How many events each <c>distinct_id</c> has on each day (UTC). Beyond the limit, an event is stored under another name and
/// nobody's id, with both as properties.
/// </summary>
sealed class HotShards(int limit)
{
    public const string EventName = "$hotshard_events";

    const int Buckets = 1 << 16;

    /// <summary>How many events fell into each bucket of keys: at least as many as each of its keys has. It is all that most events are held against.</summary>
    int[]? _most;

    /// <summary>The counts of keys in buckets that have reached the limit. Keyed by a hash: a few collisions among billions matter less than the memory of all ids.</summary>
    readonly Dictionary<ulong, int> _counts = [];

    /// <summary>The keys of the transaction that is not committed yet.</summary>
    readonly List<ulong> _uncommitted = [];

    /// <summary>Begins a transaction. What one before it counted that came to nothing is forgotten.</summary>
    public void Begin()
    {
        foreach (var key in _uncommitted)
            _counts.Remove(key);
        _uncommitted.Clear();
    }

    /// <summary>Counts anew: the events that were counted may be gone.</summary>
    public void Forget()
    {
        _most = null;
        _counts.Clear();
        _uncommitted.Clear();
    }

    public void Commit() => _uncommitted.Clear();

    /// <summary>Counts an event; true when it is one too many.</summary>
    public bool IsTooMany(DuckDBConnection connection, in EventRow row)
    {
        if (row.DistinctId == "")
            return false;
        _most ??= Load(connection);
        var day = DateOnly.FromDateTime(row.Time.UtcDateTime);
        var key = KeyOf(row.ProjectId, row.DistinctId, day.DayNumber);
        var isTooMany = ++_most[BucketOf(key)] > limit && CountOf(connection, row, day, key) > limit;
        _uncommitted.Add(key);
        return isTooMany;
    }

    /// <summary>How many events the key has, with this one.</summary>
    int CountOf(DuckDBConnection connection, in EventRow row, DateOnly day, ulong key)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, key, out var isKnown);
        if (!isKnown)
        {
            var from = day.ToDateTime(TimeOnly.MinValue);
            using var query = connection.Command(
                "SELECT count(*) FROM events WHERE project_id = $project AND distinct_id = $id AND time >= $from AND time < $end",
                ("project", row.ProjectId), ("id", row.DistinctId), ("from", from), ("end", from.AddDays(1)));
            count = (int)(long)query.ExecuteScalar()! + _uncommitted.Count(uncommitted => uncommitted == key); // what is being appended cannot be asked for yet
        }
        return ++count;
    }

    public static byte[] Rename(in EventRow row, ReadOnlySpan<byte> properties)
    {
        var name = JsonEncodedText.Encode(row.Name, ProfileText.Encoder);
        var id = JsonEncodedText.Encode(row.DistinctId, ProfileText.Encoder);
        return [.. Encoding.UTF8.GetBytes($"{{\"mp_original_event_name\":\"{name}\",\"mp_original_distinct_id\":\"{id}\","), .. properties[1..]];
    }

    /// <summary>The buckets of those that a limit is near for, from before this process.</summary>
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

    /// <summary>By the bits that all of a key's bytes have changed.</summary>
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
