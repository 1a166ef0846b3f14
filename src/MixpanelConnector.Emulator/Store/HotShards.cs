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

    /// <summary>Keyed by a hash: a few collisions among billions matter less than the memory of all ids.</summary>
    Dictionary<ulong, int>? _counts;

    /// <summary>The counts of a transaction that is not committed yet.</summary>
    readonly Dictionary<ulong, int> _uncommitted = [];

    /// <summary>Forgets what a transaction counted that came to nothing.</summary>
    public void Begin() => _uncommitted.Clear();

    /// <summary>Counts anew: the events that were counted may be gone.</summary>
    public void Forget() => _counts = null;

    public void Commit()
    {
        foreach (var (key, count) in _uncommitted)
            _counts![key] = count;
        _uncommitted.Clear();
    }

    /// <summary>Counts an event; true when it is one too many.</summary>
    public bool IsTooMany(DuckDBConnection connection, in EventRow row)
    {
        if (row.DistinctId == "")
            return false;
        _counts ??= Load(connection);
        var key = KeyOf(row.ProjectId, row.DistinctId, DateOnly.FromDateTime(row.Time.UtcDateTime).DayNumber);
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_uncommitted, key, out var isCounted);
        count = (isCounted ? count : _counts.GetValueOrDefault(key)) + 1;
        return count > limit;
    }

    public static byte[] Rename(in EventRow row, ReadOnlySpan<byte> properties)
    {
        var name = JsonEncodedText.Encode(row.Name, ProfileText.Encoder);
        var id = JsonEncodedText.Encode(row.DistinctId, ProfileText.Encoder);
        return [.. Encoding.UTF8.GetBytes($"{{\"mp_original_event_name\":\"{name}\",\"mp_original_distinct_id\":\"{id}\","), .. properties[1..]];
    }

    /// <summary>Those that a limit is near for, from before this process.</summary>
    Dictionary<ulong, int> Load(DuckDBConnection connection)
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
        var counts = new Dictionary<ulong, int>();
        while (row.Read())
            counts[KeyOf(row.GetInt32(0), row.GetString(1), DateOnly.FromDateTime(row.GetDateTime(2)).DayNumber)] = (int)row.GetInt64(3);
        return counts;
    }

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
