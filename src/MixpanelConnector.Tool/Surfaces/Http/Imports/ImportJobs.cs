using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using MixpanelConnector.Files;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>
/// Bulk imports as jobs. A body goes to the disk as it comes, and is synced before its import is acknowledged: from then on it
/// is imported whatever happens, after a crash too, from where it was. One import runs at a time, with up to 20 requests of
/// its own to Mixpanel; the others wait on the disk. The body is deleted once every record is accounted for.
/// </summary>
sealed class ImportJobs : IAsyncDisposable
{
    const int MostJobs = 1000;
    const string BodyName = "body";
    const string StateName = "state";

    readonly string _folder;
    readonly long _spool;
    readonly ServeDatabase _database;
    readonly Func<MixpanelClient> _newClient;
    readonly AuditLog _log;
    readonly TimeProvider _time;
    readonly ConcurrentDictionary<string, ImportJob> _jobs = new(StringComparer.Ordinal);
    readonly Channel<ImportJob> _queue = Channel.CreateUnbounded<ImportJob>();
    readonly CancellationTokenSource _stopping = new();
    readonly Lock _lock = new();
    readonly Task _running;
    long _spooled;
    long _number;

    public ImportJobs(string folder, long spool, ServeDatabase database, Func<MixpanelClient> newClient, AuditLog log, TimeProvider time)
    {
        (_folder, _spool, _database, _newClient, _log, _time) = (Path.Combine(folder, "imports"), spool, database, newClient, log, time);
        OwnFolder.Make(_folder);
        Load();
        _running = Task.Run(RunAsync);
    }

    public IEnumerable<ImportJob> All => _jobs.Values.OrderByDescending(job => job.Number);

    public ImportJob? Find(string id) => _jobs.GetValueOrDefault(id);

    /// <summary>Takes a body. When this returns, it is on the disk, and will be imported.</summary>
    /// <returns>The import, and whether it is that of an earlier request under the same key.</returns>
    /// <exception cref="MixpanelException">An option does not fit. Nothing was read.</exception>
    /// <exception cref="RefusedException">There is no room, or the key was used with something else.</exception>
    public async Task<(ImportJob Job, bool Replayed)> TakeAsync(Stream body, long? length, JsonObject options, string? key, byte[]? keyName, Caller caller, CancellationToken cancellationToken)
    {
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var sourceId = (string?)options["source_id"]?[0] ?? key ?? id;
        await CheckAsync(ImportParameters.ToRequest(options, sourceId), cancellationToken);
        if (_jobs.Count >= MostJobs && !ForgetOldest()) throw new RefusedException(Refusal.Busy with { Detail = "More imports are kept than this server takes. Delete some.", RetryAfter = 60 });
        if (length > _spool - Interlocked.Read(ref _spooled)) throw NoRoom();

        var folder = Path.Combine(_folder, id);
        OwnFolder.Make(folder);
        var taken = false;
        long bytes = 0;
        try
        {
            (bytes, var hash) = await SpoolAsync(body, Path.Combine(folder, BodyName), cancellationToken);
            await OnDiskAsync(() =>
            {
                Durable.SyncFolder(folder);
                Durable.SyncFolder(_folder);
                return default;
            });
            var job = new ImportJob { Id = id, Number = Interlocked.Increment(ref _number), SourceId = sourceId, Options = options, Created = _time.GetUtcNow(), Bytes = bytes, Sha256 = hash, Key = keyName };
            lock (_lock)
            {
                if (keyName is not null && _jobs.Values.FirstOrDefault(other => other.Key is not null && other.Key.AsSpan().SequenceEqual(keyName)) is { } first)
                    return first.Sha256.AsSpan().SequenceEqual(hash) && JsonNode.DeepEquals(first.Options, options) ? (first, true) : throw Idempotency.OtherBody();
                _database.Execute(
                    "INSERT INTO imports (id, number, key, caller, options, source_id, created, bytes, sha256, status) VALUES ($id, $number, $key, $caller, $options, $source, $created, $bytes, $sha256, $status)",
                    ("$id", id), ("$number", job.Number), ("$key", keyName), ("$caller", caller.Name), ("$options", options.ToJsonString()), ("$source", sourceId), ("$created", job.Created.ToUnixTimeSeconds()), ("$bytes", bytes), ("$sha256", hash), ("$status", nameof(JobStatus.Queued)));
                _jobs[id] = job;
            }

            taken = true;
            _queue.Writer.TryWrite(job);
            return (job, false);
        }
        finally
        {
            if (!taken)
            {
                Interlocked.Add(ref _spooled, -bytes);
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>Stops an import that runs or waits; gives false when it does neither.</summary>
    public bool Cancel(ImportJob job)
    {
        lock (_lock)
        {
            if (job.Status is not (JobStatus.Queued or JobStatus.Running)) return false;
            job.Stop?.Cancel();
            Save(job, JobStatus.Cancelled);
            return true;
        }
    }

    /// <summary>Puts a stopped import in the queue again; gives false when it is not stopped.</summary>
    public bool Resume(ImportJob job)
    {
        lock (_lock)
        {
            if (job.Status is not (JobStatus.Stopped or JobStatus.Cancelled) || job.Stop is not null) return false;
            job.Problem = null;
            Save(job, JobStatus.Queued);
        }

        _queue.Writer.TryWrite(job);
        return true;
    }

    /// <summary>Takes an import away, with what is left of its body and its dead letters.</summary>
    public void Forget(ImportJob job)
    {
        lock (_lock)
        {
            if (job.Stop is not null || !_jobs.TryRemove(job.Id, out _)) return;
            _database.Execute("DELETE FROM imports WHERE id = $id", ("$id", job.Id));
            DeleteBody(job);
        }

        Directory.Delete(Folder(job), recursive: true);
    }

    /// <summary>The dead letters of an import that does not run, each one line; the place of its body is not shown.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters(ImportJob job)
    {
        using var state = SqliteImportState.Open(Path.Combine(Folder(job), StateName));
        foreach (var line in state.DeadLetters()) yield return WithoutPath(line);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.Complete();
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
    }

    string Folder(ImportJob job) => Path.Combine(_folder, job.Id);

    /// <summary>Finds what does not fit before a byte of the body is taken.</summary>
    async Task CheckAsync(ImportRequest request, CancellationToken cancellationToken)
    {
        using var client = _newClient();
        using var nothing = new MemoryStream();
        await client.ImportAsync(request with { Inputs = ["-"], StandardInput = nothing, DryRun = true }, cancellationToken: cancellationToken);
    }

    async Task<(long Bytes, byte[] Hash)> SpoolAsync(Stream body, string path, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        long bytes = 0;
        try
        {
            await using var file = Durable.OpenOwned(path, FileMode.CreateNew);
            int read;
            while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0)
            {
                if (Interlocked.Add(ref _spooled, read) > _spool)
                {
                    Interlocked.Add(ref _spooled, -read);
                    throw NoRoom();
                }

                bytes += read;
                hash.AppendData(buffer, 0, read);
                await OnDiskAsync(() => file.WriteAsync(buffer.AsMemory(0, read), cancellationToken));
            }

            await OnDiskAsync(async () =>
            {
                await file.FlushAsync(cancellationToken);
                Durable.Sync(file);
            });
            return (bytes, hash.GetHashAndReset());
        }
        catch
        {
            Interlocked.Add(ref _spooled, -bytes);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    async ValueTask OnDiskAsync(Func<ValueTask> work)
    {
        try
        {
            await work();
        }
        catch (IOException e)
        {
            _log.Write("body_not_kept", ("reason", e.Message));
            throw new RefusedException(Refusal.Busy with { Detail = "The server's disk does not take the body. Nothing was imported.", RetryAfter = 60 });
        }
    }

    async Task RunAsync()
    {
        await foreach (var job in _queue.Reader.ReadAllAsync())
        {
            if (_stopping.IsCancellationRequested) continue; // it stays queued, for the next start
            CancellationTokenSource stop;
            lock (_lock)
            {
                if (job.Status is not JobStatus.Queued || job.Stop is not null) continue; // cancelled while it waited
                stop = job.Stop = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                job.Status = JobStatus.Running; // on the disk it stays queued: after a crash it goes on
            }

            try
            {
                await RunAsync(job, stop.Token);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                _log.Write("import_failed", ("import", job.Id), ("exception", e.GetType().FullName), ("stack", e.StackTrace?.ReplaceLineEndings(" ").Trim()));
                job.Problem = e is MixpanelException or ImportStateException ? Shown(job, e.Message) : "The server failed. Its log has more. The import can be resumed.";
                End(job, JobStatus.Stopped);
            }
            finally
            {
                lock (_lock)
                {
                    job.Progress = null;
                    job.Stop = null;
                }

                stop.Dispose();
            }
        }
    }

    async Task RunAsync(ImportJob job, CancellationToken cancellationToken)
    {
        var request = ImportParameters.ToRequest(job.Options, job.SourceId) with { Inputs = [Path.Combine(Folder(job), BodyName)], Progress = new LastProgress(job) };
        using var client = _newClient();
        ImportReport report;
        using (var state = request.DryRun ? null : SqliteImportState.Open(Path.Combine(Folder(job), StateName)))
            report = await client.ImportAsync(request, state, cancellationToken);

        var json = JsonNode.Parse(report.ToJson())!.AsObject();
        json["dead_letter"] = report.Rejected > 0 && !request.DryRun ? $"/v1/imports/{job.Id}/dead-letters" : null;
        job.Report = json;
        job.Problem = report.Problems is [] ? null : Shown(job, string.Join(' ', report.Problems));
        if (_stopping.IsCancellationRequested && report.ExitCode == ExitCode.Interrupted)
        {
            lock (_lock)
            {
                // Another start of the server goes on with it, unless a caller has said otherwise.
                if (job.Status is JobStatus.Running) job.Status = JobStatus.Queued;
            }

            return;
        }

        var finished = report.ExitCode is ExitCode.Success or ExitCode.Refused;
        End(job, finished ? JobStatus.Finished : JobStatus.Stopped);
    }

    void End(ImportJob job, JobStatus status)
    {
        lock (_lock)
        {
            if (job.Status is JobStatus.Cancelled && status is JobStatus.Stopped) status = JobStatus.Cancelled;
            Save(job, status);
            (job.Progress, job.Stop) = (null, null);
            if (status is JobStatus.Finished) DeleteBody(job);
        }
    }

    void Save(ImportJob job, JobStatus status)
    {
        _database.Execute("UPDATE imports SET status = $status, report = $report, problem = $problem WHERE id = $id", ("$status", status.ToString()), ("$report", job.Report?.ToJsonString()), ("$problem", job.Problem), ("$id", job.Id));
        job.Status = status;
    }

    void DeleteBody(ImportJob job)
    {
        var file = new FileInfo(Path.Combine(Folder(job), BodyName));
        if (!file.Exists) return;
        Interlocked.Add(ref _spooled, -file.Length);
        file.Delete();
    }

    bool ForgetOldest()
    {
        if (_jobs.Values.Where(job => job.Status is JobStatus.Finished).MinBy(job => job.Number) is not { } oldest) return false;
        Forget(oldest);
        return true;
    }

    void Load()
    {
        var jobs = _database.Query("SELECT id, number, key, options, source_id, created, bytes, sha256, status, report, problem FROM imports ORDER BY number", row => new ImportJob
        {
            Id = row.GetString(0),
            Number = row.GetInt64(1),
            Key = row.IsDBNull(2) ? null : row.GetFieldValue<byte[]>(2),
            Options = JsonNode.Parse(row.GetString(3))!.AsObject(),
            SourceId = row.GetString(4),
            Created = DateTimeOffset.FromUnixTimeSeconds(row.GetInt64(5)),
            Bytes = row.GetInt64(6),
            Sha256 = row.GetFieldValue<byte[]>(7),
            Status = Enum.Parse<JobStatus>(row.GetString(8)),
            Report = row.IsDBNull(9) ? null : JsonNode.Parse(row.GetString(9))!.AsObject(),
            Problem = row.IsDBNull(10) ? null : row.GetString(10),
        });
        foreach (var job in jobs)
        {
            _jobs[job.Id] = job;
            _number = Math.Max(_number, job.Number);
            if (job.Status is JobStatus.Queued) _queue.Writer.TryWrite(job);
        }

        foreach (var folder in new DirectoryInfo(_folder).EnumerateDirectories())
        {
            // A body that was not taken whole was never acknowledged.
            if (!_jobs.ContainsKey(folder.Name)) folder.Delete(recursive: true);
            else if (new FileInfo(Path.Combine(folder.FullName, BodyName)) is { Exists: true } body) _spooled += body.Length;
        }
    }

    RefusedException NoRoom() => new(new Refusal(507, "no_room", "There is no room for the body", FormattableString.Invariant($"Imports may take {_spool} bytes on this server's disk while they wait and run. Try again later, or send less.")) { RetryAfter = 60 });

    /// <summary>Where things lie on this machine is nobody else's business.</summary>
    string Shown(ImportJob job, string text) => text
        .Replace(Path.Combine(Folder(job), StateName, "dead-letters.ndjson"), $"/v1/imports/{job.Id}/dead-letters", StringComparison.Ordinal)
        .Replace(Path.Combine(Folder(job), BodyName), BodyName, StringComparison.Ordinal)
        .Replace(Folder(job), job.Id, StringComparison.Ordinal)
        .Replace(_folder, "imports", StringComparison.Ordinal);

    static ReadOnlyMemory<byte> WithoutPath(ReadOnlyMemory<byte> line)
    {
        var start = """{"source":"""u8;
        var end = line.Span.IndexOf(","u8 + "\"line\":"u8);
        return !line.Span.StartsWith(start) || end < 0 ? line : (byte[])[.. start, .. "\"body\""u8, .. line.Span[end..]];
    }

    sealed class LastProgress(ImportJob job) : IProgress<ImportProgress>
    {
        public void Report(ImportProgress value) => job.Progress = value;
    }
}
