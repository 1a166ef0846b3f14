using System.Threading.Channels;
using MixpanelConnector.Import.Admission;
using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Clean;
using MixpanelConnector.Import.Ending;
using MixpanelConnector.Import.Inspect;
using MixpanelConnector.Import.Map;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Send;
using MixpanelConnector.Import.Settle;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.Validate;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Pipeline;

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
    public const long MostBytesFilling = 2 * OptionRanges.LargestBatch;

    /// <summary>How many batches sending may be ahead of an unsettled one.</summary>
    const int MostBatchesInFlight = 256;

    const int FirstSenders = 4;

    /// <summary>The number of filled batches waiting for a sender.</summary>
    const int BatchesAhead = 2;

    readonly TimeProvider _time = transport.Options.TimeProvider;
    readonly ImportCounts _counts = new();

    /// <summary>The buffers of batches.</summary>
    public BufferPool Buffers { get; } = new(MostBytesInFlight + MostBytesFilling);

    /// <summary>An inspector, whose dry runs are imports of this kind.</summary>
    public static Inspector NewInspector(ImportRequest request, MixpanelTransport transport) =>
        new(request, (trial, state, cancellationToken) => new ImportPipeline(trial, state, transport).RunAsync(cancellationToken));

    /// <exception cref="MixpanelException">An option or a setting is invalid. Nothing was sent.</exception>
    public async Task<ImportReport> RunAsync(CancellationToken cancellationToken)
    {
        var ids = new ComputedInsertIds();
        var preparer = NewPreparer(ids);
        var destination = Destination.For(request, transport);
        if (!request.DryRun) destination.EnsureAccess();
        var found = request.Feed is not null ? []
            : request.Found is { } given ? [.. given]
            : InputList.Find(request, new ExcludedFiles(request, state), request.Diagnostics.Warn);
        using var cancellation = new ImportCancellation(_time, cancellationToken, request.Grace) { Resumption = Resumption.Of(request) };

        Outputs.EnsureNoInputs(request, found);
        found = await InputList.UnpackedAsync(found, request, cancellationToken).ConfigureAwait(false);
        (var reading, found, var lookups) = await MappingInputs.ReadAsync(request, found, request.Diagnostics.Warn, cancellationToken).ConfigureAwait(false);
        var options = new ImportOptions(reading, transport.Options, lookups.Fingerprint);
        ImportCheckpoint? loaded;
        bool discards;
        try
        {
            Outputs.EnsureWritable(request);
            (loaded, discards) = LastCheckpoint.Load(state, request, options, found);
        }
        catch (ImportStateException e)
        {
            cancellation.Note(e.Outcome, e.Message);
            return ImportReports.Of(cancellation, new ImportTotals(), pending: 0, deadLetterPath: null);
        }

        ids.OfPlaces = loaded is not null && request.Type is ImportType.Events && ImportOptions.ComputeIdsOfPlaces(loaded);
        var checkpoints = new CheckpointTracker(state, loaded, loaded?.OptionsFingerprint ?? options.Fingerprint, LastCheckpoint.NoneYet(request), _counts,
            _time, request.CheckpointInterval, Outputs.LastingDeadLetters(request), discards, forgetsEnded: request.Feed is not null);
        if (await new InputAdmission(reading, checkpoints, cancellation).AdmitAsync(found).ConfigureAwait(false) is not { } inputs)
            return ImportReports.Of(cancellation, checkpoints.Saved, pending: 0, deadLetterPath: null);
        var isKnown = inputs.Exists(input => checkpoints.ProgressOf(input.Id) is { Offset: > 0 });
        using var first = new FirstRecords(request, NewInspector(request, transport), inputs, isAnew: checkpoints.ReadBefore == 0, cancellation);
        var limits = new SendLimits(request.BatchBytes);
        var senders = request.Type is ImportType.Profiles or ImportType.Groups ? 1 : request.Senders ?? OptionRanges.MostSenders;
        var limiter = new ConcurrencyLimiter(senders, Math.Min(senders, request.Senders ?? FirstSenders), transport.Options, request.MaxOutage);
        var refused = new RefusedRecords(request, _counts, cancellation);
        var batches = Channel.CreateBounded<RecordBatch>(new BoundedChannelOptions(BatchesAhead) { SingleWriter = true });
        var verdicts = Channel.CreateBounded<BatchOutcome>(new BoundedChannelOptions(2 * senders) { SingleReader = true });

        // :: Steps 1-5: Source, Decode, Map, Validate, Batch
        var read = new ReadStage(reading, lookups.Fingerprint, request.Feed ?? new ListedInputs(inputs), RecordMapper.For(request, lookups),
            RecordCleaner.For(request), preparer, checkpoints, new MemoryBudget(MostBytesInFlight, MostBatchesInFlight), Buffers, limits, _counts, cancellation,
            refused.Take, first.Refusals, first.DecideAsync, batches.Writer, _time);

        // :: Steps 6-7: Compress, Send
        var sender = new BatchSender(destination, limiter, limits, _counts, cancellation, request.MaxOutage, refused.Take,
            ReplayOptions.Of(request, lookups.Fingerprint), checkpoints.MarkInFlight);
        var send = new SendStage(sender, request.DryRun, checkpoints, _counts, cancellation, batches.Reader, verdicts.Writer);

        // :: Steps 8-9: Settle, State
        var settle = new SettleStage(checkpoints, verdicts.Reader, cancellation, request.CheckpointInterval, _time);

        var display = new ProgressDisplay(request.Progress, _counts, limiter,
            request.Feed is null && inputs.TrueForAll(input => input.Length is not null) ? inputs.Sum(input => input.Length) : null);
        using var shown = new CancellationTokenSource();
        var showing = cancellation.GuardAsync(() => display.RunAsync(shown.Token));
        await Task.WhenAll(cancellation.GuardAsync(read.RunAsync), send.RunAsync(senders), cancellation.GuardAsync(settle.RunAsync)).ConfigureAwait(false);
        await shown.CancelAsync().ConfigureAwait(false);
        await showing.ConfigureAwait(false);
        if (read.HasReadAll && checkpoints.Settled == read.Batches && request.Feed is null) cancellation.LeavesNothing();

        var ending = new ImportEnding(request, state, cancellation);
        if (first.EndsImport && checkpoints.IsSound && !cancellation.StateFailed && cancellation.Defect is null)
            return ending.StopAtFirst(first.Refusals!, _counts.Read, hasSaved: !checkpoints.IsToDiscard, first.Inspection);
        if (loaded is { Finished: true } && _counts.Read == 0 && cancellation.Problems.IsEmpty)
            request.Diagnostics.Warn("import", $"Everything was imported before, and nothing was sent now. To send it again, add {request.InWords[Setting.Restart]}.");
        ending.WarnOfDuplicates(checkpoints.Totals.SameIdentity, areMore: preparer is EventPreparer { IdentitiesAreMany: true });
        var report = checkpoints.IsSound ? ending.Finish(checkpoints, _counts.Read, isKnown) : null;
        cancellation.Defect?.Throw();
        display.ShowEnd();
        return report! with { Inspection = first.Inspection };
    }

    RecordPreparer NewPreparer(ComputedInsertIds ids)
    {
        if (request.Type is ImportType.Events)
            return new EventPreparer(_time, SharedProperties.Parse(request.Properties), ids, new Occurrences(), asked: request.Fixes, predicts: request.DryRun,
                words: request.InWords);
        return new ProfilePreparer(transport.Options.Token ?? (request.DryRun ? "" : throw ProfileDestination.NeedsToken()), request.GroupKey, request.Fix);
    }
}
