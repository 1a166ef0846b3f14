using System.Globalization;
using MixpanelConnector.Files;

namespace MixpanelConnector.Import.Source;

/// <summary>Detects whether two paths are hard links to the same file, which .NET does not support.</summary>
static class FileIdentity
{
    /// <summary>The identity of a file; null for a file with a single name, and where the system does not provide it.</summary>
    public static string? Of(string path) =>
        FileStatus.Behind(path) is { Links: > 1, Identity: var (device, inode) } ? string.Create(CultureInfo.InvariantCulture, $"{device}:{inode}") : null;

    /// <summary>The file currently at the path; null when there is none. Where the system does not provide it, all files are considered the same.</summary>
    public static (ulong Device, ulong Inode)? Holder(string path) =>
        FileStatus.Behind(path) is { Kind: not FileKind.None } status ? status.Identity ?? default : null;
}
