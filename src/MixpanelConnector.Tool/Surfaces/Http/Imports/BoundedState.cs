namespace MixpanelConnector.Tool.Surfaces.Http.Imports;

/// <summary>The state of an import, limited to the disk space that the import may use: a write beyond it is refused, and ends the run.</summary>
sealed class BoundedState(IImportState state, ImportFolder folder, ImportSpace space, string caller) : IImportState
{
    /// <summary>The size of a row in addition to its dead letter.</summary>
    const int RowBytes = 64;

    long _letters = folder.DeadLetterBytes;
    volatile bool _isClosed;

    public string? DeadLetterPath => state.DeadLetterPath;

    public IReadOnlyCollection<string> Files => state.Files;

    public ImportCheckpoint? Load() => state.Load();

    public void Save(ImportCheckpoint checkpoint)
    {
        if (_isClosed) throw new ImportStateException(ImportStateFault.Unwritable, "The run was abandoned: it did not stop when requested.");
        var letters = checkpoint.DeadLetters.Sum(letter => (long)letter.Length + RowBytes);
        // Each is written twice: with its checkpoint, and into the dead-letter file at the end.
        if (letters > 0 && !space.TryTake(folder.Id, caller, 2 * letters))
            throw new ImportStateException(ImportStateFault.Unwritable,
                FormattableString.Invariant(
                    $"The records that were not accepted need more disk space than this import may use (all imports together: {space.Most} bytes, --import-space). Those so far are stored, and nothing after them is lost: remove imports that have ended, and resume this one."));
        try
        {
            state.Save(checkpoint);
            _letters += letters;
        }
        finally
        {
            if (letters > 0) space.Set(folder.Id, caller, folder.Bytes + _letters);
        }
    }

    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => state.DeadLetters();

    public void Clear() => state.Clear();

    /// <summary>Rejects further writes of an abandoned run.</summary>
    public void Close() => _isClosed = true;

    public void Dispose() => state.Dispose();
}
