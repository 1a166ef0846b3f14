using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>The status of an import.</summary>
enum JobStatus
{
    /// <summary>Its body is on disk; other imports run before it.</summary>
    Queued,

    /// <summary>It is running.</summary>
    Running,

    /// <summary>Every record is accounted for.</summary>
    Finished,

    /// <summary>An external cause stopped it; it can be resumed.</summary>
    Stopped,

    /// <summary>A caller stopped it; it can be resumed.</summary>
    Cancelled,

    /// <summary>Its runs crashed the server, or did not end; it runs again only if a caller resumes it.</summary>
    Failed,
}

/// <summary>An import whose body was accepted.</summary>
sealed class ImportJob
{
    public required string Id { get; init; }

    /// <summary>The order of arrival.</summary>
    public required long Number { get; init; }

    /// <summary>The name of the caller that sent it.</summary>
    public required string Caller { get; init; }

    public required string SourceId { get; init; }

    public required JsonObject Options { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required long Bytes { get; init; }

    public required byte[] Sha256 { get; init; }

    /// <summary>The name of its Idempotency-Key; null if it has none.</summary>
    public byte[]? Key { get; init; }

    public JobStatus Status { get; set; }

    /// <summary>
    /// The number of consecutive runs that started and have not ended. It is stored before each run starts, so that the next start of the server knows.
    /// </summary>
    public int Begun { get; set; }

    public JsonObject? Report { get; set; }

    /// <summary>Why it is not finished, or what was rejected, and what to do next.</summary>
    public string? Problem { get; set; }

    /// <summary>The current run; null if there is none.</summary>
    public ImportRun? Run { get; set; }

    public bool IsDryRun => (string?)Options["dry_run"]?[0] == "true";

    public bool HasEnded => Run is null && Status is not (JobStatus.Queued or JobStatus.Running);

    /// <summary>Applies the result of a run, or of a caller's command.</summary>
    public void Become(RunEnd end) => (Begun, Report, Problem, Status) = (0, end.Report, end.Problem, end.Status);

    public bool HasDeadLetters => !IsDryRun && new RunEnd(Status, Report, Problem).Rejected > 0;

    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["id"] = Id,
            ["status"] = Status.ToString().ToLowerInvariant(),
            ["type"] = (string?)Options["type"]?[0] ?? "events",
            ["name"] = (string?)Options["name"]?[0] ?? SourceId,
            ["source_id"] = SourceId,
            ["created"] = Created.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
            ["bytes"] = Bytes,
            ["dry_run"] = IsDryRun,
        };
        if (Status is JobStatus.Running or JobStatus.Cancelled && Run is { Progress: { } progress } run)
        {
            json["progress"] = new JsonObject
            {
                ["read"] = progress.Read,
                ["accepted"] = progress.Accepted,
                ["rejected"] = progress.Rejected,
                ["requests"] = progress.Requests,
                ["retries"] = progress.Retries,
                ["input_bytes"] = progress.InputBytes,
                ["elapsed_seconds"] = Math.Round(run.Elapsed.TotalSeconds, 1),
                ["waiting"] = progress.Waiting,
                ["quota_rate"] = progress.QuotaRate is { } rate ? Math.Round(rate) : null,
            };
        }

        if (Report is not null) json["report"] = Report.DeepClone();
        if (Problem is not null) json["problem"] = Problem;
        return json;
    }
}
