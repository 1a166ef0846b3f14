using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Readers;
using MixpanelConnector.Import.Settle;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Admission;

/// <summary>Compares the inputs with the checkpoint, before the first is read.</summary>
sealed class InputAdmission(ImportRequest request, CheckpointTracker checkpoints, ImportCancellation cancellation)
{
    /// <summary>Returns the inputs to read, each with its id; null when the import ends before that.</summary>
    /// <exception cref="MixpanelException">The specified columns do not match an input.</exception>
    public async Task<List<InputFile>?> AdmitAsync(List<InputFile> found)
    {
        List<InputFile> inputs;
        try
        {
            inputs = await new SourceIds(request, checkpoints.Known, request.Diagnostics.Warn,
                problem => cancellation.Note(RunOutcome.Damaged, problem)).AssignAsync(
                found, cancellation.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
        {
            return null;
        }

        NoteVanished(inputs);
        await EnsureFitAsync(inputs).ConfigureAwait(false);
        return TryPin(inputs) ? inputs : null;
    }

    void NoteVanished(List<InputFile> inputs)
    {
        var present = inputs.Select(input => input.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var source in checkpoints.Known.Values.Where(source => !source.Ended && !present.Contains(source.Id)))
            cancellation.Note(RunOutcome.Damaged,
                $"{source.Id} was {(source.Offset > 0 || source.Pinned is null ? "imported in part" : "listed before")} and is no longer among the inputs. "
                + $"Restore it and {request.InWords.RunAgain}, or begin again with {request.InWords[Setting.Restart]}.");
    }

    /// <summary>Checks that the specified columns match each input that is read from the beginning, before anything is sent. Streams are not checked.</summary>
    /// <exception cref="MixpanelException">They do not match.</exception>
    async Task EnsureFitAsync(List<InputFile> inputs)
    {
        if (request is not { Replay: null, Look: null, Mapping: null }
            || (!request.NamedColumns.Any() && request.ColumnNames.Count == 0 && request.Delimiter is null))
            return;
        foreach (var input in inputs.Where(input => input is { CanBeOpenedAgain: true, Fault: null }
            && checkpoints.ProgressOf(input.Id) is not { Offset: > 0 }))
        {
            try
            {
                using var reader =
                    await RecordReaders.OpenAsync(input, reached: null, request with { Diagnostics = null }, cancellation.Stop).ConfigureAwait(false);
            }
            catch (InputException e) when (e.Option is { } option)
            {
                throw MixpanelException.Invalid(option, $"{input.Name} {e.Message}.");
            }
            catch (InputException)
            {
                // Reported when it is read.
            }
            catch (OperationCanceledException) when (cancellation.Stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Pins the objects in the checkpoint before the first is read. False when the state cannot be written.</summary>
    bool TryPin(List<InputFile> inputs)
    {
        try
        {
            checkpoints.Pin(inputs
                .Where(input => input is { Object: not null, Fault: null } && checkpoints.ProgressOf(input.Id) is null)
                .Select(input => new ImportSourceProgress
                {
                    Id = input.Id,
                    Offset = 0,
                    Line = 0,
                    Fingerprint = ImportSourceProgress.NothingRead,
                    Pinned = input.Object!.Pin,
                }));
            return true;
        }
        catch (ImportStateException e)
        {
            cancellation.Because(e);
            return false;
        }
    }
}
