using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>
/// Bulk imports as jobs. A body is written to disk as it arrives, and is synced before its import is acknowledged: from then on it will be imported whatever
/// happens, even after a crash, which it resumes from where it was. A few run at a time, each with up to 20 requests of its own to Mixpanel; the others wait on
/// disk. The body is deleted once every record is accounted for. The start of a run is stored before it starts, so that a body that crashes the server is not
/// retried forever.
/// </summary>
sealed class ImportJobs : IAsyncDisposable
{
    /// <summary>The maximum number of concurrent runs. If several callers may import, one place is always left for others.</summary>
    public const int MostAtOnce = 3;

    /// <summary>The maximum number of imports that are kept per caller, with their reports.</summary>
    public const int MostKept = 1000;

    /// <summary>The maximum number of dry runs that are kept per caller in addition.</summary>
    public const int MostDryRunsKept = 100;

    /// <summary>The maximum size in bytes of a body that is only inspected, of which the first thousand records are.</summary>
    public const long MostInspected = 64 << 20;

    /// <summary>The maximum number of consecutive runs that may end with the server's process.</summary>
    const int MostBegun = 2;

    /// <summary>An import whose run was interrupted starts alone, for this long: a second interruption then shows which body causes it.</summary>
    static readonly TimeSpan Probation = TimeSpan.FromMinutes(1);

    static readonly TimeSpan DiskPatience = TimeSpan.FromSeconds(5);

    readonly string _folder;
    readonly JobTable _table;
    readonly ImportSpace _space;
    readonly ImportOptions _options;
    readonly CarryOut _carryOut;
    readonly AuditLog _log;
    readonly TimeProvider _time;
    readonly ConcurrentDictionary<string, ImportJob> _jobs = new(StringComparer.Ordinal);
    readonly List<ImportRun> _running = [];
    readonly CancellationTokenSource _stopping = new();
    readonly Lock _lock = new();
    long _number;
    bool _isWaitingForDisk;

    /// <param name="folder">The server's state folder.</param>
    /// <param name="options">The limits of imports.</param>
    /// <param name="database">The server's database.</param>
    /// <param name="carryOut">Executes an import.</param>
    /// <param name="log">The log for failures.</param>
    /// <param name="time">Measures runs.</param>
    /// <exception cref="IOException">The disk failed.</exception>
    public ImportJobs(string folder, ImportOptions options, ServeDatabase database, CarryOut carryOut, AuditLog log, TimeProvider time)
    {
        (_folder, _options, _carryOut, _log, _time) = (Path.Combine(folder, "imports"), options, carryOut, log, time);
        _table = new JobTable(database);
        _space = new ImportSpace(options.Space, options.HasSeveralCallers);
        OwnFolder.Make(_folder);
        Load();
        lock (_lock) StartWaiting();
    }

    public IEnumerable<ImportJob> All => _jobs.Values.OrderByDescending(job => job.Number);

    public ImportJob? Find(string id) => _jobs.GetValueOrDefault(id);

    /// <summary>Accepts a body. When this returns, it is on disk, and will be imported.</summary>
    /// <returns>The import, and whether it is that of an earlier request with the same key.</returns>
    /// <exception cref="MixpanelException">An option is not valid. Nothing was read.</exception>
    /// <exception cref="RefusedException">There is no room, or the key was used with another request.</exception>
    public async Task<(ImportJob Job, bool Replayed)> TakeAsync(Stream body, long? length, JsonObject options, string? sourceId, byte[]? key, Caller caller,
        CancellationToken cancellationToken)
    {
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        sourceId = (string?)options["source_id"]?[0] ?? sourceId ?? id;
        await CheckAsync(ImportParameters.ToRequest(options, sourceId), cancellationToken);
        if (FindFirst(key) is { } known)
            return (EnsureSame(known, (await ReadAsync(new Body(body), (_, _) => default, cancellationToken)).Hash, options), true);

        var folder = new ImportFolder(Path.Combine(_folder, id));
        var incoming = new Body(body);
        var taken = false;
        try
        {
            if (length is { } announced && !_space.TryTake(id, caller.Name, announced)) throw NoRoom();
            OwnFolder.Make(folder.Path);
            var (bytes, hash) = await SpoolAsync(incoming, folder, length ?? 0, caller, cancellationToken);
            lock (_lock)
            {
                if (FindFirst(key) is { } first) return (EnsureSame(first, hash, options), true);
                var job = new ImportJob
                {
                    Id = id,
                    Number = ++_number,
                    Caller = caller.Name,
                    SourceId = sourceId,
                    Options = options,
                    Created = _time.GetUtcNow(),
                    Bytes = bytes,
                    Sha256 = hash,
                    Key = key,
                };
                if (!MakePlace(job))
                    throw new RefusedException(Refusal.Busy with
                    {
                        Detail = "This caller has reached the maximum number of stored imports. Delete some that have ended: "
                            + "those with dead letters are not removed automatically.",
                        RetryAfter = 60,
                    });
                _table.Add(job);
                _jobs[id] = job;
                taken = true;
                StartWaiting();
                return (job, false);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && !incoming.HasFailed)
        {
            _log.Write("body_not_kept", ("reason", e.Message));
            throw new RefusedException(Refusal.DiskFailed("The body was not stored, and nothing is imported."));
        }
        finally
        {
            if (!taken) Drop(folder, caller.Name);
        }
    }

    /// <summary>Inspects a body as an import would read it. It is stored on disk meanwhile, and deleted when this returns.</summary>
    /// <returns>The result, as JSON.</returns>
    /// <exception cref="MixpanelException">An option is not valid.</exception>
    /// <exception cref="RefusedException">There is no room, or the body is too large to be inspected.</exception>
    public async Task<string> LookAsync(Stream body, long? length, JsonObject options, Func<ImportRequest, CancellationToken, Task<string>> look, Caller caller,
        CancellationToken cancellationToken)
    {
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        var request = ImportParameters.ToRequest(options, id);
        await CheckAsync(request, cancellationToken);
        var folder = new ImportFolder(Path.Combine(_folder, id));
        var incoming = new Body(body, MostInspected);
        try
        {
            if (length > MostInspected) throw Body.TooLarge(MostInspected);
            if (length is { } announced && !_space.TryTake(id, caller.Name, announced)) throw NoRoom();
            OwnFolder.Make(folder.Path);
            await SpoolAsync(incoming, folder, length ?? 0, caller, cancellationToken);
            var found = await look(request with { Inputs = [folder.Body], MaxDecompressedBytes = ImportRun.FreeDecompressedBytes }, cancellationToken);
            return folder.Shown(found);
        }
        catch (MixpanelException e)
        {
            throw new MixpanelException(e.Error with { Message = folder.Shown(e.Error.Message) }, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && !incoming.HasFailed)
        {
            _log.Write("body_not_kept", ("reason", e.Message));
            throw new RefusedException(Refusal.DiskFailed("The body was not inspected."));
        }
        finally
        {
            Drop(folder, caller.Name);
        }
    }

    /// <summary>Cancels a running or queued import; returns false if it is neither.</summary>
    /// <exception cref="IOException">The disk failed; nothing has changed.</exception>
    public bool Cancel(ImportJob job)
    {
        lock (_lock)
        {
            if (job.Status is not (JobStatus.Queued or JobStatus.Running)) return false;
            _table.Cancel(job);
            job.Status = JobStatus.Cancelled;
            job.Run?.Stop();
            return true;
        }
    }

    /// <summary>Queues a stopped import again; returns false if it is not stopped.</summary>
    /// <exception cref="IOException">The disk failed; nothing has changed.</exception>
    public bool Resume(ImportJob job)
    {
        lock (_lock)
        {
            if (job.Status is not (JobStatus.Stopped or JobStatus.Cancelled or JobStatus.Failed) || job.Run is not null) return false;
            Become(job, new RunEnd(JobStatus.Queued, job.Report, Problem: null));
            StartWaiting();
            return true;
        }
    }

    /// <summary>Removes an import, with what is left of its body and its dead letters.</summary>
    /// <exception cref="IOException">The disk failed; nothing has changed.</exception>
    public void Forget(ImportJob job)
    {
        lock (_lock)
        {
            if (job.Run is not null || !_jobs.ContainsKey(job.Id)) return;
            _table.Remove(job);
            _jobs.TryRemove(job.Id, out _);
        }

        Drop(FolderOf(job), job.Caller);
    }

    /// <summary>The dead letters of an import that is not running, as they are now; null if there are none.</summary>
    public FileStream? ReadDeadLetters(ImportJob job) => FolderOf(job).ReadDeadLetters();

    /// <summary>Starts no more runs, and asks the running ones to end gracefully; they resume at the next start.</summary>
    public async Task StopAsync()
    {
        List<Task> runs;
        await _stopping.CancelAsync();
        lock (_lock) runs = [.. _running.Select(run => run.Ended)];
        await Task.WhenAll(runs); // each within the time limit for ending a run
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    ImportFolder FolderOf(ImportJob job) => new(Path.Combine(_folder, job.Id));

    /// <summary>Validates the options before a byte of the body is read.</summary>
    async Task CheckAsync(ImportRequest request, CancellationToken cancellationToken)
    {
        using var nothing = new MemoryStream();
        await _carryOut(request with { Inputs = ["-"], StandardInput = nothing, DryRun = true }, state: null, cancellationToken);
    }

    async Task<(long Bytes, byte[] Hash)> SpoolAsync(Body body, ImportFolder folder, long taken, Caller caller, CancellationToken cancellationToken)
    {
        await using var file = Durable.OpenOwned(folder.Body, FileMode.CreateNew);
        var (bytes, hash) = await ReadAsync(body, async (part, before) =>
        {
            if (before + part.Length > taken && !_space.TryTake(folder.Id, caller.Name, before + part.Length - Math.Max(before, taken))) throw NoRoom();
            await file.WriteAsync(part, cancellationToken);
        }, cancellationToken);
        await file.FlushAsync(cancellationToken);
        Durable.Sync(file);
        folder.Sync();
        return (bytes, hash);
    }

    /// <summary>Reads a body in chunks; <paramref name="take"/> is called for each with the number of bytes before it.</summary>
    static async Task<(long Bytes, byte[] Hash)> ReadAsync(Body body, Func<ReadOnlyMemory<byte>, long, ValueTask> take, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
        try
        {
            long bytes = 0;
            int read;
            while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0)
            {
                hash.AppendData(buffer, 0, read);
                await take(buffer.AsMemory(0, read), bytes);
                bytes += read;
            }

            return (bytes, hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The import of an earlier request with a key.</summary>
    ImportJob? FindFirst(byte[]? key) => key is null ? null : _jobs.Values.FirstOrDefault(job => job.Key is not null && job.Key.AsSpan().SequenceEqual(key));

    static ImportJob EnsureSame(ImportJob first, byte[] hash, JsonObject options) =>
        first.Sha256.AsSpan().SequenceEqual(hash) && JsonNode.DeepEquals(first.Options, options) ? first : throw Idempotency.OtherBody();

    /// <summary>Makes room among the caller's own imports. An import that has dead letters, or has not ended, is not removed for another.</summary>
    bool MakePlace(ImportJob job)
    {
        var own = _jobs.Values.Where(other => other.Caller == job.Caller && other.IsDryRun == job.IsDryRun).ToList();
        if (own.Count < (job.IsDryRun ? MostDryRunsKept : MostKept)) return true;
        if (own.Where(other => other.HasEnded && (other.IsDryRun || (other.Status is JobStatus.Finished && !other.HasDeadLetters)))
            .MinBy(other => other.Number) is not { } oldest)
            return false;
        Forget(oldest);
        return true;
    }

    /// <summary>Starts the imports that may run now. Called under the lock, whenever an import was added or has ended.</summary>
    void StartWaiting()
    {
        while (!_stopping.IsCancellationRequested && !_isWaitingForDisk && Next() is { } job)
        {
            try
            {
                _table.Begin(job);
            }
            catch (IOException e)
            {
                // If its start cannot be stored, it is not started: it waits for the disk.
                _isWaitingForDisk = true;
                _log.Write("imports_wait", ("reason", e.Message));
                _ = StartLaterAsync();
                return;
            }

            job.Begun++;
            job.Status = JobStatus.Running; // stored as queued: it resumes after a crash
            var run = job.Run = new ImportRun(job, FolderOf(job), _space, _carryOut, _options.LongestRun, _log, _time, _stopping.Token);
            _running.Add(run);
            run.Ended = Task.Run(() => RunAsync(job, run));
        }
    }

    /// <summary>
    /// The next import to start: of the callers with the fewest running imports, the one that arrived first. Imports whose last run was interrupted go before
    /// all others, one at a time.
    /// </summary>
    ImportJob? Next()
    {
        if (_running.Count >= MostAtOnce || _running.Exists(run => run.Job.Begun > 1 && run.Elapsed < Probation)) return null;
        var waiting = _jobs.Values.Where(job => job.Status is JobStatus.Queued && job.Run is null).OrderBy(job => job.Number).ToList();
        return waiting.Find(job => job.Begun > 0) ?? waiting
            .Where(job => !_options.HasSeveralCallers || RunningOf(job.Caller) < MostAtOnce - 1)
            .MinBy(job => RunningOf(job.Caller));

        int RunningOf(string caller) => _running.Count(run => run.Job.Caller == caller);
    }

    async Task StartLaterAsync()
    {
        await Task.Delay(DiskPatience, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            _isWaitingForDisk = false;
            StartWaiting();
        }
    }

    /// <summary>Executes a run and stores its result. It does not throw: whatever the result, it is stored, and the next import starts.</summary>
    async Task RunAsync(ImportJob job, ImportRun run)
    {
        var end = await run.RunAsync(() =>
        {
            lock (_lock) StartWaiting(); // a probation may have ended
        });
        await NoteAsync(job, end);
        lock (_lock)
        {
            _running.Remove(run);
            job.Run = null;
            run.Dispose();
            StartWaiting();
        }
    }

    /// <summary>
    /// Stores the result of a run; if the disk fails, retries until it succeeds. A run whose result is not stored counts as interrupted at the next start.
    /// </summary>
    async Task NoteAsync(ImportJob job, RunEnd end)
    {
        if (end.Status is JobStatus.Failed && _stopping.IsCancellationRequested) return; // abandoned at shutdown: the process ends during the run
        while (true)
        {
            try
            {
                lock (_lock)
                {
                    var isCancelled = job.Status is JobStatus.Cancelled && end.Status is JobStatus.Stopped or JobStatus.Queued;
                    Become(job, end with { Status = isCancelled ? JobStatus.Cancelled : end.Status, Report = end.Report ?? job.Report });
                    job.Run = null;
                }

                return;
            }
            catch (IOException e)
            {
                _log.Write("import_not_noted", ("import", job.Id), ("reason", e.Message));
            }

            if (_stopping.IsCancellationRequested) return;
            await Task.Delay(DiskPatience, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Stores the status of an import, then deletes what it no longer needs, and only then makes the status visible.</summary>
    /// <exception cref="IOException">The disk failed; nothing has changed.</exception>
    void Become(ImportJob job, RunEnd end)
    {
        _table.Save(job, end);
        Tidy(job, end);
        job.Become(end);
    }

    /// <summary>Deletes what is no longer needed, and updates the used disk space.</summary>
    void Tidy(ImportJob job, RunEnd end)
    {
        var folder = FolderOf(job);
        try
        {
            if (end.Status is JobStatus.Finished) folder.DeleteButDeadLetters(hasDeadLetters: !job.IsDryRun && end.Rejected > 0);
            _space.Set(job.Id, job.Caller, folder.Bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImportStateException)
        {
            _log.Write("import_not_tidied", ("import", job.Id), ("reason", e.Message)); // the next start tries again
        }
    }

    /// <summary>Deletes a folder that belongs to no import any more.</summary>
    void Drop(ImportFolder folder, string caller)
    {
        try
        {
            folder.Delete();
            _space.Set(folder.Id, caller, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Write("import_not_tidied", ("import", folder.Id), ("reason", e.Message));
        }
    }

    void Load()
    {
        foreach (var job in _table.Load())
        {
            _jobs[job.Id] = job;
            _number = Math.Max(_number, job.Number);
            var folder = FolderOf(job);
            if (job.Status is JobStatus.Queued && job.Begun >= MostBegun) SetAside(job, folder);
            else Tidy(job, new RunEnd(job.Status, job.Report, job.Problem));
        }

        // A body that was not received completely was never acknowledged.
        foreach (var folder in new DirectoryInfo(_folder).EnumerateDirectories().Where(folder => !_jobs.ContainsKey(folder.Name)))
            Drop(new ImportFolder(folder.FullName), caller: "");
    }

    void SetAside(ImportJob job, ImportFolder folder)
    {
        var problem = FormattableString.Invariant(
            $"The server process ended during {job.Begun} consecutive runs of this import, so it is not run again automatically: its body may be the cause. The body is kept; delete the import, or resume it once the cause is known.");
        try
        {
            folder.KeepDeadLetters();
        }
        catch (ImportStateException e)
        {
            problem = $"{problem} {folder.Shown(e.Message)}";
        }

        _log.Write("import_set_aside", ("import", job.Id));
        Become(job, new RunEnd(JobStatus.Failed, job.Report, problem));
    }

    /// <summary>A caller's request body. Distinguishes a broken connection from a disk failure.</summary>
    sealed class Body(Stream stream, long most = long.MaxValue)
    {
        long _read;

        public bool HasFailed { get; private set; }

        public static RefusedException TooLarge(long most) =>
            new(Refusal.TooLarge(FormattableString.Invariant($"A body of at most {most} bytes is inspected: send the beginning of it.")));

        public async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
        {
            HasFailed = true;
            var read = await stream.ReadAsync(target, cancellationToken);
            if ((_read += read) > most) throw TooLarge(most);
            HasFailed = false;
            return read;
        }
    }

    RefusedException NoRoom() =>
        new(Refusal.NoRoom(FormattableString.Invariant($"Imports, with their dead letters, may use {_options.Space} bytes on this server's disk{(_options.HasSeveralCallers ? ", and those of one caller half of what the others leave" : "")}. Delete imports that have ended, try again later, or send less.")));
}

/// <summary>The limits of imports as jobs.</summary>
/// <param name="Space">The maximum disk space in bytes.</param>
/// <param name="LongestRun">The maximum duration of a run.</param>
/// <param name="HasSeveralCallers">Whether several callers may import.</param>
sealed record ImportOptions(long Space, TimeSpan LongestRun, bool HasSeveralCallers);
