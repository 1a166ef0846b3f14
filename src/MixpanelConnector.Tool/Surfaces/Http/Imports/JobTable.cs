using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>The imports in the server's database. Each change is on disk when its method returns.</summary>
sealed class JobTable(ServeDatabase database)
{
    /// <exception cref="IOException">The disk failed.</exception>
    public List<ImportJob> Load() =>
        database.Query("SELECT id, number, key, caller, options, source_id, created, bytes, sha256, status, report, problem, begun FROM imports ORDER BY number",
            row => new ImportJob
            {
                Id = row.GetString(0),
                Number = row.GetInt64(1),
                Key = row.IsDBNull(2) ? null : row.GetFieldValue<byte[]>(2),
                Caller = row.GetString(3),
                Options = JsonNode.Parse(row.GetString(4))!.AsObject(),
                SourceId = row.GetString(5),
                Created = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(6)),
                Bytes = row.GetInt64(7),
                Sha256 = row.GetFieldValue<byte[]>(8),
                Status = Enum.Parse<JobStatus>(row.GetString(9)),
                Report = row.IsDBNull(10) ? null : JsonNode.Parse(row.GetString(10))!.AsObject(),
                Problem = row.IsDBNull(11) ? null : row.GetString(11),
                Begun = row.GetInt32(12),
            });

    /// <exception cref="IOException">The disk failed.</exception>
    public void Add(ImportJob job) => database.Execute(
        "INSERT INTO imports (id, number, key, caller, options, source_id, created, bytes, sha256, status) VALUES ($id, $number, $key, $caller, $options, "
        + "$source, $created, $bytes, $sha256, $status)",
        ("$id", job.Id), ("$number", job.Number), ("$key", job.Key), ("$caller", job.Caller), ("$options", job.Options.ToJsonString()),
        ("$source", job.SourceId), ("$created", job.Created.ToUnixTimeSeconds()), ("$bytes", job.Bytes), ("$sha256", job.Sha256),
        ("$status", job.Status.ToString()));

    /// <summary>Stores that a run starts. The stored status stays queued: the import resumes after a crash.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Begin(ImportJob job) => database.Execute("UPDATE imports SET begun = $begun WHERE id = $id", ("$begun", job.Begun + 1), ("$id", job.Id));

    /// <summary>Stores the status of an import that is not running.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Save(ImportJob job, RunEnd end) =>
        database.Execute("UPDATE imports SET status = $status, report = $report, problem = $problem, begun = 0 WHERE id = $id",
            ("$status", end.Status.ToString()), ("$report", end.Report?.ToJsonString()), ("$problem", end.Problem), ("$id", job.Id));

    /// <summary>Stores that a running import is cancelled; its run has not ended yet.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Cancel(ImportJob job) =>
        database.Execute("UPDATE imports SET status = $status WHERE id = $id", ("$status", nameof(JobStatus.Cancelled)), ("$id", job.Id));

    /// <exception cref="IOException">The disk failed.</exception>
    public void Remove(ImportJob job) => database.Execute("DELETE FROM imports WHERE id = $id", ("$id", job.Id));
}
