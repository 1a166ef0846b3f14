using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>The files in a tar archive, plain or compressed as a whole, are inputs, each with a position that survives a restart.</summary>
public sealed class TarArchiveTests : IDisposable
{
    const string Plain = """{"name":"mine","events":{"event":{"text":"{event} of {@file}"},"time":"properties.time","user_id":"properties.distinct_id","spread":["properties"]}}""";

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    static byte[] Tar(TarEntryFormat format, params (string Name, byte[] Content)[] files)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, format, leaveOpen: true))
            foreach (var (name, content) in files)
            {
                TarEntryType type = name.EndsWith('/') ? TarEntryType.Directory
                    : format is TarEntryFormat.V7 ? TarEntryType.V7RegularFile
                    : TarEntryType.RegularFile;
                TarEntry entry = format switch
                {
                    TarEntryFormat.Pax => new PaxTarEntry(type, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(type, name),
                    _ => new UstarTarEntry(type, name),
                };
                if (content.Length > 0) entry.DataStream = new MemoryStream(content);
                tar.WriteEntry(entry);
            }

        return stream.ToArray();
    }

    static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest)) gzip.Write(bytes);
        return stream.ToArray();
    }

    static byte[] Some(int from, int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(from, count).Select(i => Event(i) + "\n")));

    Task<ImportReport> RunAsync(string name, byte[] bytes, Func<ImportRequest, ImportRequest>? change = null)
    {
        var path = _run.Folder.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        var request = _run.Request(path);
        return _run.RunAsync(change?.Invoke(request) ?? request, _state);
    }

    [Theory]
    [InlineData("export.tar", TarEntryFormat.Ustar)]
    [InlineData("export.tar.gz", TarEntryFormat.Ustar)]
    [InlineData("export.tgz", TarEntryFormat.Pax)]
    [InlineData("export.TAR.GZ", TarEntryFormat.Gnu)]
    public async Task Its_files_are_read_in_the_order_of_their_names(string name, TarEntryFormat format)
    {
        var tar = Tar(format, ("./b/2.ndjson", Some(5, 3)), ("b/", []), ("a/1.json.gz", Gzip(Some(0, 5))), ("a/._hidden", [1]), ("a/.x", [1]));
        var report = await RunAsync(name, name.EndsWith("tar", StringComparison.Ordinal) ? tar : Gzip(tar));

        Assert.Equal((RunOutcome.Complete, 8L), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 8), _run.StoredNumbers());
        Assert.EndsWith("/b/2.ndjson", _state.Load()!.Sources.Select(source => source.Id).Order(StringComparer.Ordinal).Last(), StringComparison.Ordinal);
        Assert.Equal(8, (await _run.RunAsync(_run.Request(_run.Folder.File(name)), _state)).Accepted);
        Assert.Equal(8, _run.StoredNumbers().Count);
    }

    [Theory]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public async Task Long_names_and_names_in_other_letters_are_whole(TarEntryFormat format)
    {
        var name = $"{string.Concat(Enumerable.Repeat("Ordner/", 40))}événements_{new string('n', 120)}.ndjson";
        Assert.Equal(RunOutcome.Complete, (await RunAsync("x.tar.gz", Gzip(Tar(format, (name, Some(0, 2)))))).Outcome);
        Assert.Equal($"x.tar/{name}", Assert.Single(_state.Load()!.Sources).Id);
    }

    /// <summary>A file that is too large to be buffered is read in place, after those before it.</summary>
    [Fact]
    public async Task Large_files_in_it_are_read_and_an_import_goes_on_within_one()
    {
        var tar = Gzip(Tar(TarEntryFormat.Ustar, ("1.ndjson", Some(0, 60_000)), ("2.ndjson", Some(60_000, 60_000)), ("3.ndjson", Some(120_000, 5))));
        using var stop = new CancellationTokenSource();
        _run.Mixpanel.Script = _ =>
        {
            if (_run.Mixpanel.Requests.Count == 40) stop.Cancel();
            return null;
        };
        var path = _run.Folder.File("x.tar.gz");
        File.WriteAllBytes(path, tar);
        var request = _run.Request(path) with { Senders = 1 };
        Assert.InRange((await _run.RunAsync(request, _state, stop.Token)).Accepted, 60_000, 110_000);
        _run.Mixpanel.Script = _ => null;
        var report = await _run.RunAsync(request, _state);

        Assert.Equal((RunOutcome.Complete, 120_005L), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 120_005), _run.StoredNumbers().Distinct().Order());
    }

    [Fact]
    public async Task A_mapping_knows_the_names_of_the_files_also_where_the_archives_does_not_tell()
    {
        var report = await RunAsync("body", Gzip(Tar(TarEntryFormat.Ustar, ("x/carts.ndjson", Some(0, 1)), ("visits.ndjson", Some(1, 1)))),
            request => request with { Mapping = ImportMapping.Parse(Plain) });
        Assert.Equal((RunOutcome.Complete, 2L), (report.Outcome, report.Accepted));
        Assert.Contains(_run.Mixpanel.Stored, record => record.Contains("e of carts", StringComparison.Ordinal));
    }

    public static TheoryData<string, byte[], string> Damaged()
    {
        var sound = Tar(TarEntryFormat.Ustar, ("1.ndjson", Some(0, 3)), ("2.ndjson", Some(3, 3)));
        byte[] flipped = [.. sound];
        flipped[1024 + 30] ^= 1; // in the second header's name
        byte[] named = [.. Tar(TarEntryFormat.Gnu, (new string('n', 200), Some(0, 1)))];
        "777777777"u8.CopyTo(named.AsSpan(126)); // a name of a gigabyte
        Sum(named);
        byte[] large = [.. sound];
        "77777777777"u8.CopyTo(large.AsSpan(124));
        Sum(large);
        byte[] endless = [.. sound];
        new byte[] { 0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }.CopyTo(endless, 124);
        Sum(endless);
        var packed = Gzip(sound);
        byte[] wrong = [.. packed];
        wrong[^5] ^= 1; // the checksum of the whole
        return new()
        {
            { "x.tar", sound[..^1024], "its end is missing" },
            { "x.tar", sound[..700], "truncated" },
            { "x.tar", flipped, "damaged" },
            { "x.tar", [.. sound, .. "rest"u8], "followed by something that is not an archive" },
            { "x.tar", [.. sound, .. Enumerable.Repeat((byte)'x', 512)], "followed by something that is not an archive" },
            { "x.tar", [.. sound, .. sound[..700]], "truncated" },
            { "x.tar", named, "too long" },
            { "x.tar", large, "truncated" },
            { "x.tar", endless, "damaged" },
            { "x.tar.gz", packed[..^20], "gzip: the file is truncated" },
            { "x.tar.gz", wrong, "gzip: the checksum" },
        };

        static void Sum(byte[] tar)
        {
            tar.AsSpan(148, 8).Fill((byte)' ');
            var sum = tar.AsSpan(0, 512).ToArray().Sum(part => part);
            Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8).PadLeft(6, '0')}\0 ").CopyTo(tar, 148);
        }
    }

    [Theory]
    [MemberData(nameof(Damaged))]
    public async Task One_that_is_damaged_or_hostile_ends_with_6_and_nothing_of_it_is_sent(string name, byte[] bytes, string reason)
    {
        var report = await RunAsync(name, bytes);
        Assert.Equal((RunOutcome.Damaged, 0L), (report.Outcome, report.Accepted));
        Assert.Contains(reason, report.Problems[0], StringComparison.Ordinal);
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Theory]
    [InlineData("two.tar")]
    [InlineData("two.tgz")]
    public async Task Archives_that_follow_each_other_are_read_like_one(string name)
    {
        byte[] both =
        [
            .. Tar(TarEntryFormat.Ustar, ("a.json", Some(0, 2))),
            .. new byte[7 * 512],
            .. Tar(TarEntryFormat.Pax, ("b.json", Some(2, 3))),
            .. new byte[100],
        ];
        var report = await RunAsync(name, name == "two.tgz" ? Gzip(both) : both);
        Assert.Equal((RunOutcome.Complete, 5L), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 5), _run.StoredNumbers().Order());
    }

    [Fact]
    public async Task Links_in_it_lead_nowhere_and_paths_are_names()
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "link.ndjson") { LinkName = "/etc/passwd" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "hard.ndjson") { LinkName = "/etc/passwd" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "/etc/../up.ndjson") { DataStream = new MemoryStream(Some(0, 2)) });
        }

        Assert.Equal((RunOutcome.Complete, 2L), (await RunAsync("x.tar", stream.ToArray())) is var report ? (report.Outcome, report.Accepted) : default);
        Assert.Single(_state.Load()!.Sources);
    }

    [Fact]
    public async Task Only_so_much_may_come_out_of_it()
    {
        var report = await RunAsync("x.tar.gz", Gzip(Tar(TarEntryFormat.Ustar, ("1.ndjson", Some(0, 3)), ("zeros", new byte[9_000_000]))),
            request => request with { MaxDecompressedBytes = 1_000_000 });
        Assert.Equal((RunOutcome.Damaged, 0L), (report.Outcome, report.Accepted));
        Assert.Contains("1000000 bytes", report.Problems[0], StringComparison.Ordinal);
    }
}
