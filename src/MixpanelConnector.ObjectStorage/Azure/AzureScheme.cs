using Azure.Core;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using MixpanelConnector.Storage;

namespace MixpanelConnector.ObjectStorage.Azure;

sealed class AzureScheme(Func<string, string?> environment) : StorageScheme("az")
{
    internal override (ObjectStore Store, string Key) Open(string address)
    {
        var (account, rest) = Addresses.Part(Name, address);
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (container, key) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
        if (container.Length == 0 || !container.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '$')
            || !account.All(char.IsAsciiLetterOrDigit))
            throw new StorageException(StorageFault.Unconfigured, "it names no container: use a URL such as az://account/container/folder/file.ndjson");
        return (new AzureStore($"az://{account}/{container}/", Clients.Of(account, environment).GetBlobContainerClient(container)), key);
    }

    /// <summary>A separate class, so that the SDK is loaded only when it is used.</summary>
    static class Clients
    {
        public static BlobServiceClient Of(string account, Func<string, string?> environment)
        {
            // Requests are sent once: the caller retries, by the same rule for all storage.
            var options = new BlobClientOptions { Retry = { MaxRetries = 0 }, Diagnostics = { IsLoggingEnabled = false, IsDistributedTracingEnabled = false } };
            var endpoint = new Uri($"https://{account}.blob.core.windows.net");
            try
            {
                if (Set("AZURE_STORAGE_CONNECTION_STRING") is { } connection)
                {
                    var client = new BlobServiceClient(connection, options);
                    return client.AccountName.Length == 0 || client.AccountName == account
                        ? client
                        : throw new StorageException(StorageFault.Unconfigured, "AZURE_STORAGE_CONNECTION_STRING is for another account than the URL");
                }

                if (Set("AZURE_STORAGE_KEY") is { } key) return new BlobServiceClient(endpoint, new StorageSharedKeyCredential(account, key), options);
                if (Set("AZURE_STORAGE_SAS_TOKEN") is { } token)
                    return new BlobServiceClient(new UriBuilder(endpoint) { Query = token.TrimStart('?') }.Uri, options);
            }
            catch (Exception e) when (e is FormatException or ArgumentException or UriFormatException)
            {
                throw new StorageException(StorageFault.Unconfigured,
                    "the credentials in AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN have an invalid format", e);
            }

            return new BlobServiceClient(endpoint, (TokenCredential)new DefaultAzureCredential(), options);

            string? Set(string variable) => environment(variable) is { Length: > 0 } value ? value : null;
        }
    }
}
