using System.Globalization;
using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.ObjectStorage.Tests;

public sealed class StoredImportTests : IAsyncLifetime
{
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

        Assert.Equal((0, 2L), (report.ExitCode, report.Accepted));
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
        Assert.Equal(6, (await ImportAsync("s3://b/a.ndjson")).ExitCode); // cut short
        _bucket.Put("a.ndjson", ImportRun.Event(2) + "\n");

        for (var again = 0; again < 2; again++)
        {
            var report = await ImportAsync("s3://b/a.ndjson");
            Assert.Equal((6, 1L), (report.ExitCode, report.Accepted));
            Assert.Contains("--restart", report.Problems[0], StringComparison.Ordinal);
        }

        Assert.Equal(0, (await ImportAsync("s3://b/a.ndjson", request => request with { Restart = true })).ExitCode);
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

        Assert.Equal((6, 1L), (report.ExitCode, report.Accepted));
        Assert.Equal([1], _run.StoredNumbers());
    }

    [Fact]
    public async Task A_connection_that_breaks_goes_on_where_it_broke()
    {
        var text = ImportRun.Events(50);
        _bucket.Put("a.ndjson", text);
        var tag = Bucket.Tag(Encoding.UTF8.GetBytes(text));
        var broken = 0;
        _bucket.Script = request => request.Method == "GET" && request.Path == "/b/a.ndjson" && broken++ == 0
            ? Answer.RawText(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\nETag: \"{tag}\"\r\nContent-Length: {text.Length}\r\n\r\n{text[..1000]}"))
            : null;
        var report = await ImportAsync("s3://b/a.ndjson");

        Assert.Equal((0, 50L), (report.ExitCode, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 50), _run.StoredNumbers());
        Assert.Equal("bytes=1000-", _bucket.Reads("a.ndjson").Last().Header("Range"));
        Assert.All(_bucket.Reads("a.ndjson"), request => Assert.Equal($"\"{tag}\"", request.Header("If-Match")));
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

        Assert.Equal(exit, report.ExitCode);
        Assert.Equal(tries, _bucket.Reads("a.ndjson").Count());
        Assert.Contains(code, report.Problems[0], StringComparison.Ordinal);
        Assert.DoesNotContain("secret", string.Join('\n', report.Problems), StringComparison.Ordinal);
        _bucket.Script = _ => null;
        Assert.Equal((0, 1L), ((await ImportAsync("s3://b/a.ndjson")) is var again ? again.ExitCode : 0, again.Accepted));
    }

    [Theory]
    [InlineData(403, 4)]
    [InlineData(503, 5)]
    public async Task So_does_a_list(int status, int exit)
    {
        _bucket.Script = request => request.Path is "/b/" or "/b" ? Bucket.Refused(status, "Code") : null;
        Assert.Equal(exit, (await ImportAsync("s3://b/p/")).ExitCode);
    }

    [Theory]
    [InlineData("<html><body>It works!</body></html>", "text/html")]
    [InlineData("<Listing/>", "application/xml")]
    public async Task What_is_no_listing_is_not_taken_for_an_empty_one(string text, string type)
    {
        _bucket.Script = request => request.Path is "/b/" or "/b" ? Answer.Plain(text, type: type) : null;
        var report = await ImportAsync("s3://b/p/");
        Assert.Equal(5, report.ExitCode);
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
        Assert.Equal(0, (await ImportAsync("s3://b/p/")).ExitCode);
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

        Assert.Equal((0, 2L), (report.ExitCode, report.Accepted));
        Assert.Equal([1, 2], _run.StoredNumbers());
        Assert.Single(_bucket.Reads("p/a.ndjson"));
    }

    [Fact]
    public async Task What_was_listed_first_is_pinned_though_nothing_of_it_was_read()
    {
        _bucket.Put("p/a.ndjson", ImportRun.Event(1) + "\n");
        _bucket.Put("p/b.ndjson", ImportRun.Event(2) + "\n");
        _bucket.Script = request => request.Method == "GET" && request.Path == "/b/p/a.ndjson" ? Bucket.Refused(503, "SlowDown") : null;
        Assert.Equal(5, (await ImportAsync("s3://b/p/")).ExitCode);
        _bucket.Script = _ => null;
        _bucket.Put("p/b.ndjson", ImportRun.Event(3) + "\n");
        var report = await ImportAsync("s3://b/p/");

        Assert.Equal((6, 1L), (report.ExitCode, report.Accepted));
    }

    Task<ImportReport> ImportAsync(string address, Func<ImportRequest, ImportRequest>? change = null)
    {
        var request = _run.Request(address) with { Storages = [_bucket.Scheme], Senders = 1 };
        return _run.RunAsync(change?.Invoke(request) ?? request, _state, TestContext.Current.CancellationToken);
    }
}
