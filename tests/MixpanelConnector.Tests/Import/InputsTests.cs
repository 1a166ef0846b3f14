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

    /// <summary>Records without an id, compressed if the file extension says so.</summary>
    string WriteAnonymous(string name, params int[] numbers)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_run.Folder.File(name))!);
        var text = Encoding.UTF8.GetBytes(string.Concat(numbers.Select(i =>
            $$$"""{"event":"e","properties":{"time":1790000000,"distinct_id":"u","n":{{{i}}}}}""" + "\n")));
        if (!name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)) return _run.Folder.Write(name, text);
        using var buffer = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(buffer, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(text);
        return _run.Folder.Write(name, buffer.ToArray());
    }

    /// <summary>The identity by which Mixpanel distinguishes the stored events.</summary>
    HashSet<string> Keys() => [.. _run.Mixpanel.Stored];

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
    [InlineData(new byte[] { 0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0 }, "UTF-32")]
    [InlineData(new byte[] { 0x7b, 0, 0x22, 0 }, "UTF-16")]
    [InlineData(new byte[] { (byte)'P', (byte)'K', 3, 4, 1 }, "ZIP")]
    [InlineData(new byte[] { 0x28, 0xb5, 0x2f, 0xfd, 1 }, "zstd")]
    [InlineData(new byte[] { 0, 1, 2, 3, 4 }, "binary")]
    public async Task What_is_no_JSON_text_is_told_with_a_hint_and_the_other_inputs_are_read(byte[] content, string hint)
    {
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("bad", content), Write("good", 1)));
        Assert.Equal((RunOutcome.Damaged, 1), (report.Outcome, report.Accepted));
        Assert.Contains(hint, report.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("\n \n", 2)]
    public async Task An_input_without_records_ends_with_6_unless_that_is_right(string text, int blank)
    {
        using var state = new InMemoryImportState();
        for (var run = 0; run < 2; run++)
        {
            var report = await _run.RunAsync(text, state);
            Assert.Equal((RunOutcome.Damaged, blank, 0), (report.Outcome, report.Read, report.Requests));
            Assert.Contains("ImportRequest.AllowEmpty", report.Problems[0], StringComparison.Ordinal);
        }

        var allowed = await _run.RunAsync(_run.Request(_run.Folder.File("input.ndjson")) with { AllowEmpty = true }, state);
        Assert.Equal((RunOutcome.Complete, blank, 0), (allowed.Outcome, allowed.Read, allowed.Requests));
    }

    [Theory]
    [InlineData("a stream")]
    [InlineData("a dry run")]
    [InlineData("files")]
    [InlineData("an array")]
    [InlineData("dead letters")]
    [InlineData("profiles")]
    [InlineData("groups")]
    public async Task Nothing_ends_with_6_whatever_it_is(string kind)
    {
        var file = _run.Folder.Write("a", kind is "an array" ? "[ ]" : "");
        var request = kind switch
        {
            "a stream" => _run.Request("-") with { StandardInput = Stream.Null },
            "a dry run" => _run.Request(file) with { DryRun = true, DeadLetterPath = null },
            "files" => _run.Request(file, _run.Folder.Write("b", "\n")),
            "dead letters" => _run.Request() with { Replay = file },
            "profiles" => _run.Request(file) with { Type = ImportType.Profiles },
            "groups" => _run.Request(file) with { Type = ImportType.Groups, GroupKey = "company" },
            _ => _run.Request(file),
        };
        Assert.Equal(RunOutcome.Damaged, (await _run.RunAsync(request)).Outcome);
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(request with { AllowEmpty = true })).Outcome);
    }

    [Fact]
    public async Task Only_the_whole_of_the_inputs_is_empty()
    {
        using var state = new InMemoryImportState();
        var request = _run.Request(_run.Folder.Write("a", ""), Write("b", 1), _run.Folder.Write("c", "\n"));
        for (var run = 0; run < 2; run++) // a finished import stays as it is
            Assert.Equal((RunOutcome.Complete, 2), await _run.RunAsync(request, state) is var report ? (report.Outcome, report.Read) : default);
        Assert.Equal(RunOutcome.Damaged, (await _run.RunAsync(_run.Request(_run.Folder.File("a")), state)).Outcome); // on the books of another input
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
        using (var gzip = new System.IO.Compression.GZipStream(buffer, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(record));
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
    public async Task Ids_of_files_of_one_name_do_not_depend_on_the_spelling_of_their_paths()
    {
        WriteAnonymous("one/a", 1);
        WriteAnonymous("two/a", 1);
        await _run.RunAsync(_run.Request(_run.Folder.File("one/a"), _run.Folder.File("two/a")));
        await _run.RunAsync(_run.Request(_run.Folder.File("two/../one/a"), _run.Folder.File("one//../two/a")));
        Assert.Equal(2, Keys().Count);
        Assert.Equal(4, _run.Mixpanel.Stored.Count);
    }

    [Theory]
    [InlineData("a.ndjson", "a.ndjson.gz")]
    [InlineData("a.ndjson.gz", "a.ndjson")]
    [InlineData("a.ndjson", "a.NDJSON.GZ")]
    public async Task A_file_that_joins_later_changes_no_ids(string first, string second)
    {
        using var state = new InMemoryImportState();
        WriteAnonymous($"in/{first}", 1, 2, 3);
        await _run.RunAsync(_run.Request(_run.Folder.File("in")), state);
        WriteAnonymous($"in/{second}", 4, 5);
        Assert.Equal((RunOutcome.Complete, 5),
            await _run.RunAsync(_run.Request(_run.Folder.File("in")), state) is var both ? (both.Outcome, both.Accepted) : default);
        WriteAnonymous($"in/{first}", 1, 2, 3, 6); // each goes on where it was
        Assert.Equal((RunOutcome.Complete, 6),
            await _run.RunAsync(_run.Request(_run.Folder.File("in")), state) is var grown ? (grown.Outcome, grown.Accepted) : default);
        File.Delete(_run.Folder.File($"in/{first}"));
        WriteAnonymous($"in/{second}", 4, 5, 7);
        Assert.Equal((RunOutcome.Complete, 7),
            await _run.RunAsync(_run.Request(_run.Folder.File("in")), state) is var alone ? (alone.Outcome, alone.Accepted) : default);
        Assert.Equal((7, 7), (Keys().Count, _run.Mixpanel.Stored.Count));
    }

    [Fact]
    public async Task A_file_with_a_compressed_neighbour_has_the_same_ids_without_a_state()
    {
        WriteAnonymous("in/a.ndjson", 1, 2);
        await _run.RunAsync(_run.Request(_run.Folder.File("in")));
        WriteAnonymous("in/a.ndjson.gz", 3);
        await _run.RunAsync(_run.Request(_run.Folder.File("in")));
        Assert.Equal((3, 5), (Keys().Count, _run.Mixpanel.Stored.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rotated_file_is_known_by_what_it_holds(bool bothAtFirst)
    {
        using var state = new InMemoryImportState();
        WriteAnonymous("in/a.ndjson", 1, 2, 3);
        if (bothAtFirst) WriteAnonymous("in/a.ndjson.gz", 1, 2, 3); // gzip -k
        Assert.Equal((RunOutcome.Complete, 3),
            await _run.RunAsync(_run.Request(_run.Folder.File("in")), state) is var first ? (first.Outcome, first.Accepted) : default);
        Assert.Equal(bothAtFirst ? 1 : 0,
            _run.Diagnostics.Count(diagnostic => diagnostic is { Code: "warning" }
                && diagnostic.Reason.Contains("contains only what", StringComparison.Ordinal)));

        WriteAnonymous("in/a.ndjson.gz", 1, 2, 3, 4);
        WriteAnonymous("in/a.ndjson", 5, 6);
        Assert.Equal((RunOutcome.Complete, 6),
            await _run.RunAsync(_run.Request(_run.Folder.File("in")), state) is var second ? (second.Outcome, second.Accepted) : default);
        Assert.Equal((6, 6), (Keys().Count, _run.Mixpanel.Stored.Count));
    }

    [Fact]
    public async Task A_compressed_copy_that_is_being_made_is_told_and_not_read()
    {
        using var state = new InMemoryImportState();
        var numbers = Enumerable.Range(0, 2000).ToArray();
        WriteAnonymous("in/a.ndjson", numbers);
        var copy = WriteAnonymous("in/a.ndjson.gz", numbers);
        await File.WriteAllBytesAsync(copy, (await File.ReadAllBytesAsync(copy, TestContext.Current.CancellationToken))[..1000],
            TestContext.Current.CancellationToken);
        Assert.Equal((RunOutcome.Damaged, 2000, 0),
            await _run.RunAsync(_run.Request(_run.Folder.File("in")), state) is var first ? (first.Outcome, first.Accepted, first.Pending) : default);
        WriteAnonymous("in/a.ndjson.gz", numbers);
        File.Delete(_run.Folder.File("in/a.ndjson"));
        Assert.Equal((RunOutcome.Complete, 2000),
            await _run.RunAsync(_run.Request(_run.Folder.File("in")), state) is var second ? (second.Outcome, second.Accepted) : default);
        Assert.Equal((2000, 2000), (Keys().Count, _run.Mixpanel.Stored.Count));
    }

    [Fact]
    public async Task A_folder_that_a_second_file_joins_keeps_its_ids_under_a_source_id()
    {
        WriteAnonymous("in/a.ndjson", 1);
        await _run.RunAsync(_run.Request(_run.Folder.File("in")) with { SourceId = "nightly" });
        WriteAnonymous("in/b.ndjson", 2);
        await _run.RunAsync(_run.Request(_run.Folder.File("in")) with { SourceId = "nightly" });
        Assert.Equal((2, 3), (Keys().Count, _run.Mixpanel.Stored.Count));
    }

    [Fact]
    public async Task What_an_import_writes_is_no_input_of_its_next_run()
    {
        WriteAnonymous("in/a.json", 1);
        _run.Folder.Write("in/b.json", "{}\n"); // refused
        var request = _run.Request(_run.Folder.File("in/*.json*")) with
        {
            DeadLetterPath = _run.Folder.File("in/dead.json"),
            OtherOutputs = [_run.Folder.File("in/report.json")],
        };
        using var state = new InMemoryImportState();
        var first = await _run.RunAsync(request, state);
        _run.Folder.Write("in/report.json", first.ToJson());
        _run.Folder.Write("in/dead.json.1", "{}\n");
        var second = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Rejected, 2, 1, 1), (second.Outcome, second.Read, second.Accepted, second.Rejected));
        Assert.Equal(first.Read, second.Read);
        Assert.Equal(3,
            _run.Diagnostics.Count(diagnostic => diagnostic is { Code: "warning" }
                && diagnostic.Reason.Contains("written by the import itself", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task One_file_for_two_outputs_is_refused()
    {
        var request = _run.Request(WriteAnonymous("a", 1)) with { OtherOutputs = [Path.Combine(_run.Folder.Path, ".", Path.GetFileName(_run.DeadLetterPath))] };
        var refused = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(request));
        Assert.Equal("report", refused.Error.Field);
        Assert.Empty(_run.Mixpanel.Stored);
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

        Assert.Equal((RunOutcome.Complete, 2), await Run(Events(2)) is var first ? (first.Outcome, first.Accepted) : default);
        Assert.Equal((RunOutcome.Complete, 5), await Run(Events(5)) is var second ? (second.Outcome, second.Accepted) : default);
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
        var report = new ImportReport
        {
            Read = 1,
            Accepted = 2,
            Rejected = 3,
            Pending = 4,
            Blank = 5,
            Bytes = 6,
            Requests = 7,
            Retries = 8,
            ResumedFrom = 9,
            ElapsedSeconds = 1.5,
            DeadLetter = null,
            Outcome = RunOutcome.Rejected,
        };
        Assert.Equal(
            """{"read":1,"accepted":2,"rejected":3,"pending":4,"blank":5,"bytes":6,"requests":7,"retries":8,"resumed_from":9,"elapsed_seconds":1.5,"dead_letter":null,"exit_code":3}""",
            report.ToJson());
        Assert.Equal(12, JsonDocument.Parse(report.ToJson()).RootElement.EnumerateObject().Count());
    }
}
