using System.Runtime.CompilerServices;
using MixpanelConnector.Import.Admission;
using MixpanelConnector.Import.Ending;
using MixpanelConnector.Import.Inspect;
using MixpanelConnector.Import.Lookup;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Pipeline;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Import.State;

namespace MixpanelConnector;

public sealed partial class MixpanelClient
{
    /// <summary>
    /// Imports files of events or profiles, or a lookup table, and accounts for every record:
    /// it is accepted, in the dead-letter file, or pending until the same call is made again.
    /// </summary>
    /// <param name="request">What to import, and how.</param>
    /// <param name="state">Where progress is stored, so that the import can be resumed. Default: in memory, dead letters included. Not used in a dry run, which
    /// stores dead letters in a temporary file, and only if <see cref="ImportRequest.DeadLetterPath"/> is set.</param>
    /// <param name="cancellationToken">Stops the import gracefully: within ten seconds, with a last checkpoint and a report.</param>
    /// <returns>The report. It includes failures that occur once the import runs; they are not thrown.</returns>
    /// <exception cref="MixpanelException">An input, an option or a setting is invalid, or has changed since the checkpoint. Nothing was sent.</exception>
    public async Task<ImportReport> ImportAsync(ImportRequest request, IImportState? state = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = InWords(request);
        StoredInputs? opened = null;
        try
        {
            (request, opened) = await StoredInputs.ResolveAsync(request, Options, cancellationToken).ConfigureAwait(false);
            request = ExportedFiles.Resolve(request).Validated();
            return await ImportFoundAsync(request, state, cancellationToken).ConfigureAwait(false);
        }
        catch (InputException e)
        {
            using var cancellation = new ImportCancellation(Options.TimeProvider, CancellationToken.None) { Resumption = Resumption.Of(request) };
            cancellation.Note(e.Outcome, e.Message);
            return ImportReports.Of(cancellation, Before(request, state), pending: 0, deadLetterPath: null);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // While inputs were listed, or archives and lookups opened.
            using var cancellation = new ImportCancellation(Options.TimeProvider, cancellationToken) { Resumption = Resumption.Of(request) };
            return ImportReports.Of(cancellation, Before(request, state), pending: 0, deadLetterPath: null);
        }
        finally
        {
            opened?.Dispose();
        }
    }

    ImportRequest InWords(ImportRequest request) => request.Words is null ? request with { Words = Options.Words } : request;

    /// <summary>The totals of the earlier runs of an import that ends before its state is used.</summary>
    static ImportTotals Before(ImportRequest request, IImportState? state)
    {
        try
        {
            return request is { DryRun: false, Restart: false } && state?.Load() is { } loaded ? loaded.Totals : new ImportTotals();
        }
        catch (ImportStateException)
        {
            return new ImportTotals(); // a run that gets further reports it
        }
    }

    async Task<ImportReport> ImportFoundAsync(ImportRequest request, IImportState? state, CancellationToken cancellationToken)
    {
        using IImportState? own = request.DryRun ? new DryRunState(keepsDeadLetters: request.DeadLetterPath is not null)
            : state is null ? new InMemoryImportState()
            : null;
        if (request.Type is ImportType.LookupTable)
            return await new LookupTableImport(request, own ?? state!, Transport).RunAsync(cancellationToken).ConfigureAwait(false);
        if (request.Replay is null) return await new ImportPipeline(request, own ?? state!, Transport).RunAsync(cancellationToken).ConfigureAwait(false);

        var letters = InputList.FindReplay(request.Replay)[0];
        using var repeatable = letters.SeekablePath is null ? new RepeatableInput(letters, long.MaxValue) : null;
        letters = repeatable?.Input ?? letters;
        request = await ReplayOptions.WithThoseOfAsync(request, letters, cancellationToken).ConfigureAwait(false) with { Found = [letters] };
        repeatable?.KeepNoMore();
        return await new ImportPipeline(request, own ?? state!, Transport).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Shows the first records of an import before and after its mapping. Sends nothing, stores nothing, and needs no credentials.</summary>
    /// <param name="request">The import, with a mapping.</param>
    /// <param name="count">The number of records, from 1 to 1000.</param>
    /// <param name="problem">Receives the problem with an input that cannot be read, which is not thrown. Default: none.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>The records, in order.</returns>
    /// <exception cref="MixpanelException">An input does not exist, there is no mapping, or an option or a setting is invalid.</exception>
    public IAsyncEnumerable<MappedRecord> ShowMappingAsync(ImportRequest request, int count, Action<string>? problem = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = InWords(request).Validated();
        if (request.Mapping is null) throw MixpanelException.Invalid("show_mapping", "There is no mapping to show: name a vendor, or a mapping of your own.");
        if (count is < 1 or > 1000) throw MixpanelException.Invalid("show_mapping", "The number of records to show must be from 1 to 1000.");
        if (request.Replay is not null)
            throw MixpanelException.Invalid("show_mapping", "Dead letters have the mapping of their import: show it on the inputs of that import.");
        return ShowFoundAsync(request, count, problem ?? (_ => { }), cancellationToken);
    }

    async IAsyncEnumerable<MappedRecord> ShowFoundAsync(ImportRequest request, int count, Action<string> problem,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        StoredInputs? opened = null;
        try
        {
            (request, opened) = await StoredInputs.ResolveAsync(request, Options, cancellationToken).ConfigureAwait(false);
        }
        catch (InputException e)
        {
            problem(e.Message);
        }

        using (opened)
        {
            if (opened is null) yield break;
            await foreach (var record in new MappingPreview(request, Transport.Options.TimeProvider).ShowAsync(count, problem,
                cancellationToken).ConfigureAwait(false))
                yield return record;
        }
    }

    /// <summary>
    /// Inspects the first 1000 records of an import, from its first input that has any: its format, its columns, what would be rejected, and options that would
    /// help. Sends nothing, stores nothing, and needs no credentials.
    /// </summary>
    /// <param name="request">The import.</param>
    /// <param name="cancellationToken">Stops the inspection.</param>
    /// <returns>The inspection. It includes the problem with an input that cannot be read, which is not thrown.</returns>
    /// <exception cref="MixpanelException">An input does not exist, or an option or a setting is invalid.</exception>
    public async Task<ImportInspection> InspectAsync(ImportRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = InWords(request);
        StoredInputs? opened = null;
        try
        {
            (request, opened) = await StoredInputs.ResolveAsync(request, Options, cancellationToken).ConfigureAwait(false);
            return await InspectFoundAsync(ExportedFiles.Resolve(request).Validated(), cancellationToken).ConfigureAwait(false);
        }
        catch (InputException e)
        {
            return new ImportInspection
            {
                Source = request.Inputs[0],
                Inputs = 0,
                Records = 0,
                Refused = 0,
                Columns = [],
                Problem = e.Message,
                Outcome = e.Outcome,
            };
        }
        finally
        {
            opened?.Dispose();
        }
    }

    async Task<ImportInspection> InspectFoundAsync(ImportRequest request, CancellationToken cancellationToken)
    {
        if (request.Mapping is not null)
            throw MixpanelException.Invalid("inspect", $"Mapped records cannot be inspected: {request.InWords[Setting.ShowMapping]} prints them before and after.");
        if (request.Replay is not null || request.Type is ImportType.LookupTable)
            throw MixpanelException.Invalid("inspect", "Dead letters and lookup tables cannot be inspected: use a dry run.");
        return await ImportPipeline.NewInspector(request, Transport).LookAsync(cancellationToken).ConfigureAwait(false);
    }
}
