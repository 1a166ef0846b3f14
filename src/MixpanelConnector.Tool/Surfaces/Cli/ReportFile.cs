using System.CommandLine;
using System.Text;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The file of <c>--report</c>: checked before anything is sent, and written at the end.</summary>
static class ReportFile
{
    public static Option<string> NewOption() => new("--report") { Description = "Write the report as JSON.", HelpName = "FILE" };

    /// <summary>Checks whether it can be written, so that a run of hours does not end without its report.</summary>
    /// <param name="path">The file; null for none.</param>
    /// <param name="target">The folder in which the command writes its own files.</param>
    /// <param name="host">The environment of the program, for the error message.</param>
    /// <exception cref="MixpanelException">The file is in that folder, or its folder does not exist.</exception>
    /// <returns>Whether it can be written; if not, an error was printed.</returns>
    public static bool IsWritable(string? path, string target, HostEnvironment host)
    {
        if (path is null) return true;
        if (!OutputFile.IsSpecial(path))
        {
            if (LiesIn(path, target))
                throw Configuration.Invalid("report", $"{path} is in {target}, whose files belong to the command. Choose another path for the report.");
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
                throw Configuration.Invalid("report", $"The folder of {path} does not exist.");
        }

        try
        {
            OutputFile.EnsureWritable(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"mixpanel: the report {Printer.Clean(path)} cannot be written: {Printer.Clean(e.Message)} Nothing was requested.");
            return false;
        }
    }

    /// <summary>Writes the report, if one was requested.</summary>
    /// <param name="path">The file; null for none.</param>
    /// <param name="json">The report.</param>
    /// <param name="outcome">The outcome of the reported run.</param>
    /// <param name="host">The environment of the program, for error messages.</param>
    /// <param name="stop">The signal that may have stopped the wait for a reader.</param>
    /// <param name="isTold">Whether it was already reported that the file cannot be written.</param>
    /// <returns>The overall outcome.</returns>
    public static RunOutcome Write(string? path, string json, RunOutcome outcome, HostEnvironment host, Stop stop, bool isTold = false)
    {
        if (path is null) return outcome;
        try
        {
            OutputFile.Write(path, Encoding.UTF8.GetBytes(json + "\n"), host.Stopping);
            return outcome;
        }
        catch (OperationCanceledException) when (host.Stopping.IsCancellationRequested)
        {
            host.Error.WriteLine($"mixpanel: {Printer.Clean(path)} has no reader: the report was not written there.");
            return outcome is RunOutcome.Complete or RunOutcome.Rejected ? stop.OutcomeOf(RunOutcome.Stopped) : outcome;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!isTold) host.Error.WriteLine($"mixpanel: the report {Printer.Clean(path)} cannot be written: {Printer.Clean(e.Message)}");
            return RunOutcome.DiskFailed;
        }
    }

    /// <summary>Whether a file is in a folder or below it, with symlinks resolved.</summary>
    static bool LiesIn(string file, string folder)
    {
        if (FileStatus.Behind(folder).Identity is not { } identity) return IsBelow(Path.GetFullPath(file), Path.GetFullPath(folder));
        var info = new FileInfo(file);
        return Holds(file) || (info.LinkTarget is not null && info.ResolveLinkTarget(returnFinalTarget: true) is { } linked && Holds(linked.FullName));

        bool Holds(string path)
        {
            for (var above = Path.GetDirectoryName(Path.GetFullPath(path)); above is not null; above = Path.GetDirectoryName(above))
                if (FileStatus.Behind(above).Identity == identity) return true;
            return false;
        }
    }

    static bool IsBelow(string path, string folder) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
