using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.State;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Ending;

/// <summary>The dead-letter file of an import, which is written when it ends.</summary>
sealed class DeadLetterOutput(ImportRequest request, IImportState state)
{
    /// <summary>The file; null for none.</summary>
    public string? Path => request.DeadLetterPath ?? state.DeadLetterPath;

    /// <summary>Writes the file, and returns its path; null for none, or if it is a pipe without a reader, and the wait for one was canceled.</summary>
    /// <exception cref="ImportStateException">It cannot be written.</exception>
    public string? Write(ImportCancellation cancellation)
    {
        if (Path is not { } path) return null;
        try
        {
            if (ImportDeadLetters.Write(state, path, cancellation.AbandonOutput) is { } kept)
                request.Diagnostics.Warn(path, $"Another file was there. It is now {kept}.");
            return path;
        }
        catch (OperationCanceledException) when (cancellation.AbandonOutput.IsCancellationRequested)
        {
            cancellation.Note(RunOutcome.Stopped, $"No process reads {path}: the dead letters were not written there.");
            return null;
        }
    }

    /// <summary>Counts why the records were not accepted.</summary>
    public ReasonCounts CountReasons() => state is ICountsReasons counting ? counting.Reasons : ReasonCounts.Of(state.DeadLetters());
}
