using System.Runtime.ExceptionServices;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Store;

/// <summary>Selects the events to export: of a project, in a half-open time range; null for all names.</summary>
sealed record EventRange(int ProjectId, DateTimeOffset From, DateTimeOffset End, IReadOnlyList<string>? Names);

/// <summary>An exported event; the <c>$insert_id</c> is null if it remains among the properties.</summary>
readonly record struct ExportRow(string Name, DateTimeOffset Time, string DistinctId, string? InsertId, string Properties);

/// <summary>The events: appended as they arrive, read unchanged or as reports see them.</summary>
sealed class EventStore
{
    const int MostRowsTogether = 20_000;

    readonly Database _database;
    readonly IdentityStore _identities;
    readonly HotShards _hotShards;
    readonly List<Waiting> _waiting = [];
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

    /// <summary>Runs a transaction that changes the store as a whole, between two batches: afterwards, cached state is reloaded.</summary>
    /// <param name="accounts">The other cached state.</param>
    /// <param name="work">The transaction.</param>
    /// <param name="cancellationToken">Cancels before the transaction.</param>
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

    /// <summary>
    /// Stores the batch; it is durable when this returns. Waiting batches are stored in one transaction, as most of the cost is per transaction.
    /// </summary>
    public async Task AppendAsync(EventBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Rows.Count == 0) return;
        var waiting = new Waiting(batch);
        lock (_waiting)
            _waiting.Add(waiting);
        List<Waiting> together = [];
        var sequence = 0L;
        try
        {
            await _identities.ChangeAsync(
                _database,
                (connection, identities) =>
                {
                    together = Together();
                    _hotShards.Begin();
                    sequence = Append(connection, together, _sequence);
                    foreach (var each in together)
                        identities.Apply(each.Batch.Links);
                    return true;
                },
                committed: () =>
                {
                    _hotShards.Commit();
                    _sequence = sequence;
                    together.ForEach(each => each.IsStored = true);
                },
                isDone: () => waiting.IsStored || waiting.Failure is not null,
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            together.ForEach(each => each.Failure = e); // none of them is stored
            throw;
        }
        finally
        {
            lock (_waiting)
                _waiting.Remove(waiting);
        }
        if (waiting.Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Takes the waiting batches, in the order of arrival, up to the size of one transaction.</summary>
    List<Waiting> Together()
    {
        lock (_waiting)
        {
            var (count, rows) = (0, 0);
            while (count < _waiting.Count && (count == 0 || rows + _waiting[count].Batch.Rows.Count <= MostRowsTogether))
                rows += _waiting[count++].Batch.Rows.Count;
            var taken = _waiting.GetRange(0, count);
            _waiting.RemoveRange(0, count);
            return taken;
        }
    }

    public async Task<long> CountAsync(bool deduplicated, CancellationToken cancellationToken)
    {
        using var connection = _database.Connect();
        using var query = connection.Command($"SELECT count(*) FROM {(deduplicated ? "deduplicated_events" : "events")}");
        return (long)(await query.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>The latest events of a project, oldest first.</summary>
    public async Task<IReadOnlyList<SeenEvent>> LatestAsync(int projectId, int count, CancellationToken cancellationToken)
    {
        using var connection = _database.Connect();
        using var query = connection.Command(
            "SELECT event_name, time, distinct_id, insert_id, left(properties, $most) || CASE WHEN length(properties) > $most THEN '…' ELSE '' END FROM "
            + "events WHERE project_id = $project ORDER BY sequence DESC LIMIT $count",
            ("most", SeenEvent.MostProperties), ("project", projectId), ("count", count));
        using var row = query.ExecuteReader();
        var events = new List<SeenEvent>();
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
            events.Add(new SeenEvent(row.GetString(0), row.GetTime(1), row.GetString(2), row.GetString(3), row.GetString(4)));
        events.Reverse();
        return events;
    }

    /// <summary>The times of the earliest and the latest event of a project; null if it has none.</summary>
    public (DateTimeOffset First, DateTimeOffset Last)? TimesOf(int projectId)
    {
        using var connection = _database.Connect();
        using var query = connection.Command("SELECT min(time), max(time) FROM events WHERE project_id = $project", ("project", projectId));
        using var row = query.ExecuteReader();
        return row.Read() && !row.IsDBNull(0) ? (row.GetTime(0), row.GetTime(1)) : null;
    }

    /// <summary>The names of a project's events, most common first.</summary>
    public IReadOnlyList<string> NamesOf(int projectId, int most)
    {
        using var connection = _database.Connect();
        using var query = connection.Command(
            "SELECT event_name FROM events WHERE project_id = $project GROUP BY event_name ORDER BY count(*) DESC, event_name LIMIT $most",
            ("project", projectId), ("most", most));
        using var row = query.ExecuteReader();
        var names = new List<string>();
        while (row.Read())
            names.Add(row.GetString(0));
        return names;
    }

    /// <summary>All events, or those of a project, in the order in which they were stored.</summary>
    public async Task<IReadOnlyList<StoredEvent>> ReadAllAsync(bool deduplicated, int? projectId, CancellationToken cancellationToken)
    {
        using var connection = _database.Connect();
        using var query = connection.Command(
            $"""
            SELECT sequence, project_id, event_name, time, distinct_id, insert_id, properties, received_at
            FROM {(deduplicated ? "deduplicated_events" : "events")}
            {(projectId is null ? "" : "WHERE project_id = $project")}
            ORDER BY sequence
            """);
        if (projectId is { } id) query.Parameters.Add(new DuckDBParameter("project", id));
        using var row = query.ExecuteReader();
        var events = new List<StoredEvent>();
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            events.Add(new StoredEvent(
                row.GetInt64(0), row.GetInt32(1), row.GetString(2), row.GetTime(3), row.GetString(4), row.GetString(5), row.GetString(6), row.GetTime(7)));
        }
        return events;
    }

    /// <summary>Streams the events of a range, in the order in which they were stored.</summary>
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
        if (range.Names is not null) query.Parameters.Add(new DuckDBParameter("names", StoredText.Of(range.Names)));
        query.UseStreamingMode = true;
        using var row = query.ExecuteReader();
        while (row.Read())
            yield return new ExportRow(row.GetString(0), row.GetTime(1), row.GetString(2), row.GetString(3), row.GetString(4));
    }

    /// <summary>A query of the events as reports see them: name, time, distinct_id and, if requested, properties as bytes.</summary>
    public (DuckDBConnection Connection, DuckDBCommand Command) Deduplicated(int projectId, ReportRange range, bool inOrder, bool withProperties)
    {
        var connection = _database.Connect();
        const string Key = "event_name, time, distinct_id, insert_id";
        var within = $"""
            project_id = $project AND time >= $from AND time < $end
            {(range.Names is null ? "" : "AND event_name IN (SELECT unnest($names))")}
            {(range.DistinctIds is null ? "" : "AND distinct_id IN (SELECT unnest($ids))")}
            """;
        // Grouping all events with their properties would keep all of them in memory. Few events have duplicates: those are found by a hash, and then compared.
        var command = connection.Command(
            $"""
            WITH alike AS (SELECT hash({Key}) AS key FROM events WHERE {within} GROUP BY 1 HAVING count(*) > 1),
            numbered AS (SELECT sequence, row_number() OVER (PARTITION BY {Key} ORDER BY sequence DESC) AS number FROM events WHERE {within} AND hash({Key}) IN (SELECT key FROM alike))
            SELECT event_name, time, distinct_id, {(withProperties ? "encode(properties)" : "''::BLOB")}
            FROM events
            WHERE {within} AND sequence NOT IN (SELECT sequence FROM numbered WHERE number > 1)
            {(inOrder ? "ORDER BY time, sequence" : "")}
            """,
            ("project", projectId), ("from", range.From.UtcDateTime), ("end", range.End.UtcDateTime));
        if (range.Names is not null) command.Parameters.Add(new DuckDBParameter("names", StoredText.Of(range.Names)));
        if (range.DistinctIds is not null) command.Parameters.Add(new DuckDBParameter("ids", StoredText.Of(range.DistinctIds)));
        return (connection, command);
    }

    static long LastSequence(DuckDBConnection connection)
    {
        using var last = connection.Command("SELECT coalesce(max(sequence), 0) FROM events");
        return (long)last.ExecuteScalar()!;
    }

    long Append(DuckDBConnection connection, List<Waiting> together, long sequence)
    {
        using var appender = connection.CreateAppender("events");
        foreach (var batch in together.Select(waiting => waiting.Batch))
        {
            var received = batch.ReceivedAt.UtcDateTime;
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
        }
        return sequence;
    }

    /// <summary>A batch to be stored, and its outcome.</summary>
    sealed class Waiting(EventBatch batch)
    {
        public EventBatch Batch { get; } = batch;

        public bool IsStored { get; set; }

        public Exception? Failure { get; set; }
    }
}
