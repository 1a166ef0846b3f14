namespace MixpanelConnector.Sqlite.Tests;

/// <summary>Forwards all calls, but fails at chosen checkpoints, before or after they are durable; asserts that the state never moves back.</summary>
sealed class FailingState(IImportState state, Func<(bool Before, bool After)> fails) : IImportState
{
    long _settled;

    public string? DeadLetterPath => state.DeadLetterPath;

    public ImportCheckpoint? Load()
    {
        var loaded = state.Load();
        _settled = loaded?.Totals.Read ?? 0;
        return loaded;
    }

    public void Save(ImportCheckpoint checkpoint)
    {
        Assert.True(checkpoint.Totals.Read >= _settled);
        _settled = checkpoint.Totals.Read;
        var (before, after) = fails();
        if (before) throw Failure();
        state.Save(checkpoint);
        if (after) throw Failure();
    }

    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => state.DeadLetters();

    public void Clear() => state.Clear();

    public void Dispose() => state.Dispose();

    static ImportStateException Failure() => new(ImportStateFault.Unwritable, "The disk failed.");
}
