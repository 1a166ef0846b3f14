namespace MixpanelConnector.Import.Settle;

/// <summary>The dead-letter file, written anew from the state: whole and synced, or not at all.</summary>
static class DeadLetterFile
{
    /// <exception cref="IOException">The file cannot be written or synced.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<ReadOnlyMemory<byte>> lines)
    {
        // A device or a descriptor cannot be replaced by a file.
        if (path.StartsWith("/dev/", StringComparison.Ordinal))
        {
            WriteLines(path, FileMode.Open, lines);
            return;
        }

        var whole = Path.GetFullPath(path);
        var draft = whole + ".new";
        File.Delete(draft);
        WriteLines(draft, FileMode.CreateNew, lines);
        File.Move(draft, whole, overwrite: true);
        Durable.SyncFolder(Path.GetDirectoryName(whole)!);
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
