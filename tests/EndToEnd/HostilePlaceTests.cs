using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace MixpanelConnector.EndToEnd;

/// <summary>The environment of a process: limits, runtime switches, streams, arguments. Linux only.</summary>
public sealed class HostilePlaceTests
{
    static readonly Dictionary<string, string> WithoutLocks = new(StringComparer.Ordinal) { ["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1" };

    [Fact]
    public async Task A_folder_is_held_by_one_process_also_where_the_runtime_locks_no_files()
    {
        using var home = new Home();
        using var first = Run.StartMixpanel(home, ["emulator", "--port", "0", "--data", home.File("data")], WithoutLocks);
        await EmulatorProcess.GreetingOfAsync(first);
        File.Delete(home.File("data/server.json"));

        var second = await Run.MixpanelAsync(home, ["emulator", "export", home.File("events.ndjson"), "--data", home.File("data")], WithoutLocks);
        Assert.True(second.ExitCode == 2, second.ToString());
        Assert.Contains("Another process", second.Error, StringComparison.Ordinal);
        await SignalAsync(first, "TERM");
        Assert.Equal(0, (await Run.EndAsync(first)).ExitCode);
    }

    [Fact]
    public async Task It_runs_with_a_small_stack()
    {
        using var home = new Home();
        using var process = Run.Start("prlimit",
            ["--stack=131072", .. ToolUnderTest.Command, "import", Bad(home, 3), "--local", "--data", home.File("data"), "--no-progress"], home);
        var done = await Run.EndAsync(process);
        Assert.True(done.ExitCode == 3, done.ToString());
    }

    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    public async Task It_stops_although_nobody_reads_its_standard_error(string signal, int exit)
    {
        using var home = new Home();
        // Fifty records are listed, each with the full name of its file: far more than fits into the pipe.
        var folder = Directory.CreateDirectory(Path.Combine([home.Path, .. Enumerable.Repeat(new string('x', 200), 17)]));
        var input = Path.Combine(folder.FullName, "bad.ndjson");
        File.Move(Bad(home, 100), input);
        // SIGINT is ignored in a shell's background jobs, and the tests themselves may run in one.
        using var process =
            Run.Start("env", ["--default-signal", .. ToolUnderTest.Command, "import", input, "--dry-run", "--keep-going", "--no-progress"], home);
        Assert.NotNull(await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken));
        await SignalAsync(process, signal);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(exit, process.ExitCode);
    }

    [Theory]
    [InlineData("import <(cat \"$1\") --dry-run", 3)]
    [InlineData("import /dev/stdin --dry-run < <(cat \"$1\")", 3)]
    [InlineData("import \"$(printf 'no\\377.ndjson')\" --dry-run", 2)]
    [InlineData("import \"$1\" --dry-run --report \"$(printf 'no\\377.json')\"", 2)]
    public async Task Words_of_a_shell_are_what_they_are(string command, int exit)
    {
        using var home = new Home();
        string[] program = [.. ToolUnderTest.Command];
        using var shell = Run.Start("bash",
            ["-c", $"cd '{home.Path}'; {string.Join(' ', program.Select(word => $"'{word}'"))} {command} --no-progress --output json", "bash", Bad(home, 2)],
            home);
        var done = await Run.EndAsync(shell);
        Assert.True(done.ExitCode == exit, done.ToString());
        if (exit == 2) Assert.Contains(@"no\\xff.", done.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(home.Path, "no*"));
    }

    static string Bad(Home home, int records) => home.Write("bad.ndjson", new StringBuilder().Insert(0, "{\"event\":\"\"}\n", records).ToString());

    static async Task SignalAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
