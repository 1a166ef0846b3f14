namespace MixpanelConnector.Import.Buffers;

/// <summary>A file for what is too large for memory, in the folder for temporary files: private to its owner, without a name, and gone with the process, however that ends.</summary>
static class TemporaryFile
{
    public static string Folder => Path.GetTempPath().TrimEnd(Path.DirectorySeparatorChar);

    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public static FileStream Create()
    {
        var path = Path.Combine(Folder, $"mixpanel-{Path.GetRandomFileName()}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.Delete, BufferSize = 64 << 10, Options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        if (!OperatingSystem.IsWindows()) File.Delete(path); // it lives on until it is closed
        return file;
    }
}
