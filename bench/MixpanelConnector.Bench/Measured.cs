using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace MixpanelConnector.Bench;

/// <summary>What a program took, as the system counts it. Linux only.</summary>
/// <param name="Seconds">On the wall clock, start-up included.</param>
/// <param name="CpuSeconds">In user and system mode.</param>
/// <param name="PeakMegabytes">The most memory it had resident, of 10^6 bytes.</param>
sealed record Measured(double Seconds, double CpuSeconds, double PeakMegabytes)
{
    static readonly TimeSpan Often = TimeSpan.FromMilliseconds(10);

    /// <summary>Runs a program to its end. Its output is dropped unless it fails.</summary>
    /// <param name="file">The program.</param>
    /// <param name="arguments">What it is given.</param>
    /// <param name="alsoFine">An exit code besides 0 that is no failure.</param>
    /// <param name="environment">Variables that it gets besides those of this program.</param>
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
        if (process.ExitCode != 0 && process.ExitCode != alsoFine) throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await error}{await output}");
        return new(clock.Elapsed.TotalSeconds, ChildrenCpu() - before, peak);
    }

    /// <summary>The high-water mark that Linux keeps for a process; 0 when it has ended.</summary>
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

    /// <summary>The CPU time of all children that have ended and were waited for.</summary>
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
