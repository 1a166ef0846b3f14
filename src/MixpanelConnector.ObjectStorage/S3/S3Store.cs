using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using MixpanelConnector.Storage;

namespace MixpanelConnector.ObjectStorage.S3;

/// <summary>A bucket of S3 or of a compatible store.</summary>
/// <param name="address">Its URL.</param>
/// <param name="bucket">Its name.</param>
/// <param name="client">Sends each request once. Owned.</param>
/// <param name="replaces">Whether the store supports conditional writes; otherwise the condition is checked just before writing.</param>
sealed class S3Store(string address, string bucket, IAmazonS3 client, bool replaces) : ObjectStore
{
    public override string Address => address;

    public override int MostParts => 10_000;

    public override Task<ObjectPage> ListAsync(string prefix, string? from, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        var page = await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket, Prefix = prefix, ContinuationToken = from },
            cancellationToken).ConfigureAwait(false);
        // A response that is not a listing is parsed as an empty one, and would mean that there are no objects.
        if (string.IsNullOrEmpty(page.Name))
            throw new StorageException(StorageFault.Unavailable, "its response is not a bucket listing: is the endpoint an S3 endpoint?");
        var objects = (page.S3Objects ?? []).ConvertAll(one => new StoredObject(one.Key, one.Size ?? 0, Tag(one.ETag), Version: null));
        return new ObjectPage(objects, page.IsTruncated == true ? page.NextContinuationToken : null);
    });

    public override async Task<StoredObject?> HeadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(async () =>
            {
                var found = await client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = bucket, Key = key },
                    cancellationToken).ConfigureAwait(false);
                return new StoredObject(key, found.ContentLength, Tag(found.ETag), found.VersionId is { Length: > 0 } version and not "null" ? version : null);
            }).ConfigureAwait(false);
        }
        catch (StorageException e) when (e.Fault is StorageFault.Missing)
        {
            return null;
        }
    }

    public override Task<ObjectAnswer> OpenAsync(StoredObject pinned, long offset, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        var request = new GetObjectRequest
        {
            BucketName = bucket,
            Key = pinned.Key,
            VersionId = pinned.Version,
            EtagToMatch = pinned.ETag.Length > 0 ? $"\"{pinned.ETag}\"" : null,
        };

        // For a whole object, the SDK treats a tag that looks like an MD5 as one, which is wrong for some stores; an empty object has no ranges.
        if (pinned.Length > 0) request.ByteRange = new ByteRange(string.Create(CultureInfo.InvariantCulture, $"bytes={offset}-"));
        var answer = await client.GetObjectAsync(request, cancellationToken).ConfigureAwait(false);
        var (start, length) = PartOf(answer.ContentRange) ?? (0, answer.ContentLength);
        return new ObjectAnswer(answer.ResponseStream, Tag(answer.ETag), start, length);
    });

    /// <remarks>The body is sent unchunked, with its hash in the signature: not every store decodes the SDK's chunks.</remarks>
    public override Task<string> PutAsync(string key, Stream content, ObjectCondition? condition, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        var request = new PutObjectRequest { BucketName = bucket, Key = key, InputStream = content, AutoCloseStream = false, UseChunkEncoding = false };
        if (condition is not null && replaces)
        {
            if (condition.ETag is { } tag) request.IfMatch = $"\"{tag}\"";
            else request.IfNoneMatch = "*";
        }
        else if (condition is not null && (await HeadAsync(key, cancellationToken).ConfigureAwait(false))?.ETag != condition.ETag)
        {
            throw new StorageException(StorageFault.Changed, "the object was replaced by another one");
        }

        return Tag((await client.PutObjectAsync(request, cancellationToken).ConfigureAwait(false)).ETag);
    });

    public override Task<string> BeginAsync(string key, CancellationToken cancellationToken) => AskAsync(async () =>
        (await client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = bucket, Key = key },
            cancellationToken).ConfigureAwait(false)).UploadId);

    public override Task<string> PutPartAsync(string key, string upload, int number, Stream content, CancellationToken cancellationToken) =>
        AskAsync(async () =>
        Tag((await client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = bucket,
                Key = key,
                UploadId = upload,
                PartNumber = number,
                InputStream = content,
                PartSize = content.Length,
                UseChunkEncoding = false,
            },
            cancellationToken).ConfigureAwait(false)).ETag));

    public override Task CompleteAsync(string key, string upload, IReadOnlyList<string> parts, CancellationToken cancellationToken) => AskAsync(() =>
        client.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest
            {
                BucketName = bucket,
                Key = key,
                UploadId = upload,
                PartETags = [.. parts.Select((tag, at) => new PartETag(at + 1, $"\"{tag}\""))],
            },
            cancellationToken));

    public override Task AbortAsync(string key, string upload, CancellationToken cancellationToken) => AskAsync(() =>
        client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = upload }, cancellationToken));

    public override Task<IReadOnlyList<(string Key, string Upload)>> UploadsAsync(string prefix, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        var uploads = new List<(string, string)>();
        var request = new ListMultipartUploadsRequest { BucketName = bucket, Prefix = prefix };
        while (true)
        {
            var page = await client.ListMultipartUploadsAsync(request, cancellationToken).ConfigureAwait(false);
            uploads.AddRange((page.MultipartUploads ?? []).Select(upload => (upload.Key, upload.UploadId)));
            if (page.IsTruncated != true) return (IReadOnlyList<(string, string)>)uploads;
            (request.KeyMarker, request.UploadIdMarker) = (page.NextKeyMarker, page.NextUploadIdMarker);
        }
    });

    public override Task DeleteAsync(string key, CancellationToken cancellationToken) => AskAsync(() =>
        client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = bucket, Key = key }, cancellationToken));

    public override void Dispose() => client.Dispose();

    static string Tag(string? tag) => tag?.Trim('"') ?? "";

    /// <summary>The start of a range, and the total length; null when the response is not partial.</summary>
    static (long Start, long Length)? PartOf(string? contentRange) =>
        contentRange?.Split(' ', '-', '/') is ["bytes", var start, _, var length] && long.TryParse(start, CultureInfo.InvariantCulture, out var from)
            && long.TryParse(length, CultureInfo.InvariantCulture, out var all)
            ? (from, all)
            : null;

    static async Task<T> AskAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (e.StatusCode >= HttpStatusCode.MultipleChoices)
        {
            throw Judged(e);
        }
        catch (AmazonClientException e) when (e.InnerException is null)
        {
            throw new StorageException(StorageFault.Unconfigured,
                "the AWS SDK found no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in AWS_PROFILE", e);
        }
        catch (Exception e) when (e is AmazonClientException or AmazonServiceException or IOException or HttpRequestException)
        {
            throw new StorageException(StorageFault.Unavailable, "it cannot be reached", e);
        }
    }

    static StorageException Judged(AmazonServiceException failure)
    {
        var status = (int)failure.StatusCode;
        var said = string.Create(CultureInfo.InvariantCulture, $"it answered {status}{Addresses.Code(failure.ErrorCode)}");
        return (status, failure.ErrorCode) switch
        {
            (412 or 409, _) => new(StorageFault.Changed, said, failure),
            (404, _) => new(StorageFault.Missing, said, failure),
            (401 or 403, _) or (400, "ExpiredToken" or "InvalidToken" or "TokenRefreshRequired") => new(StorageFault.Forbidden, said, failure),
            (301 or 307, _) or (400, "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" or "PermanentRedirect") =>
                new(StorageFault.Unconfigured, $"{said}: the bucket is in another region: name it in AWS_REGION", failure),
            (408 or 429 or (>= 500 and not 501), _) or (400, "RequestTimeout" or "SlowDown") => new(StorageFault.Unavailable, said, failure),
            _ => new(StorageFault.Refused, said, failure),
        };
    }
}
