namespace MixpanelConnector.EndToEnd;

/// <summary>Help at a real terminal of few columns, which the program cannot be told otherwise.</summary>
[Trait("tool", "native")]
public sealed class NarrowTerminalTests
{
    /// <summary>Runs a program at a terminal of a width, and prints how it ended and how much it wrote.</summary>
    const string AtWidth = """
        import fcntl, os, pty, struct, sys, termios
        pid, fd = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
            os.execvp(sys.argv[2], sys.argv[2:])
        written = 0
        while written < 1000000:
            try: data = os.read(fd, 65536)
            except OSError: break
            if not data: break
            written += len(data)
        if written >= 1000000: os.kill(pid, 9)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), written > 5000)
        """;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(19)]
    public async Task Help_is_complete_and_ends(int columns)
    {
        using var home = new Home();
        using var python = Run.Start("python3",
            ["-c", AtWidth, columns.ToString(System.Globalization.CultureInfo.InvariantCulture), .. ToolUnderTest.Command, "import", "--help"], home,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["TERM"] = "xterm" });
        var done = await Run.EndAsync(python);

        Assert.True(done is { ExitCode: 0, Output: "0 True\n" }, done.ToString());
    }
}
