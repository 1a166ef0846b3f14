using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>Inputs that are not regular files, and files with unusual paths.</summary>
public sealed class FilesTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    [DllImport("libc", EntryPoint = "mkfifo")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int MakeFifo([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);

    [DllImport("libc", EntryPoint = "link")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int HardLink([MarshalAs(UnmanagedType.LPUTF8Str)] string from, [MarshalAs(UnmanagedType.LPUTF8Str)] string to);

    string Write(string name, params int[] numbers)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_run.Folder.File(name))!);
        return _run.Folder.Write(name, string.Concat(numbers.Select(i => Event(i) + "\n")));
    }

    // :: No regular files

    [Fact]
    public async Task A_named_pipe_is_read_to_its_end()
    {
        if (OperatingSystem.IsWindows()) return;
        var path = _run.Folder.File("pipe");
        Assert.Equal(0, MakeFifo(path, 0x180));
        var writing = Task.Run(() => File.WriteAllText(path, Events(100)), TestContext.Current.CancellationToken);
        var report = await _run.RunAsync(_run.Request(path));
        await writing;
        Assert.Equal((RunOutcome.Complete, 100), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task Endless_zeros_are_told_and_not_read()
    {
        if (OperatingSystem.IsWindows()) return;
        var report = await _run.RunAsync(_run.Request("/dev/zero"));
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Read));
        Assert.Contains("is binary", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_at_all_is_an_input_without_records()
    {
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal((RunOutcome.Damaged, 0), await _run.RunAsync(_run.Request("/dev/null")) is var report ? (report.Outcome, report.Read) : default);
    }

    [Fact]
    public async Task A_socket_is_told_and_the_others_are_read()
    {
        if (OperatingSystem.IsWindows()) return;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_run.Folder.File("socket")));
        var report = await _run.RunAsync(_run.Request(_run.Folder.File("socket"), Write("good", 1)));
        Assert.Equal((RunOutcome.Damaged, 1), (report.Outcome, report.Accepted));
        Assert.Contains("cannot be opened", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_folder_is_an_input_without_records()
    {
        Directory.CreateDirectory(_run.Folder.File("empty/below"));
        Assert.Equal((RunOutcome.Damaged, 0),
            await _run.RunAsync(_run.Request(_run.Folder.File("empty"))) is var report ? (report.Outcome, report.Read) : default);
    }

    [Theory]
    [InlineData(new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1, 0 }, "binary")]
    [InlineData(new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a, 0 }, "is an image")]
    [InlineData(new byte[] { (byte)'P', (byte)'K', 3, 4, 20, 0 }, "ZIP")]
    [InlineData(new byte[] { (byte)'P', (byte)'A', (byte)'R', (byte)'1', 0x15 }, "Parquet")]
    public async Task What_is_no_text_is_told_with_a_hint(byte[] content, string hint)
    {
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("bad", content)));
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Read));
        Assert.Contains(hint, report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_may_not_be_read_is_told()
    {
        if (OperatingSystem.IsWindows() || Environment.UserName == "root") return;
        var file = Write("secret", 1);
        File.SetUnixFileMode(file, UnixFileMode.None);
        Assert.Equal(RunOutcome.Damaged, (await _run.RunAsync(_run.Request(file))).Outcome);
    }

    [Fact]
    public async Task A_pipe_in_a_folder_is_not_waited_for()
    {
        if (OperatingSystem.IsWindows()) return;
        Write("in/a", 1);
        Assert.Equal(0, MakeFifo(_run.Folder.File("in/pipe"), 0x180));
        var report = await _run.RunAsync(_run.Request(_run.Folder.File("in")));
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Contains(_run.Diagnostics, diagnostic => diagnostic.Code == "warning" && diagnostic.Reason.Contains("pipe", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_path_that_is_empty_is_refused()
    {
        var input = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(_run.Request("")));
        var letters = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(_run.Request(Write("in/a", 1)) with { DeadLetterPath = "" }));
        Assert.Equal(("input", "dead_letter"), (input.Error.Field, letters.Error.Field));
    }

    // :: Links

    [Fact]
    public async Task A_link_to_itself_and_one_to_nowhere_are_told()
    {
        var folder = _run.Folder.File("in");
        Write("in/good", 1);
        File.CreateSymbolicLink(Path.Combine(folder, "loop"), Path.Combine(folder, "loop"));
        File.CreateSymbolicLink(Path.Combine(folder, "a"), Path.Combine(folder, "b"));
        File.CreateSymbolicLink(Path.Combine(folder, "b"), Path.Combine(folder, "a"));
        File.CreateSymbolicLink(Path.Combine(folder, "nowhere"), _run.Folder.File("gone"));
        var report = await _run.RunAsync(_run.Request(folder));
        Assert.Equal((RunOutcome.Damaged, 1), (report.Outcome, report.Accepted));
        Assert.All((string[])["loop", "a", "nowhere"],
            name => Assert.Contains(report.Problems, problem => problem.StartsWith(Path.Combine(folder, name) + " ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_folder_that_holds_itself_by_a_link_is_read_once()
    {
        Write("in/a/x", 1);
        Directory.CreateSymbolicLink(_run.Folder.File("in/a/up"), _run.Folder.File("in"));
        var report = await _run.RunAsync(_run.Request(_run.Folder.File("in")));
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Contains(_run.Diagnostics, diagnostic => diagnostic.Code == "warning" && diagnostic.Reason.Contains("symbolic link", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_link_out_of_the_folder_gives_the_file_behind_it()
    {
        Write("in/a", 1);
        File.CreateSymbolicLink(_run.Folder.File("in/link"), Write("outside/b", 2));
        var report = await _run.RunAsync(_run.Request(_run.Folder.File("in")));
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task Two_names_of_one_file_are_read_once_with_a_warning()
    {
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(0, HardLink(Write("in/a", 1, 2), _run.Folder.File("in/b")));
        var report = await _run.RunAsync(_run.Request(_run.Folder.File("in")));
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
        Assert.Single(_run.Diagnostics, diagnostic => diagnostic.Code == "warning");
    }

    [Fact]
    public async Task Very_many_files_are_read_in_the_order_of_their_names()
    {
        var random = new Random(7);
        Directory.CreateDirectory(_run.Folder.File("in"));
        foreach (var i in Enumerable.Range(0, 1000).OrderBy(_ => random.Next())) Write($"in/{i:d5}", i);
        var report = await _run.RunAsync(_run.Request(_run.Folder.File("in/*")) with { Senders = 1 });
        Assert.Equal((RunOutcome.Complete, 1000), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 1000), _run.StoredNumbers());
    }

    // :: Streams

    /// <summary>Returns its bytes in chunks of odd sizes, and may fail at the end.</summary>
    sealed class Halting(byte[] content, bool breaks) : Stream
    {
        int _at;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            if (_at == content.Length) return breaks ? throw new IOException("the writer is gone") : 0;
            var count = Math.Min(Math.Min(buffer.Length, 1 + (_at % 7)), content.Length - _at);
            content.AsMemory(_at, count).CopyTo(buffer);
            _at += count;
            return count;
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => _at; set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    async Task<ImportReport> StreamAsync(string text, bool breaks = false, IImportState? state = null, string? sourceId = "s")
    {
        await using var stream = new Halting(Encoding.UTF8.GetBytes(text), breaks);
        return await _run.RunAsync(_run.Request("-") with { StandardInput = stream, SourceId = sourceId, Senders = 1 },
            state); // one, for what drips is several batches, and their order is asserted
    }

    [Fact]
    public async Task A_stream_that_drips_is_read_like_any_other()
    {
        var report = await StreamAsync(Events(20) + "nonsense\n" + Event(20));
        Assert.Equal((RunOutcome.Rejected, 21, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal("<stdin>", _run.DeadLetters()[0].GetProperty("source").GetString());
    }

    [Fact]
    public async Task A_stream_whose_writer_dies_gives_what_came_and_is_resumed_by_the_same_stream()
    {
        using var state = new InMemoryImportState();
        var report = await StreamAsync(Events(3) + Event(3)[..30], breaks: true, state);
        Assert.Equal((RunOutcome.Damaged, 3, 1), (report.Outcome, report.Accepted, report.Pending));
        Assert.Contains("the writer is gone", report.Problems[0], StringComparison.Ordinal);
        report = await StreamAsync(Events(5), state: state);
        Assert.Equal((RunOutcome.Complete, 5, 0), (report.Outcome, report.Accepted, report.Pending));
        Assert.Equal(Enumerable.Range(0, 5), _run.StoredNumbers());
    }

    [Fact]
    public async Task A_stream_that_closes_within_a_record_leaves_it_pending()
    {
        var report = await StreamAsync(Events(3) + Event(3)[..30]);
        Assert.Equal((RunOutcome.Damaged, 3, 1), (report.Outcome, report.Accepted, report.Pending));
    }

    [Fact]
    public async Task Another_stream_of_the_same_name_is_noticed()
    {
        using var state = new InMemoryImportState();
        await StreamAsync(Events(5), state: state);
        var report = await StreamAsync(string.Concat(Enumerable.Range(10, 8).Select(i => Event(i) + "\n")), state: state);
        Assert.Equal((RunOutcome.Damaged, 5), (report.Outcome, report.Accepted));
        Assert.Contains("has changed", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_stays_silent_is_left_when_the_import_is_stopped()
    {
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = new CancellationTokenSource();
        await using var stream = new Silent(read);
        var running = _run.RunAsync(_run.Request("-") with { StandardInput = stream }, cancellationToken: stop.Token);
        await read.Task;
        await stop.CancelAsync();
        Assert.Equal(RunOutcome.Stopped, (await running).Outcome);
    }

    /// <summary>A terminal at which nobody types, whose read cannot be cancelled.</summary>
    sealed class Silent(TaskCompletionSource read) : MemoryStream
    {
        readonly TaskCompletionSource<int> _never = new();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            read.TrySetResult();
            return new(_never.Task);
        }
    }
}
