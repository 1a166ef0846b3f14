using MixpanelConnector.Import.Source;
using MixpanelConnector.Storage;

namespace MixpanelConnector.Export;

/// <summary>Where the files of an export go. A file is there whole and durable, or not at all, and so is the manifest, which comes after it.</summary>
abstract class ExportTarget : IDisposable
{
    /// <summary>Opens a folder, or a prefix at an address.</summary>
    /// <param name="folder">As the caller named it.</param>
    /// <param name="storages">The addresses that are known.</param>
    /// <param name="options">The waits.</param>
    /// <param name="state">The folder that keeps what runs share; null for none.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    /// <exception cref="StorageException">The address or a setting does not fit.</exception>
    public static ExportTarget Open(string folder, IReadOnlyList<StorageScheme> storages, MixpanelOptions options, string? state)
    {
        if (storages.FirstOrDefault(scheme => scheme.Holds(folder)) is not { } scheme) return new FolderTarget(folder);
        var (store, key) = scheme.Open(folder);
        return new StoredTarget(folder, store, key, new StorageCalls(options), state);
    }

    /// <summary>As the caller named it; for messages.</summary>
    public abstract string Name { get; }

    /// <summary>Where a file of the target lies, in the words of whoever looks for it.</summary>
    public abstract string PathOf(string name);

    /// <summary>Keeps others from exporting into it; null when another export has it.</summary>
    /// <exception cref="IOException">It cannot be locked.</exception>
    public abstract IDisposable? TryLock();

    /// <summary>The manifest; null when there is none.</summary>
    public abstract ValueTask<ReadOnlyMemory<byte>?> ReadManifestAsync(CancellationToken cancellationToken);

    /// <summary>Puts a manifest in the place of the one that was read or written last.</summary>
    /// <exception cref="IOException">It was not taken, or another one stands there.</exception>
    public abstract ValueTask ReplaceManifestAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancellationToken);

    /// <summary>Begins a file. Whatever has the name keeps it until the new one is committed.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public abstract ValueTask<ExportFile> CreateAsync(string name, CancellationToken cancellationToken);

    /// <summary>The length of a file; null when there is none.</summary>
    public abstract ValueTask<long?> LengthOfAsync(string name, CancellationToken cancellationToken);

    /// <summary>Opens a file to be read from its beginning; null when there is none.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public abstract ValueTask<ByteSource?> OpenAsync(string name, CancellationToken cancellationToken);

    /// <summary>Takes a file away, if it is there.</summary>
    public abstract ValueTask DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>Takes away what exports left that were killed: files that were begun.</summary>
    public abstract ValueTask DeleteLeftoversAsync(CancellationToken cancellationToken);

    public abstract void Dispose();
}

/// <summary>A file of an export that is being written. Unless it is committed, nothing of it stays.</summary>
abstract class ExportFile : IAsyncDisposable
{
    /// <summary>Takes the file's bytes.</summary>
    public abstract Stream Content { get; }

    /// <summary>Brings the file into its place, so that it survives a power cut.</summary>
    /// <exception cref="IOException">The disk did not take it.</exception>
    public abstract ValueTask CommitAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
