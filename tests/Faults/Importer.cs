using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace MixpanelConnector.Faults;

/// <summary>The result of a process, and its peak resource usage.</summary>
sealed record Ended(int ExitCode, byte[] Output, byte[] Error)
{
    public long MostMemory { get; init; }

    public int MostFiles { get; init; }

    public int MostThreads { get; init; }

    public string Said => Encoding.UTF8.GetString(Error);

    public override string ToString() => $"exit {ExitCode}\n--- standard output\n{Encoding.UTF8.GetString(Output)}\n--- standard error\n{Said}";
}

enum Signal
{
    Hup = 1,
    Int = 2,
    Kill = 9,
    Term = 15,
    Cont = 18,
    Stop = 19,
}

/// <summary>One process of the program under test. Its memory, files and threads are monitored while it runs.</summary>
sealed class Importer : IDisposable
{
    static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(100);

    readonly Process _process;
    readonly Task<byte[]> _output, _error;
    readonly Task _watching;
    readonly Action<long>? _onMemory;
    long _memory;
    int _files, _threads;

    Importer(Process process, Action<long>? onMemory)
    {
        _process = process;
        _onMemory = onMemory;
        process.StandardInput.Close();
        _output = ReadAsync(process.StandardOutput.BaseStream);
        _error = ReadAsync(process.StandardError.BaseStream);
        Exit = process.WaitForExitAsync();
        _watching = WatchAsync();
    }

    public int Id => _process.Id;

    /// <summary>Completes when the process exits.</summary>
    public Task Exit { get; }

    public bool IsRunning => !_process.HasExited;

    public static Importer Start(IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment, Action<long>? onMemory = null) =>
        StartOther(ToolUnderTest.Command[0], [.. ToolUnderTest.Command.Skip(1), .. arguments], environment, onMemory);

    /// <summary>Another program, such as a shell that starts the importer.</summary>
    public static Importer StartOther(string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment,
        Action<long>? onMemory = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MIXPANEL_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new Importer(Process.Start(start)!, onMemory);
    }

    public void Send(Signal signal)
    {
        if (IsRunning) _ = Kill(_process.Id, (int)signal);
    }

    /// <summary>Waits until the process has a given kernel state, such as T for stopped, or has exited.</summary>
    public async Task UntilStateAsync(char state)
    {
        while (IsRunning && StateOf(_process.Id) != state) await Task.Yield();
    }

    public async Task<Ended> EndAsync()
    {
        try
        {
            await Exit.WaitAsync(Hang.Limit);
        }
        catch (TimeoutException e)
        {
            Send(Signal.Kill);
            await Exit;
            throw new TimeoutException($"The process did not end within {Hang.Limit}.\n{Encoding.UTF8.GetString(await _error)}", e);
        }

        await _watching;
        return new Ended(_process.ExitCode, await _output, await _error) { MostMemory = _memory, MostFiles = _files, MostThreads = _threads };
    }

    public void Dispose()
    {
        if (IsRunning) _process.Kill();
        _process.Dispose();
    }

    async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(Glance);
        while (!Exit.IsCompleted)
        {
            try
            {
                foreach (var line in File.ReadLines($"/proc/{_process.Id}/status"))
                {
                    if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                    {
                        var memory = 1024 * long.Parse(line.AsSpan(6, line.Length - 8), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
                            CultureInfo.InvariantCulture);
                        _memory = Math.Max(_memory, memory);
                        _onMemory?.Invoke(memory);
                    }
                    else if (line.StartsWith("Threads:", StringComparison.Ordinal))
                    {
                        _threads = Math.Max(_threads, int.Parse(line.AsSpan(8), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture));
                    }
                }

                _files = Math.Max(_files, Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Length);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return; // it has just ended
            }

            await Task.WhenAny(timer.WaitForNextTickAsync().AsTask(), Exit);
        }
    }

    static char StateOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return ' ';
        }
    }

    static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all);
        return all.ToArray();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Kill(int process, int signal);
}
