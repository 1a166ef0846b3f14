using MixpanelConnector.Storage;

namespace MixpanelConnector.ObjectStorage;

static class Addresses
{
    /// <summary>Splits a URL into the bucket and the key, without decoding it.</summary>
    /// <exception cref="StorageException">The bucket is missing or invalid.</exception>
    public static (string Bucket, string Key) Part(string scheme, string address)
    {
        if (StorageScheme.Shown(address) != address)
            throw new StorageException(StorageFault.Unconfigured,
                $"it contains credentials, which do not belong in a URL: remove "
                + $"them, and set {(scheme == "az" ? "AZURE_STORAGE_SAS_TOKEN" : scheme == "gs" ? "GS_ACCESS_KEY_ID and GS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")}");
        var rest = address[(scheme.Length + "://".Length)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (bucket, key) = slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
        return bucket.Length > 0 && bucket.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or '$')
            ? (bucket, key)
            : throw new StorageException(StorageFault.Unconfigured, $"it names no bucket: use a URL such as {scheme}://bucket/folder/file.ndjson");
    }

    /// <summary>Parses an endpoint from an environment variable.</summary>
    /// <exception cref="StorageException">It is not an endpoint.</exception>
    public static Uri Endpoint(string variable, string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var endpoint) && (endpoint.Scheme == Uri.UriSchemeHttps || endpoint.Scheme == Uri.UriSchemeHttp)
            && endpoint.UserInfo.Length == 0
            ? endpoint
            : throw new StorageException(StorageFault.Unconfigured, $"{variable} is not the URL of a server, such as https://storage.example.com");

    /// <summary>A server's error code for messages, if it is valid.</summary>
    public static string Code(string? code) => code is { Length: > 0 and <= 64 } && code.All(char.IsAsciiLetterOrDigit) ? " " + code : "";
}
