namespace MixpanelConnector.Tool.Surfaces.Cli;

static class Program
{
    // Not async: the state machine of Main would be compiled at each start.
    public static int Main(string[] args)
    {
        ThreadStacks.AreLargeEnough();
        NativeMemory.ComesFromTheSystem();
        using var stop = new Stop();
        var host = HostEnvironment.OfThisProcess(stop.Token) with { CommandLineFault = UnknownWord.Misread(args) };
        try
        {
            return Task.Run(() => CommandLine.RunAsync(args, host,
                stop)).GetAwaiter().GetResult(); // the stack of the main thread is only as large as the caller's limits allow
        }
        catch (Exception e) when (CommandLine.IsMissingPart(e))
        {
            host.Error.WriteLine(Cause(e) is OutOfMemoryException
                ? "mixpanel: this process has reached its limit of memory, threads or files. Raise it (ulimit -a), and run the same command again."
                : $"mixpanel: a part of the program could not be loaded: {Cause(e).Message.ReplaceLineEndings(" ").Trim()} Each part takes a file "
                    + $"descriptor: allow at least 256 (ulimit -n), or reinstall the program with all files in its archive.");
            return ExitCode.DiskFailed;
        }
    }

    /// <summary>The innermost exception, which names the missing part.</summary>
    static Exception Cause(Exception e) => e.InnerException is { } inner ? Cause(inner) : e;
}
