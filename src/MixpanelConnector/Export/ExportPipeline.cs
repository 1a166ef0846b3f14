using System.Diagnostics;
using MixpanelConnector.Exported;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Storage;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Export;

/// <summary>
/// Exports records into files so that each file is complete and exists once, or is fetched again.
/// <code>
///  Ledger ─► call ─bytes─► gunzip ─line─► record? ─► format ─► NAME.part ══whole══► NAME ─► manifest
/// </code>
/// <list type="number">
/// <item>The target is locked; its manifest lists what exists already.</item>
/// <item>The missing parts are requested: days concurrently (<see cref="EventDays"/>), pages one after the other (<see cref="ProfilePages"/>).
/// Each call is entered into the ledger before it is sent.</item>
/// <item>The answer is checked line by line and written as it arrives (<see cref="DayDownload"/>). An incomplete answer is discarded
/// and requested again.</item>
/// <item>A file is synced and renamed to its final name; then its entry is added to the manifest.</item>
/// </list>
/// </summary>
sealed class ExportPipeline(ExportRequest request, MixpanelTransport transport)
{
    static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    readonly TimeProvider _time = transport.Options.TimeProvider;
    readonly ExportCounts _counts = new();
    readonly ProblemList _problems = new();
    TimeSpan? _retryAfter;

    MessageWords Words => transport.Options.Words;

    /// <exception cref="MixpanelException">An option or a setting is invalid, or the folder contains another export. Nothing was requested.</exception>
    public async Task<ExportReport> RunAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        transport.EnsureAccess(AuthScheme.ServiceAccountOfProject);
        ManifestKeeper? keeper = null;
        var resumed = 0;
        var manifest = request.IsAddress ? $"{request.Folder.TrimEnd('/')}/{ExportManifest.FileName}" : Path.Combine(request.Folder, ExportManifest.FileName);
        try
        {
            using var target = ExportTarget.Open(request.Folder, request.Storages, transport.Options, request.State);
            manifest = target.PathOf(ExportManifest.FileName);
            using var locked = target.TryLock();
            if (locked is null)
            {
                Note(RunOutcome.Busy, $"Another export into {target.Name} is running.");
            }
            else
            {
                keeper = await ManifestKeeper.OpenAsync(target, request, transport.Options, cancellationToken).ConfigureAwait(false);
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var showing = ShowAsync(ended.Token);
                try
                {
                    resumed = await FetchAsync(target, keeper, cancellationToken).ConfigureAwait(false);
                }
                catch (MixpanelException e) when (!IsOfDisk(e.InnerException))
                {
                    await keeper.DiscardEmptyAsync().ConfigureAwait(false); // the same query would be refused again
                    throw;
                }
                finally
                {
                    await ended.CancelAsync().ConfigureAwait(false);
                    await showing.ConfigureAwait(false);
                    request.Progress?.Report(_counts.Snapshot());
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Note(RunOutcome.Stopped, $"Stopped before the end. {Words.RunAgainAtStart}; it resumes.");
        }
        catch (StorageException e) when (e.Fault is StorageFault.Unconfigured or StorageFault.Missing)
        {
            throw e.Told("to", request.Folder);
        }
        catch (Exception e) when (e is StorageException or InputException)
        {
            NoteStorage(e);
        }
        catch (DamagedExportException e)
        {
            Note(RunOutcome.Damaged, e.Message);
        }
        catch (MixpanelException e) when (IsOfDisk(e.InnerException))
        {
            Note(RunOutcome.DiskFailed, e.Message);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            NoteDisk(e);
        }

        var files = keeper?.Manifest.Files ?? [];
        keeper?.Dispose();
        if (files.Sum(file => file.Unreadable) is > 0 and var unreadable && request.Kind is ExportKind.Events)
            Note(RunOutcome.Rejected,
                $"{Counted.Of(unreadable, "line is not a record, and is stored", "lines are not records, and are stored")} in a file of the day that ends "
                + $"with .unreadable: {string.Join(", ", files.Where(file => file.Unreadable > 0).Take(5).Select(file => ExportNames.Of(file.Day!.Value)))}.");
        if (_problems.IsEmpty && keeper is { Manifest.Complete: false })
            Note(RunOutcome.Complete,
                $"The requested days are exported, but not "
                + $"all between {ExportNames.Of(keeper.Manifest.FromDate!.Value)} and {ExportNames.Of(keeper.Manifest.ToDate!.Value)}: the export is not complete until they are.");
        return new ExportReport
        {
            Kind = request.KindName,
            Days = files.Count(file => file.Day is not null),
            Files = files.Count(file => file.Name is not null),
            Records = files.Sum(file => file.Records),
            Bytes = files.Sum(file => file.Bytes),
            Requests = _counts.Requests,
            Retries = _counts.Retries,
            Joined = files.Sum(file => file.Joined),
            Unreadable = files.Sum(file => file.Unreadable),
            ResumedFiles = resumed,
            ElapsedSeconds = Math.Round(_time.GetElapsedTime(started).TotalSeconds, 3),
            Manifest = manifest,
            Outcome = _problems.Outcome,
            Problems = _problems.Messages,
            RetryAfter = _retryAfter,
        };
    }

    /// <summary>Fetches the missing parts; returns the number of existing files or days.</summary>
    Task<int> FetchAsync(ExportTarget target, ManifestKeeper keeper, CancellationToken cancellationToken)
    {
        var calls = new ExportCalls(request, transport, _counts);
        return request.Kind switch
        {
            ExportKind.Events => new EventDays(request, target, keeper, calls, _counts, Failed).RunAsync(cancellationToken),
            ExportKind.LookupTables => new LookupTableList(request, target, keeper, calls, _counts, Failed).RunAsync(cancellationToken),
            _ => new ProfilePages(request, target, keeper, calls, _counts, Failed).RunAsync(cancellationToken),
        };
    }

    /// <summary>Notes a failure; returns false when nothing else is worth trying.</summary>
    bool Failed(Exception failure)
    {
        switch (failure)
        {
            case MixpanelException e when IsOfDisk(e.InnerException):
                Note(RunOutcome.DiskFailed, e.Message);
                return false;
            case MixpanelException { Error: { Kind: ErrorKind.RateLimited, HttpStatus: null } error }:
                Note(RunOutcome.Unavailable, error.Message, error.RetryAfter);
                return false;
            case MixpanelException { Error: { Kind: ErrorKind.Unauthorized or ErrorKind.Forbidden or ErrorKind.NotFound } error }:
                Note(RunOutcome.NotAllowed, error.Message);
                return false;
            case MixpanelException { Error: { Kind: ErrorKind.Rejected or ErrorKind.TooLarge } error } when !request.IsPart
                || request.DataGroupId is not null: // a migration continues with other days
                throw new MixpanelException(
                    error with
                    {
                        Field = request.Where is not null ? "where"
                            : request.DataGroupId is not null ? "data_group_id"
                            : request.Event.Count > 0 ? "event"
                            : error.Field,
                    },
                    failure);
            case MixpanelException { Error.Kind: ErrorKind.Unavailable } e:
                Note(RunOutcome.Unavailable, e.Message);
                return true;
            case MixpanelException { Error.Kind: not ErrorKind.InvalidInput } e:
                Note(RunOutcome.Unavailable, e.Message);
                return false;
            case StorageException { Fault: StorageFault.Unconfigured or StorageFault.Missing } e:
                throw e.Told("to", request.Folder);
            case StorageException or InputException:
                NoteStorage(failure);
                return false;
            case var e when IsOfDisk(e):
                NoteDisk(e);
                return false;
            default:
                throw failure is MixpanelException ? failure : new UnreachableException(failure.Message, failure);
        }
    }

    static bool IsOfDisk(Exception? e) => e is IOException or UnauthorizedAccessException;

    void NoteDisk(Exception e) =>
        Note(RunOutcome.DiskFailed, $"The export cannot be written: {e.Message} Fix this and {Words.RunAgain}; it resumes.");

    void NoteStorage(Exception failure)
    {
        if (failure is StorageException { Fault: StorageFault.Changed })
            Note(RunOutcome.Busy,
                $"Another export into {request.Folder} is or was running: its manifest has changed. {Words.RunAgainAtStart} when no other is running.");
        else if (failure is StorageException { Fault: StorageFault.Forbidden })
            Note(RunOutcome.NotAllowed, $"{request.Folder} cannot be written: {failure.Message}. The credentials were rejected, or lack the permission.");
        else Note(RunOutcome.Unavailable, $"{request.Folder} cannot be read or written: {failure.Message}. {Words.RunAgainAtStart}; it resumes.");
    }

    void Note(RunOutcome outcome, string message, TimeSpan? retryAfter = null)
    {
        _problems.Note(outcome, message);
        lock (_problems) _retryAfter = new[] { _retryAfter, retryAfter }.Min();
    }

    async Task ShowAsync(CancellationToken ended)
    {
        if (request.Progress is null) return;
        while (true)
        {
            await Task.Delay(ProgressInterval, _time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested) return;
            request.Progress.Report(_counts.Snapshot());
        }
    }
}
