using System.CommandLine;
using System.Text;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The file that <c>--report</c> names: tried before anything is sent, and written at the end.</summary>
sealed class ReportFile
{
    readonly string _path;
    readonly HostEnvironment _host;

    ReportFile(string path, HostEnvironment host) => (_path, _host) = (path, host);

    public static Option<string> NewOption() => new("--report") { Description = "Write the report as JSON.", HelpName = "FILE" };

    /// <summary>The file; null where none was asked for.</summary>
    public static ReportFile? Of(string? path, HostEnvironment host) => path is null ? null : new(path, host);

    /// <summary>Finds out whether it can be written: what takes hours is not to end without its report.</summary>
    /// <exception cref="MixpanelException">It lies in a folder whose files the command writes itself, or in none.</exception>
    /// <returns>Whether it can; if not, why was said.</returns>
    public bool IsWritable(string target)
    {
        if (!OutputFile.IsSpecial(_path))
        {
            if (LiesIn(target)) throw Configuration.Invalid("report", $"{_path} lies among the files of {target}, which are the command's alone. Choose another place for the report.");
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(_path)))) throw Configuration.Invalid("report", $"The folder of {_path} does not exist.");
        }

        try
        {
            OutputFile.EnsureWritable(_path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _host.Error.WriteLine($"mixpanel: the report {Printer.Clean(_path)} cannot be written: {Printer.Clean(e.Message)} Nothing was asked for.");
            return false;
        }
    }

    /// <summary>Writes it.</summary>
    /// <param name="json">The report.</param>
    /// <param name="isTold">Whether it was said already that it cannot be written.</param>
    /// <returns>What became of it.</returns>
    public ReportOutcome Write(string json, bool isTold = false)
    {
        try
        {
            OutputFile.Write(_path, Encoding.UTF8.GetBytes(json + "\n"), _host.Stopping);
            return ReportOutcome.Written;
        }
        catch (OperationCanceledException) when (_host.Stopping.IsCancellationRequested)
        {
            _host.Error.WriteLine($"mixpanel: nobody reads {Printer.Clean(_path)}: the report was not written there.");
            return ReportOutcome.NotRead;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!isTold) _host.Error.WriteLine($"mixpanel: the report {Printer.Clean(_path)} cannot be written: {Printer.Clean(e.Message)}");
            return ReportOutcome.Failed;
        }
    }

    /// <summary>Whether it lies in a folder or below it, by whatever links it is named.</summary>
    bool LiesIn(string folder)
    {
        if (FileStatus.Behind(folder).Identity is not { } identity) return IsBelow(Path.GetFullPath(_path), Path.GetFullPath(folder));
        var file = new FileInfo(_path);
        return Holds(_path) || (file.LinkTarget is not null && file.ResolveLinkTarget(returnFinalTarget: true) is { } linked && Holds(linked.FullName));

        bool Holds(string path)
        {
            for (var above = Path.GetDirectoryName(Path.GetFullPath(path)); above is not null; above = Path.GetDirectoryName(above))
                if (FileStatus.Behind(above).Identity == identity) return true;
            return false;
        }
    }

    static bool IsBelow(string path, string folder) => path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

/// <summary>What became of a report.</summary>
enum ReportOutcome
{
    Written,

    /// <summary>It is a pipe that nobody read until the command was stopped.</summary>
    NotRead,
    Failed,
}
