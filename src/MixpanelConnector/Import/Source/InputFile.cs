namespace MixpanelConnector.Import.Source;

/// <summary>One input after globs and folders were followed.</summary>
/// <param name="Name">As the caller gave or found it; for messages and dead letters.</param>
/// <param name="Id">Names the source in ids and in the checkpoint, wherever its folder may lie.</param>
/// <param name="Path">Where it lies; null for a stream.</param>
sealed record InputFile(string Name, string Id, string? Path)
{
    /// <summary>The stream, when it is not a file.</summary>
    public Stream? Stream { get; init; }

    /// <summary>Bytes on the disk; null for a stream.</summary>
    public long? Length { get; init; }

    public ByteSource Open() => Path is null ? new StreamByteSource(Stream!) : new FileByteSource(Path);
}
