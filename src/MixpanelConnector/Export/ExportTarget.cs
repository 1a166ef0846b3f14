using MixpanelConnector.Import.Source;
using MixpanelConnector.Storage;

namespace MixpanelConnector.Export;

/// <summary>
/// The destination of the files of an export. A file is complete and durable, or does not exist; the same applies to the manifest, which is written after it.
/// </summary>
abstract class ExportTarget : IDisposable
{
    /// <summary>Opens a folder, or an address with a prefix.</summary>
    /// <param name="folder">The folder or address as the caller specified it.</param>
    /// <param name="storages">The supported address schemes.</param>
    /// <param name="options">The options for its waits.</param>
    /// <param name="state">The folder for state that runs share; null for none.</param>
    /// <exception cref="IOException">The folder cannot be created.</exception>
    /// <exception cref="StorageException">The address or a setting is invalid.</exception>
    public static ExportTarget Open(string folder, IReadOnlyList<StorageScheme> storages, MixpanelOptions options, string? state)
    {
        if (storages.FirstOrDefault(scheme => scheme.Holds(folder)) is not { } scheme) return new FolderTarget(folder);
        var (store, key) = scheme.Open(folder);
        return new StoredTarget(folder, store, key, new StorageCalls(options), state);
    }

    /// <summary>The name as the caller specified it; for messages.</summary>
    public abstract string Name { get; }

    /// <summary>Returns the path or address of a file, for display.</summary>
    public abstract string PathOf(string name);

    /// <summary>Locks the target against other exports; returns null when another export has locked it.</summary>
    /// <exception cref="IOException">It cannot be locked.</exception>
    public abstract IDisposable? TryLock();

    /// <summary>Returns the manifest; null when there is none.</summary>
    public abstract ValueTask<ReadOnlyMemory<byte>?> ReadManifestAsync(CancellationToken cancellationToken);

    /// <summary>Replaces the manifest that was read or written last.</summary>
    /// <exception cref="IOException">It was refused, or another manifest exists there.</exception>
    public abstract ValueTask ReplaceManifestAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancellationToken);

    /// <summary>Deletes the manifest that was read or written last, if possible; one of another export is kept.</summary>
    public abstract ValueTask DeleteManifestAsync();

    /// <summary>Starts a file. An existing file keeps its name until the new one is committed.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public abstract ValueTask<ExportFile> CreateAsync(string name, CancellationToken cancellationToken);

    /// <summary>Returns the length of a file; null when there is none.</summary>
    public abstract ValueTask<long?> LengthOfAsync(string name, CancellationToken cancellationToken);

    /// <summary>Opens a file for reading from its beginning; null when there is none.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public abstract ValueTask<ByteSource?> OpenAsync(string name, CancellationToken cancellationToken);

    /// <summary>Deletes a file, if it exists.</summary>
    public abstract ValueTask DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>Deletes the unfinished files of exports that were killed.</summary>
    public abstract ValueTask DeleteLeftoversAsync(CancellationToken cancellationToken);

    public abstract void Dispose();
}

/// <summary>A file of an export that is being written. Unless it is committed, it is discarded.</summary>
abstract class ExportFile : IAsyncDisposable
{
    /// <summary>Receives the file's bytes.</summary>
    public abstract Stream Content { get; }

    /// <summary>Moves the file to its final place, so that it survives a power loss.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public abstract ValueTask CommitAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
