using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>Which events to export: of a project, from one moment up to another, which is not included; null for all names.</summary>
sealed record EventRange(int ProjectId, DateTimeOffset From, DateTimeOffset End, IReadOnlyList<string>? Names);

/// <summary>An event as it is exported; the <c>$insert_id</c> is null where it is left among the properties.</summary>
readonly record struct ExportRow(string Name, DateTimeOffset Time, string DistinctId, string? InsertId, string Properties);

/// <summary>The events: appended as they come, read as they are or as reports see them.</summary>
sealed class EventStore
{
    readonly Database _database;
    readonly IdentityStore _identities;
    readonly HotShards _hotShards;
    long _sequence;

    EventStore(Database database, IdentityStore identities, HotShards hotShards, long lastSequence)
    {
        _database = database;
        _identities = identities;
        _hotShards = hotShards;
        _sequence = lastSequence;
    }

    public static EventStore Load(Database database, IdentityStore identities, HotShards hotShards)
    {
        using var connection = database.Connect();
        return new EventStore(database, identities, hotShards, LastSequence(connection));
    }

    /// <summary>Runs a transaction that changes the store as a whole, between one batch and the next: afterwards what is kept in memory is read again.</summary>
    /// <param name="accounts">What else is kept in memory.</param>
    /// <param name="work">The transaction.</param>
    /// <param name="cancellationToken">Gives up before the transaction.</param>
    public Task<T> RewriteAsync<T>(Accounts accounts, Func<DuckDBConnection, T> work, CancellationToken cancellationToken)
    {
        var sequence = 0L;
        return _identities.RewriteAsync(
            readIdentities => accounts.ChangeAsync(
                connection =>
                {
                    var result = work(connection);
                    readIdentities(connection);
                    sequence = LastSequence(connection);
                    return result;
                },
                cancellationToken),
            committed: () =>
            {
                _hotShards.Forget();
                _sequence = sequence;
            });
    }

    /// <summary>Stores the batch; when this returns, it is durable.</summary>
    public async Task AppendAsync(EventBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Rows.Count == 0)
            return;
        var sequence = 0L;
        await _identities.ChangeAsync(
            _database,
            (connection, identities) =>
            {
                _hotShards.Begin();
                sequence = Append(connection, batch, _sequence);
                identities.Apply(batch.Links);
                return true;
            },
            committed: () =>
            {
                _hotShards.Commit();
                _sequence = sequence;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<long> CountAsync(bool deduplicated, CancellationToken cancellationToken)
    {
        using var connection = _database.Connect();
        using var query = connection.Command($"SELECT count(*) FROM {(deduplicated ? "deduplicated_events" : "events")}");
        return (long)(await query.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>The latest events of a project, the oldest of them first.</summary>
    public async Task<IReadOnlyList<SeenEvent>> LatestAsync(int projectId, int count, CancellationToken cancellationToken)
    {
        using var connection = _database.Connect();
        using var query = connection.Command(
            "SELECT event_name, time, distinct_id, insert_id, left(properties, $most) || CASE WHEN length(properties) > $most THEN '…' ELSE '' END FROM events WHERE project_id = $project ORDER BY sequence DESC LIMIT $count",
            ("most", SeenEvent.MostProperties), ("project", projectId), ("count", count));
        using var row = query.ExecuteReader();
        var events = new List<SeenEvent>();
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
            events.Add(new SeenEvent(row.GetString(0), row.GetTime(1), row.GetString(2), row.GetString(3), row.GetString(4)));
        events.Reverse();
        return events;
    }

    /// <summary>All events in the order of storing.</summary>
    public async Task<IReadOnlyList<StoredEvent>> ReadAllAsync(bool deduplicated, CancellationToken cancellationToken)
    {
        using var connection = _database.Connect();
        using var query = connection.Command(
            $"""
            SELECT sequence, project_id, event_name, time, distinct_id, insert_id, properties, received_at
            FROM {(deduplicated ? "deduplicated_events" : "events")}
            ORDER BY sequence
            """);
        using var row = query.ExecuteReader();
        var events = new List<StoredEvent>();
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            events.Add(new StoredEvent(
                row.GetInt64(0), row.GetInt32(1), row.GetString(2), row.GetTime(3), row.GetString(4), row.GetString(5), row.GetString(6), row.GetTime(7)));
        }
        return events;
    }

    /// <summary>The events of a range, in the order of storing, one after the other without holding them all.</summary>
    public IEnumerable<ExportRow> Read(EventRange range)
    {
        using var connection = _database.Connect();
        using var query = connection.Command(
            $"""
            SELECT event_name, time, distinct_id, insert_id, properties
            FROM events
            WHERE project_id = $project AND time >= $from AND time < $end
            {(range.Names is null ? "" : "AND event_name IN (SELECT unnest($names))")}
            """,
            ("project", range.ProjectId),
            ("from", range.From.UtcDateTime), ("end", range.End.UtcDateTime));
        if (range.Names is not null)
            query.Parameters.Add(new DuckDBParameter("names", StoredText.Of(range.Names)));
        query.UseStreamingMode = true;
        using var row = query.ExecuteReader();
        while (row.Read())
            yield return new ExportRow(row.GetString(0), row.GetTime(1), row.GetString(2), row.GetString(3), row.GetString(4));
    }

    /// <summary>A query of the events as reports see them: name, time, distinct_id and, where they are wanted, properties.</summary>
    public (DuckDBConnection Connection, DuckDBCommand Command) Deduplicated(int projectId, ReportRange range, bool inOrder, bool withProperties)
    {
        var connection = _database.Connect();
        var command = connection.Command(
            $"""
            SELECT event_name, time, distinct_id, {(withProperties ? "arg_max(properties, sequence)" : "''")}
            FROM events
            WHERE project_id = $project AND time >= $from AND time < $end
            {(range.Names is null ? "" : "AND event_name IN (SELECT unnest($names))")}
            {(range.DistinctIds is null ? "" : "AND distinct_id IN (SELECT unnest($ids))")}
            GROUP BY event_name, time, distinct_id, insert_id
            {(inOrder ? "ORDER BY time, max(sequence)" : "")}
            """,
            ("project", projectId), ("from", range.From.UtcDateTime), ("end", range.End.UtcDateTime));
        if (range.Names is not null)
            command.Parameters.Add(new DuckDBParameter("names", StoredText.Of(range.Names)));
        if (range.DistinctIds is not null)
            command.Parameters.Add(new DuckDBParameter("ids", StoredText.Of(range.DistinctIds)));
        return (connection, command);
    }

    static long LastSequence(DuckDBConnection connection)
    {
        using var last = connection.Command("SELECT coalesce(max(sequence), 0) FROM events");
        return (long)last.ExecuteScalar()!;
    }

    long Append(DuckDBConnection connection, EventBatch batch, long sequence)
    {
        var received = batch.ReceivedAt.UtcDateTime;
        using var appender = connection.CreateAppender("events");
        foreach (var row in batch.Rows)
        {
            var isTooMany = _hotShards.IsTooMany(connection, row);
            appender.CreateRow()
                .AppendValue(++sequence)
                .AppendValue(row.ProjectId)
                .AppendValue(isTooMany ? HotShards.EventName : row.Name)
                .AppendValue(row.Time.UtcDateTime)
                .AppendValue(isTooMany ? "" : row.DistinctId)
                .AppendValue(row.InsertId)
                .AppendValue(isTooMany ? HotShards.Rename(row, batch.TextOf(row)) : batch.TextOf(row))
                .AppendValue(received)
                .EndRow();
        }
        return sequence;
    }
}
