using System.Security.Cryptography;
using MixpanelConnector.Storage;

namespace MixpanelConnector.Import.Source;

/// <summary>
/// The bytes of an object, as it was when it was pinned. After a broken connection it resumes where it stopped. Each response is compared with the
/// pin, because not every store honors <c>If-Match</c>.
/// </summary>
/// <param name="store">The store of the object.</param>
/// <param name="pinned">The object.</param>
/// <param name="calls">Makes the requests.</param>
/// <param name="start">The offset at which reading begins; bytes before it are not counted.</param>
sealed class ObjectByteSource(ObjectStore store, StoredObject pinned, StorageCalls calls, long start = 0) : ByteSource
{
    readonly long _start = start;
    Stream? _content;
    long _position = start;
    int _tries;

    public override long RawPosition => _position - _start;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (target.IsEmpty) return 0;
        while (true)
        {
            try
            {
                // An empty object is requested, too, since it may have changed.
                if (_position == pinned.Length && (_position > 0 || _content is not null)) return 0;
                var read = await calls.WithinAsync(token => ReadOnceAsync(target, token), cancellationToken).ConfigureAwait(false);
                if (read == 0 && _position < pinned.Length)
                    throw new StorageException(StorageFault.Unavailable, "its connection ended before the end of the object");
                _position += read;
                if (_position > pinned.Length) throw Changed("is longer");
                if (read > 0) _tries = 0;
                return read;
            }
            catch (Exception e) when (e is StorageException { Fault: StorageFault.Unavailable } or IOException or HttpRequestException)
            {
                await CloseAsync().ConfigureAwait(false);
                await WaitAsync(
                    e as StorageException ?? new StorageException(StorageFault.Unavailable, $"its connection was lost: {e.Message.TrimEnd('.')}", e),
                    cancellationToken).ConfigureAwait(false);
            }
            catch (StorageException e)
            {
                throw Told(e);
            }
        }
    }

    public override void Dispose() => _content?.Dispose();

    /// <summary>The problem with an input that the storage does not return.</summary>
    public static string Reason(StorageException failure) => failure.Fault switch
    {
        StorageFault.Forbidden => $"cannot be read: {failure.Message}. The credentials were rejected, or lack the permission",
        _ => $"cannot be read: {failure.Message}",
    };

    /// <summary>4 when the credentials are not sufficient, otherwise 5.</summary>
    public static RunOutcome OutcomeOf(StorageException failure) => failure.Fault is StorageFault.Forbidden ? RunOutcome.NotAllowed : RunOutcome.Unavailable;

    async Task<int> ReadOnceAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        _content ??= await OpenAsync(cancellationToken).ConfigureAwait(false);
        return await _content.ReadAsync(target, cancellationToken).ConfigureAwait(false);
    }

    async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        var answer = await store.OpenAsync(pinned, _position, cancellationToken).ConfigureAwait(false);
        if (pinned.ETag.Length == 0 || answer.ETag.Length == 0 || answer.ETag == pinned.ETag)
        {
            if (answer.Length is { } length && length != pinned.Length) throw await RefusedAsync(answer, Changed("has another length")).ConfigureAwait(false);
            if (answer.Offset == _position) return answer.Content;
            throw await RefusedAsync(answer,
                new StorageException(StorageFault.Refused, "it returned another part of the object than requested")).ConfigureAwait(false);
        }

        throw await RefusedAsync(answer, Changed("has another tag")).ConfigureAwait(false);
    }

    static async ValueTask<Exception> RefusedAsync(ObjectAnswer answer, Exception reason)
    {
        await answer.Content.DisposeAsync().ConfigureAwait(false);
        return reason;
    }

    async Task WaitAsync(StorageException failure, CancellationToken cancellationToken)
    {
        try
        {
            await calls.WaitAsync(++_tries, failure, cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            throw Told(e);
        }
    }

    async ValueTask CloseAsync()
    {
        if (_content is { } content) await content.DisposeAsync().ConfigureAwait(false);
        _content = null;
    }

    static InputException Told(StorageException failure) => failure.Fault switch
    {
        StorageFault.Changed => Changed("has another tag or version"),
        StorageFault.Missing => Changed("no longer exists"),
        _ => new InputException(Reason(failure), failure) { Outcome = OutcomeOf(failure) },
    };

    static InputException Changed(string how) => InputException.Changed($"has changed since it was listed: it {how}");
}

/// <summary>An object of an export, returned only after verifying its hash against the manifest; it is read twice.</summary>
/// <param name="open">Opens it.</param>
/// <param name="sha256">The expected hash.</param>
sealed class CheckedObjectSource(Func<ObjectByteSource> open, string sha256) : ByteSource
{
    ObjectByteSource? _source;

    public override long RawPosition => _source?.RawPosition ?? 0;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        if (_source is null)
        {
            using (var all = open())
                if (await HashAsync(all, cancellationToken).ConfigureAwait(false) != sha256) throw new InputException(ExportedFiles.NotWhatItWas);
            _source = open();
        }

        return await _source.ReadAsync(target, cancellationToken).ConfigureAwait(false);
    }

    public override void Dispose() => _source?.Dispose();

    /// <summary>Returns the hash in hexadecimal.</summary>
    public static async ValueTask<string> HashAsync(ByteSource source, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 << 10];
        while (await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0) hash.AppendData(buffer, 0, read);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
