using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>The login at a real terminal, because only that echoes input.</summary>
[Trait("tool", "native")]
public sealed class TerminalLoginTests
{
    /// <summary>Starts a program at a terminal and answers prompts, which end with ": "; \x03 is Ctrl+C. Prints output, exit code and echo mode.</summary>
    const string Person = """
        import os, pty, sys, termios
        answers = sys.argv[1].encode().decode('unicode_escape').split('|')
        pid, fd = pty.fork()
        if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
        seen = b''
        while True:
            try: data = os.read(fd, 4096)
            except OSError: break
            if not data: break
            seen += data
            if answers and seen.endswith(b': '):
                answer = answers.pop(0)
                os.write(fd, answer.encode() + (b'' if answer == '\x03' else b'\n'))
        shows = bool(termios.tcgetattr(fd)[3] & termios.ECHO)
        print(seen.decode())
        print('exit', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 'shows', shows)
        """;

    static async Task<string> AnswerAsync(Home home, string answers, params string[] arguments)
    {
        using var python = Run.Start("python3", ["-c", Person, answers, .. ToolUnderTest.Command, .. arguments], home,
            new Dictionary<string, string>(StringComparer.Ordinal) { ["TERM"] = "xterm" });
        var done = await Run.EndAsync(python);
        Assert.True(done.ExitCode == 0, done.ToString());
        return done.Output;
    }

    [Fact]
    public async Task The_secret_is_not_shown_and_the_terminal_is_left_as_it_was()
    {
        using var home = new Home();
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        using var made = Run.StartMixpanel(home,
            ["create-service-account", "--endpoint", mixpanel.Address.AbsoluteUri, "--service-account-username", "local", "--secret-file", "-", "--project-id",
                "1", "--organization-id", "1", "--username", "robot", "--role", "owner", "--projects", """[{"id":1,"role":"owner"}]""", "--secret-out",
                home.File("robot.secret")]);
        await made.StandardInput.WriteLineAsync("local");
        var created = await Run.EndAsync(made);
        Assert.True(created.ExitCode == 0, created.ToString());
        var secret = (await File.ReadAllTextAsync(home.File("robot.secret"), TestContext.Current.CancellationToken)).Trim();

        var shown = await AnswerAsync(home, $"robot|{secret}|1|local", "login", "--endpoint", mixpanel.Address.AbsoluteUri);

        Assert.Contains("exit 0 shows True", shown, StringComparison.Ordinal);
        Assert.Contains("robot", shown, StringComparison.Ordinal); // what is no secret is shown as usual
        Assert.DoesNotContain(secret, shown, StringComparison.Ordinal);
        Assert.Contains(secret, await File.ReadAllTextAsync(home.File("config/mixpanel/profiles.json"), TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        Assert.Equal(0, (await Run.MixpanelAsync(home, ["check"])).ExitCode);
    }

    [Fact]
    public async Task Ctrl_C_at_the_secret_leaves_a_terminal_that_shows_what_is_written()
    {
        using var home = new Home();
        var shown = await AnswerAsync(home, @"robot|\x03", "login", "--endpoint", "http://127.0.0.1:9");
        Assert.Contains("exit 130 shows True", shown, StringComparison.Ordinal);
        Assert.False(File.Exists(home.File("config/mixpanel/profiles.json")));
    }
}
