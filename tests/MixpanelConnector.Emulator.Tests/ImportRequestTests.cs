using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>The checks of an import request as a whole: authorization, size and format.</summary>
public sealed class ImportRequestTests
{
    const int Limit = 10 * 1024 * 1024;
    const string TooLarge = """{"code":413,"error":"request exceeds max limit of 10485760 bytes","status":"Request Entity Too Large"}""";

    [Theory]
    [InlineData("local", "wrong")]
    [InlineData("nobody", "x")]
    [InlineData("a-project-secret", "")]
    public async Task Wrong_credentials_are_refused(string username, string secret)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await SendAsync(mixpanel, LocalMixpanel.Basic(username, secret));

        answer.Is(401, """{"code":401,"error":"Invalid credentials","status":"Unauthorized"}""");
    }

    [Fact]
    public async Task A_request_without_credentials_is_refused()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(401, (await SendAsync(mixpanel, null)).Status);
        Assert.Equal(401, (await SendAsync(mixpanel, new AuthenticationHeaderValue("Bearer", "local:local"))).Status);
        Assert.Equal(401, (await SendAsync(mixpanel, new AuthenticationHeaderValue("Basic", "!"))).Status);
    }

    [Fact]
    public async Task Credentials_may_be_plain_text()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(200, (await SendAsync(mixpanel, new AuthenticationHeaderValue("Basic", "local:local"))).Status);
    }

    [Theory]
    [InlineData("?strict=1", 200)]
    [InlineData("?strict=1&project_id=1", 200)]
    [InlineData("?strict=1&project_id=2", 401)]
    public async Task The_project_token_is_a_username_without_a_secret(string query, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(status, (await SendAsync(mixpanel, LocalMixpanel.Basic("local", ""), query)).Status);
    }

    [Theory]
    [InlineData("?strict=1", 400)]
    [InlineData("?strict=1&project_id=x", 400)]
    [InlineData("?strict=1&project_id=99", 403)]
    public async Task A_service_account_must_name_a_project_of_its_own(string query, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(status, (await SendAsync(mixpanel, LocalMixpanel.Basic("local", "local"), query)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("[]")]
    [InlineData("[{]")]
    [InlineData("[{}")]
    [InlineData("[{}] x")]
    [InlineData("{} {}")]
    [InlineData("not json")]
    [InlineData("data=%21")]
    public async Task What_holds_no_events_as_JSON_is_refused_as_a_whole(string body)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync(body);

        Assert.Equal(400, answer.Status);
        Assert.Equal(400, answer.Json.GetProperty("code").GetInt32());
        Assert.Equal("Bad Request", answer.Json.GetProperty("status").GetString());
        Assert.False(answer.Json.TryGetProperty("failed_records", out _));
    }

    [Fact]
    public async Task A_broken_line_refuses_the_request_and_is_named()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync(mixpanel.Event() + "\n\n{\"event\":", contentType: "application/x-ndjson");

        Assert.Equal(400, answer.Status);
        Assert.StartsWith("request body is not valid JSON: line 3,", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Empty(await mixpanel.Server.EventsAsync());
    }

    [Theory]
    [InlineData(2000, 200)]
    [InlineData(2001, 400)]
    public async Task A_request_holds_at_most_2000_events(int count, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var events = Enumerable.Range(0, count).Select(i => mixpanel.Event(insertId: $"\"id-{i}\"")).ToList();

        Assert.Equal(status, (await mixpanel.ImportAsync($"[{string.Join(',', events)}]")).Status);
        Assert.Equal(status, (await mixpanel.ImportAsync(string.Join('\n', events), contentType: "application/x-ndjson")).Status);
        Assert.Equal(status == 200 ? 4000 : 0, (await mixpanel.Server.EventsAsync()).Count);
    }

    [Fact]
    public async Task A_request_of_exactly_10_MB_is_taken_and_one_byte_more_is_not()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var json = Encoding.UTF8.GetBytes($"[{mixpanel.Event()}]".PadRight(Limit + 1));

        Assert.Equal(200, (await mixpanel.ImportAsync(new ByteArrayContent(json, 0, Limit))).Status);
        (await mixpanel.ImportAsync(new ByteArrayContent(json))).Is(413, TooLarge);
        (await mixpanel.ImportAsync(LocalMixpanel.Gzip(json))).Is(413, TooLarge);
    }

    [Theory]
    [InlineData(25)]
    [InlineData(60)]
    public async Task The_sender_of_far_too_much_can_read_the_refusal(int megabytes)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.ImportAsync(new ByteArrayContent(new byte[megabytes * 1024 * 1024]))).Is(413, TooLarge);
    }

    [Fact]
    public async Task A_small_body_that_unpacks_to_a_gigabyte_is_stopped_at_the_limit()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var megabyte = new byte[1024 * 1024];
            for (var i = 0; i < 1024; i++)
                gzip.Write(megabyte);
        }
        using var content = new ByteArrayContent(packed.ToArray()) { Headers = { ContentType = new("application/json"), ContentEncoding = { "gzip" } } };

        (await mixpanel.ImportAsync(content)).Is(413, TooLarge);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(20)]
    public async Task Gzip_that_is_cut_short_is_not_taken_for_whole(int missing)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var whole = await LocalMixpanel.Gzip(Encoding.UTF8.GetBytes(mixpanel.Event() + "\n" + mixpanel.Event())).ReadAsByteArrayAsync();
        using var content = new ByteArrayContent(whole[..^missing]) { Headers = { ContentType = new("application/x-ndjson"), ContentEncoding = { "gzip" } } };

        Assert.Equal(missing == 0 ? 200 : 400, (await mixpanel.ImportAsync(content)).Status);
    }

    [Fact]
    public async Task What_is_not_gzip_is_refused()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        using var plain = new StringContent($"[{mixpanel.Event()}]") { Headers = { ContentEncoding = { "gzip" } } };
        using var other = new StringContent($"[{mixpanel.Event()}]") { Headers = { ContentEncoding = { "br" } } };

        (await mixpanel.ImportAsync(plain)).Is(400, """{"code":400,"error":"body is not a whole gzip stream","status":"Bad Request"}""");
        Assert.Equal(415, (await mixpanel.ImportAsync(other)).Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    public async Task Deep_nesting_is_refused_without_harm(string contentType)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var deep = new string('[', 100_000) + new string(']', 100_000);

        Assert.Equal(400, (await mixpanel.ImportAsync(mixpanel.Event(more: $"\"a\":{deep}"), contentType: contentType)).Status);
        Assert.Equal(400, (await mixpanel.ImportAsync(deep, contentType: contentType)).Status);
        Assert.Equal(200, (await mixpanel.GetAsync("/healthz")).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_old_form_is_answered_as_track_answers(bool base64)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var data = mixpanel.Event();
        using var content = LocalMixpanel.Form(("data", base64 ? LocalMixpanel.Base64(data) : data), ("verbose", "1"));

        var answer = await mixpanel.ImportAsync(content, "?project_id=1");

        answer.Is(200, """{"error":null,"status":1}""");
        Assert.Single(await mixpanel.Server.EventsAsync());
    }

    static Task<Answer> SendAsync(LocalMixpanel mixpanel, AuthenticationHeaderValue? authorization, string query = "?strict=1&project_id=1") =>
        mixpanel.SendAsync(HttpMethod.Post, "/import" + query, new StringContent($"[{mixpanel.Event()}]"), authorization);
}
