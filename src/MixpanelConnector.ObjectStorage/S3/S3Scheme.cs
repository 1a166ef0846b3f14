using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.S3;
using MixpanelConnector.Storage;

namespace MixpanelConnector.ObjectStorage.S3;

sealed class S3Scheme(Func<string, string?> environment) : StorageScheme("s3")
{
    static readonly string[] EndpointVariables = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];

    internal override (ObjectStore Store, string Key) Open(string address)
    {
        var (bucket, key) = Addresses.Part(Name, address);
        return (Clients.Store(bucket, environment), key);
    }

    /// <summary>A separate class, so that the SDK is loaded only when it is used.</summary>
    static class Clients
    {
        public static S3Store Store(string bucket, Func<string, string?> environment)
        {
            var config = S3Client.Config();
            var variable = EndpointVariables.FirstOrDefault(name => environment(name) is { Length: > 0 });
            var region = environment("AWS_REGION") ?? environment("AWS_DEFAULT_REGION");
            if (variable is not null)
            {
                config.ServiceURL = Addresses.Endpoint(variable, environment(variable)!).AbsoluteUri;
                config.ForcePathStyle = true;
                config.AuthenticationRegion = region ?? RegionEndpoint.USEast1.SystemName;
            }
            else if (region is not null)
            {
                config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
            }
            else if (config.RegionEndpoint is null && string.IsNullOrEmpty(config.ServiceURL))
            {
                config.RegionEndpoint = RegionEndpoint.USEast1;
            }

            return new S3Store($"s3://{bucket}/", bucket,
                SingleSignOn(environment) is { } credentials ? new AmazonS3Client(credentials, config) : new AmazonS3Client(config), replaces: true);
        }

        /// <summary>
        /// The credentials of a single sign-on profile. The chain skips these, since they may need to prompt; a user who is logged in is not prompted.
        /// </summary>
        static AWSCredentials? SingleSignOn(Func<string, string?> environment)
        {
            var name = environment("AWS_PROFILE") is { Length: > 0 } profile ? profile : "default";
            var profiles = new CredentialProfileStoreChain();
            return environment("AWS_ACCESS_KEY_ID") is null or "" && profiles.TryGetProfile(name, out var found)
                && (found.Options.SsoSession ?? found.Options.SsoStartUrl) is not null && profiles.TryGetAWSCredentials(name, out var credentials)
                ? credentials
                : null;
        }
    }
}
