using System.Runtime.InteropServices;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Settle;

/// <summary>The files that an import writes beside its state: found fit before anything is sent.</summary>
static class Outputs
{
    const int CurrentFolder = -100; // AT_FDCWD
    const uint TypeAndMode = 3; // STATX_TYPE | STATX_MODE
    const int ModeAt = 28; // of statx's answer, which is the same on every machine
    const int KindMask = 0xf000; // S_IFMT
    const int Regular = 0x8000; // S_IFREG
    const int Folder = 0x4000; // S_IFDIR

    /// <summary>The files that are written beside the state.</summary>
    public static IEnumerable<string> All(ImportRequest request) => request.OtherOutputs.Append(request.DeadLetterPath).OfType<string>();

    /// <exception cref="MixpanelException">What would be written is also read, or its folder does not exist.</exception>
    public static void EnsureNoInputs(ImportRequest request, List<InputFile> inputs)
    {
        var reals = new HashSet<string>(StringComparer.Ordinal);
        foreach (var output in All(request))
        {
            var real = InputList.RealPath(output);
            if (!IsSpecial(output) && !reals.Add(real)) throw MixpanelException.Invalid("report", $"{output} is named for the dead letters and for another output: one would overwrite the other. Choose another place for one of them.");
            if (inputs.Exists(input => input.Path == real)) throw MixpanelException.Invalid("input", $"{output} is both an input and an output: it would be overwritten. Choose another place for one of them.");
            if (!Directory.Exists(Path.GetDirectoryName(real))) throw MixpanelException.Invalid(output == request.DeadLetterPath ? "dead_letter" : "report", $"The folder of {output} does not exist.");
        }
    }

    /// <exception cref="ImportStateException">One of them cannot be written.</exception>
    public static void EnsureWritable(ImportRequest request)
    {
        foreach (var output in All(request))
        {
            try
            {
                if (Directory.Exists(output)) throw new IOException("It is a folder.");
                if (!IsSpecial(output)) DeadLetterFile.EnsureWritable(output);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new ImportStateException(ImportStateFault.Unwritable, $"{(output == request.DeadLetterPath ? "The dead-letter file" : "The file")} {output} cannot be written: {e.Message} Nothing was sent.", e);
            }
        }
    }

    /// <summary>Where the dead letters go, for whoever writes them when this run cannot; null when that is no file which stays.</summary>
    public static string? LastingDeadLetters(ImportRequest request) =>
        request.DeadLetterPath is { } path && !IsSpecial(path) ? Path.GetFullPath(path) : null;

    /// <summary>Whether something stands at a path that is no file of bytes and no folder: a pipe, a device. Such a thing is written into, never replaced.</summary>
    public static bool IsSpecial(string path)
    {
        if (path.StartsWith("/dev/", StringComparison.Ordinal)) return true;
        if (!OperatingSystem.IsLinux()) return false;
        var answer = new byte[256];
        return StatX(CurrentFolder, path, flags: 0, TypeAndMode, answer) == 0 && (BitConverter.ToUInt16(answer, ModeAt) & KindMask) is not (Regular or Folder);
    }

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int StatX(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] answer);
}
