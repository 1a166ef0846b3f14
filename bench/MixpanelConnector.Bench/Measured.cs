using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MixpanelConnector.Bench;

/// <summary>The resources that a program used, as the system counts them. Linux only.</summary>
/// <param name="Seconds">The wall time in seconds, including start-up.</param>
/// <param name="CpuSeconds">The CPU time in user and system mode, in seconds.</param>
/// <param name="PeakMegabytes">The peak resident memory, in megabytes of 10^6 bytes.</param>
sealed record Measured(double Seconds, double CpuSeconds, double PeakMegabytes)
{
    static readonly TimeSpan Often = TimeSpan.FromMilliseconds(10);

    /// <summary>Runs a program to completion. Its output is discarded unless it fails.</summary>
    /// <param name="file">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="alsoFine">An exit code other than 0 that is not a failure.</param>
    /// <param name="environment">Environment variables in addition to those of this program.</param>
    public static async Task<Measured> RunAsync(string file, IEnumerable<string> arguments, int alsoFine, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(file, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var before = ChildrenCpu();
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        var exit = process.WaitForExitAsync();
        var peak = 0.0;
        while (!exit.IsCompleted)
        {
            peak = Math.Max(peak, Peak(process.Id));
            await Task.WhenAny(exit, Task.Delay(Often, TimeProvider.System));
        }

        clock.Stop();
        await exit;
        if (process.ExitCode != 0 && process.ExitCode != alsoFine)
            throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await error}{await output}");
        return new(clock.Elapsed.TotalSeconds, ChildrenCpu() - before, peak);
    }

    /// <summary>The peak resident memory that Linux records for a process; 0 if it has ended.</summary>
    static double Peak(int id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024 / 1e6;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>The CPU time of all child processes that have ended and were waited for.</summary>
    static double ChildrenCpu()
    {
        var usage = new long[18]; // struct rusage: two timevals of two longs, and 14 longs
        if (GetResourceUsage(-1, usage) != 0) throw new InvalidOperationException("getrusage failed.");
        return usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6);
    }

    [DllImport("libc", EntryPoint = "getrusage")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int GetResourceUsage(int who, [Out] long[] usage);
}
