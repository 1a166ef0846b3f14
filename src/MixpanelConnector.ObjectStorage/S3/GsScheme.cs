using Amazon.Runtime;
using Amazon.S3;
using MixpanelConnector.Storage;

namespace MixpanelConnector.ObjectStorage.S3;

/// <summary>Google Cloud Storage, through its S3-compatible API.</summary>
sealed class GsScheme(Func<string, string?> environment) : StorageScheme("gs")
{
    internal override (ObjectStore Store, string Key) Open(string address)
    {
        var (bucket, key) = Addresses.Part(Name, address);
        if (environment("GS_ACCESS_KEY_ID") is not { Length: > 0 } id || environment("GS_SECRET_ACCESS_KEY") is not { Length: > 0 } secret)
            throw new StorageException(StorageFault.Unconfigured,
                "the HMAC keys of Google Cloud Storage are missing: set GS_ACCESS_KEY_ID and GS_SECRET_ACCESS_KEY");
        var endpoint = environment("GS_ENDPOINT_URL") is { Length: > 0 } named
            ? Addresses.Endpoint("GS_ENDPOINT_URL", named)
            : new Uri("https://storage.googleapis.com");
        return (Clients.Store(bucket, endpoint, id, secret), key);
    }

    static class Clients
    {
        public static S3Store Store(string bucket, Uri endpoint, string id, string secret)
        {
            var config = S3Client.Config();
            config.ServiceURL = endpoint.AbsoluteUri;
            config.ForcePathStyle = true;
            config.AuthenticationRegion = "auto";

            // Google's server supports neither the checksums nor the chunked encoding of later S3 versions: requests are signed with the hash of the body.
            config.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED;
            config.ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED;
            return new S3Store($"gs://{bucket}/", bucket, new AmazonS3Client(new BasicAWSCredentials(id, secret), config), replaces: false);
        }
    }
}
