using System.Diagnostics.CodeAnalysis;
using Amazon.S3;
using Amazon.SecurityToken;
using Amazon.SSO;
using Amazon.SSOOIDC;

namespace MixpanelConnector.ObjectStorage.S3;

static class S3Client
{
    /// <summary>Requests are sent once: who calls tries again, by one rule for all storage.</summary>
    /// <remarks>The chain of credentials finds what it asks for roles and for single sign-on with by name: compiled ahead of time, that is kept here.</remarks>
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSecurityTokenServiceClient))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSecurityTokenServiceConfig))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSSOClient))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSSOConfig))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSSOOIDCClient))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.PublicConstructors, typeof(AmazonSSOOIDCConfig))]
    public static AmazonS3Config Config() => new() { MaxErrorRetry = 0, ThrottleRetries = false };
}
