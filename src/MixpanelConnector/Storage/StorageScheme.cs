using MixpanelConnector.Storage;

namespace MixpanelConnector;

/// <summary>
/// A scheme of object storage addresses, such as <c>s3://</c>, that imports read from and exports write to. The package MixpanelConnector.ObjectStorage
/// provides some.
/// </summary>
public abstract class StorageScheme
{
    private protected StorageScheme(string name) => Name = name;

    /// <summary>The prefix of its addresses, such as <c>s3</c>.</summary>
    public string Name { get; }

    /// <summary>The scheme's name.</summary>
    public override string ToString() => Name;

    /// <summary>Splits an address into the bucket and the key in it.</summary>
    /// <exception cref="StorageException">It is not an address of a bucket, or a setting for it is missing.</exception>
    internal abstract (ObjectStore Store, string Key) Open(string address);

    /// <summary>Returns an address for a message, without any credentials that somebody put into it.</summary>
    internal static string Shown(string address)
    {
        var rest = address[(address.IndexOf("://", StringComparison.Ordinal) + "://".Length)..];
        var scheme = address[..^rest.Length];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var isSecret = (slash < 0 ? rest : rest[..slash]).AsSpan().IndexOfAny(':', '@') >= 0;
        if (isSecret) return rest.LastIndexOf('@') is var at and >= 0 ? $"{scheme}…{rest[at..]}" : $"{scheme}…";
        return HasSignature(rest) ? $"{scheme}{rest[..rest.IndexOf('?', StringComparison.Ordinal)]}?…" : address;
    }

    /// <summary>Whether an address ends with a signature, like a presigned URL.</summary>
    internal static bool HasSignature(string address) =>
        address.IndexOf('?', StringComparison.Ordinal) is var query and >= 0
        && address[query..]
            .Split('?', '&')
            .Any(part => part.StartsWith("sig=", StringComparison.OrdinalIgnoreCase) || part.StartsWith("X-Amz-", StringComparison.OrdinalIgnoreCase)
                || part.StartsWith("X-Goog-", StringComparison.OrdinalIgnoreCase) || part.StartsWith("AWSAccessKeyId=", StringComparison.OrdinalIgnoreCase));

    internal bool Holds(string address) => address.StartsWith($"{Name}://", StringComparison.Ordinal);
}
