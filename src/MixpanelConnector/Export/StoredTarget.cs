using System.Security.Cryptography;
using System.Text;
using MixpanelConnector.Exported;
using MixpanelConnector.Files;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Source;
using MixpanelConnector.Storage;

namespace MixpanelConnector.Export;

/// <summary>
/// A prefix in object storage. A file is written to a temporary file first, so that its length and hash are known and incomplete files are
/// never sent. Then it is uploaded, in one request or in parts, and exists completely or not at all. The manifest replaces only the version that was seen last.
/// </summary>
sealed class StoredTarget : ExportTarget
{
    /// <summary>Larger files are uploaded in parts.</summary>
    const long LargestPart = 8 << 20;

    readonly ObjectStore _store;
    readonly string _prefix;
    readonly StorageCalls _calls;
    readonly string? _state;
    string? _manifestTag;

    public StoredTarget(string name, ObjectStore store, string key, StorageCalls calls, string? state)
    {
        (Name, _store, _calls, _state) = (name, store, calls, state);
        _prefix = key.Length == 0 || key.EndsWith('/') ? key : key + '/';
    }

    public override string Name { get; }

    public override string PathOf(string name) => _store.Address + _prefix + name;

    /// <summary>Locks only within this machine. Another machine fails when it replaces the manifest, which has changed.</summary>
    public override IDisposable? TryLock()
    {
        if (_state is null) return new MemoryStream();
        var folder = Path.Combine(_state, "exports");
        OwnFolder.Make(folder);
        return FileLock.TryTake(Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(PathOf(""))))[..20] + ".lock"));
    }

    public override async ValueTask<ReadOnlyMemory<byte>?> ReadManifestAsync(CancellationToken cancellationToken)
    {
        if (await HeadAsync(ExportManifest.FileName, cancellationToken).ConfigureAwait(false) is not { } found) return null;
        _manifestTag = found.ETag;
        return await ReadAsync(found, cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask ReplaceManifestAsync(ReadOnlyMemory<byte> manifest, CancellationToken cancellationToken)
    {
        var bytes = manifest.ToArray();
        try
        {
            _manifestTag = await _calls.RunAsync(
                token => _store.PutAsync(_prefix + ExportManifest.FileName, new MemoryStream(bytes), new ObjectCondition(_manifestTag), token),
                cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Changed)
        {
            // It may be the same manifest, from an attempt whose answer was lost.
            if (await HeadAsync(ExportManifest.FileName, cancellationToken).ConfigureAwait(false) is not { } found
                || !(await ReadAsync(found, cancellationToken).ConfigureAwait(false)).Span.SequenceEqual(bytes))
                throw;
            _manifestTag = found.ETag;
        }
    }

    public override async ValueTask DeleteManifestAsync()
    {
        var key = _prefix + ExportManifest.FileName;
        try
        {
            await _calls.WithinAsync(DeleteSameAsync, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StorageException)
        {
            // It lists nothing, and the next export replaces it.
        }

        async Task<bool> DeleteSameAsync(CancellationToken cancellationToken)
        {
            var isSame = await _store.HeadAsync(key, cancellationToken).ConfigureAwait(false) is { } found && found.ETag == _manifestTag;
            if (isSame) await _store.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
            return isSame;
        }
    }

    public override ValueTask<ExportFile> CreateAsync(string name, CancellationToken cancellationToken) => new(new StoredFile(this, _prefix + name));

    public override async ValueTask<long?> LengthOfAsync(string name, CancellationToken cancellationToken) =>
        (await HeadAsync(name, cancellationToken).ConfigureAwait(false))?.Length;

    public override async ValueTask<ByteSource?> OpenAsync(string name, CancellationToken cancellationToken) =>
        await HeadAsync(name, cancellationToken).ConfigureAwait(false) is { } found ? new ObjectByteSource(_store, found, _calls) : null;

    public override async ValueTask DeleteAsync(string name, CancellationToken cancellationToken) =>
        await _calls.RunAsync(token => _store.DeleteAsync(_prefix + name, token), cancellationToken).ConfigureAwait(false);

    public override async ValueTask DeleteLeftoversAsync(CancellationToken cancellationToken)
    {
        foreach (var (key, upload) in await UploadsAsync(cancellationToken).ConfigureAwait(false))
            if (key.StartsWith(_prefix, StringComparison.Ordinal) && ExportNames.IsOurs(key[_prefix.Length..]))
                await AbortAsync(key, upload, cancellationToken).ConfigureAwait(false);
    }

    public override void Dispose() => _store.Dispose();

    /// <summary>Lists unfinished uploads. When the store does not support that, or not for these credentials, they remain.</summary>
    async Task<IReadOnlyList<(string Key, string Upload)>> UploadsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _calls.RunAsync(token => _store.UploadsAsync(_prefix, token), cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Forbidden or StorageFault.Refused)
        {
            return [];
        }
    }

    async Task AbortAsync(string key, string upload, CancellationToken cancellationToken)
    {
        try
        {
            await _calls.RunAsync(token => _store.AbortAsync(key, upload, token), cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Missing or StorageFault.Forbidden)
        {
            // It no longer exists, or stays until somebody with the permission deletes it.
        }
    }

    Task<StoredObject?> HeadAsync(string name, CancellationToken cancellationToken) =>
        _calls.RunAsync(token => _store.HeadAsync(_prefix + name, token), cancellationToken);

    async Task<ReadOnlyMemory<byte>> ReadAsync(StoredObject found, CancellationToken cancellationToken)
    {
        using var source = new ObjectByteSource(_store, found, _calls);
        using var bytes = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0) bytes.Write(buffer, 0, read);
        return bytes.ToArray();
    }

    Task PutAsync(string key, FileStream content, CancellationToken cancellationToken)
    {
        if (content.Length <= LargestPart)
            return _calls.RunAsync(token => _store.PutAsync(key, new PartOfFile(content, 0, content.Length), condition: null, token), cancellationToken,
                StorageCalls.UploadPatience);
        return PutInPartsAsync(key, content, Math.Max(LargestPart, (content.Length + _store.MostParts - 1) / _store.MostParts), cancellationToken);
    }

    async Task PutInPartsAsync(string key, FileStream content, long length, CancellationToken cancellationToken)
    {
        var upload = await _calls.RunAsync(token => _store.BeginAsync(key, token), cancellationToken).ConfigureAwait(false);
        try
        {
            var parts = new List<string>();
            for (var start = 0L; start < content.Length; start += length)
            {
                var from = start;
                parts.Add(await _calls.RunAsync(
                    token => _store.PutPartAsync(key, upload, parts.Count + 1, new PartOfFile(content, from, Math.Min(length, content.Length - from)), token),
                    cancellationToken, StorageCalls.UploadPatience).ConfigureAwait(false));
            }

            await _calls.RunAsync(token => _store.CompleteAsync(key, upload, parts, token), cancellationToken,
                StorageCalls.UploadPatience).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Missing)
        {
            throw new StorageException(StorageFault.Unavailable, "a multipart upload was aborted, by another export or a lifecycle rule of the bucket", e);
        }
        catch
        {
            await ((Task)_calls.WithinAsync(token => EndAsync(key, upload, token), CancellationToken.None)).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    async Task<bool> EndAsync(string key, string upload, CancellationToken cancellationToken)
    {
        await _store.AbortAsync(key, upload, cancellationToken).ConfigureAwait(false);
        return true;
    }

    sealed class StoredFile(StoredTarget target, string key) : ExportFile
    {
        readonly FileStream _content = TemporaryFile.Create();

        public override Stream Content => _content;

        public override async ValueTask CommitAsync(CancellationToken cancellationToken)
        {
            await _content.FlushAsync(cancellationToken).ConfigureAwait(false);
            await target.PutAsync(key, _content, cancellationToken).ConfigureAwait(false);
        }

        public override ValueTask DisposeAsync() => _content.DisposeAsync();
    }
}
