namespace MixpanelConnector.Files;

/// <summary>Writes a file that the user has specified: replaces it completely, unless it is a pipe or a device, which is written to.</summary>
static class OutputFile
{
    /// <summary>Whether the path is a pipe or a device, where written data does not persist.</summary>
    public static bool IsSpecial(string path) =>
        path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal) || SpecialFile.IsAt(path);

    /// <summary>Checks whether the file can be written; leaves no trace.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public static void EnsureWritable(string path)
    {
        if (Directory.Exists(path)) throw new IOException("It is a folder.");
        if (IsSpecial(path))
        {
            EnsureNotPlanted(path);
            return;
        }

        path = Path.GetFullPath(path);
        var there = FileStatus.Of(path);
        if (there.Kind is FileKind.Regular) new FileStream(path, FileMode.Open, FileAccess.Write).Dispose(); // a write-protected file is not replaced
        if (there.Kind is not FileKind.None && !there.IsOurs && !OperatingSystem.IsWindows()
            && FileStatus.Behind(Path.GetDirectoryName(path)!) is { IsOurs: false, Mode: var folder } && (folder & UnixFileMode.StickyBit) != UnixFileMode.None
            && !Environment.IsPrivilegedProcess)
            throw new NotOursException("It belongs to another user, and cannot be replaced in a shared folder.");
        using var probe = NewFile.Create(path);
    }

    /// <summary>Writes to a pipe or a device.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="OperationCanceledException">It accepts no more data, and the wait was canceled.</exception>
    public static void WriteSpecial(string path, IEnumerable<ReadOnlyMemory<byte>> parts, CancellationToken cancellationToken)
    {
        EnsureNotPlanted(path);
        if (!SpecialFile.IsAt(path))
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
            foreach (var part in parts) file.Write(part.Span);
            file.Flush();
            return;
        }

        using var special = SpecialFile.OpenToWrite(path, cancellationToken);
        foreach (var part in parts) special.Write(part.Span, cancellationToken);
    }

    /// <summary>Writes a file, and replaces an existing one.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    /// <exception cref="OperationCanceledException">It accepts no more data, and the wait was canceled.</exception>
    public static void Write(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (IsSpecial(path)) WriteSpecial(path, [bytes], cancellationToken);
        else NewFile.Write(path, bytes.Span);
    }

    /// <summary>A pipe that another user placed where a file was expected would leak the data.</summary>
    static void EnsureNotPlanted(string path)
    {
        if (path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal)) return;
        if (!FileStatus.Behind(path).IsOursOrRoots || !FileStatus.Of(path).IsOursOrRoots) throw new NotOursException("It is another user's pipe or device.");
    }
}
