namespace MixpanelConnector.Import.Buffers;

/// <summary>A temporary file for data too large for memory: private to its owner, without a name, and deleted when the process ends, even by a crash.</summary>
static class TemporaryFile
{
    public static string Folder => Path.GetTempPath().TrimEnd(Path.DirectorySeparatorChar);

    /// <exception cref="IOException">It cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be created.</exception>
    public static FileStream Create()
    {
        var path = Path.Combine(Folder, $"mixpanel-{Path.GetRandomFileName()}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            BufferSize = 64 << 10,
            Options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows()) File.Delete(path); // the file exists until it is closed
        return file;
    }
}
