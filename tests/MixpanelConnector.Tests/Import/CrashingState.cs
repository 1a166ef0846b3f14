namespace MixpanelConnector.Tests.Import;

/// <summary>A state whose disk fails at a checkpoint: neither it nor anything after it is saved.</summary>
sealed class CrashingState : IImportState
{
    readonly InMemoryImportState _state = new();
    int _saves;

    /// <summary>The checkpoint that fails, from 1; 0 for none.</summary>
    public int CrashAtSave { get; set; }

    public string? DeadLetterPath => null;

    public ImportCheckpoint? Load()
    {
        _saves = 0;
        return _state.Load();
    }

    public void Save(ImportCheckpoint checkpoint)
    {
        if (CrashAtSave > 0 && ++_saves >= CrashAtSave) throw new ImportStateException(ImportStateFault.Unwritable, "The disk failed.");
        _state.Save(checkpoint);
    }

    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => _state.DeadLetters();

    public void Clear() => _state.Clear();

    public void Dispose() => _state.Dispose();
}
