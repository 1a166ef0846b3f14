using MixpanelConnector.Files;

namespace MixpanelConnector.Import.Undelivered;

/// <summary>Writes the dead-letter file from the state: completely and synced, or not at all.</summary>
static class DeadLetterFile
{
    static readonly ReadOnlyMemory<byte> LineEnd = "\n"u8.ToArray();

    /// <summary>Returns the new path of another file that was there; null for none.</summary>
    /// <exception cref="IOException">The file cannot be written or synced.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The path is a pipe without a reader, and the wait for one was canceled.</exception>
    public static string? Write(string path, IEnumerable<ReadOnlyMemory<byte>> lines, CancellationToken cancellationToken)
    {
        if (OutputFile.IsSpecial(path))
        {
            OutputFile.WriteSpecial(path, lines.SelectMany(line => (ReadOnlyMemory<byte>[])[line, LineEnd]), cancellationToken);
            return null;
        }

        string? kept = null;
        var whole = Path.GetFullPath(path);
        using var file = NewFile.Create(whole);
        foreach (var line in lines)
        {
            file.Content.Write(line.Span);
            file.Content.WriteByte((byte)'\n');
        }

        file.Keep(beforeRename: () =>
        {
            if (FileStatus.Of(whole).Kind is not FileKind.None && !BeginsWith(file.Content, whole)) File.Move(whole, kept = FreeName(whole));
        });
        return kept;
    }

    /// <summary>
    /// Whether an existing file is the beginning of what is now written, and so was written by an
    /// earlier run of this import. Any other file, such as one edited by hand, is kept alongside.
    /// </summary>
    static bool BeginsWith(FileStream whole, string shorter)
    {
        if (FileStatus.Of(shorter).Kind is not FileKind.Regular) return false;
        using var part = File.OpenRead(shorter);
        if (part.Length > whole.Length) return false;
        whole.Position = 0;
        Span<byte> a = new byte[64 << 10], b = new byte[64 << 10];
        for (var left = part.Length; left > 0;)
        {
            var count = (int)Math.Min(left, a.Length);
            part.ReadExactly(a[..count]);
            whole.ReadExactly(b[..count]);
            if (!a[..count].SequenceEqual(b[..count])) return false;
            left -= count;
        }

        return true;
    }

    static string FreeName(string path)
    {
        for (var number = 1; ; number++)
        {
            if (FileStatus.Of($"{path}.{number}").Kind is FileKind.None) return $"{path}.{number}";
        }
    }
}
