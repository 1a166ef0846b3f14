using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector;

/// <summary>Writes the dead letters of an import to a file: one record that was not accepted per line, with its reason.</summary>
public static class ImportDeadLetters
{
    /// <summary>
    /// Writes all dead letters of a state to a file and syncs it, replacing what is there. An import does the same whenever it ends gracefully.
    /// </summary>
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
    /// <param name="cancellationToken">Ends the wait for a pipe without a reader.</param>
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
