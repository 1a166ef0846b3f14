using System.Text;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool;

/// <summary>
/// Secrets are read from files that only their owner can read, or from standard input; never from the command line, which every process can see.
/// </summary>
static class Secrets
{
    const int Longest = 4096;

    /// <param name="path">The file, or - for standard input.</param>
    /// <param name="host">The environment of the program.</param>
    /// <param name="field">The option that names the file.</param>
    public static string Read(string path, HostEnvironment host, string field = "secret_file")
    {
        try
        {
            if (path != "-") EnsurePrivate(path, field);
            using var file = path == "-" ? null : GivenFile.Open(path, host.Stopping);
            var text = file is null ? GivenFile.Input(host.TakeInput(field), FirstLine, host.Stopping) : FirstLine(file);
            return text is [] || text.Length > Longest ? throw Configuration.Invalid(field, "The secret must be the first line of the file.") : text;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or PathTooLongException or ArgumentException)
        {
            // The path is not quoted: a user who mistakes the option for the secret itself has passed the secret here.
            throw Configuration.Invalid(field,
                $"The file specified by --{field.Replace('_', '-')} does not exist. It must be the name of a file whose first line is the secret, "
                + $"never the secret itself.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Configuration.Invalid(field, $"The secret cannot be read: {e.Message}");
        }
    }

    static string FirstLine(Stream stream)
    {
        using var reader = new StreamReader(stream);
        var line = new StringBuilder();
        while (line.Length <= Longest && reader.Read() is >= 0 and not '\n' and var character) line.Append((char)character);
        return line.ToString().Trim();
    }

    /// <exception cref="MixpanelException">Other users can read the file, or change its contents.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    public static void EnsurePrivate(string path, string field)
    {
        if (OperatingSystem.IsWindows()) return;
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead
            | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        var mode = File.GetUnixFileMode(path);
        if ((mode & Others) != UnixFileMode.None)
            throw Configuration.Invalid(field, $"{path} contains a secret and can be read by others. Make it private: chmod 600 {path}");
        if (!FileStatus.Behind(path).IsOursOrRoots)
            throw Configuration.Invalid(field,
                $"{path} contains a secret and belongs to another user, who can read and replace it. Take ownership: chown {Environment.UserName} {path}");
    }
}
