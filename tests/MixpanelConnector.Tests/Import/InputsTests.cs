using System.Text;
using System.Text.Json;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

public sealed class InputsTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    string Write(string name, params int[] numbers)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_run.Folder.File(name))!);
        return _run.Folder.Write(name, string.Concat(numbers.Select(i => Event(i) + "\n")));
    }

    [Fact]
    public async Task A_folder_gives_its_files_and_those_below_in_the_order_of_their_names()
    {
        Write("in/b.ndjson", 3);
        Write("in/a/z.ndjson", 2);
        Write("in/a/a.ndjson", 1);
        Write("in/.hidden", 99);
        Write("in/.git/x", 98);
        await _run.RunAsync(_run.Request(_run.Folder.File("in")));
        Assert.Equal([1, 2, 3], _run.StoredNumbers());
    }

    [Theory]
    [InlineData("in/*.ndjson", new[] { 2, 3 })]
    [InlineData("in/**/*.ndjson", new[] { 1, 2, 3 })]
    [InlineData("in/?/*", new[] { 1 })]
    [InlineData("i*/b*", new[] { 2 })]
    public async Task A_glob_gives_the_files_that_match(string glob, int[] expected)
    {
        Write("in/b.ndjson", 2);
        Write("in/c.ndjson", 3);
        Write("in/a/a.ndjson", 1);
        Write("in/other.txt", 9);
        await _run.RunAsync(_run.Request(_run.Folder.File(glob)));
        Assert.Equal(expected, _run.StoredNumbers());
    }

    [Fact]
    public async Task The_same_file_by_two_ways_is_read_once_with_a_warning()
    {
        var file = Write("in/a", 1);
        File.CreateSymbolicLink(_run.Folder.File("in/link"), file);
        await _run.RunAsync(_run.Request(_run.Folder.File("in"), file));
        Assert.Equal([1], _run.StoredNumbers());
        Assert.Equal(2, _run.Diagnostics.Count(diagnostic => diagnostic.Code == "warning"));
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("nowhere/*.ndjson")]
    public async Task An_input_that_does_not_exist_is_told_before_anything_is_sent(string name)
    {
        var error = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(_run.Request(Write("a", 1), _run.Folder.File(name))));
        Assert.Equal((ErrorKind.InvalidInput, "input"), (error.Error.Kind, error.Error.Field));
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xfe, 0x7b, 0 }, "UTF-16")]
    [InlineData(new byte[] { 0x7b, 0, 0x22, 0 }, "UTF-16")]
    [InlineData(new byte[] { (byte)'P', (byte)'K', 3, 4, 1 }, "ZIP")]
    [InlineData(new byte[] { 0x28, 0xb5, 0x2f, 0xfd, 1 }, "zstd")]
    [InlineData(new byte[] { 0, 1, 2, 3, 4 }, "binary")]
    public async Task What_is_no_JSON_text_is_told_with_a_hint_and_the_other_inputs_are_read(byte[] content, string hint)
    {
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("bad", content), Write("good", 1)));
        Assert.Equal((6, 1), (report.ExitCode, report.Accepted));
        Assert.Contains(hint, report.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("\n \n", 2)]
    public async Task An_input_without_records_is_done_at_once(string text, int blank)
    {
        var report = await _run.RunAsync(text);
        Assert.Equal((0, blank, 0), (report.ExitCode, report.Read, report.Requests));
    }

    [Fact]
    public async Task Ids_do_not_depend_on_where_the_folder_lies_or_on_compression()
    {
        const string record = """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""";
        foreach (var folder in (string[])["one", "two"])
        {
            Directory.CreateDirectory(_run.Folder.File(folder));
            _run.Folder.Write($"{folder}/a.ndjson", record);
            await _run.RunAsync(_run.Request(_run.Folder.File(folder)));
            File.Delete(_run.Folder.File($"{folder}/a.ndjson"));
        }

        using var buffer = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(buffer, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(record));
        await _run.RunAsync(_run.Request(_run.Folder.Write("a.ndjson.gz", buffer.ToArray())));
        Assert.Single(_run.Mixpanel.Stored.Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Files_of_one_name_get_ids_of_their_own()
    {
        const string record = """{"event":"e","properties":{"time":1790000000,"distinct_id":"u"}}""";
        Directory.CreateDirectory(_run.Folder.File("one"));
        Directory.CreateDirectory(_run.Folder.File("two"));
        await _run.RunAsync(_run.Request(_run.Folder.Write("one/a", record), _run.Folder.Write("two/a", record)));
        Assert.Equal(2, _run.Mixpanel.Stored.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Standard_input_is_resumed_by_its_source_id()
    {
        using var state = new InMemoryImportState();
        async Task<ImportReport> Run(string text)
        {
            using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
            return await _run.RunAsync(_run.Request("-") with { StandardInput = stream, SourceId = "nightly" }, state);
        }

        Assert.Equal((0, 2), await Run(Events(2)) is var first ? (first.ExitCode, first.Accepted) : default);
        Assert.Equal((0, 5), await Run(Events(5)) is var second ? (second.ExitCode, second.Accepted) : default);
        Assert.Equal(Enumerable.Range(0, 5), _run.StoredNumbers());
    }

    [Fact]
    public void A_state_belongs_to_type_inputs_project_and_endpoint()
    {
        var request = _run.Request(Write("a", 1));
        var options = _run.Options;
        var keys = new[]
        {
            ImportStateKey.For(request, options),
            ImportStateKey.For(request with { Type = ImportType.Profiles }, options),
            ImportStateKey.For(request with { Inputs = [Write("b", 1)] }, options),
            ImportStateKey.For(request, options with { ProjectId = 2 }),
            ImportStateKey.For(request, options with { Region = MixpanelRegion.Eu }),
            ImportStateKey.For(request with { LocalStore = "x" }, options),
            ImportStateKey.For(_run.Request() with { Replay = _run.Folder.File("a") }, options),
            ImportStateKey.For(_run.Request("-") with { StandardInput = Stream.Null, SourceId = "s" }, options),
        };
        Assert.Equal(keys.Length, keys.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(keys[0], ImportStateKey.For(request with { Strict = false, Senders = 3 }, options));
        Assert.Null(ImportStateKey.For(_run.Request("-") with { StandardInput = Stream.Null }, options));
    }

    [Fact]
    public void The_report_has_the_documented_fields()
    {
        var report = new ImportReport { Read = 1, Accepted = 2, Rejected = 3, Pending = 4, Blank = 5, Bytes = 6, Requests = 7, Retries = 8, ResumedFrom = 9, ElapsedSeconds = 1.5, DeadLetter = null, ExitCode = 3 };
        Assert.Equal(
            """{"read":1,"accepted":2,"rejected":3,"pending":4,"blank":5,"bytes":6,"requests":7,"retries":8,"resumed_from":9,"elapsed_seconds":1.5,"dead_letter":null,"exit_code":3}""",
            report.ToJson());
        Assert.Equal(12, JsonDocument.Parse(report.ToJson()).RootElement.EnumerateObject().Count());
    }
}
