using System.Security.Cryptography;
using System.Text;
using MixpanelConnector.Files;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Flags;

/// <summary>The last good definitions of a project on the disk. The file name contains a hash that identifies the project and the address.</summary>
sealed class FlagFile(string folder, MixpanelOptions options)
{
    const int Largest = 20 << 20; // the same limit as for an answer

    readonly string _path = Path.Combine(Path.GetFullPath(folder), $"flags-{Name(options)}.json");

    /// <summary>Returns the stored definitions; null for none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be read, or others could have written it.</exception>
    public byte[]? Read()
    {
        if (!File.Exists(_path)) return null;
        OwnFolder.EnsureUnshared(Path.GetDirectoryName(_path)!);
        return new FileInfo(_path).Length <= Largest ? File.ReadAllBytes(_path) : null;
    }

    /// <summary>Atomically replaces the stored definitions.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission, or others could write it.</exception>
    public void Write(ReadOnlySpan<byte> definitions)
    {
        OwnFolder.Make(Path.GetDirectoryName(_path)!);
        NewFile.Write(_path, definitions);
    }

    static string Name(MixpanelOptions options) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Hosts.BaseAddress(options, Api.Ingestion).AbsoluteUri.TrimEnd('/')}\n{options.Token}\n{options.ProjectId}"))
            .AsSpan(0, 16));
}
