using System.Security.Cryptography;
using System.Text;
using MixpanelConnector.Files;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Flags;

/// <summary>The last good definitions of a project on the disk. Its name says of which project and address they are, by a hash.</summary>
sealed class FlagFile(string folder, MixpanelOptions options)
{
    const int Largest = 20 << 20; // as an answer

    readonly string _path = Path.Combine(Path.GetFullPath(folder), $"flags-{Name(options)}.json");

    /// <summary>What is there; null for nothing.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be read, or others could have written it.</exception>
    public byte[]? Read()
    {
        if (!File.Exists(_path)) return null;
        OwnFolder.EnsureUnshared(Path.GetDirectoryName(_path)!);
        return new FileInfo(_path).Length <= Largest ? File.ReadAllBytes(_path) : null;
    }

    /// <summary>Puts others in place of what is there, whole or not at all.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no leave, or others could write it.</exception>
    public void Write(ReadOnlySpan<byte> definitions)
    {
        OwnFolder.Make(Path.GetDirectoryName(_path)!);
        NewFile.Write(_path, definitions);
    }

    static string Name(MixpanelOptions options) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Hosts.BaseAddress(options, Api.Ingestion).AbsoluteUri.TrimEnd('/')}\n{options.Token}\n{options.ProjectId}")).AsSpan(0, 16));
}
