using MixpanelConnector.ObjectStorage.Azure;
using MixpanelConnector.ObjectStorage.S3;

namespace MixpanelConnector.ObjectStorage;

/// <summary>
/// Object storage for <see cref="ImportRequest.Storages"/> and <see cref="ExportRequest.Storages"/>. Credentials are found by each vendor's own
/// rules in the environment and in its configuration, and never in an address. Nothing of a vendor's package is loaded before an address is used.
/// </summary>
public static class StorageSchemes
{
    /// <summary>
    /// Amazon S3 and what speaks its language: <c>s3://bucket/key</c>. The endpoint is <c>AWS_ENDPOINT_URL_S3</c> or <c>AWS_ENDPOINT_URL</c>
    /// where one is set, with the bucket in the path; the credentials are those of the chain of the AWS SDK: environment, profiles with roles
    /// and single sign-on, container, instance.
    /// </summary>
    public static StorageScheme S3 { get; } = new S3Scheme(Environment.GetEnvironmentVariable);

    /// <summary>Google Cloud Storage: <c>gs://bucket/key</c>, with the HMAC keys in <c>GS_ACCESS_KEY_ID</c> and <c>GS_SECRET_ACCESS_KEY</c>. The endpoint is <c>GS_ENDPOINT_URL</c> where it is set.</summary>
    public static StorageScheme Gs { get; } = new GsScheme(Environment.GetEnvironmentVariable);

    /// <summary>
    /// Azure Blob Storage: <c>az://account/container/key</c>, with <c>AZURE_STORAGE_CONNECTION_STRING</c>, <c>AZURE_STORAGE_KEY</c> or
    /// <c>AZURE_STORAGE_SAS_TOKEN</c>, the first that is set; else with the chain of the Azure SDK: environment, workload and managed identity,
    /// and whoever is logged in.
    /// </summary>
    public static StorageScheme Az { get; } = new AzureScheme(Environment.GetEnvironmentVariable);

    /// <summary>Every scheme there is.</summary>
    public static IReadOnlyList<StorageScheme> All { get; } = [S3, Gs, Az];
}
