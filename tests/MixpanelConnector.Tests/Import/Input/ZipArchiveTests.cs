using System.IO.Compression;
using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>The files in a ZIP archive are inputs, each with a position that survives a restart.</summary>
public sealed class ZipArchiveTests : IDisposable
{
    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    string Archive(params (string Name, byte[] Content)[] files)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in files)
            {
                using var entry = zip.CreateEntry(name, content.Length % 2 == 0 ? CompressionLevel.Optimal : CompressionLevel.NoCompression).Open();
                entry.Write(content);
            }

        return Write(stream.ToArray());
    }

    string Write(byte[] bytes)
    {
        var path = _run.Folder.File("export.zip");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    static byte[] Some(int from, int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(from, count).Select(i => Event(i) + "\n")));

    static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionMode.Compress)) gzip.Write(bytes);
        return stream.ToArray();
    }

    [Fact]
    public async Task Its_files_are_read_in_the_order_of_their_names_compressed_or_not()
    {
        var path = Archive(("b/2.ndjson", Some(5, 3)), ("b/", []), ("a/1.json.gz", Gzip(Some(0, 5))), ("__MACOSX/x", [1]), ("a/.hidden", [1]));
        var report = await _run.RunAsync(_run.Request(path), _state);
        Assert.Equal((RunOutcome.Complete, 8), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 8), _run.StoredNumbers());
        Assert.Equal("export.zip/a/1.json.gz export.zip/b/2.ndjson",
            string.Join(' ', _state.Load()!.Sources.Select(source => source.Id).Order(StringComparer.Ordinal)));
        Assert.Equal(8, (await _run.RunAsync(_run.Request(path), _state)).Accepted);
        Assert.Equal(8, _run.StoredNumbers().Count);
    }

    [Fact]
    public async Task Two_files_of_one_name_in_it_are_told_apart_and_the_first_is_read()
    {
        var path = Archive(("1.ndjson", Some(0, 40)), ("1.ndjson#2", Some(80, 2)), ("1.ndjson", Some(40, 10)), ("1.ndjson", Some(50, 1)));
        var report = await _run.RunAsync(_run.Request(path), _state);
        Assert.Equal((RunOutcome.Damaged, 42), (report.Outcome, report.Accepted));
        Assert.Contains("in the archive twice", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Equal("export.zip/1.ndjson export.zip/1.ndjson#2",
            string.Join(' ', _state.Load()!.Sources.Where(source => source.Offset > 0).Select(source => source.Id).Order(StringComparer.Ordinal)));
        Assert.Equal((RunOutcome.Damaged, 42), (await _run.RunAsync(_run.Request(path), _state)) is var again ? (again.Outcome, again.Accepted) : default);
        Assert.Equal(42, _run.StoredNumbers().Count);
    }

    [Fact]
    public async Task Archives_of_one_name_in_several_folders_have_ids_of_their_own_and_go_on_where_they_were()
    {
        string[] paths = [Moved("a", Some(0, 20)), Moved("b", Some(0, 20)), Moved("c", Some(20, 3))];
        var request = _run.Request(paths) with
        {
            Mapping = ImportMapping.Parse(
                """{"name":"mine","events":{"event":"event","time":"properties.time","user_id":"properties.distinct_id","spread":["properties"]}}"""),
            BatchEvents = 3,
            CheckpointInterval = TimeSpan.Zero,
            Senders = 1,
        };
        Assert.Equal((RunOutcome.Complete, 43), (await _run.RunAsync(request)) is var whole ? (whole.Outcome, whole.Accepted) : default);
        var ids = Ids();
        Assert.Equal(43, ids.Count);
        for (var crash = 3; crash < 16; crash += 4)
        {
            using var state = new CrashingState { CrashAtSave = crash };
            var before = _run.Mixpanel.Stored.Count;
            await _run.RunAsync(request, state);
            state.CrashAtSave = 0;
            Assert.Equal((RunOutcome.Complete, 43), (await _run.RunAsync(request, state)) is var report ? (report.Outcome, report.Accepted) : default);
            Assert.Equal(ids, Ids(before));
        }

        string Moved(string folder, byte[] content)
        {
            Directory.CreateDirectory(_run.Folder.File(folder));
            var path = _run.Folder.File($"{folder}/export.zip");
            File.Move(Archive(("1.ndjson", [.. content.Where(text => text != 0)])), path);
            return path;
        }

        HashSet<string> Ids(int from = 0) =>
            [
                .. _run.Mixpanel.Stored.Skip(from)
                    .Select(record => System.Text.Json.JsonDocument.Parse(record).RootElement.GetProperty("properties").GetProperty("$insert_id").GetString()!),
            ];
    }

    [Fact]
    public async Task A_damaged_file_in_it_ends_there_and_the_others_are_read()
    {
        var path = Archive(("1.ndjson", Some(0, 40)), ("2.ndjson", Some(40, 2)));
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        bytes[60] ^= 0x55;
        var report = await _run.RunAsync(_run.Request(Write(bytes)), _state);
        Assert.Equal(RunOutcome.Damaged, report.Outcome);
        Assert.Contains("1.ndjson", report.Problems[0], StringComparison.Ordinal);
        Assert.Superset(new HashSet<int> { 40, 41 }, _run.StoredNumbers().ToHashSet());
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.9)]
    public async Task An_archive_that_was_cut_short_is_not_read(double kept)
    {
        var bytes = await File.ReadAllBytesAsync(Archive(("1.ndjson", Some(0, 40))), TestContext.Current.CancellationToken);
        var report = await _run.RunAsync(_run.Request(Write(bytes[..(int)(bytes.Length * kept)])));
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task A_file_that_gives_more_than_the_archive_says_is_refused_there()
    {
        var path = Archive(("1.ndjson", Some(0, 41)));
        var bytes = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        var directory = bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        BitConverter.TryWriteBytes(bytes.AsSpan(directory + 24), 100);
        var report = await _run.RunAsync(_run.Request(Write(bytes)));
        Assert.Equal(RunOutcome.Damaged, report.Outcome);
        Assert.Contains("damaged in the archive", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bomb_in_it_is_bounded_as_any_that_is_decompressed()
    {
        var path = Archive(("bomb.ndjson", new byte[4 << 20]));
        var report = await _run.RunAsync(_run.Request(path) with { MaxDecompressedBytes = 1 << 20 });
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task An_encrypted_file_in_it_says_so()
    {
        var bytes = await File.ReadAllBytesAsync(Archive(("1.ndjson", Some(0, 3))), TestContext.Current.CancellationToken);
        bytes[bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8) + 8] |= 1;
        var report = await _run.RunAsync(_run.Request(Write(bytes)));
        Assert.Equal(RunOutcome.Damaged, report.Outcome);
        Assert.Contains("encrypted", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_without_files_has_no_record()
    {
        var report = await _run.RunAsync(_run.Request(Archive()));
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Read));
    }

    [Theory]
    [InlineData(4, 0, true)]
    [InlineData(4, -1, false)]
    public async Task The_limit_of_what_is_decompressed_holds_for_the_archive_as_a_whole(int files, int more, bool fits)
    {
        var path = Archive([.. Enumerable.Range(0, files).Select(number => ($"{number}.ndjson", Some(number * 10, 10)))]);
        var total = Enumerable.Range(0, files).Sum(number => Some(number * 10, 10).Length);
        var report = await _run.RunAsync(_run.Request(path) with { MaxDecompressedBytes = total + more });

        Assert.Equal(fits ? (RunOutcome.Complete, 40) : (RunOutcome.Damaged, 0), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public async Task Files_that_are_compressed_themselves_share_the_limit(int more, bool fits)
    {
        // Each is within the limit, and what is stored is less than it; the number of bytes that they give together decides, however often they are read.
        var path = Archive([.. Enumerable.Range(0, 4).Select(number => ($"{number}.ndjson.gz", Gzip(Some(number * 100, 100))))]);
        var total = Enumerable.Range(0, 4).Sum(number => Some(number * 100, 100).Length);
        var report = await _run.RunAsync(_run.Request(path) with { MaxDecompressedBytes = total + more });

        Assert.Equal(fits ? (RunOutcome.Complete, true) : (RunOutcome.Damaged, false), (report.Outcome, report.Accepted == 400));
        if (!fits) Assert.Contains("in total", report.Problems[0], StringComparison.Ordinal);
    }
}
