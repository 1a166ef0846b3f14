using System.Runtime.Versioning;
using System.Text;
using MixpanelConnector.Files;
using MixpanelConnector.Testing;
using MixpanelConnector.Tests.Import;

namespace MixpanelConnector.Tests.Files;

[SupportedOSPlatform("linux")]
public sealed class SpecialFileTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    string Pipe(string name) => UnixFiles.MakePipe(_run.Folder.File(name));

    /// <summary>The other end, opened without waiting for this one.</summary>
    static FileStream Writer(string path) => new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);

    [Fact]
    public async Task Opening_and_reading_a_pipe_that_nobody_writes_ends_when_told_to()
    {
        using var stop = new CancellationTokenSource();
        using var file = SpecialFile.OpenToRead(Pipe("in"));
        var reading = Task.Run(() => file.Read(new byte[10], stop.Token), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public void A_pipe_that_nobody_reads_is_opened_and_written_only_until_told_to_stop()
    {
        using var stop = new CancellationTokenSource();
        var path = Pipe("out");
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => SpecialFile.OpenToWrite(path, stop.Token));

        using var reader = Writer(path);
        using var file = SpecialFile.OpenToWrite(path, stop.Token);
        file.Write("short"u8, stop.Token); // what is taken at once goes through
        Assert.ThrowsAny<OperationCanceledException>(() => file.Write(new byte[1 << 20], stop.Token));
    }

    [Fact]
    public async Task An_import_from_a_pipe_reads_it_to_its_end()
    {
        var path = Pipe("events.ndjson");
        var importing = _run.RunAsync(_run.Request(path));
        await File.WriteAllTextAsync(path, ImportRun.Events(3000), TestContext.Current.CancellationToken);
        var report = await importing;
        Assert.Equal((RunOutcome.Complete, 3000), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task An_import_from_a_pipe_that_gives_nothing_more_stops_in_order(int events)
    {
        using var stop = new CancellationTokenSource();
        var path = Pipe("events.ndjson");
        using var writer = Writer(path);
        writer.Write(Encoding.UTF8.GetBytes(ImportRun.Events(events)));
        var importing = _run.RunAsync(_run.Request(path), cancellationToken: stop.Token);
        while (_run.Mixpanel.Stored.Count < events) await Task.Yield(); // what pauses is sent meanwhile
        await stop.CancelAsync();
        var report = await importing;
        Assert.Equal((RunOutcome.Stopped, events),
            (report.Outcome, report.Accepted + report.Pending)); // an answer that was still on its way leaves its record pending
    }

    [Fact]
    public async Task A_pipe_among_the_files_does_not_keep_the_import_from_stopping()
    {
        using var stop = new CancellationTokenSource();
        var importing = _run.RunAsync(_run.Request(_run.Folder.Write("a.ndjson", ImportRun.Events(2)), Pipe("z")),
            cancellationToken: stop.Token); // in a folder it would be left out
        while (_run.Mixpanel.Stored.Count < 2) await Task.Yield();
        await stop.CancelAsync();
        Assert.Equal(RunOutcome.Stopped, (await importing).Outcome);
    }

    [Fact]
    public async Task Dead_letters_go_through_a_pipe_to_its_reader()
    {
        var dead = Pipe("dead");
        var input = _run.Folder.Write("in.ndjson", "{}\n" + ImportRun.Events(1) + "{}\n");
        var importing = _run.RunAsync(_run.Request(input) with { DeadLetterPath = dead });
        var read = await File.ReadAllLinesAsync(dead, TestContext.Current.CancellationToken);
        Assert.Equal(RunOutcome.Rejected, (await importing).Outcome);
        Assert.Equal(2, read.Length);
        Assert.True(File.Exists(dead));
    }

    [Fact]
    public async Task Dead_letters_for_a_pipe_that_nobody_reads_are_given_up_when_the_import_is_stopped()
    {
        using var stop = new CancellationTokenSource();
        var input = _run.Folder.Write("in.ndjson", "{}\n" + ImportRun.Events(1));
        var importing = _run.RunAsync(_run.Request(input) with { DeadLetterPath = Pipe("dead"), Grace = null }, cancellationToken: stop.Token);
        while (_run.Mixpanel.Stored.Count < 1) await Task.Yield();
        await stop.CancelAsync();
        var report = await importing;
        Assert.Equal((RunOutcome.Stopped, null), (report.Outcome, report.DeadLetter));
        Assert.Contains(report.Problems, problem => problem.Contains("No process reads", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_that_is_not_UTF_8_is_told_with_its_bytes_and_refused()
    {
        Directory.CreateDirectory(_run.Folder.File("in/below"));
        _run.Folder.Write("in/a.ndjson", ImportRun.Events(2));
        Assert.Equal(0,
            await ShellAsync(
                """cd "$1"; touch "$(printf 'b\377.ndjson')" "$(printf 'b\376.ndjson')" "$(printf 'below/c\303.ndjson')" "$(printf 'd\377.other')"; mkdir "$(printf 'e\377')" """,
                _run.Folder.File("in")));
        foreach (var (input, refused) in (ValueTuple<string, int>[])[("in", 5), ("in/*.ndjson", 2), ("in/**/*.ndjson", 4), ("in/*/*.ndjson", 2)])
        {
            using var run = new ImportRun();
            var report = await run.RunAsync(run.Request(_run.Folder.File(input)));
            Assert.Equal(RunOutcome.Damaged, report.Outcome);
            Assert.Equal(refused, report.Problems.Count(problem => problem.Contains("not UTF-8", StringComparison.Ordinal)));
            if (input != "in/*/*.ndjson") Assert.Contains(report.Problems, problem => problem.Contains(@"b\xff.ndjson", StringComparison.Ordinal));
            Assert.Equal(input == "in/*/*.ndjson" ? 0 : 2, report.Accepted);
        }
    }

    static async Task<int> ShellAsync(string script, string argument)
    {
        using var shell = System.Diagnostics.Process.Start("bash", ["-c", script, "bash", argument]);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return shell.ExitCode;
    }
}
