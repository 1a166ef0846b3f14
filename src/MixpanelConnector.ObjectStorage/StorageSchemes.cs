using MixpanelConnector.ObjectStorage.Azure;
using MixpanelConnector.ObjectStorage.S3;

namespace MixpanelConnector.ObjectStorage;

/// <summary>
/// Object storage for <see cref="ImportRequest.Storages"/> and <see cref="ExportRequest.Storages"/>. Credentials are resolved according to each vendor's
/// conventions from the environment and its configuration, never from a URL. A vendor's SDK is loaded only when one of its URLs is used.
/// </summary>
public static class StorageSchemes
{
    /// <summary>
    /// Amazon S3 and compatible stores: <c>s3://bucket/key</c>. The endpoint is <c>AWS_ENDPOINT_URL_S3</c> or <c>AWS_ENDPOINT_URL</c>
    /// if one is set, with the bucket in the path. Credentials come from the AWS SDK's chain: environment, profiles with roles
    /// and single sign-on, container, instance.
    /// </summary>
    public static StorageScheme S3 { get; } = new S3Scheme(Environment.GetEnvironmentVariable);

    /// <summary>
    /// Google Cloud Storage: <c>gs://bucket/key</c>, with the HMAC keys in <c>GS_ACCESS_KEY_ID</c>
    /// and <c>GS_SECRET_ACCESS_KEY</c>. The endpoint is <c>GS_ENDPOINT_URL</c> if set.
    /// </summary>
    public static StorageScheme Gs { get; } = new GsScheme(Environment.GetEnvironmentVariable);

    /// <summary>
    /// Azure Blob Storage: <c>az://account/container/key</c>, with <c>AZURE_STORAGE_CONNECTION_STRING</c>, <c>AZURE_STORAGE_KEY</c> or
    /// <c>AZURE_STORAGE_SAS_TOKEN</c>, the first that is set; otherwise with the Azure SDK's chain: environment, workload and managed identity,
    /// and interactive logins.
    /// </summary>
    public static StorageScheme Az { get; } = new AzureScheme(Environment.GetEnvironmentVariable);

    /// <summary>All schemes.</summary>
    public static IReadOnlyList<StorageScheme> All { get; } = [S3, Gs, Az];
}
