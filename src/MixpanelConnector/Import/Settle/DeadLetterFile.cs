namespace MixpanelConnector.Import.Settle;

/// <summary>The dead-letter file, written anew from the state: whole and synced, or not at all.</summary>
static class DeadLetterFile
{
    /// <summary>How the name of the file ends before it is whole.</summary>
    public const string Draft = ".new";

    /// <exception cref="IOException">The file cannot be written or synced.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<ReadOnlyMemory<byte>> lines)
    {
        if (Outputs.IsSpecial(path))
        {
            WriteLines(path, FileMode.Open, lines);
            return;
        }

        var whole = Path.GetFullPath(path);
        var draft = whole + Draft;
        File.Delete(draft);
        try
        {
            WriteLines(draft, FileMode.CreateNew, lines);
            if (File.Exists(whole) && !BeginsWith(draft, whole)) File.Move(whole, FreeName(whole));
            File.Move(draft, whole, overwrite: true);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }

        Durable.SyncFolder(Path.GetDirectoryName(whole)!);
    }

    /// <summary>Finds out before anything is sent whether the file can be written; leaves no trace.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot.</exception>
    public static void EnsureWritable(string path)
    {
        if (File.Exists(path)) Durable.OpenOwned(path, FileMode.Open).Dispose();
        var draft = Path.GetFullPath(path) + Draft;
        Durable.OpenOwned(draft, FileMode.Create).Dispose();
        File.Delete(draft);
    }

    /// <summary>Whether a file is what an earlier run of this import wrote: the beginning of what is written now. Any other file, such as one that was mended by hand, is kept beside it.</summary>
    static bool BeginsWith(string longer, string shorter)
    {
        using var whole = File.OpenRead(longer);
        using var part = File.OpenRead(shorter);
        if (part.Length > whole.Length) return false;
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
            if (!File.Exists($"{path}.{number}")) return $"{path}.{number}";
        }
    }

    static void WriteLines(string path, FileMode mode, IEnumerable<ReadOnlyMemory<byte>> lines)
    {
        using var file = Durable.OpenOwned(path, mode);
        foreach (var line in lines)
        {
            file.Write(line.Span);
            file.WriteByte((byte)'\n');
        }

        file.Flush();
        if (mode is FileMode.CreateNew) Durable.Sync(file);
    }
}
