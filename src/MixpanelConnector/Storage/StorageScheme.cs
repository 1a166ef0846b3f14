using MixpanelConnector.Storage;

namespace MixpanelConnector;

/// <summary>Addresses of object storage, such as those that begin with <c>s3://</c>, that imports read from and exports write to. The package MixpanelConnector.ObjectStorage holds some.</summary>
public abstract class StorageScheme
{
    private protected StorageScheme(string name) => Name = name;

    /// <summary>What its addresses begin with, such as <c>s3</c>.</summary>
    public string Name { get; }

    /// <summary>The scheme's name.</summary>
    public override string ToString() => Name;

    /// <summary>Parts an address into the bucket that it leads to and the key within.</summary>
    /// <exception cref="StorageException">It is no address of a bucket, or a setting for it is missing.</exception>
    internal abstract (ObjectStore Store, string Key) Open(string address);

    internal bool Holds(string address) => address.StartsWith($"{Name}://", StringComparison.Ordinal);
}
