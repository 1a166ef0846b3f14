namespace MixpanelConnector.Storage;

/// <summary>
/// The objects of one bucket. Each member is one request, sent once: <see cref="StorageCalls"/> tries again. Keys are taken as they stand.
/// Every failure arrives as a <see cref="StorageException"/>, of a stream that breaks also as an <see cref="IOException"/>.
/// </summary>
abstract class ObjectStore : IDisposable
{
    /// <summary>The address of the bucket, with a slash at its end.</summary>
    public abstract string Address { get; }

    /// <summary>The most parts that an upload may have.</summary>
    public abstract int MostParts { get; }

    /// <summary>The objects whose keys begin so, in any order.</summary>
    public abstract Task<ObjectPage> ListAsync(string prefix, string? from, CancellationToken cancellationToken);

    /// <summary>An object with its version; null when there is none.</summary>
    public abstract Task<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Opens an object from an offset, if it is still the one that was pinned.</summary>
    public abstract Task<ObjectAnswer> OpenAsync(StoredObject pinned, long offset, CancellationToken cancellationToken);

    /// <summary>Puts an object, whole; its tag.</summary>
    public abstract Task<string> PutAsync(string key, Stream content, ObjectCondition? condition, CancellationToken cancellationToken);

    /// <summary>Begins an upload in parts; its name.</summary>
    public abstract Task<string> BeginAsync(string key, CancellationToken cancellationToken);

    /// <summary>Puts a part; its tag.</summary>
    /// <param name="key">The object's key.</param>
    /// <param name="upload">The upload.</param>
    /// <param name="number">From 1.</param>
    /// <param name="content">The part's bytes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public abstract Task<string> PutPartAsync(string key, string upload, int number, Stream content, CancellationToken cancellationToken);

    /// <summary>Makes an object of its parts, in the order of their numbers.</summary>
    public abstract Task CompleteAsync(string key, string upload, IReadOnlyList<string> parts, CancellationToken cancellationToken);

    /// <summary>Takes an upload's parts away.</summary>
    public abstract Task AbortAsync(string key, string upload, CancellationToken cancellationToken);

    /// <summary>The uploads that were begun and did not end, of keys that begin so; none where the store takes them away by itself.</summary>
    public abstract Task<IReadOnlyList<(string Key, string Upload)>> UploadsAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Takes an object away, if it is there.</summary>
    public abstract Task DeleteAsync(string key, CancellationToken cancellationToken);

    public abstract void Dispose();
}
