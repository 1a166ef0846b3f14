namespace MixpanelConnector.Storage;

/// <summary>
/// The objects of a bucket. Each method sends one request, once: <see cref="StorageCalls"/> retries. Keys are used literally.
/// Every failure is thrown as a <see cref="StorageException"/>, a broken stream also as an <see cref="IOException"/>.
/// </summary>
abstract class ObjectStore : IDisposable
{
    /// <summary>The address of the bucket, with a slash at its end.</summary>
    public abstract string Address { get; }

    /// <summary>The maximum number of parts of an upload.</summary>
    public abstract int MostParts { get; }

    /// <summary>Lists the objects with a key prefix, in any order.</summary>
    public abstract Task<ObjectPage> ListAsync(string prefix, string? from, CancellationToken cancellationToken);

    /// <summary>Returns an object with its version; null when there is none.</summary>
    public abstract Task<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Opens an object from an offset, if it is still the pinned one.</summary>
    public abstract Task<ObjectAnswer> OpenAsync(StoredObject pinned, long offset, CancellationToken cancellationToken);

    /// <summary>Uploads a complete object; returns its ETag.</summary>
    public abstract Task<string> PutAsync(string key, Stream content, ObjectCondition? condition, CancellationToken cancellationToken);

    /// <summary>Begins a multipart upload; returns its id.</summary>
    public abstract Task<string> BeginAsync(string key, CancellationToken cancellationToken);

    /// <summary>Uploads a part; returns its ETag.</summary>
    /// <param name="key">The object's key.</param>
    /// <param name="upload">The upload.</param>
    /// <param name="number">The number of the part, from 1.</param>
    /// <param name="content">The part's bytes.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    public abstract Task<string> PutPartAsync(string key, string upload, int number, Stream content, CancellationToken cancellationToken);

    /// <summary>Creates the object from its parts, in the order of their numbers.</summary>
    public abstract Task CompleteAsync(string key, string upload, IReadOnlyList<string> parts, CancellationToken cancellationToken);

    /// <summary>Deletes the parts of an upload.</summary>
    public abstract Task AbortAsync(string key, string upload, CancellationToken cancellationToken);

    /// <summary>Lists the unfinished uploads with a key prefix; none if the store deletes them by itself.</summary>
    public abstract Task<IReadOnlyList<(string Key, string Upload)>> UploadsAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes an object, if it exists.</summary>
    public abstract Task DeleteAsync(string key, CancellationToken cancellationToken);

    public abstract void Dispose();
}
