using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>
/// Bulk imports as jobs. A body goes to the disk as it comes, and is synced before its import is acknowledged: from then on it
/// is imported whatever happens, after a crash too, from where it was. A few run at a time, each with up to 20 requests of its
/// own to Mixpanel; the others wait on the disk. The body is deleted once every record is accounted for. That a run begins is
/// on the disk before it does, so that a body which brings the server down is not tried for ever.
/// </summary>
sealed class ImportJobs : IAsyncDisposable
{
    /// <summary>How many run at a time. Where several callers may import, one place is always left for others.</summary>
    public const int MostAtOnce = 3;

    /// <summary>How many of one caller's are kept, with their accounts.</summary>
    public const int MostKept = 1000;

    /// <summary>How many dry runs of one caller's are kept beside those.</summary>
    public const int MostDryRunsKept = 100;

    /// <summary>Bytes of a body that is only looked at: its first thousand records are.</summary>
    public const long MostInspected = 64 << 20;

    /// <summary>So many runs may end with the server's process.</summary>
    const int MostBegun = 2;

    /// <summary>An import whose run was cut off begins alone, and for so long: a second cut then tells whose body it is.</summary>
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
    /// <param name="carryOut">Carries one out.</param>
    /// <param name="log">Where failures are written.</param>
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

    /// <summary>Takes a body. When this returns, it is on the disk, and will be imported.</summary>
    /// <returns>The import, and whether it is that of an earlier request under the same key.</returns>
    /// <exception cref="MixpanelException">An option does not fit. Nothing was read.</exception>
    /// <exception cref="RefusedException">There is no room, or the key was used with something else.</exception>
    public async Task<(ImportJob Job, bool Replayed)> TakeAsync(Stream body, long? length, JsonObject options, string? sourceId, byte[]? key, Caller caller, CancellationToken cancellationToken)
    {
        var id = RandomNumberGenerator.GetHexString(16, lowercase: true);
        sourceId = (string?)options["source_id"]?[0] ?? sourceId ?? id;
        await CheckAsync(ImportParameters.ToRequest(options, sourceId), cancellationToken);
        if (FindFirst(key) is { } known) return (EnsureSame(known, (await ReadAsync(new Body(body), (_, _) => default, cancellationToken)).Hash, options), true);

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
                var job = new ImportJob { Id = id, Number = ++_number, Caller = caller.Name, SourceId = sourceId, Options = options, Created = _time.GetUtcNow(), Bytes = bytes, Sha256 = hash, Key = key };
                if (!MakePlace(job)) throw new RefusedException(Refusal.Busy with { Detail = "More imports of this caller are kept than this server takes. Delete some that have ended: those with dead letters are not forgotten by themselves.", RetryAfter = 60 });
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
            throw new RefusedException(Refusal.DiskFailed("The body was not kept, and nothing is imported."));
        }
        finally
        {
            if (!taken) Drop(folder, caller.Name);
        }
    }

    /// <summary>Looks at a body as an import would. It lies on the disk meanwhile, and is gone when this returns.</summary>
    /// <returns>What was found, as JSON.</returns>
    /// <exception cref="MixpanelException">An option does not fit.</exception>
    /// <exception cref="RefusedException">There is no room, or the body is too large to be looked at.</exception>
    public async Task<string> LookAsync(Stream body, long? length, JsonObject options, Func<ImportRequest, CancellationToken, Task<string>> look, Caller caller, CancellationToken cancellationToken)
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && !incoming.HasFailed)
        {
            _log.Write("body_not_kept", ("reason", e.Message));
            throw new RefusedException(Refusal.DiskFailed("The body was not looked at."));
        }
        finally
        {
            Drop(folder, caller.Name);
        }
    }

    /// <summary>Stops an import that runs or waits; gives false when it does neither.</summary>
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

    /// <summary>Puts a stopped import in the queue again; gives false when it is not stopped.</summary>
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

    /// <summary>Takes an import away, with what is left of its body and its dead letters.</summary>
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

    /// <summary>The dead letters of an import that does not run, as they are now; null when there are none.</summary>
    public FileStream? ReadDeadLetters(ImportJob job) => FolderOf(job).ReadDeadLetters();

    /// <summary>Begins nothing more, and tells what runs to end in order; it goes on at the next start.</summary>
    public async Task StopAsync()
    {
        List<Task> runs;
        await _stopping.CancelAsync();
        lock (_lock) runs = [.. _running.Select(run => run.Ended)];
        await Task.WhenAll(runs); // each within the time that a run has to end
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    ImportFolder FolderOf(ImportJob job) => new(Path.Combine(_folder, job.Id));

    /// <summary>Finds what does not fit before a byte of the body is taken.</summary>
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

    /// <summary>Reads a body in parts; <paramref name="take"/> gets each with the number of bytes before it.</summary>
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

    /// <summary>The import of an earlier request under a key.</summary>
    ImportJob? FindFirst(byte[]? key) => key is null ? null : _jobs.Values.FirstOrDefault(job => job.Key is not null && job.Key.AsSpan().SequenceEqual(key));

    static ImportJob EnsureSame(ImportJob first, byte[] hash, JsonObject options) =>
        first.Sha256.AsSpan().SequenceEqual(hash) && JsonNode.DeepEquals(first.Options, options) ? first : throw Idempotency.OtherBody();

    /// <summary>Makes a place among the caller's own imports. What has dead letters, or has not ended, is not forgotten for another.</summary>
    bool MakePlace(ImportJob job)
    {
        var own = _jobs.Values.Where(other => other.Caller == job.Caller && other.IsDryRun == job.IsDryRun).ToList();
        if (own.Count < (job.IsDryRun ? MostDryRunsKept : MostKept)) return true;
        if (own.Where(other => other.HasEnded && (other.IsDryRun || (other.Status is JobStatus.Finished && !other.HasDeadLetters))).MinBy(other => other.Number) is not { } oldest) return false;
        Forget(oldest);
        return true;
    }

    /// <summary>Starts what may run now. Called under the lock, whenever something has come or gone.</summary>
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
                // What cannot be noted is not begun: it waits until the disk takes it.
                _isWaitingForDisk = true;
                _log.Write("imports_wait", ("reason", e.Message));
                _ = StartLaterAsync();
                return;
            }

            job.Begun++;
            job.Status = JobStatus.Running; // on the disk it stays queued: after a crash it goes on
            var run = job.Run = new ImportRun(job, FolderOf(job), _space, _carryOut, _options.LongestRun, _log, _time, _stopping.Token);
            _running.Add(run);
            run.Ended = Task.Run(() => RunAsync(job, run));
        }
    }

    /// <summary>Of the callers with the fewest running imports the one that came first; before all, and one after the other, those whose last run was cut off.</summary>
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

    /// <summary>A run with all that follows. It does not throw: whatever a run comes to is noted, and the next one starts.</summary>
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

    /// <summary>Notes how a run has ended; on a disk that does not take it, as soon as it does. What is not noted is begun and not ended at the next start.</summary>
    async Task NoteAsync(ImportJob job, RunEnd end)
    {
        if (end.Status is JobStatus.Failed && _stopping.IsCancellationRequested) return; // given up at the server's end: its process ends under the run
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

    /// <summary>Makes durable how an import stands, and then deletes what it needs no more; whoever sees it so finds it done.</summary>
    /// <exception cref="IOException">The disk failed; nothing has changed.</exception>
    void Become(ImportJob job, RunEnd end)
    {
        _table.Save(job, end);
        Tidy(job, end);
        job.Become(end);
    }

    /// <summary>Deletes what is needed no more, and counts what is left.</summary>
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

    /// <summary>Deletes what is no import's any more.</summary>
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

        // A body that was not taken whole was never acknowledged.
        foreach (var folder in new DirectoryInfo(_folder).EnumerateDirectories().Where(folder => !_jobs.ContainsKey(folder.Name))) Drop(new ImportFolder(folder.FullName), caller: "");
    }

    void SetAside(ImportJob job, ImportFolder folder)
    {
        var problem = FormattableString.Invariant($"The server's process ended under {job.Begun} runs of this import, one after the other, so it is not run again by itself: its body may be what ends it. The body is kept; delete the import, or resume it once you know better.");
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

    /// <summary>What a caller sends: when it breaks off, that is no fault of the disk.</summary>
    sealed class Body(Stream stream, long most = long.MaxValue)
    {
        long _read;

        public bool HasFailed { get; private set; }

        public static RefusedException TooLarge(long most) => new(Refusal.TooLarge(FormattableString.Invariant($"A body of at most {most} bytes is looked at: send the beginning of it.")));

        public async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
        {
            HasFailed = true;
            var read = await stream.ReadAsync(target, cancellationToken);
            if ((_read += read) > most) throw TooLarge(most);
            HasFailed = false;
            return read;
        }
    }

    RefusedException NoRoom() => new(Refusal.NoRoom(FormattableString.Invariant($"Imports, with their dead letters, may take {_options.Space} bytes on this server's disk{(_options.HasSeveralCallers ? ", and one caller's half of what the others leave" : "")}. Delete imports that have ended, try again later, or send less.")));
}

/// <summary>The limits of imports as jobs.</summary>
/// <param name="Space">The most bytes that they take on the disk.</param>
/// <param name="LongestRun">How long a run may take.</param>
/// <param name="HasSeveralCallers">Whether several callers may import.</param>
sealed record ImportOptions(long Space, TimeSpan LongestRun, bool HasSeveralCallers);
