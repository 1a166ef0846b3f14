using Amazon.Runtime;
using Amazon.S3;
using MixpanelConnector.ObjectStorage.S3;
using MixpanelConnector.Storage;
using MixpanelConnector.Testing;

namespace MixpanelConnector.ObjectStorage.Tests;

/// <summary>A bucket as the library sees it.</summary>
static class BucketStores
{
    extension(Bucket bucket)
    {
        public StorageScheme Scheme => new BucketScheme(bucket);

        public S3Store Store() =>
            new("s3://b/", "b",
                new AmazonS3Client(new BasicAWSCredentials("id", "canary-secret"),
                    new AmazonS3Config
                    {
                        ServiceURL = bucket.Url,
                        ForcePathStyle = true,
                        AuthenticationRegion = "us-east-1",
                        MaxErrorRetry = 0,
                        ThrottleRetries = false,
                    }),
                replaces: true);
    }

    sealed class BucketScheme(Bucket bucket) : StorageScheme("s3")
    {
        internal override (ObjectStore Store, string Key) Open(string address)
        {
            var (_, key) = Addresses.Part("s3", address);
            return (bucket.Store(), key);
        }
    }
}
