using System.CommandLine;
using System.Text;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The file that <c>--report</c> names: tried before anything is sent, and written at the end.</summary>
static class ReportFile
{
    public static Option<string> NewOption() => new("--report") { Description = "Write the report as JSON.", HelpName = "FILE" };

    /// <summary>Finds out whether it can be written: what takes hours is not to end without its report.</summary>
    /// <param name="path">Where; null for nowhere.</param>
    /// <param name="target">The folder whose files the command writes itself.</param>
    /// <param name="host">Where it is said that it cannot be written.</param>
    /// <exception cref="MixpanelException">It lies in that folder, or in none.</exception>
    /// <returns>Whether it can; if not, why was said.</returns>
    public static bool IsWritable(string? path, string target, HostEnvironment host)
    {
        if (path is null) return true;
        if (!OutputFile.IsSpecial(path))
        {
            if (LiesIn(path, target)) throw Configuration.Invalid("report", $"{path} lies among the files of {target}, which are the command's alone. Choose another place for the report.");
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))) throw Configuration.Invalid("report", $"The folder of {path} does not exist.");
        }

        try
        {
            OutputFile.EnsureWritable(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            host.Error.WriteLine($"mixpanel: the report {Printer.Clean(path)} cannot be written: {Printer.Clean(e.Message)} Nothing was asked for.");
            return false;
        }
    }

    /// <summary>Writes a report where one was asked for.</summary>
    /// <param name="path">Where; null for nowhere.</param>
    /// <param name="json">The report.</param>
    /// <param name="outcome">How what it tells of ended.</param>
    /// <param name="host">Where it is said that it cannot be written.</param>
    /// <param name="stop">What ends the waiting for whoever reads it.</param>
    /// <param name="isTold">Whether it was said already that it cannot be written.</param>
    /// <returns>How all of it ended.</returns>
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
            host.Error.WriteLine($"mixpanel: nobody reads {Printer.Clean(path)}: the report was not written there.");
            return outcome is RunOutcome.Complete or RunOutcome.Rejected ? stop.OutcomeOf(RunOutcome.Stopped) : outcome;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!isTold) host.Error.WriteLine($"mixpanel: the report {Printer.Clean(path)} cannot be written: {Printer.Clean(e.Message)}");
            return RunOutcome.DiskFailed;
        }
    }

    /// <summary>Whether it lies in a folder or below it, by whatever links it is named.</summary>
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

    static bool IsBelow(string path, string folder) => path.StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
