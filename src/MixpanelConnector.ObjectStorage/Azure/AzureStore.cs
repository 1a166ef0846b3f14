using System.Globalization;
using System.Text;
using Azure;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using MixpanelConnector.Storage;

namespace MixpanelConnector.ObjectStorage.Azure;

/// <summary>A container of Azure Blob Storage.</summary>
/// <param name="address">Its URL.</param>
/// <param name="container">Sends each request once.</param>
sealed class AzureStore(string address, BlobContainerClient container) : ObjectStore
{
    /// <summary>Checks by MD5, which every server returns; CRC-64, the SDK's other option, is not supported by Azurite.</summary>
    static readonly UploadTransferValidationOptions Checked = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 };

    public override string Address => address;

    public override int MostParts => 50_000;

    public override Task<ObjectPage> ListAsync(string prefix, string? from, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await foreach (var page in container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }, cancellationToken).AsPages(from).ConfigureAwait(false))
        {
            var objects = page.Values.Select(one => new StoredObject(one.Name, one.Properties.ContentLength ?? 0, Tag(one.Properties.ETag), Version: null));
            return new ObjectPage([.. objects], page.ContinuationToken is { Length: > 0 } next ? next : null);
        }

        return new ObjectPage([], Next: null);
    });

    public override async Task<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(async () =>
            {
                BlobProperties found = await container.GetBlobClient(key).GetPropertiesAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
                return new StoredObject(key, found.ContentLength, Tag(found.ETag), found.VersionId is { Length: > 0 } version ? version : null);
            }).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Missing)
        {
            return null;
        }
    }

    public override Task<ObjectAnswer> OpenAsync(StoredObject pinned, long offset, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        var blob = container.GetBlobClient(pinned.Key);
        if (pinned.Version is { } version) blob = blob.WithVersion(version);
        var options = new BlobDownloadOptions { Range = offset > 0 ? new HttpRange(offset) : default };
        if (pinned.ETag.Length > 0) options.Conditions = new BlobRequestConditions { IfMatch = new ETag(pinned.ETag) };
        BlobDownloadStreamingResult answer = await blob.DownloadStreamingAsync(options, cancellationToken).ConfigureAwait(false);
        var part = answer.Details.ContentRange is { Length: > 0 } range && HttpRangeOf(range) is { } found
            ? found
            : (Start: 0, Length: answer.Details.ContentLength);
        return new ObjectAnswer(answer.Content, Tag(answer.Details.ETag), part.Start, part.Length);
    });

    public override Task<string> PutAsync(string key, Stream content, ObjectCondition? condition, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        var options = new BlobUploadOptions { TransferValidation = Checked };
        if (condition is not null)
            options.Conditions = condition.ETag is { } tag
                ? new BlobRequestConditions { IfMatch = new ETag(tag) }
                : new BlobRequestConditions { IfNoneMatch = ETag.All };
        BlobContentInfo put = await container.GetBlockBlobClient(key).UploadAsync(content, options, cancellationToken).ConfigureAwait(false);
        return Tag(put.ETag);
    });

    /// <summary>Blocks belong to their blob, so the name of an upload keeps those of two uploads apart.</summary>
    public override Task<string> BeginAsync(string key, CancellationToken cancellationToken) => Task.FromResult(Guid.NewGuid().ToString("N"));

    public override Task<string> PutPartAsync(string key, string upload, int number, Stream content, CancellationToken cancellationToken) =>
        AskAsync(async () =>
    {
        var block = Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{upload}{number:D5}")));
        await container.GetBlockBlobClient(key)
            .StageBlockAsync(block, content, new BlockBlobStageBlockOptions { TransferValidation = Checked }, cancellationToken).ConfigureAwait(false);
        return block;
    });

    public override Task CompleteAsync(string key, string upload, IReadOnlyList<string> parts, CancellationToken cancellationToken) => AskAsync(() =>
        container.GetBlockBlobClient(key).CommitBlockListAsync(parts, cancellationToken: cancellationToken));

    /// <summary>Does nothing: the store deletes uncommitted blocks after a week.</summary>
    public override Task AbortAsync(string key, string upload, CancellationToken cancellationToken) => Task.CompletedTask;

    public override Task<IReadOnlyList<(string Key, string Upload)>> UploadsAsync(string prefix, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<(string, string)>>([]);

    public override Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        AskAsync(() => container.GetBlobClient(key).DeleteIfExistsAsync(cancellationToken: cancellationToken));

    public override void Dispose() { }

    static string Tag(ETag? tag) => tag is { } one ? one.ToString().Trim('"') : "";

    static (long Start, long? Length)? HttpRangeOf(string contentRange) =>
        contentRange.Split(' ', '-', '/') is ["bytes", var start, _, var length] && long.TryParse(start, CultureInfo.InvariantCulture, out var from)
            && long.TryParse(length, CultureInfo.InvariantCulture, out var all)
            ? (from, all)
            : null;

    static async Task<T> AskAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RequestFailedException e) when (e.Status != 0)
        {
            throw Judged(e);
        }
        catch (AuthenticationFailedException e)
        {
            throw e is CredentialUnavailableException
                ? new StorageException(StorageFault.Unconfigured,
                    "the Azure SDK found no credentials: set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, "
                    + "or log in with az login",
                    e)
                : new StorageException(StorageFault.Forbidden, "the Azure SDK found credentials that were not accepted", e);
        }
        catch (Exception e) when (e is RequestFailedException or InvalidDataException or IOException or HttpRequestException or AggregateException)
        {
            throw new StorageException(StorageFault.Unavailable, e is InvalidDataException ? "it received other bytes than were sent" : "it cannot be reached",
                e);
        }
    }

    static StorageException Judged(RequestFailedException failure)
    {
        var said = string.Create(CultureInfo.InvariantCulture, $"it answered {failure.Status}{Addresses.Code(failure.ErrorCode)}");
        return new(
            failure.Status switch
            {
                409 or 412 => StorageFault.Changed,
                404 => StorageFault.Missing,
                401 or 403 => StorageFault.Forbidden,
                408 or 429 or >= 500 => StorageFault.Unavailable,
                _ => StorageFault.Refused,
            },
            said,
            failure);
    }
}
