namespace MixpanelConnector;

/// <summary>A state that lives only as long as its process, for imports that need not be resumed. Stores dead letters in memory.</summary>
public sealed class InMemoryImportState : IImportState
{
    readonly Dictionary<string, ImportSourceProgress> _sources = new(StringComparer.Ordinal);
    readonly List<ReadOnlyMemory<byte>> _deadLetters = [];
    ImportCheckpoint? _checkpoint;

    /// <inheritdoc/>
    public string? DeadLetterPath => null;

    /// <inheritdoc/>
    public ImportCheckpoint? Load() => _checkpoint is null ? null : _checkpoint with { Sources = [.. _sources.Values], DeadLetters = [] };

    /// <inheritdoc/>
    public void Save(ImportCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        foreach (var source in checkpoint.Sources) _sources[source.Id] = source;
        _deadLetters.AddRange(checkpoint.DeadLetters);
        _checkpoint = checkpoint;
    }

    /// <inheritdoc/>
    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => _deadLetters;

    /// <inheritdoc/>
    public void Clear()
    {
        _sources.Clear();
        _deadLetters.Clear();
        _checkpoint = null;
    }

    /// <inheritdoc/>
    public void Dispose() { }
}
