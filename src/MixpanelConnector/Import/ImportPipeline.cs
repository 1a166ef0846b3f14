using System.Collections.Frozen;
using System.Globalization;
using System.IO.Hashing;
using System.Threading.Channels;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Inspect;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Settle;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.State;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import;

/// <summary>
/// Imports files of records and accounts for every one of them.
/// <code>
///  Source ─bytes─► Decode ─record─► (Map) ─► Validate ─event─► Batch ══► Compress ─► Send ×N ══verdict══► Settle ─► State
/// </code>
/// <list type="number">
/// <item>Source: the inputs in order, decompressed, every byte checked.</item>
/// <item>Decode: extracts the bytes of one record; parses no values.</item>
/// <item>Map, if requested: converts it to any number of records, or leaves it out.</item>
/// <item>Validate: checks whether Mixpanel accepts the record. Adds what is missing; changes nothing else, unless cleaning was requested,
/// which comes first.</item>
/// <item>Batch: up to 2000 records or 10 MB, numbered, in a pooled buffer.</item>
/// <item>Compress: once for all attempts.</item>
/// <item>Send: at one shared pace, until the outcome of every record is known.</item>
/// <item>Settle: counts and dead letters, over the contiguous range of final outcomes.</item>
/// <item>State: all of it in one durable transaction.</item>
/// </list>
/// Steps 1 to 5 run on one thread, 6 and 7 on those of the senders, 8 and 9 on one. At most 32 MB of batches are in flight, in addition to the
/// one being filled (10 MB at most): a batch counts with its text until it is compressed, and then with what is sent.
/// One batch at a time may be decompressed for its single records, which uses its size once more. Buffers kept for the
/// next batch are included in the limit: 53 MB in all. Each input file uses about half a kilobyte more, for its name and its progress.
/// </summary>
sealed class ImportPipeline(ImportRequest request, IImportState state, MixpanelTransport transport)
{
    public const long MostBytesInFlight = 32_000_000;

    /// <summary>The memory for the batch being filled, including while its buffer grows.</summary>
    public const long MostBytesFilling = 2 * ImportRequest.LargestBatch;

    /// <summary>How many batches sending may be ahead of an unsettled one.</summary>
    const int MostBatchesInFlight = 256;

    const int FirstSenders = 4;

    /// <summary>The number of filled batches waiting for a sender.</summary>
    const int BatchesAhead = 2;

    /// <summary>The number of bytes of a stream that are kept, so that it can be inspected again as long as all of its records are rejected.</summary>
    const long MostKeptOfStream = 64 << 20;

    static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>The fingerprint of a source of which nothing was read.</summary>
    public static readonly string NothingRead = XxHash128.HashToUInt128([]).ToString("x32", CultureInfo.InvariantCulture);

    readonly TimeProvider _time = transport.Options.TimeProvider;
    readonly ImportCounts _counts = new();
    MappingLookups _lookups = MappingLookups.None;
    ImportRequest? _withColumns; // named in another file

    /// <summary>The request with which inputs are read.</summary>
    ImportRequest Reading => _withColumns ?? request;

    public ImportOptions Options { get; private set; } = new(request, transport.Options);

    /// <summary>The buffers of batches.</summary>
    public BufferPool Buffers { get; } = new(MostBytesInFlight + MostBytesFilling);

    /// <exception cref="MixpanelException">An option or a setting is invalid. Nothing was sent.</exception>
    public async Task<ImportReport> RunAsync(CancellationToken cancellationToken)
    {
        var ids = new ComputedInsertIds();
        var identities = new Occurrences();
        var preparer = NewPreparer(ids, identities);
        var destination = NewDestination();
        if (!request.DryRun) destination.EnsureAccess();
        var inputs = request.Feed is not null ? [] : request.Found is { } found ? [.. found] : InputList.Find(request, new ExcludedFiles(request, state), Warn);
        using var cancellation = new ImportCancellation(_time, cancellationToken, request.Grace);

        Outputs.EnsureNoInputs(request, inputs);
        inputs = await InputList.UnpackedAsync(inputs, request, cancellationToken).ConfigureAwait(false);
        (_withColumns, inputs, _lookups) = await MappingInputs.ReadAsync(request, inputs, Warn, cancellationToken).ConfigureAwait(false);
        if (request.Mapping is not null) Options = new ImportOptions(Reading, transport.Options, _lookups.Fingerprint);
        ImportCheckpoint? loaded;
        try
        {
            Outputs.EnsureWritable(request);
            loaded = Load(inputs);
        }
        catch (ImportStateException e)
        {
            cancellation.Note(e.Outcome, e.Message);
            return Report(cancellation, new ImportTotals(), pending: 0, deadLetterPath: null);
        }

        ids.OfPlaces = loaded is not null && request.Type is ImportType.Events && ImportOptions.ComputeIdsOfPlaces(loaded);
        var budget = new MemoryBudget(MostBytesInFlight, MostBatchesInFlight);
        var checkpoints = new CheckpointTracker(state, loaded, loaded?.OptionsFingerprint ?? Options.Fingerprint, NoneYet(), _counts, _time, request.CheckpointInterval, Outputs.LastingDeadLetters(request), forgetsEnded: request.Feed is not null);
        try
        {
            inputs = await new SourceIds(Reading, checkpoints.Known, Warn, problem => cancellation.Note(RunOutcome.Damaged, problem)).AssignAsync(inputs, cancellation.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
        {
            return Report(cancellation, checkpoints.Saved, pending: 0, deadLetterPath: null);
        }

        NoteVanished(inputs, checkpoints, cancellation);
        await EnsureFitAsync(inputs, checkpoints, cancellation.Stop).ConfigureAwait(false);
        if (!TryPin(inputs, checkpoints, cancellation)) return Report(cancellation, checkpoints.Saved, pending: 0, deadLetterPath: null);
        var isAnew = request is { StopWhenRefusedAlike: true, Replay: null } && checkpoints.ReadBefore == 0;
        using var repeatable = isAnew && inputs is [{ CanBeOpenedAgain: false, Fault: null } stream, ..] ? new RepeatableInput(stream, MostKeptOfStream) : null;
        if (repeatable is not null) inputs[0] = repeatable.Input;
        var first = isAnew ? new FirstRefusals(() => repeatable?.Release()) : null;
        ImportInspection? inspection = null;
        var stopped = false;
        var isKnown = inputs.Exists(input => checkpoints.ProgressOf(input.Id) is { Offset: > 0 });
        var limits = new SendLimits(request.BatchBytes);
        var senders = request.Type is ImportType.Profiles or ImportType.Groups ? 1 : request.Senders ?? ImportRequest.MostSenders;
        var limiter = new ConcurrencyLimiter(senders, Math.Min(senders, request.Senders ?? FirstSenders), transport.Options, request.MaxOutage);
        var batches = Channel.CreateBounded<RecordBatch>(new BoundedChannelOptions(BatchesAhead) { SingleWriter = true });
        var verdicts = Channel.CreateBounded<BatchOutcome>(new BoundedChannelOptions(2 * senders) { SingleReader = true });

        Action<DeadLetter, Refusal> refused = (letter, refusal) => Refused(letter, refusal, cancellation);

        // :: Steps 1-5: Source, Decode, Map, Validate, Batch
        var read = new ReadStage(Reading, _lookups.Fingerprint, request.Feed ?? new ListedInputs(inputs), RecordMapper.For(request, _lookups), RecordCleaner.For(request), preparer, checkpoints, budget, Buffers, limits, _counts, cancellation, refused, first, InspectAsync, batches.Writer, _time);
        var reading = Guard(cancellation, Task.Run(read.RunAsync, CancellationToken.None));

        // :: Steps 6-7: Compress, Send
        var sender = new BatchSender(destination, limiter, limits, _counts, cancellation, request.MaxOutage, refused, ReplayOptions.Of(request, _lookups.Fingerprint), checkpoints.MarkInFlight);
        var sending = Task.WhenAll(Enumerable.Range(0, senders).Select(_ => Guard(cancellation, Task.Run(() => SendAsync(sender, checkpoints, cancellation, batches.Reader, verdicts.Writer), CancellationToken.None))));

        // :: Steps 8-9: Settle, State
        var total = request.Feed is null && inputs.TrueForAll(input => input.Length is not null) ? inputs.Sum(input => input.Length) : null;
        var settling = Guard(cancellation, Task.Run(() => SettleAsync(checkpoints, verdicts.Reader, cancellation), CancellationToken.None));
        using var shown = new CancellationTokenSource();
        var showing = request.Progress is null ? Task.CompletedTask : Guard(cancellation, Task.Run(() => ShowAsync(request.Progress, limiter, total, shown.Token), CancellationToken.None));

        _ = sending.ContinueWith(_ => verdicts.Writer.Complete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await Task.WhenAll(reading, sending, settling).ConfigureAwait(false);
        await shown.CancelAsync().ConfigureAwait(false);
        await showing.ConfigureAwait(false);

        if (stopped && checkpoints.IsSound && !cancellation.StateFailed && cancellation.Defect is null) return StopAtFirst(first!, _counts.Read, inspection, cancellation);
        if (checkpoints.Totals.SameIdentity is > 0 and var same)
            Warn("identity", $"{(preparer is EventPreparer { IdentitiesAreMany: true } ? "At least " : "")}{Counted.Of(same, "event has", "events have")} the event, time, distinct_id and $insert_id of an earlier one: Mixpanel counts duplicates once.");
        var report = checkpoints.IsSound ? Finish(checkpoints, cancellation, isKnown) : null;
        cancellation.Defect?.Throw();
        request.Progress?.Report(_counts.Snapshot(total, waiting: false, limiter.QuotaRate));
        return report! with { Inspection = inspection };

        // Whether the import ends before anything is sent, because the first records were rejected for the same reason.
        async Task<bool> InspectAsync(FirstRefusals alike)
        {
            if (cancellation.Stop.IsCancellationRequested || !cancellation.Problems.IsEmpty) return false;
            repeatable?.End();
            if (request.Mapping is not null) return stopped = alike.Count >= FirstRefusals.Enough;
            var input = inputs.Find(input => input.Name == alike.Source) ?? inputs[0];
            try
            {
                if (input == inputs[0] ? repeatable?.CanRepeat != false : input.CanBeOpenedAgain) inspection = await new Inspector(request, transport).LookAsync(input, inputs.Count, cancellation.Stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
            {
                return false;
            }

            return stopped = alike.Count >= FirstRefusals.Enough || (alike.Count > 1 && inspection?.Proposal is { NamesColumns: true });
        }
    }

    /// <summary>The report of an import that ended before anything was sent, as if it had not started, so that it can start over with other options.</summary>
    public ImportReport StopAtFirst(FirstRefusals first, long read, ImportInspection? inspection, ImportCancellation cancellation)
    {
        try
        {
            state.Clear();
        }
        catch (ImportStateException e)
        {
            cancellation.Note(e.Outcome, e.Message);
        }

        var reason = first.Reasons.Reasons![0];
        var proposal = inspection?.Proposal is { } way ? $" With {string.Join(' ', way.Options.Select(RecordFields.Shown))}, {way.Accepted} of the {inspection.Records} inspected records would be accepted." : "";
        cancellation.Note(RunOutcome.Invalid, $"{(first.Reasons.Reasons.Count > 1 ? "None is valid, and nearly all" : "All")} of the first {Counted.Of(first.Count, "record")} would be rejected for the same reason ({reason.Code}: {reason.Samples[0].Message}): nothing was sent.{proposal}");
        return Report(cancellation, new ImportTotals(), pending: read, deadLetterPath: null, reasons: first.Reasons) with { Inspection = inspection };
    }

    async Task SendAsync(BatchSender sender, CheckpointTracker checkpoints, ImportCancellation cancellation, ChannelReader<RecordBatch> batches, ChannelWriter<BatchOutcome> verdicts)
    {
        await foreach (var batch in batches.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            BatchOutcome outcome;
            try
            {
                if (request.DryRun)
                {
                    outcome = new BatchOutcome(batch) { Accepted = batch.Count, Final = true };
                    _counts.Accepted(batch.Count);
                }
                else if (cancellation.Stop.IsCancellationRequested)
                {
                    continue;
                }
                else
                {
                    if (!batch.Repeatable) checkpoints.MarkInFlight(batch);
                    sender.Compress(batch);
                    batch.Lease?.ShrinkTo(batch.Memory);
                    outcome = await sender.SendAsync(batch).ConfigureAwait(false);
                }
            }
            catch (ImportStateException e)
            {
                cancellation.Because(e);
                continue;
            }
            catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
            {
                continue; // its state has ended the import before this was sent
            }
            finally
            {
                batch.Release();
            }

            batch.Lease?.ShrinkTo(batch.RejectedBytes + outcome.Refused.Sum(letter => (long)letter.Json.Length)); // until they are durable
            await verdicts.WriteAsync(outcome, CancellationToken.None).ConfigureAwait(false);
        }
    }

    async Task ShowAsync(IProgress<ImportProgress> progress, ConcurrencyLimiter limiter, long? total, CancellationToken ended)
    {
        while (true)
        {
            // By the real clock, like the observer; advancing a fake clock has no effect.
            await Task.Delay(ProgressInterval, TimeProvider.System, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested) return;
            progress.Report(_counts.Snapshot(total, limiter.Waiting, limiter.QuotaRate));
        }
    }

    /// <summary>Consumes all outcomes, so that the senders can finish, and records them as long as that is possible.</summary>
    async Task SettleAsync(CheckpointTracker checkpoints, ChannelReader<BatchOutcome> verdicts, ImportCancellation cancellation)
    {
        while (await NextAsync(checkpoints, verdicts, cancellation).ConfigureAwait(false) is { } outcome) Keep(checkpoints, cancellation, () => checkpoints.Settle(outcome));
    }

    /// <summary>Returns the next outcome; null when there are no more. While it waits for long, settled records are saved.</summary>
    async Task<BatchOutcome?> NextAsync(CheckpointTracker checkpoints, ChannelReader<BatchOutcome> verdicts, ImportCancellation cancellation)
    {
        BatchOutcome? outcome;
        while (!verdicts.TryRead(out outcome))
        {
            var more = verdicts.WaitToReadAsync(CancellationToken.None).AsTask();
            if (checkpoints.IsBehind && !await Waits.EndsWithinAsync(more, request.CheckpointInterval, _time).ConfigureAwait(false)) Keep(checkpoints, cancellation, checkpoints.Save);
            if (!await more.ConfigureAwait(false)) return null;
        }

        return outcome;
    }

    static void Keep(CheckpointTracker checkpoints, ImportCancellation cancellation, Action entry)
    {
        if (cancellation.StateFailed || !checkpoints.IsSound) return;
        try
        {
            entry();
        }
        catch (ImportStateException e)
        {
            cancellation.Because(e);
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
        {
            // The state has ended the import; it lags behind.
        }
        catch (Exception e)
        {
            checkpoints.IsSound = false;
            cancellation.Fail(e);
        }
    }

    /// <param name="checkpoints">The progress.</param>
    /// <param name="cancellation">The problems.</param>
    /// <param name="isKnown">Whether an earlier run has read any of the inputs.</param>
    ImportReport Finish(CheckpointTracker checkpoints, ImportCancellation cancellation, bool isKnown)
    {
        var path = request.DeadLetterPath ?? state.DeadLetterPath;
        var totals = checkpoints.Saved;
        ReasonCounts? reasons = null;
        if (!cancellation.StateFailed)
        {
            try
            {
                if (!request.AllowEmpty && cancellation.Problems.IsEmpty && !cancellation.ByCaller && cancellation.Defect is null && checkpoints.Records == 0 && (checkpoints.RecordsBefore == 0 || !isKnown)) cancellation.Note(RunOutcome.Damaged, Empty(request));
                var finished = cancellation.Problems.IsEmpty && !cancellation.ByCaller && cancellation.Defect is null;
                var hasDeadLetters = path is not null && checkpoints.Totals.Rejected > 0;
                checkpoints.Close(finished && !hasDeadLetters);
                totals = checkpoints.Saved;
                if (path is not null && !WriteDeadLetters(path, cancellation)) path = null;
                if (finished && hasDeadLetters) checkpoints.Close(finished: true); // so that a finished state implies that the file exists
                reasons = ReasonsOf(state);
                if (reasons.Total != totals.Rejected || checkpoints.Broken) cancellation.Note(RunOutcome.Inconsistent, string.Create(CultureInfo.InvariantCulture, $"The audit of the counts failed: {totals.Rejected} rejected records, {reasons.Total} dead letters. This is a defect of the importer: please report it."));
            }
            catch (ImportStateException e)
            {
                cancellation.Note(e.Outcome, e.Message);
                (totals, path) = (checkpoints.Saved, null);
            }
        }
        else
        {
            path = null;
        }

        var settledBefore = checkpoints.ReadBefore;
        return Report(cancellation, totals, pending: _counts.Read - (totals.Read - settledBefore), path, reasons: reasons);
    }

    /// <summary>Why the records of a state were not accepted.</summary>
    public static ReasonCounts ReasonsOf(IImportState state) => state is ICountsReasons counting ? counting.Reasons : ReasonCounts.Of(state.DeadLetters());

    /// <summary>Writes the dead letters. False when the path is a pipe without a reader, and the wait for one was canceled.</summary>
    public bool WriteDeadLetters(string path, ImportCancellation cancellation)
    {
        try
        {
            ImportDeadLetters.Write(state, path, cancellation.AbandonOutput);
            return true;
        }
        catch (OperationCanceledException) when (cancellation.AbandonOutput.IsCancellationRequested)
        {
            cancellation.Note(RunOutcome.Stopped, $"No process reads {path}: the dead letters were not written there.");
            return false;
        }
    }

    public static ImportReport Report(ImportCancellation cancellation, ImportTotals totals, long pending, string? deadLetterPath, string advice = "fix a copy and import it with --replay", ReasonCounts? reasons = null)
    {
        if (cancellation.ByCaller) cancellation.Note(RunOutcome.Stopped, "Stopped before the end. Run the same command again; it resumes.");
        if (totals.Rejected > 0) cancellation.Note(RunOutcome.Rejected, $"{Counted.Of(totals.Rejected, "record was", "records were")} not accepted.{(deadLetterPath is null ? "" : $" {deadLetterPath} contains each, with its reason: {advice}.")}");
        if (pending != 0 && cancellation.Problems.IsEmpty) cancellation.Note(RunOutcome.Inconsistent, $"The audit of the counts failed: {Counted.Of(pending, "record has", "records have")} no outcome. This is a defect of the importer: please report it.");
        return new ImportReport
        {
            Read = totals.Read + pending,
            Accepted = totals.Accepted,
            Rejected = totals.Rejected,
            Pending = pending,
            Blank = totals.Blank,
            Bytes = totals.Bytes,
            Requests = totals.Requests,
            Retries = totals.Retries,
            ResumedFrom = totals.ResumedFrom,
            ElapsedSeconds = Math.Round(totals.Elapsed.TotalSeconds, 3),
            DeadLetter = deadLetterPath,
            Fixed = totals.Fixed,
            SameIdentity = totals.SameIdentity > 0 ? totals.SameIdentity : null,
            Reasons = reasons?.Reasons,
            LeftOut = totals.LeftOut,
            Mapped = totals.Mapped,
            Outcome = cancellation.Problems.Outcome,
            Problems = cancellation.Problems.Messages,
        };
    }

    /// <summary>The message for inputs without a record.</summary>
    public static string Empty(ImportRequest request) =>
        $"There was no record in {(request.Replay ?? (request.Inputs is ["-"] ? "<stdin>" : string.Join(", ", request.Inputs.Take(3)) + (request.Inputs.Count > 3 ? ", …" : "")))}: nothing was imported. When the input has records, run the same command again; if it may be empty, add --allow-empty.";

    ImportTotals NoneYet() => new()
    {
        Fixed = RecordCleaner.NoneYet(request),
        LeftOut = !request.IsMapped ? null : FrozenDictionary<string, long>.Empty,
        Mapped = !request.IsMapped ? null : FrozenDictionary<string, long>.Empty,
    };

    RecordPreparer NewPreparer(ComputedInsertIds ids, Occurrences identities)
    {
        if (request.Type is ImportType.Events) return new EventPreparer(_time, SharedProperties.Parse(request.Properties), ids, identities, asked: request.Fixes, predicts: request.DryRun);
        return new ProfilePreparer(transport.Options.Token ?? (request.DryRun ? "" : throw ProfileDestination.NeedsToken()), request.GroupKey, request.Fix);
    }

    Destination NewDestination() => request.Type is ImportType.Events
        ? new EventDestination(transport, request.Strict)
        : new ProfileDestination(transport, request.Type is ImportType.Groups ? "/groups" : "/engage", request.Strict);

    /// <param name="inputs">The inputs to send.</param>
    public ImportCheckpoint? Load(IReadOnlyCollection<InputFile> inputs)
    {
        var loaded = state.Load();
        if (request.Restart)
        {
            if (!request.NewIds && loaded is not null) Options.EnsureSameEvents(loaded, state.DeadLetterPath, inputs);
            state.Clear();
            loaded = state.Load();
        }

        if (loaded is null || Options.Are(loaded)) return loaded;
        if (loaded is not { Finished: true, Totals: { Accepted: 0, Requests: 0 } } || loaded.Sources.Any(source => source.SentTo > 0)) throw Options.Differ(loaded, state.DeadLetterPath);
        state.Clear(); // nothing was sent, so nothing can count twice; after a run that was killed that is unknown
        return null;
    }

    /// <summary>Checks that the specified columns match each input that is read from the beginning, before anything is sent. Streams are not checked.</summary>
    /// <exception cref="MixpanelException">They do not match.</exception>
    async Task EnsureFitAsync(List<InputFile> inputs, CheckpointTracker checkpoints, CancellationToken cancellationToken)
    {
        if (request is not { Replay: null, Look: null, Mapping: null } || (!request.NamedColumns.Any() && request.ColumnNames.Count == 0 && request.Delimiter is null)) return;
        foreach (var input in inputs.Where(input => input is { CanBeOpenedAgain: true, Fault: null } && checkpoints.ProgressOf(input.Id) is not { Offset: > 0 }))
        {
            try
            {
                using var reader = await RecordReaders.OpenAsync(input, reached: null, request with { Diagnostics = null }, cancellationToken).ConfigureAwait(false);
            }
            catch (InputException e) when (e.Option is { } option)
            {
                throw MixpanelException.Invalid(option, $"{input.Name} {e.Message}.");
            }
            catch (InputException)
            {
                // Reported when it is read.
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    static void NoteVanished(List<InputFile> inputs, CheckpointTracker checkpoints, ImportCancellation cancellation)
    {
        var present = inputs.Select(input => input.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var source in checkpoints.Known.Values.Where(source => !source.Ended && !present.Contains(source.Id)))
            cancellation.Note(RunOutcome.Damaged, $"{source.Id} was {(source.Offset > 0 || source.Pinned is null ? "imported in part" : "listed before")} and is no longer among the inputs. Restore it and run the same command again, or begin again with --restart.");
    }

    /// <summary>Pins the objects in the checkpoint before the first is read. False when the state cannot be written.</summary>
    static bool TryPin(List<InputFile> inputs, CheckpointTracker checkpoints, ImportCancellation cancellation)
    {
        try
        {
            checkpoints.Pin(inputs
                .Where(input => input is { Object: not null, Fault: null } && checkpoints.ProgressOf(input.Id) is null)
                .Select(input => new ImportSourceProgress { Id = input.Id, Offset = 0, Line = 0, Fingerprint = NothingRead, Pinned = input.Object!.Pin }));
            return true;
        }
        catch (ImportStateException e)
        {
            cancellation.Because(e);
            return false;
        }
    }

    void Warn(string name, string reason) => request.Diagnostics?.Report(new ImportDiagnostic(name, Line: null, "warning", reason));

    void Refused(DeadLetter letter, Refusal refusal, ImportCancellation cancellation)
    {
        _counts.Rejected();
        try
        {
            request.Diagnostics?.Report(new ImportDiagnostic(letter.Source, letter.Line, refusal.Code, refusal.Shown) { Field = refusal.ShownField });
        }
        catch (Exception e)
        {
            cancellation.Fail(e); // the batch of the record is still processed
        }
    }

    /// <summary>
    /// Handles a defect in one stage, including callbacks: it ends the other stages, and is rethrown to the caller after settled records are saved.
    /// </summary>
    static async Task Guard(ImportCancellation cancellation, Task stage)
    {
        try
        {
            await stage.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            cancellation.Fail(e);
        }
    }
}
