using System.Globalization;
using MixpanelConnector.Files;

namespace MixpanelConnector.Import.Source;

/// <summary>Tells whether two paths are names of one file: hard links, which .NET cannot see.</summary>
static class FileIdentity
{
    /// <summary>Null for a file with one name only, and where the system does not tell.</summary>
    public static string? Of(string path) => FileStatus.Behind(path) is { Links: > 1, Identity: var (device, inode) } ? string.Create(CultureInfo.InvariantCulture, $"{device}:{inode}") : null;

    /// <summary>Which file has the path now; null when none has. Where the system does not tell, any file is the same.</summary>
    public static (ulong Device, ulong Inode)? Holder(string path) => FileStatus.Behind(path) is { Kind: not FileKind.None } status ? status.Identity ?? default : null;
}
