using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector;

/// <summary>Writes the dead letters of an import to a file: one record that was not accepted per line, with its reason.</summary>
public static class ImportDeadLetters
{
    /// <summary>
    /// Writes all dead letters of a state to a file and syncs it. An import does the same whenever it ends gracefully. A file with other content is kept as
    /// <c>FILE.1</c>, or with the next number that is free.
    /// </summary>
    /// <param name="state">The state of the import.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="ImportStateException">The state is damaged, or the file cannot be written.</exception>
    public static void Write(IImportState state, string path)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentException.ThrowIfNullOrEmpty(path);
        _ = Write(state, path, CancellationToken.None);
    }

    /// <param name="state">The state of the import.</param>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Ends the wait for a pipe without a reader.</param>
    /// <returns>The new path of another file that was there; null for none.</returns>
    internal static string? Write(IImportState state, string path, CancellationToken cancellationToken)
    {
        try
        {
            return DeadLetterFile.Write(path, state.DeadLetters(), cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImportStateException(ImportStateFault.Unwritable,
                $"The dead-letter file {path} cannot be written: {e.Message} Free or repair the disk, and try again.", e);
        }
    }
}
