using System.Runtime.Versioning;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

/// <summary>Files and folders that other users have prepared, or could.</summary>
[SupportedOSPlatform("linux")]
public sealed class HostileFilesTests : IDisposable
{
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    const UnixFileMode ForAll = (UnixFileMode)0b111_111_111;

    readonly Tool _tool = new();

    public void Dispose() => _tool.Dispose();

    string Bad => _tool.Folder.Write("bad.ndjson", "{}\n");

    [Theory]
    [InlineData("report", "dead")]
    [InlineData("shared/report", "shared/dead")]
    public async Task Nothing_beside_or_in_the_place_of_an_output_is_lost(string report, string dead)
    {
        File.SetUnixFileMode(Directory.CreateDirectory(_tool.Folder.File("shared")).FullName, ForAll);
        var victim = _tool.Folder.Write("victim", "precious");
        foreach (var suffix in (string[])["", ".new", ".tmp", ".1"])
        {
            File.CreateSymbolicLink(_tool.Folder.File(report + suffix), victim);
            if (suffix != "") _tool.Folder.Write(dead + suffix, "notes");
        }

        foreach (var option in (string[][])[["--dry-run"], ["--local", "--data", _tool.Folder.File("data"), "--state", _tool.Folder.File("state")]])
        {
            File.Delete(_tool.Folder.File(dead)); // one run's dead letters are not replaced by another's
            File.CreateSymbolicLink(_tool.Folder.File(dead), _tool.Folder.File("elsewhere"));
            var run = await _tool.RunAsync(["import", Bad, "--report", _tool.Folder.File(report), "--dead-letter", _tool.Folder.File(dead), .. option]);
            Assert.Equal(3, run.Exit);
        }

        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.False(File.Exists(_tool.Folder.File("elsewhere")));
        Assert.All((string[])[".new", ".tmp", ".1"], suffix => Assert.Equal("notes", File.ReadAllText(_tool.Folder.File(dead + suffix))));
        Assert.All((string[])[report, dead],
            name => Assert.Equal(((string?)null, Private), (new FileInfo(_tool.Folder.File(name)).LinkTarget, File.GetUnixFileMode(_tool.Folder.File(name)))));
        Assert.Empty(Directory.EnumerateFiles(_tool.Folder.Path, ".mixpanel-*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("import", "--dry-run")]
    [InlineData("import", "--local")]
    public async Task A_pipe_of_another_user_in_the_place_of_an_output_gets_nothing(string command, string option)
    {
        if (!UnixFiles.TryGiveAway(UnixFiles.MakePipe(_tool.Folder.File("dead")))) return;
        var run = await _tool.RunAsync(command, Bad, "--dead-letter", _tool.Folder.File("dead"), option);
        Assert.Equal(7, run.Exit);
        Assert.Contains("another user", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_folder_that_others_can_write_ends_with_7_before_anything_is_sent()
    {
        var state = Directory.CreateDirectory(_tool.Folder.File("state")).FullName;
        File.SetUnixFileMode(state, ForAll);
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);
        var run = await tool.RunAsync("import", Bad, "--state", state);
        Assert.Equal(7, run.Exit);
        Assert.Contains($"chmod go-w {state}", run.Err, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(state));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_secret_that_another_user_could_exchange_is_refused()
    {
        var path = _tool.WriteSecret("hunter2\n");
        File.CreateSymbolicLink(_tool.Folder.File("link"), path);
        _tool.Environment["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "robot";
        Assert.Equal(0, (await _tool.RunAsync("config", "--secret-file", _tool.Folder.File("link"))).Exit);
        if (!UnixFiles.TryGiveAway(path)) return;
        var run = await _tool.RunAsync("config", "--secret-file", _tool.Folder.File("link"));
        Assert.Equal(2, run.Exit);
        Assert.Contains("another user", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_comes_through_a_pipe_as_soon_as_its_line_is_whole()
    {
        var path = UnixFiles.MakePipe(_tool.Folder.File("pipe"));
        _tool.Environment["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "robot";
        var running = Task.Run(() => _tool.RunAsync("config", "--secret-file", path), TestContext.Current.CancellationToken);
        await using var writer = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0); // stays open
        writer.Write("hunter2\n"u8);
        Assert.Equal(0, (await running).Exit);
    }

    [Theory]
    [InlineData("config --secret-file PIPE")]
    [InlineData("import-events --local --data DATA --strict 1 --properties {} --events @PIPE")]
    [InlineData("import-events --local --data DATA --input @PIPE")]
    [InlineData("serve --local --data DATA --port 0 --keys PIPE")]
    [InlineData("emulator --data DATA --port 0 --faults PIPE")]
    [InlineData("import PIPE --local --data DATA --state STATE")]
    [InlineData("import BAD --local --data DATA --state STATE --report PIPE")]
    [InlineData("import BAD --local --data DATA --state STATE --dead-letter PIPE")]
    public async Task A_pipe_without_another_end_does_not_keep_a_command_from_stopping(string line)
    {
        var pipe = UnixFiles.MakePipe(_tool.Folder.File("pipe"));
        using var stop = new Stop();
        string[] words =
        [
            .. line.Split(' ')
                .Select(word => word.Replace("PIPE", pipe, StringComparison.Ordinal)
                    .Replace("DATA", _tool.Folder.File("data"), StringComparison.Ordinal)
                    .Replace("STATE", _tool.Folder.File("state"), StringComparison.Ordinal)
                    .Replace("BAD", Bad, StringComparison.Ordinal)),
        ];
        var running = Task.Run(() => _tool.RunAsync(stop, words), TestContext.Current.CancellationToken);
        stop.Begin(RunOutcome.Terminated);
        Assert.Equal(143, (await running).Exit);
    }

    [Fact]
    public async Task A_key_is_added_behind_a_line_without_an_end_and_through_no_link()
    {
        var keys = _tool.Folder.Write("keys", "# mine");
        File.SetUnixFileMode(keys, Private);
        foreach (var name in (string[])["one", "two"])
            Assert.Equal(0, (await _tool.RunAsync("serve", "new-key", "--keys", keys, "--name", name, "--scope", "read")).Exit);
        Assert.Equal("# mine|one|two", string.Join('|', File.ReadAllLines(keys).Select(line => line.StartsWith('#') ? line : line.Split(' ')[0])));

        File.CreateSymbolicLink(_tool.Folder.File("link"), _tool.Folder.File("elsewhere"));
        Assert.Equal(2, (await _tool.RunAsync("serve", "new-key", "--keys", _tool.Folder.File("link"), "--name", "x", "--scope", "read")).Exit);
        Assert.False(File.Exists(_tool.Folder.File("elsewhere")));
    }

    [Theory]
    [InlineData("events.ndjson")]
    [InlineData("events.parquet")]
    public async Task An_export_is_private_and_written_through_nothing(string name)
    {
        var data = _tool.Folder.File("data");
        Assert.Equal(0,
            (await _tool.RunAsync("import",
                _tool.Folder.Write("a.ndjson",
                    $$$"""{"event":"e","properties":{"time":{{{_tool.Clock.GetUtcNow().ToUnixTimeSeconds() - 60}}},"distinct_id":"u"}}"""),
                "--local", "--data", data, "--state", _tool.Folder.File("state"))).Exit);
        var victim = _tool.Folder.Write("victim", "precious");
        File.CreateSymbolicLink(_tool.Folder.File($"tmp_{name}"), victim);
        var file = _tool.Folder.File(name);
        Assert.Equal(0, (await _tool.RunAsync("emulator", "export", file, "--data", data)).Exit);
        Assert.Equal(Private, File.GetUnixFileMode(file));
        Assert.NotEqual(0, new FileInfo(file).Length);
        File.CreateSymbolicLink(_tool.Folder.File("link.ndjson"), victim);
        Assert.Equal(2, (await _tool.RunAsync("emulator", "export", _tool.Folder.File("link.ndjson"), "--data", data)).Exit);
        Assert.Equal("precious", File.ReadAllText(victim));
    }
}
