using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Import;

/// <summary>Signals when a checkpoint has reached a position.</summary>
sealed class WatchedState : IImportState
{
    readonly InMemoryImportState _inner = new();
    readonly Lock _lock = new();
    readonly List<(long Read, TaskCompletionSource<ImportCheckpoint> Reached)> _awaited = [];
    ImportCheckpoint? _last;

    public string? DeadLetterPath => null;

    public Task<ImportCheckpoint> SavedAsync(long read)
    {
        lock (_lock)
        {
            var reached = new TaskCompletionSource<ImportCheckpoint>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_last?.Totals.Read >= read) reached.SetResult(_last);
            else _awaited.Add((read, reached));
            return reached.Task.WaitAsync(Hang.Limit, TestContext.Current.CancellationToken);
        }
    }

    public ImportCheckpoint? Load() => _inner.Load();

    public void Save(ImportCheckpoint checkpoint)
    {
        _inner.Save(checkpoint);
        lock (_lock)
        {
            _last = checkpoint;
            foreach (var (read, reached) in _awaited)
                if (checkpoint.Totals.Read >= read) reached.TrySetResult(checkpoint);
        }
    }

    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => _inner.DeadLetters();

    public void Clear() => _inner.Clear();

    public void Dispose() => _inner.Dispose();
}
