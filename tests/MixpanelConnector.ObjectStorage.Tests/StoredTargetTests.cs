using System.Text;
using MixpanelConnector.Export;
using MixpanelConnector.Storage;
using MixpanelConnector.Testing;

namespace MixpanelConnector.ObjectStorage.Tests;

public sealed class StoredTargetTests : IAsyncLifetime
{
    readonly ImportRun _run = new();
    Bucket _bucket = null!;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _bucket = await Bucket.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _bucket.DisposeAsync();
        _run.Dispose();
    }

    [Theory]
    [InlineData(8 << 20, 1)]
    [InlineData((8 << 20) + 1, 2)]
    [InlineData(20 << 20, 3)]
    public async Task A_file_is_put_in_one_request_or_in_parts_of_8_MiB(int length, int puts)
    {
        using var target = Target();
        var content = new byte[length];
        new Random(1).NextBytes(content);
        await using (var file = await target.CreateAsync("2026-10-01.ndjson", Token))
        {
            file.Content.Write(content);
            Assert.Empty(_bucket.Requests);
            await file.CommitAsync(Token);
        }

        Assert.Equal(puts, _bucket.Requests.Count(request => request.Method == "PUT"));
        Assert.Equal(content, _bucket.Of("x/2026-10-01.ndjson"));
        Assert.Equal(length, await target.LengthOfAsync("2026-10-01.ndjson", Token));
    }

    [Fact]
    public async Task What_is_not_committed_is_never_sent()
    {
        using var target = Target();
        await using (var file = await target.CreateAsync("2026-10-01.ndjson", Token)) file.Content.Write(new byte[9 << 20]);
        Assert.Empty(_bucket.Requests);
    }

    [Fact]
    public async Task A_manifest_replaces_the_one_that_was_seen_last_and_no_other()
    {
        using var target = Target();
        using var other = Target();
        Assert.Null(await target.ReadManifestAsync(Token));
        Assert.Null(await other.ReadManifestAsync(Token));
        await target.ReplaceManifestAsync("1"u8.ToArray(), Token);
        await target.ReplaceManifestAsync("2"u8.ToArray(), Token);

        Assert.Equal(StorageFault.Changed,
            (await Assert.ThrowsAsync<StorageException>(async () => await other.ReplaceManifestAsync("3"u8.ToArray(), Token))).Fault);
        Assert.Equal("2", Encoding.UTF8.GetString(_bucket.Of("x/manifest.json")!));
    }

    [Fact]
    public async Task Only_the_manifest_that_was_seen_last_is_deleted()
    {
        using var target = Target();
        using var other = Target();
        await target.ReadManifestAsync(Token);
        await target.DeleteManifestAsync(); // there is none
        await target.ReplaceManifestAsync("1"u8.ToArray(), Token);
        await other.ReadManifestAsync(Token);
        await other.ReplaceManifestAsync("2"u8.ToArray(), Token);

        await target.DeleteManifestAsync();
        Assert.Equal("2", Encoding.UTF8.GetString(_bucket.Of("x/manifest.json")!));
        _bucket.Script = request => request.Method == "DELETE" ? Answer.Plain("", 403) : null;
        await other.DeleteManifestAsync(); // stays
        _bucket.Script = _ => null;
        await other.DeleteManifestAsync();
        Assert.Null(_bucket.Of("x/manifest.json"));
    }

    [Fact]
    public async Task A_manifest_whose_answer_was_lost_is_found_to_be_there()
    {
        using var target = Target();
        await target.ReadManifestAsync(Token);
        var lost = 0;
        _bucket.Script = request =>
        {
            if (request.Method != "PUT" || lost++ > 0) return null;
            _bucket.Put("x/manifest.json", "1");
            return Answer.Reset;
        };
        await target.ReplaceManifestAsync("1"u8.ToArray(), Token);
        await target.ReplaceManifestAsync("2"u8.ToArray(), Token);

        Assert.Equal("2", Encoding.UTF8.GetString(_bucket.Of("x/manifest.json")!));
    }

    [Fact]
    public async Task Uploads_that_were_left_are_taken_away_where_they_are_ours()
    {
        _bucket.Uploads.AddRange([("x/2026-10-01.ndjson.gz",
            "ours"), ("x/pages-00000.csv", "too"), ("x/film.mp4", "foreign"), ("y/2026-10-01.ndjson.gz", "elsewhere")]);
        using var target = Target();
        await target.DeleteLeftoversAsync(Token);

        Assert.Equal(["foreign", "elsewhere"], _bucket.Uploads.Select(upload => upload.Upload), StringComparer.Ordinal);
    }

    StoredTarget Target() => new("s3://b/x", _bucket.Store(), "x", new StorageCalls(_run.Options), state: null);
}
