using System.Globalization;
using System.IO.Compression;
using System.Text;
using MixpanelConnector.Formats;
using MixpanelConnector.Testing;
using ZstdSharp;

namespace MixpanelConnector.ObjectStorage.Tests;

public sealed class StoredImportTests : IAsyncLifetime
{
    const string Plain = """{"name":"mine","events":{"event":"event","time":"properties.time","user_id":"properties.distinct_id","spread":["properties"]}}""";

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();
    Bucket _bucket = null!;

    public async ValueTask InitializeAsync() => _bucket = await Bucket.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _bucket.DisposeAsync();
        _state.Dispose();
        _run.Dispose();
    }

    [Fact]
    public async Task A_prefix_gives_its_objects_page_by_page_in_the_order_of_their_keys_without_markers()
    {
        _bucket.PageSize = 1;
        _bucket.Put("p/", "");
        _bucket.Put("p/b.ndjson", ImportRun.Event(2) + "\n");
        _bucket.Put("p/a/x.ndjson", ImportRun.Event(1) + "\n");
        _bucket.Put("p/.hidden", "no record");
        _bucket.Put("pq", "no record");
        var report = await ImportAsync("s3://b/p");

        Assert.Equal((RunOutcome.Complete, 2L), (report.Outcome, report.Accepted));
        Assert.Equal([1, 2], _run.StoredNumbers());
        Assert.Equal(["a/x.ndjson", "b.ndjson"], _state.Load()!.Sources.Select(source => source.Id).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("s3://b/p/*.ndjson", 1)]
    [InlineData("s3://b/p/**", 2)]
    [InlineData("s3://b/p/b.ndjson", 1)]
    [InlineData("s3://b/", 2)]
    public async Task An_address_is_an_object_a_prefix_or_a_glob(string address, int accepted)
    {
        _bucket.Put("p/b.ndjson", ImportRun.Event(1) + "\n");
        _bucket.Put("p/a/x.ndjson", ImportRun.Event(2) + "\n");

        Assert.Equal(accepted, (await ImportAsync(address)).Accepted);
    }

    [Fact]
    public async Task A_key_is_taken_as_it_stands()
    {
        _bucket.Put("a%20[1].ndjson", ImportRun.Event(1) + "\n");

        Assert.Equal(1, (await ImportAsync("s3://b/a%20[1].ndjson")).Accepted);
    }

    [Fact]
    public async Task An_object_that_changed_ends_with_6_each_time_until_a_restart_takes_the_new_one()
    {
        _bucket.Put("a.ndjson", ImportRun.Event(1) + "\n{\"event\":");
        Assert.Equal(RunOutcome.Damaged, (await ImportAsync("s3://b/a.ndjson")).Outcome); // cut short
        _bucket.Put("a.ndjson", ImportRun.Event(2) + "\n");

        for (var again = 0; again < 2; again++)
        {
            var report = await ImportAsync("s3://b/a.ndjson");
            Assert.Equal((RunOutcome.Damaged, 1L), (report.Outcome, report.Accepted));
            Assert.Contains("ImportRequest.Restart", report.Problems[0], StringComparison.Ordinal);
        }

        Assert.Equal(RunOutcome.Complete, (await ImportAsync("s3://b/a.ndjson", request => request with { Restart = true })).Outcome);
        Assert.Equal([1, 2], _run.StoredNumbers());
    }

    [Theory]
    [InlineData(true, "replaced")]
    [InlineData(false, "replaced")]
    [InlineData(false, "longer")]
    [InlineData(true, "deleted")]
    public async Task An_object_that_changes_on_the_way_ends_with_6(bool knowsConditions, string how)
    {
        _bucket.KnowsConditions = knowsConditions;
        _bucket.Put("p/a.ndjson", ImportRun.Event(1) + "\n");
        _bucket.Put("p/b.ndjson", ImportRun.Event(2) + "\n");
        _bucket.Script = request =>
        {
            if (request.Method != "GET" || request.Path != "/b/p/a.ndjson") return null;
            if (how == "deleted") _bucket.Delete("p/b.ndjson");
            else _bucket.Put("p/b.ndjson", how == "longer" ? ImportRun.Events(9) : ImportRun.Event(3) + "\n");
            return null;
        };
        var report = await ImportAsync("s3://b/p/");

        Assert.Equal((RunOutcome.Damaged, 1L), (report.Outcome, report.Accepted));
        Assert.Equal([1], _run.StoredNumbers());
    }

    /// <summary>Parquet, which is read from its end, is downloaded to a temporary file; compressed text is streamed.</summary>
    [Theory]
    [InlineData("nested.parquet", 3)]
    [InlineData("events.ndjson.zst", 50)]
    [InlineData("events.csv.gz", 2)]
    [InlineData("events.csv.zst", 2)]
    [InlineData("without-a-name-that-tells", 50)]
    public async Task Every_format_and_compression_is_read_from_a_bucket(string key, int events)
    {
        var plain = key.Contains("csv", StringComparison.Ordinal)
            ? $"event,time,distinct_id,n\ne,{ImportRun.Time},u,1\ne,{ImportRun.Time},u,2\n"
            : ImportRun.Events(50);
        _bucket.Put($"p/{key}", key switch
        {
            "nested.parquet" => await File.ReadAllBytesAsync(Repository.File("tests/Cases/import/parquet-nested-properties/nested.parquet"),
                TestContext.Current.CancellationToken),
            [.., '.', 'g', 'z'] => Gzip(plain),
            _ => Zstd(plain),
        });

        var report = await ImportAsync("s3://b/p/",
            request => request with { Formats = FileFormats.All, Compressions = FileFormats.AllCompressions, Fix = ImportFixes.Time | ImportFixes.InsertIds });

        Assert.Equal((RunOutcome.Complete, events), (report.Outcome, report.Accepted));
    }

    static byte[] Gzip(string text)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return compressed.ToArray();
    }

    static byte[] Zstd(string text)
    {
        using var compressor = new Compressor(3);
        return compressor.Wrap(Encoding.UTF8.GetBytes(text)).ToArray();
    }

    [Fact]
    public async Task A_connection_that_breaks_goes_on_where_it_broke()
    {
        var text = ImportRun.Events(50);
        _bucket.Put("a.ndjson", text);
        var tag = Bucket.Tag(Encoding.UTF8.GetBytes(text));
        var broken = 0;
        _bucket.Script = request => request.Method == "GET" && request.Path == "/b/a.ndjson" && broken++ == 0
            ? Answer.RawText(string.Create(CultureInfo.InvariantCulture,
                $"HTTP/1.1 200 OK\r\nETag: \"{tag}\"\r\nContent-Length: {text.Length}\r\n\r\n{text[..1000]}"))
            : null;
        var report = await ImportAsync("s3://b/a.ndjson");

        Assert.Equal((RunOutcome.Complete, 50L), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 50), _run.StoredNumbers());
        Assert.Equal("bytes=1000-", _bucket.Reads("a.ndjson").Last().Header("Range"));
        Assert.All(_bucket.Reads("a.ndjson"), request => Assert.Equal($"\"{tag}\"", request.Header("If-Match")));
    }

    [Theory]
    [InlineData("p/a.zip", "s3://b/p/a.zip", false)]
    [InlineData("p/a.zip", "s3://b/p", true)]
    public async Task An_archive_is_read_where_it_lies(string key, string address, bool isMapped)
    {
        _bucket.Put(key, ZipOf.Texts(("b/2.ndjson", ImportRun.Event(2) + "\n"), ("a/1.ndjson", ImportRun.Events(2))));
        var report = await ImportAsync(address, request => isMapped ? request with { Mapping = ImportMapping.Parse(Plain) } : request);

        Assert.Equal((RunOutcome.Complete, 3L), (report.Outcome, report.Accepted));
        Assert.Equal([0, 1, 2], _run.StoredNumbers());
        Assert.Equal(["a.zip/a/1.ndjson", "a.zip/b/2.ndjson"], _state.Load()!.Sources.Select(source => source.Id).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
        Assert.All(_bucket.Reads(key), request => Assert.NotNull(request.Header("If-Match")));
    }

    [Theory]
    [InlineData("cut", 6, "its end is missing")]
    [InlineData("replaced", 6, "has changed")]
    [InlineData("away", 5, "it answered 503")]
    [InlineData("elsewhere", 6, "not where the archive's directory says")]
    public async Task An_archive_that_cannot_be_read_where_it_lies_says_why(string how, int exitCode, string reason)
    {
        var archive = ZipOf.Texts(("1.ndjson", ImportRun.Events(3)));
        if (how == "elsewhere") archive[^(22 + "1.ndjson".Length + 1)] = 0x7f; // the highest byte of where the file begins
        _bucket.Put("a.zip", how == "cut" ? archive[..^30] : archive);
        _bucket.Script = request =>
        {
            if (request.Method != "GET" || request.Path != "/b/a.zip") return null;
            if (how == "replaced") _bucket.Put("a.zip", ZipOf.Texts(("1.ndjson", ImportRun.Events(4))));
            return how == "away" ? Bucket.Refused(503, "SlowDown") : null;
        };
        var report = await ImportAsync("s3://b/a.zip");

        Assert.Equal((exitCode, 0L), ((int)report.Outcome, report.Accepted));
        Assert.Contains(reason, report.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s3://AKIA:abc/canary+x@b/p", "s3://…@b/p")]
    [InlineData("s3://AKIA:canary", "s3://…")]
    [InlineData("s3://b/p/*?X-Amz-Signature=canary", "s3://b/p/*?…")]
    [InlineData("s3://b/p?versionId=1&sig=canary", "s3://b/p?…")]
    public async Task Credentials_in_an_address_are_refused_and_not_echoed(string address, string shown)
    {
        var refused = await Assert.ThrowsAsync<MixpanelException>(() => ImportAsync(address));

        Assert.Equal(ErrorKind.InvalidInput, refused.Error.Kind);
        Assert.Contains(shown, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", refused.ToString(), StringComparison.Ordinal);
        Assert.Contains("AWS_ACCESS_KEY_ID", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403, "AccessDenied", 4, 1)]
    [InlineData(403, "InvalidAccessKeyId", 4, 1)]
    [InlineData(503, "SlowDown", 5, 5)]
    [InlineData(500, "InternalError", 5, 5)]
    [InlineData(429, "TooManyRequests", 5, 5)]
    public async Task What_the_store_refuses_ends_with_4_and_what_it_cannot_do_is_tried_again_and_ends_with_5(int status, string code, int exit, int tries)
    {
        _bucket.Put("a.ndjson", ImportRun.Event(1) + "\n");
        _bucket.Script = request => request.Method == "GET" ? Bucket.Refused(status, code) : null;
        var report = await ImportAsync("s3://b/a.ndjson");

        Assert.Equal(exit, (int)report.Outcome);
        Assert.Equal(tries, _bucket.Reads("a.ndjson").Count());
        Assert.Contains(code, report.Problems[0], StringComparison.Ordinal);
        Assert.DoesNotContain("secret", string.Join('\n', report.Problems), StringComparison.Ordinal);
        _bucket.Script = _ => null;
        Assert.Equal((RunOutcome.Complete, 1L), ((await ImportAsync("s3://b/a.ndjson")) is var again ? again.Outcome : default, again.Accepted));
    }

    [Theory]
    [InlineData(403, 4)]
    [InlineData(503, 5)]
    public async Task So_does_a_list(int status, int exit)
    {
        _bucket.Script = request => request.Path is "/b/" or "/b" ? Bucket.Refused(status, "Code") : null;
        Assert.Equal(exit, (int)(await ImportAsync("s3://b/p/")).Outcome);
    }

    [Theory]
    [InlineData("<html><body>It works!</body></html>", "text/html")]
    [InlineData("<Listing/>", "application/xml")]
    public async Task What_is_no_listing_is_not_taken_for_an_empty_one(string text, string type)
    {
        _bucket.Script = request => request.Path is "/b/" or "/b" ? Answer.Plain(text, type: type) : null;
        var report = await ImportAsync("s3://b/p/");
        Assert.Equal(RunOutcome.Unavailable, report.Outcome);
        Assert.NotEmpty(report.Problems);
    }

    [Fact]
    public async Task What_is_not_there_is_as_a_file_that_is_missing()
    {
        foreach (var address in new[] { "s3://b/none", "s3://b/none/", "s3://b/none*" })
            Assert.Equal("input", (await Assert.ThrowsAsync<MixpanelException>(() => ImportAsync(address))).Error.Field);
    }

    [Fact]
    public async Task The_version_that_was_listed_is_asked_for()
    {
        _bucket.Put("p/a.ndjson", ImportRun.Event(1) + "\n", version: "v1");
        Assert.Equal(RunOutcome.Complete, (await ImportAsync("s3://b/p/")).Outcome);
        Assert.Contains("versionId=v1", Assert.Single(_bucket.Reads("p/a.ndjson")).Query, StringComparison.Ordinal);
        Assert.Equal("v1", Assert.Single(_state.Load()!.Sources).Pinned!.Version);
    }

    [Fact]
    public async Task A_later_run_imports_what_is_new_and_reads_nothing_twice()
    {
        _bucket.Put("p/a.ndjson", ImportRun.Event(1) + "\n");
        await ImportAsync("s3://b/p/");
        _bucket.Put("p/b.ndjson", ImportRun.Event(2) + "\n");
        var report = await ImportAsync("s3://b/p/");

        Assert.Equal((RunOutcome.Complete, 2L), (report.Outcome, report.Accepted));
        Assert.Equal([1, 2], _run.StoredNumbers());
        Assert.Single(_bucket.Reads("p/a.ndjson"));
    }

    /// <summary>As a lifecycle rule of the bucket that deletes old objects does.</summary>
    [Fact]
    public async Task An_object_that_is_deleted_once_it_was_imported_changes_nothing_for_the_others()
    {
        _bucket.Put("p/a.ndjson", ImportRun.Event(1) + "\n");
        _bucket.Put("p/b.ndjson", ImportRun.Event(2) + "\n{\"event\":7}\n");
        Assert.Equal((RunOutcome.Rejected, 2L, 1L), await AccountAsync());
        _bucket.Delete("p/a.ndjson");
        Assert.Equal((RunOutcome.Rejected, 2L, 1L), await AccountAsync());
        _bucket.Put("p/c.ndjson", ImportRun.Event(3) + "\n");
        Assert.Equal((RunOutcome.Rejected, 3L, 1L), await AccountAsync());
        Assert.Equal([1, 2, 3], _run.StoredNumbers());

        async Task<(RunOutcome Outcome, long Accepted, long Rejected)> AccountAsync() =>
            await ImportAsync("s3://b/p/") is var report ? (report.Outcome, report.Accepted, report.Rejected) : default;
    }

    [Theory]
    [InlineData("s3://b/p/a.ndjson")]
    [InlineData("s3://b/p/")]
    [InlineData("s3://b/p/*.ndjson")]
    public async Task Where_nothing_is_left_of_what_was_imported_it_is_missing_and_the_account_stays(string address)
    {
        _bucket.Put("p/a.ndjson", ImportRun.Event(1) + "\n");
        Assert.Equal(RunOutcome.Complete, (await ImportAsync(address)).Outcome);
        var requests = _run.Mixpanel.Requests.Count;

        _bucket.Delete("p/a.ndjson");
        var missing = await Assert.ThrowsAsync<MixpanelException>(() => ImportAsync(address));
        Assert.Equal((ErrorKind.InvalidInput, "input"), (missing.Error.Kind, missing.Error.Field));
        Assert.Equal(1, _state.Load()!.Totals.Accepted);

        _bucket.Put("p/a.ndjson", ImportRun.Event(1) + "\n");
        Assert.Equal((RunOutcome.Complete, 1L, requests),
            (await ImportAsync(address)) is var again ? (again.Outcome, again.Accepted, _run.Mixpanel.Requests.Count) : default);
        _bucket.Put("p/a.ndjson", ImportRun.Event(2) + "\n");
        Assert.Equal((RunOutcome.Damaged, 1L, requests),
            (await ImportAsync(address)) is var other ? (other.Outcome, other.Accepted, _run.Mixpanel.Requests.Count) : default);
    }

    [Fact]
    public async Task What_was_listed_first_is_pinned_though_nothing_of_it_was_read()
    {
        _bucket.Put("p/a.ndjson", ImportRun.Event(1) + "\n");
        _bucket.Put("p/b.ndjson", ImportRun.Event(2) + "\n");
        _bucket.Script = request => request.Method == "GET" && request.Path == "/b/p/a.ndjson" ? Bucket.Refused(503, "SlowDown") : null;
        Assert.Equal(RunOutcome.Unavailable, (await ImportAsync("s3://b/p/")).Outcome);
        _bucket.Script = _ => null;
        _bucket.Put("p/b.ndjson", ImportRun.Event(3) + "\n");
        var report = await ImportAsync("s3://b/p/");

        Assert.Equal((RunOutcome.Damaged, 1L), (report.Outcome, report.Accepted));
    }

    Task<ImportReport> ImportAsync(string address, Func<ImportRequest, ImportRequest>? change = null)
    {
        var request = _run.Request(address) with { Storages = [_bucket.Scheme], Senders = 1 };
        return _run.RunAsync(change?.Invoke(request) ?? request, _state, TestContext.Current.CancellationToken);
    }
}
