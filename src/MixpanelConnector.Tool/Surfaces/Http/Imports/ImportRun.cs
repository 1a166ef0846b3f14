using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>Executes an import: <see cref="MixpanelClient.ImportAsync"/> with its own client.</summary>
delegate Task<ImportReport> CarryOut(ImportRequest request, IImportState? state, CancellationToken cancellationToken);

/// <summary>The result of a run.</summary>
/// <param name="Status">The new status of the import.</param>
/// <param name="Report">The report; null if the run produced none.</param>
/// <param name="Problem">A message for the caller; null if there is no problem.</param>
sealed record RunEnd(JobStatus Status, JsonObject? Report, string? Problem)
{
    /// <summary>The number of rejected records.</summary>
    public long Rejected => Report?["rejected"] is { } rejected ? rejected.GetValue<long>() : 0;
}

/// <summary>
/// One run of an import, within its limits: its total duration, the time without progress, and the time to stop after it was cancelled. Every error is part of
/// the result; nothing is thrown.
/// </summary>
sealed class ImportRun(ImportJob job, ImportFolder folder, ImportSpace space, CarryOut carryOut, TimeSpan longest, AuditLog log, TimeProvider time,
    CancellationToken stopping) : IProgress<ImportProgress>, IDisposable
{
    /// <summary>The decompressed size that every body is allowed; in addition, a hundred times the number of bytes sent.</summary>
    public const long FreeDecompressedBytes = 1L << 30;
    public const int MostRatio = 100;

    /// <summary>
    /// The maximum time without any reading, sending or response, except while Mixpanel makes the run wait. A single request with its retries may take minutes.
    /// </summary>
    public static readonly TimeSpan LongestStandstill = TimeSpan.FromMinutes(10);

    /// <summary>
    /// A well-behaved import ends within ten seconds after it was cancelled; one that is still running then is not checking for cancellation.
    /// </summary>
    public static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(12);

    static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public ImportJob Job => job;

    readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    readonly long _began = time.GetTimestamp();
    BoundedState? _state;
    long _movedAt = time.GetTimestamp();
    string? _overLimit;

    /// <summary>The progress of the run; null at its very beginning.</summary>
    public ImportProgress? Progress { get; private set; }

    public TimeSpan Elapsed => time.GetElapsedTime(_began);

    /// <summary>Completes when the run has ended and its result is stored.</summary>
    public Task Ended { get; set; } = Task.CompletedTask;

    public void Stop() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();

    public void Report(ImportProgress value)
    {
        var last = Progress;
        if (last is null || value.Waiting
            || (value.Read, value.Accepted, value.Rejected, value.Requests,
                value.InputBytes) != (last.Read, last.Accepted, last.Rejected, last.Requests, last.InputBytes))
            Volatile.Write(ref _movedAt, time.GetTimestamp());
        Progress = value;
    }

    /// <param name="looked">Called periodically while it runs.</param>
    public async Task<RunEnd> RunAsync(Action looked)
    {
        var import = Task.Run(ImportAsync);
        long? stoppedAt = null;
        while (!import.IsCompleted)
        {
            using (var ended = new CancellationTokenSource())
            {
                await Task.WhenAny(import, Task.Delay(Look, time, ended.Token));
                await ended.CancelAsync();
            }

            looked();
            if (!_stop.IsCancellationRequested && OverLimit() is { } reason)
            {
                _overLimit = reason;
                await _stop.CancelAsync();
            }

            if (!_stop.IsCancellationRequested) continue;
            stoppedAt ??= time.GetTimestamp();
            if (!import.IsCompleted && time.GetElapsedTime(stoppedAt.Value) > LongestEnd) return GiveUp();
        }

        return await import;
    }

    string? OverLimit()
    {
        if (Elapsed > longest)
            return FormattableString.Invariant(
                $"Its run exceeded the limit of {longest.TotalMinutes:0.##} minutes (--import-time). Resume it: it continues from where it was.");
        return time.GetElapsedTime(Volatile.Read(ref _movedAt)) > LongestStandstill
            ? FormattableString.Invariant(
                $"Its run made no progress for {LongestStandstill.TotalMinutes:0} minutes: nothing was read or sent. Perhaps its body cannot be read in a reasonable time.")
            : null;
    }

    /// <summary>Abandons a run that does not stop: it must block neither other imports nor the shutdown of the server.</summary>
    RunEnd GiveUp()
    {
        _state?.Close();
        log.Write("import_given_up", ("import", job.Id));
        return new RunEnd(JobStatus.Failed, Report: null,
            $"{_overLimit ?? "It was requested to stop."} It did not stop in time, and was abandoned; it may occupy a processor until the server's next start.");
    }

    async Task<RunEnd> ImportAsync()
    {
        try
        {
            var request = ImportParameters.ToRequest(job.Options, job.SourceId) with
            {
                Inputs = [folder.Body],
                Progress = this,
                MaxDecompressedBytes = FreeDecompressedBytes + (MostRatio * job.Bytes),
            };
            using (_state = request.DryRun ? null : new BoundedState(folder.OpenState(), folder, space, job.Caller))
                return End(request, await carryOut(request, _state, _stop.Token));
        }
        catch (Exception e) when (e is MixpanelException or ImportStateException)
        {
            return new RunEnd(JobStatus.Stopped, Report: null, folder.Shown(e is MixpanelException { Error.Message: var message } ? message : e.Message));
        }
        catch (Exception e)
        {
            log.Write("import_failed", ("import", job.Id), ("exception", e.GetType().FullName), ("stack", e.StackTrace?.ReplaceLineEndings(" ").Trim()));
            return new RunEnd(JobStatus.Stopped, Report: null, "The server failed. See its log for details. The import can be resumed.");
        }
    }

    RunEnd End(ImportRequest request, ImportReport report)
    {
        var problems = report.Problems.Select(folder.Shown).ToList();
        if (_overLimit is not null) problems.Insert(0, _overLimit);
        if (!request.DryRun && report is { Rejected: > 0, DeadLetter: null }) KeepDeadLetters(problems);

        report = report with
        {
            Reasons = report.Reasons?.Select(reason => reason with
            {
                Samples = [.. reason.Samples.Select(sample => new ImportReasonSample(folder.Shown(sample.Place), folder.Shown(sample.Message)))],
            }).ToList(),
        };
        var json = JsonNode.Parse(report.ToJson())!.AsObject();
        json["dead_letter"] = report.Rejected > 0 && !request.DryRun ? $"{ImportRoutes.Path}/{job.Id}/dead-letters" : null;
        var status = report.Outcome switch
        {
            RunOutcome.Complete or RunOutcome.Rejected => JobStatus.Finished,
            RunOutcome.Stopped when stopping.IsCancellationRequested && _overLimit is null => JobStatus.Queued, // resumed at the next start of the server
            _ => JobStatus.Stopped,
        };
        return new RunEnd(status, json, problems.Count == 0 || status is JobStatus.Queued ? null : string.Join(' ', problems));
    }

    void KeepDeadLetters(List<string> problems)
    {
        try
        {
            folder.KeepDeadLetters(_state!);
        }
        catch (ImportStateException e)
        {
            problems.Add(folder.Shown(e.Message));
        }
    }
}
