using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Threading.Channels;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Settle;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.State;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import;

/// <summary>
/// Imports files of records so that every one of them is accounted for.
/// <code>
///  Source ─bytes─► Decode ─record─► Validate ─event─► Batch ══► Compress ─► Send ×N ══verdict══► Settle ─► State
/// </code>
/// <list type="number">
/// <item>Source: the inputs in order, decompressed, every byte checked.</item>
/// <item>Decode: cuts one record's bytes; parses no values.</item>
/// <item>Validate: is it a record that Mixpanel takes? Adds what is missing; changes nothing else, unless cleaning was asked for,
/// which comes first.</item>
/// <item>Batch: up to 2000 records or 10 MB, numbered, in a pooled buffer.</item>
/// <item>Compress: once for all tries.</item>
/// <item>Send: at one shared pace, until the fate of every record is known.</item>
/// <item>Settle: counts and dead letters, over the contiguous stretch of final outcomes.</item>
/// <item>State: all of it in one durable transaction.</item>
/// </list>
/// Steps 1 to 4 run on one thread, 5 and 6 on the senders', 7 and 8 on one. In flight are at most 32 MB of batches, beside the
/// one that is being filled (10 MB at most): a batch counts with its text until it is compressed, and then as what is sent.
/// One batch at a time may be decompressed for its single records, which takes its size once more. Buffers that are kept for the
/// next batch are bounded with it: 53 MB in all. Each input file takes about half a kilobyte more, for its name and its progress.
/// </summary>
sealed class ImportPipeline(ImportRequest request, IImportState state, MixpanelTransport transport)
{
    public const long MostBytesInFlight = 32_000_000;

    /// <summary>The batch that is being filled, while its buffer grows.</summary>
    public const long MostBytesFilling = 2 * ImportRequest.LargestBatch;

    /// <summary>How far sending may run ahead of a batch that is not settled.</summary>
    const int MostBatchesInFlight = 256;

    const int FirstSenders = 4;

    /// <summary>Filled batches that wait for a sender.</summary>
    const int BatchesAhead = 2;

    static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>The fingerprint of a source of which nothing was read.</summary>
    public static readonly string NothingRead = XxHash128.HashToUInt128([]).ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>The last line of the shape: missing ids do not come from the places of records, as in states of earlier versions.</summary>
    const string IdsOfBytes = "\nids=bytes";

    /// <summary>What of the shape does not change how columns become a record.</summary>
    static readonly string[] NotOfColumns = ["type=", "to=", "source_id=", "properties=", "drop=", "rename=", "fix=", "time_offset=", "ids="];

    readonly TimeProvider _time = transport.Options.TimeProvider;
    readonly ImportCounts _counts = new();

    /// <summary>The memory of batches.</summary>
    public BufferPool Buffers { get; } = new(MostBytesInFlight + MostBytesFilling);

    /// <exception cref="MixpanelException">An option or a setting does not fit. Nothing was sent.</exception>
    public async Task<ImportReport> RunAsync(CancellationToken cancellationToken)
    {
        var ids = new InsertIds();
        var identities = new Occurrences();
        var completer = NewCompleter(ids, identities);
        var destination = NewDestination();
        if (!request.DryRun) destination.EnsureAccess();
        var inputs = request.Replay is { } replay ? InputList.FindReplay(replay) : InputList.Find(request, new OwnFiles(request, state), Warn);
        using var halt = new Halt(_time, cancellationToken);

        Outputs.EnsureNoInputs(request, inputs);
        ImportCheckpoint? loaded;
        try
        {
            Outputs.EnsureWritable(request);
            loaded = Load();
        }
        catch (ImportStateException e)
        {
            halt.Note(e.ExitCode, e.Message);
            return Report(halt, new ImportTotals(), pending: 0, deadLetterPath: null);
        }

        ids.OfPlaces = loaded is not null && request.Type is ImportType.Events && !loaded.Shape.EndsWith(IdsOfBytes, StringComparison.Ordinal);
        var budget = new MemoryBudget(MostBytesInFlight, MostBatchesInFlight);
        var ledger = new Ledger(state, loaded, loaded?.Shape ?? Shape(), RecordCleaner.NoneYet(request), budget, _counts, _time, request.CheckpointInterval, Outputs.LastingDeadLetters(request));
        try
        {
            inputs = await new SourceIds(request, ledger.Known, Warn, problem => halt.Note(6, problem)).AssignAsync(inputs, halt.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (halt.Stop.IsCancellationRequested)
        {
            return Report(halt, ledger.Saved, pending: 0, deadLetterPath: null);
        }

        NoteVanished(inputs, ledger, halt);
        var isKnown = inputs.Exists(input => ledger.ProgressOf(input.Id) is { Offset: > 0 });
        var limits = new SendLimits(request.BatchBytes);
        var senders = request.Type is ImportType.Profiles or ImportType.Groups ? 1 : request.Senders ?? ImportRequest.MostSenders;
        var pace = new Pace(senders, Math.Min(senders, request.Senders ?? FirstSenders), transport.Options, request.MaxOutage);
        var batches = Channel.CreateBounded<RecordBatch>(new BoundedChannelOptions(BatchesAhead) { SingleWriter = true });
        var verdicts = Channel.CreateBounded<BatchOutcome>(new BoundedChannelOptions(2 * senders) { SingleReader = true });

        Action<DeadLetter, Refusal> refused = (letter, refusal) => Refused(letter, refusal, halt);

        // :: Steps 1-4: Source, Decode, Validate, Batch
        var intake = new Intake(request, inputs, RecordCleaner.For(request), completer, ledger, budget, Buffers, limits, _counts, halt, refused, batches.Writer, _time);
        var reading = Guard(halt, Task.Run(intake.RunAsync, CancellationToken.None));

        // :: Steps 5-6: Compress, Send
        var sender = new BatchSender(destination, pace, limits, _counts, halt, request.MaxOutage, refused, ledger.Fence);
        var sending = Task.WhenAll(Enumerable.Range(0, senders).Select(_ => Guard(halt, Task.Run(() => SendAsync(sender, ledger, budget, halt, batches.Reader, verdicts.Writer), CancellationToken.None))));

        // :: Steps 7-8: Settle, State
        var total = inputs.TrueForAll(input => input.Length is not null) ? inputs.Sum(input => input.Length) : null;
        var settling = Guard(halt, Task.Run(() => SettleAsync(ledger, verdicts.Reader, halt), CancellationToken.None));
        using var shown = new CancellationTokenSource();
        var showing = request.Progress is null ? Task.CompletedTask : Guard(halt, Task.Run(() => ShowAsync(request.Progress, pace, total, shown.Token), CancellationToken.None));

        _ = sending.ContinueWith(_ => verdicts.Writer.Complete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await Task.WhenAll(reading, sending, settling).ConfigureAwait(false);
        await shown.CancelAsync().ConfigureAwait(false);
        await showing.ConfigureAwait(false);

        if (ledger.Totals.SameIdentity is > 0 and var same)
            Warn("identity", $"{(completer is EventCompleter { IdentitiesAreMany: true } ? "At least " : "")}{Counted.Of(same, "event has", "events have")} the event, time, distinct_id and $insert_id of one before: Mixpanel counts each two once.");
        var report = ledger.IsSound ? Finish(ledger, halt, isKnown) : null;
        halt.Defect?.Throw();
        request.Progress?.Report(_counts.Snapshot(total, waiting: false));
        return report!;
    }

    async Task SendAsync(BatchSender sender, Ledger ledger, MemoryBudget budget, Halt halt, ChannelReader<RecordBatch> batches, ChannelWriter<BatchOutcome> verdicts)
    {
        await foreach (var batch in batches.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            var memory = batch.Memory;
            BatchOutcome outcome;
            try
            {
                if (request.DryRun)
                {
                    outcome = new BatchOutcome(batch) { Accepted = batch.Count, Final = true };
                    _counts.Accepted(batch.Count);
                }
                else if (halt.Stop.IsCancellationRequested)
                {
                    continue;
                }
                else
                {
                    if (!batch.Repeatable) ledger.Fence(batch);
                    sender.Compress(batch);
                    budget.GiveBackBytes(memory - batch.Memory);
                    memory = batch.Memory;
                    outcome = await sender.SendAsync(batch).ConfigureAwait(false);
                }
            }
            catch (ImportStateException e)
            {
                halt.Because(e);
                continue;
            }
            finally
            {
                batch.Release();
            }

            outcome.HeldMemory = Math.Min(memory, batch.RejectedBytes + outcome.Refused.Sum(letter => (long)letter.Json.Length));
            budget.GiveBackBytes(memory - outcome.HeldMemory);
            await verdicts.WriteAsync(outcome, CancellationToken.None).ConfigureAwait(false);
        }
    }

    async Task ShowAsync(IProgress<ImportProgress> progress, Pace pace, long? total, CancellationToken ended)
    {
        while (true)
        {
            await Task.Delay(ProgressInterval, _time, ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested) return;
            progress.Report(_counts.Snapshot(total, pace.Waiting));
        }
    }

    /// <summary>Takes every outcome, so that the senders can end, and keeps books for as long as that is possible.</summary>
    async Task SettleAsync(Ledger ledger, ChannelReader<BatchOutcome> verdicts, Halt halt)
    {
        while (await NextAsync(ledger, verdicts, halt).ConfigureAwait(false) is { } outcome) Keep(ledger, halt, () => ledger.Settle(outcome));
    }

    /// <summary>The next outcome; null when there are no more. When it is long in coming, what was settled is saved meanwhile.</summary>
    async Task<BatchOutcome?> NextAsync(Ledger ledger, ChannelReader<BatchOutcome> verdicts, Halt halt)
    {
        BatchOutcome? outcome;
        while (!verdicts.TryRead(out outcome))
        {
            var more = verdicts.WaitToReadAsync(CancellationToken.None).AsTask();
            if (ledger.IsBehind && !await Intake.EndsWithinAsync(more, request.CheckpointInterval, _time).ConfigureAwait(false)) Keep(ledger, halt, ledger.Save);
            if (!await more.ConfigureAwait(false)) return null;
        }

        return outcome;
    }

    static void Keep(Ledger ledger, Halt halt, Action entry)
    {
        if (halt.StateFailed || !ledger.IsSound) return;
        try
        {
            entry();
        }
        catch (ImportStateException e)
        {
            halt.Because(e);
        }
        catch (Exception e)
        {
            ledger.IsSound = false;
            halt.Fail(e);
        }
    }

    /// <param name="ledger">The books.</param>
    /// <param name="halt">Why it does not end well.</param>
    /// <param name="isKnown">Whether an earlier run has read any of the inputs.</param>
    ImportReport Finish(Ledger ledger, Halt halt, bool isKnown)
    {
        var path = request.DeadLetterPath ?? state.DeadLetterPath;
        var totals = ledger.Saved;
        if (!halt.StateFailed)
        {
            try
            {
                if (!request.AllowEmpty && halt.Problems().Count == 0 && !halt.ByCaller && halt.Defect is null && ledger.Records == 0 && (ledger.RecordsBefore == 0 || !isKnown)) halt.Note(6, Empty(request));
                var finished = halt.Problems().Count == 0 && !halt.ByCaller && halt.Defect is null;
                var hasDeadLetters = path is not null && ledger.Totals.Rejected > 0;
                ledger.Close(finished && !hasDeadLetters);
                totals = ledger.Saved;
                if (path is not null && !WriteDeadLetters(path, halt)) path = null;
                if (finished && hasDeadLetters) ledger.Close(finished: true); // and whoever finds it finished finds the file, too
                var deadLetters = state is DryRunState dry ? dry.Count : state.DeadLetters().LongCount();
                if (deadLetters != totals.Rejected || ledger.Broken) halt.Note(9, string.Create(CultureInfo.InvariantCulture, $"The audit of the counts failed: {totals.Rejected} rejected records, {deadLetters} dead letters. This is a defect of the importer: please report it."));
            }
            catch (ImportStateException e)
            {
                halt.Note(e.ExitCode, e.Message);
                (totals, path) = (ledger.Saved, null);
            }
        }
        else
        {
            path = null;
        }

        var settledBefore = ledger.ReadBefore;
        return Report(halt, totals, pending: _counts.Read - (totals.Read - settledBefore), path);
    }

    /// <summary>False when it is a pipe that nobody reads, and the caller waits no longer.</summary>
    public bool WriteDeadLetters(string path, Halt halt)
    {
        try
        {
            ImportDeadLetters.Write(state, path, halt.Leave);
            return true;
        }
        catch (OperationCanceledException) when (halt.Leave.IsCancellationRequested)
        {
            halt.Note(130, $"Nobody reads {path}: the dead letters were not written there.");
            return false;
        }
    }

    public static ImportReport Report(Halt halt, ImportTotals totals, long pending, string? deadLetterPath, string advice = "mend a copy and import it with --replay")
    {
        if (halt.ByCaller) halt.Note(130, "Stopped before the end. Run the same command again; it resumes.");
        if (totals.Rejected > 0) halt.Note(3, $"{Counted.Of(totals.Rejected, "record was", "records were")} not accepted.{(deadLetterPath is null ? "" : $" {deadLetterPath} holds each, with its reason: {advice}.")}");
        var problems = halt.Problems();
        if (pending != 0 && problems.Count == 0) problems.Add((9, $"The audit of the counts failed: {Counted.Of(pending, "record has", "records have")} no outcome. This is a defect of the importer: please report it."));
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
            ExitCode = problems.Count == 0 ? 0 : problems[0].ExitCode,
            Problems = [.. problems.Select(problem => problem.Message)],
        };
    }

    /// <summary>What is said of an input without a record.</summary>
    public static string Empty(ImportRequest request) =>
        $"There was no record in {(request.Replay ?? (request.Inputs is ["-"] ? "<stdin>" : string.Join(", ", request.Inputs.Take(3)) + (request.Inputs.Count > 3 ? ", …" : "")))}: nothing was imported. When the input has some, run the same command again; where none are right, say --allow-empty.";

    RecordCompleter NewCompleter(InsertIds ids, Occurrences identities)
    {
        if (request.Type is ImportType.Events) return new EventCompleter(_time, SharedProperties.Parse(request.Properties), ids, identities, asked: request.Fix, predicts: request.DryRun);
        return new ProfileCompleter(transport.Options.Token ?? (request.DryRun ? "" : throw ProfileDestination.NeedsToken()), request.GroupKey, request.Fix);
    }

    Destination NewDestination() => request.Type is ImportType.Events
        ? new EventDestination(transport, request.Strict)
        : new ProfileDestination(transport, request.Type is ImportType.Groups ? "/groups" : "/engage", request.Strict);

    public ImportCheckpoint? Load()
    {
        if (request.Restart)
        {
            if (!request.NewIds && state.Load() is { } known) EnsureSameIds(known);
            state.Clear();
        }

        var loaded = state.Load();
        if (loaded is not null && loaded.Shape != Shape() && loaded.Shape + IdsOfBytes != Shape())
            throw MixpanelException.Invalid("restart", $"The checkpoint was made with other options ({loaded.Shape.ReplaceLineEndings(", ")}; now {Shape().ReplaceLineEndings(", ")}). Use the same again, or begin again with --restart.");
        return loaded;
    }

    /// <exception cref="MixpanelException">Events that were accepted would be sent again under other ids.</exception>
    void EnsureSameIds(ImportCheckpoint known)
    {
        var (before, now) = (Lines(known.Shape), Lines(Shape()));
        if (request.Type is not ImportType.Events || known.Totals.Accepted == 0 || !Same("type=") || !Same("to=")) return;
        var ids = known.Sources.Max(source => source.ComputedIds) ?? ImportIds.None;
        var reason =
            !before.Contains(IdsOfBytes.Trim()) ? "an earlier version computed the missing $insert_ids from the places of the events"
            : ids is ImportIds.OfPlaces ? string.Create(CultureInfo.InvariantCulture, $"more than {Occurrences.Most} different events of one source have no $insert_id, and the ids of some come from their places")
            : ids is not ImportIds.None && !Same("source_id=") ? "the missing $insert_ids come from the source id, which is another now"
            : ids is ImportIds.OfColumns && !before.Where(IsOfColumns).SequenceEqual(now.Where(IsOfColumns), StringComparer.Ordinal) ? "the missing $insert_ids come from the columns, which are read otherwise now"
            : null;
        if (reason is not null)
            throw MixpanelException.Invalid("restart", $"{Counted.Of(known.Totals.Accepted, "event was", "events were")} accepted, and {reason}: begun again, events without an $insert_id of their own would be sent under other ids, and Mixpanel would count them twice. Nothing was sent. Run the command without --restart to resume; or, if that is meant or every event has an $insert_id, add --new-ids.");

        bool Same(string option) => before.Where(line => line.StartsWith(option, StringComparison.Ordinal)).SequenceEqual(now.Where(line => line.StartsWith(option, StringComparison.Ordinal)), StringComparer.Ordinal);
        static string[] Lines(string shape) => shape.Split('\n');
        static bool IsOfColumns(string line) => !Array.Exists(NotOfColumns, option => line.StartsWith(option, StringComparison.Ordinal));
    }

    /// <summary>The options that shape the records, and where they go, as text. Shared properties are told by a hash: they may hold what is not to be shown.</summary>
    public string Shape()
    {
        var shape = new StringBuilder();
        shape.Append(CultureInfo.InvariantCulture, $"type={request.Type.ToString().ToLowerInvariant()}");
        shape.Append(CultureInfo.InvariantCulture, $"\nto={(transport.Options.ProjectId is { } project ? $"project {project}" : $"token {XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(transport.Options.Token ?? "")):x32}")} at {request.LocalStore ?? Hosts.BaseAddress(transport.Options, Api.Ingestion).AbsoluteUri}");
        if (request.TableId is { } table) shape.Append(CultureInfo.InvariantCulture, $"\ntable_id={table}");
        if (request.GroupKey is not null) shape.Append(CultureInfo.InvariantCulture, $"\ngroup_key={Uri.EscapeDataString(request.GroupKey)}");
        if (request.Properties is not null) shape.Append(CultureInfo.InvariantCulture, $"\nproperties={XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(request.Properties)):x32}");
        if (request.SourceId is not null) shape.Append(CultureInfo.InvariantCulture, $"\nsource_id={request.SourceId}");
        if (request.Format is not null) shape.Append(CultureInfo.InvariantCulture, $"\nformat={request.Format}");
        foreach (var (field, column) in request.Columns.OrderBy(pair => pair.Key, StringComparer.Ordinal)) shape.Append(CultureInfo.InvariantCulture, $"\nmap={field}={column}");
        foreach (var (column, columnType) in request.ColumnTypes.OrderBy(pair => pair.Key, StringComparer.Ordinal)) shape.Append(CultureInfo.InvariantCulture, $"\ncolumn_type={Uri.EscapeDataString(column)}={columnType.ToString().ToLowerInvariant()}");
        if (request.Event is not null) shape.Append(CultureInfo.InvariantCulture, $"\nevent={Uri.EscapeDataString(request.Event)}");
        if (request.Delimiter is { } delimiter) shape.Append(CultureInfo.InvariantCulture, $"\ndelimiter={Uri.EscapeDataString(delimiter.ToString())}");
        if (request.NullValues.Count > 0) shape.Append(CultureInfo.InvariantCulture, $"\nnull_values={string.Join(',', request.NullValues.Order(StringComparer.Ordinal).Select(Uri.EscapeDataString))}");
        if (request.Drop.Count > 0) shape.Append(CultureInfo.InvariantCulture, $"\ndrop={string.Join(',', request.Drop.Order(StringComparer.Ordinal).Select(Uri.EscapeDataString))}");
        if (request.Rename.Count > 0) shape.Append(CultureInfo.InvariantCulture, $"\nrename={string.Join(',', request.Rename.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"))}");
        if (request.Fix is not ImportFixes.None) shape.Append(CultureInfo.InvariantCulture, $"\nfix={request.Fix.ToString().ToLowerInvariant()}");
        if (request.TimeOffset is { } offset) shape.Append(CultureInfo.InvariantCulture, $"\ntime_offset={offset.TotalSeconds}s");
        if (request.Type is ImportType.Events) shape.Append(IdsOfBytes);
        return shape.ToString();
    }

    static void NoteVanished(List<InputFile> inputs, Ledger ledger, Halt halt)
    {
        var present = inputs.Select(input => input.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var source in ledger.Known.Values.Where(source => !source.Ended && !present.Contains(source.Id)))
            halt.Note(6, $"{source.Id} was imported in part and is not among the inputs any more. Put it back and run the same command again, or begin again with --restart.");
    }

    void Warn(string name, string reason) => request.Diagnostics?.Report(new ImportDiagnostic(name, Line: null, "warning", reason));

    void Refused(DeadLetter letter, Refusal refusal, Halt halt)
    {
        _counts.Rejected();
        try
        {
            request.Diagnostics?.Report(new ImportDiagnostic(letter.Source, letter.Line, refusal.Code, refusal.Shown) { Field = refusal.ShownField });
        }
        catch (Exception e)
        {
            halt.Fail(e); // the record's batch goes on to its end
        }
    }

    /// <summary>A defect in one stage, be it in a callback of the caller's, ends the others, and reaches the caller once what was settled is saved.</summary>
    static async Task Guard(Halt halt, Task stage)
    {
        try
        {
            await stage.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            halt.Fail(e);
        }
    }
}
