using MixpanelConnector.Exported;
using MixpanelConnector.Files;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Export;

/// <summary>A folder of this machine. A file is written as <c>NAME.part</c>, synced, and renamed; then the folder is synced.</summary>
sealed class FolderTarget : ExportTarget
{
    const string Part = ".part";

    readonly string _folder;

    /// <summary>Creates the folder if it is missing.</summary>
    /// <exception cref="IOException">It cannot be created, or is not a folder.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission to create it.</exception>
    public FolderTarget(string folder)
    {
        (Name, _folder) = (folder, Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (FileStatus.Behind(_folder).Kind is FileKind.None) OwnFolder.Make(_folder);
        else if (!Directory.Exists(_folder)) throw new IOException($"{folder} is not a folder.");
    }

    public override string Name { get; }

    public override string PathOf(string name) => Path.Combine(_folder, name);

    public override IDisposable? TryLock() => FileLock.TryTakeFolder(_folder);

    public override async ValueTask<ReadOnlyMemory<byte>?> ReadManifestAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(PathOf(ExportManifest.FileName), cancellationToken).ConfigureAwait(false);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    public override async ValueTask ReplaceManifestAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancellationToken)
    {
        var file = await CreateAsync(ExportManifest.FileName, cancellationToken).ConfigureAwait(false);
        await using (file.ConfigureAwait(false))
        {
            await file.Content.WriteAsync(manifest, CancellationToken.None).ConfigureAwait(false);
            await file.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    public override ValueTask DeleteManifestAsync()
    {
        try
        {
            File.Delete(PathOf(ExportManifest.FileName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It lists nothing, and the next export replaces it.
        }

        return default;
    }

    public override ValueTask<ExportFile> CreateAsync(string name, CancellationToken cancellationToken) => new(new FolderFile(PathOf(name)));

    public override ValueTask<long?> LengthOfAsync(string name, CancellationToken cancellationToken)
    {
        var file = new FileInfo(PathOf(name));
        return new(file.Exists ? file.Length : null);
    }

    public override ValueTask<ByteSource?> OpenAsync(string name, CancellationToken cancellationToken) => new(new FileByteSource(PathOf(name)));

    public override ValueTask DeleteAsync(string name, CancellationToken cancellationToken)
    {
        File.Delete(PathOf(name));
        return default;
    }

    public override ValueTask DeleteLeftoversAsync(CancellationToken cancellationToken)
    {
        foreach (var path in Directory.EnumerateFiles(_folder, "*" + Part))
            if (ExportNames.IsOurs(Path.GetFileName(path)[..^Part.Length])) File.Delete(path);
        return default;
    }

    public override void Dispose() { }

    sealed class FolderFile(string path) : ExportFile
    {
        readonly FileStream _content = Durable.OpenOwned(path + Part, FileMode.Create);
        bool _isCommitted;

        public override Stream Content => _content;

        public override async ValueTask CommitAsync(CancellationToken cancellationToken)
        {
            await _content.FlushAsync(cancellationToken).ConfigureAwait(false);
            Durable.Sync(_content);
            File.Move(_content.Name, path, overwrite: true);
            _isCommitted = true;
            Durable.SyncFolder(Path.GetDirectoryName(path)!);
        }

        public override async ValueTask DisposeAsync()
        {
            if (!_isCommitted) File.Delete(_content.Name);
            await _content.DisposeAsync().ConfigureAwait(false);
        }
    }
}
