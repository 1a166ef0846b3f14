using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector;

/// <summary>The dead letters of an import as a file: each line one record that was not accepted, with its reason.</summary>
public static class ImportDeadLetters
{
    /// <summary>Writes every dead letter of a state to a file, synced, in place of what is there: what an import does at every orderly end.</summary>
    /// <param name="state">The state of the import.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="ImportStateException">The state is damaged, or the file cannot be written.</exception>
    public static void Write(IImportState state, string path)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentException.ThrowIfNullOrEmpty(path);
        Write(state, path, CancellationToken.None);
    }

    /// <param name="state">The state of the import.</param>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the wait for a pipe that nobody reads.</param>
    internal static void Write(IImportState state, string path, CancellationToken cancellationToken)
    {
        try
        {
            DeadLetterFile.Write(path, state.DeadLetters(), cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImportStateException(ImportStateFault.Unwritable, $"The dead-letter file {path} cannot be written: {e.Message} Free or repair the disk, and try again.", e);
        }
    }
}
