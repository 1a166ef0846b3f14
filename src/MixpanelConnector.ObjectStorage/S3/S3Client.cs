using System.Diagnostics.CodeAnalysis;
using Amazon.S3;
using Amazon.SecurityToken;
using Amazon.SSO;
using Amazon.SSOOIDC;

namespace MixpanelConnector.ObjectStorage.S3;

static class S3Client
{
    /// <summary>The client configuration. Requests are sent once: the caller retries, by the same rule for all storage.</summary>
    /// <remarks>
    /// The credential chain finds its clients for roles and single sign-on by name; the attributes preserve them in ahead-of-time compilation.
    /// </remarks>
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSecurityTokenServiceClient))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSecurityTokenServiceConfig))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSSOClient))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSSOConfig))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSSOOIDCClient))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSSOOIDCConfig))]
    public static AmazonS3Config Config() => new() { MaxErrorRetry = 0, ThrottleRetries = false };
}
