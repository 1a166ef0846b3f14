using System.IO.Compression;
using MixpanelConnector.Testing;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tests.Transport;

/// <summary>Redirects, deadlines, sizes, encodings, proxies, cancellation.</summary>
public class TransportTests
{
    const string NoAccounts = """{"results":[],"status":"ok"}""";
    static readonly GetAllServiceAccountsInput Organization = new() { OrganizationId = 7 };

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_never_followed(int status)
    {
        await using var elsewhere = await RecordingServer.StartAsync(_ => Answer.Json(Given.ImportedOne));
        await using var server = await RecordingServer.StartAsync(_ => Answer.Redirect(elsewhere.Url + "/import", status));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.ImportEventsAsync(Given.Import(Given.Event("x"))))).Error;

        Assert.Equal((ErrorKind.Protocol, status), (error.Kind, error.HttpStatus));
        Assert.Contains("redirect to 127.0.0.1", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task A_redirect_that_the_callers_client_followed_is_no_success()
    {
        await using var server =
            await RecordingServer.StartAsync(request => request.Method == "POST" ? Answer.Redirect("/elsewhere", 302) : Answer.Json(Given.ImportedOne));
        using var http = new HttpClient { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Given.Account().At(server), http);

        var error = (await Given.FailsAsync(client.ImportEventsAsync(Given.Import(Given.Event("x"))))).Error;

        Assert.Equal(ErrorKind.Protocol, error.Kind);
        Assert.Contains("followed a redirect", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/app/organizations/7/service-accounts/")]
    [InlineData("service-accounts/")]
    public async Task The_app_api_may_add_a_slash_on_the_same_host(string location)
    {
        await using var server =
            await RecordingServer.StartAsync(Answer.Redirect(location), Answer.Json("""{"results":{"id":9,"username":"b","token":"t"},"status":"ok"}""", 201));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.CreateServiceAccountAsync(new() { Username = "b", OrganizationId = 7 });

        Assert.Equal("true", output.ServiceAccountCreated);
        Assert.Equal("POST /api/app/organizations/7/service-accounts\nPOST /api/app/organizations/7/service-accounts/", server.Lines);
        Assert.Equal([(Given.AccountHeader, server.Requests[0].Text), (Given.AccountHeader, server.Requests[0].Text)],
            server.Requests.Select(request => (request.Header("Authorization")!, request.Text)));
    }

    [Theory]
    [InlineData("/api/app/organizations/7/service-accounts//")]
    [InlineData("/api/app/organizations/8/service-accounts/")]
    [InlineData("/api/app/organizations/7/service-accounts/?next=1")]
    [InlineData("http://localhost:1/api/app/organizations/7/service-accounts/")]
    [InlineData("https://127.0.0.1/api/app/organizations/7/service-accounts/")]
    [InlineData("//")]
    [InlineData("http://[")]
    [InlineData("")]
    public async Task No_other_redirect_of_the_app_api_is_followed(string location)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Redirect(location));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error;

        Assert.Equal(ErrorKind.Protocol, error.Kind);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_slash_is_added_once_only()
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Redirect(request.Path + "/"));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error.Kind);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Ingestion_does_not_follow_even_a_slash()
    {
        await using var server = await RecordingServer.StartAsync(request => Answer.Redirect(request.Path + "/" + request.Query));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(client.TrackEventAsync(Given.Track()))).Error.Kind);
        Assert.Single(server.Requests);
    }

    public static TheoryData<string, int> Deadlines => new() { { "import_events", 120 }, { "get_all_service_accounts", 135 }, { "query_user_profiles", 505 } };

    [Theory, MemberData(nameof(Deadlines))]
    public async Task A_silent_server_is_given_up_at_the_deadline(string action, int seconds)
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await RecordingServer.StartAsync(_ =>
        {
            arrived.SetResult();
            return Answer.Stall;
        });
        using var client = new MixpanelClient(Given.Account().At(server) with { MaxRetries = 0 });
        var call = client.CallAsync(action, action switch
        {
            "import_events" => """{"strict":"1","events":["x"],"properties":{}}""",
            "get_all_service_accounts" => """{"organization_id":1}""",
            _ => "{}",
        });
        await arrived.Task;

        client.Clock().Advance(TimeSpan.FromSeconds(seconds - 1));
        Assert.False(call.IsCompleted);
        client.Clock().Advance(TimeSpan.FromSeconds(1));

        var error = (await Given.FailsAsync(() => call)).Error;
        Assert.Equal(ErrorKind.Timeout, error.Kind);
        Assert.Contains($"within {seconds} seconds", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configured_deadline_holds_for_the_body_of_the_answer_too()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.StallInBody);
        using var client = new MixpanelClient(Given.Account().At(server) with
        {
            MaxRetries = 0,
            AttemptTimeout = TimeSpan.FromMilliseconds(150),
            TimeProvider = TimeProvider.System,
        });

        Assert.Equal(ErrorKind.Timeout, (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error.Kind);
    }

    [Fact]
    public async Task A_large_upload_gets_more_time()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Stall);
        using var client = new MixpanelClient(Given.Account().At(server) with { MaxRetries = 0, AttemptTimeout = TimeSpan.FromSeconds(150) });
        // A body that hardly compresses: 80 KB of hexadecimal digits become more than 32 KB, which takes four seconds at 8 KB a second.
        var noise = Convert.ToHexString(System.Security.Cryptography.SHA3_512.HashData("seed"u8))
            + string.Concat(Enumerable.Range(0, 640).Select(i => Convert.ToHexString(System.Security.Cryptography.SHA512.HashData(BitConverter.GetBytes(i)))));
        var call = client.ImportEventsAsync(Given.Import(Given.Event("x", $$"""{"noise":"{{noise}}"}"""))).AsTask();
        while (server.Requests.Count == 0) await Task.Yield();

        client.Clock().Advance(TimeSpan.FromSeconds(153));
        Assert.False(call.IsCompleted);
        client.Clock().Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(ErrorKind.Timeout, (await Given.FailsAsync(() => call)).Error.Kind);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_huge_answer_is_refused(bool compressed)
    {
        var huge = Answer.Json($$"""{"code":200,"num_records_imported":1,"status":"OK","x":"{{new string('x', 5 << 20)}}"}""");
        await using var server = await RecordingServer.StartAsync(compressed ? huge.Gzipped() : huge);
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.TrackEventAsync(Given.Track()))).Error;

        Assert.Equal(ErrorKind.Protocol, error.Kind);
        Assert.Contains("larger response than is plausible", error.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("1,")]
    [InlineData("{},")]
    [InlineData("[[[]]],")]
    public async Task An_answer_of_very_many_values_is_refused_before_anything_is_built_of_it(string item)
    {
        var many = string.Concat(Enumerable.Repeat(item, 600_000));
        await using var server = await RecordingServer.StartAsync(Answer.Json($$"""{"results":[{{many}}1],"page":0,"status":"ok"}""").Gzipped());
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error;

        Assert.Equal(ErrorKind.Protocol, error.Kind);
        Assert.Contains("600,000 names and values", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compressed_answer_is_read(string encoding)
    {
        using var compressed = new MemoryStream();
        using (Stream encoder = encoding switch
        {
            "br" => new BrotliStream(compressed, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true),
            _ => new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true),
        }) encoder.Write("""{"results":[{"id":1,"username":"a"}],"status":"ok"}"""u8);
        await using var server = await RecordingServer.StartAsync(new Answer { Body = compressed.ToArray(), Headers = [("Content-Encoding", encoding)] });
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(1, (await client.GetAllServiceAccountsAsync(Organization)).Total);
    }

    [Fact]
    public async Task A_damaged_compressed_answer_is_a_broken_one()
    {
        var whole = Answer.Json(NoAccounts).Gzipped();
        await using var server =
            await RecordingServer.StartAsync(whole with { Body = [.. whole.Body[..12], .. whole.Body[13..].Select(b => (byte)~b)] }, Answer.Json(NoAccounts));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(0, (await client.GetAllServiceAccountsAsync(Organization)).Total);
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 abc\r\n\r\n")]
    public async Task What_does_not_speak_http_is_not_Mixpanel(string greeting)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.RawText(greeting));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error;

        Assert.Equal(ErrorKind.Protocol, error.Kind);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Endless_headers_are_refused()
    {
        await using var server = await RecordingServer.StartAsync(_ =>
            Answer.RawText("HTTP/1.1 200 OK\r\n" + string.Concat(Enumerable.Range(0, 2000).Select(i => $"X-{i}: {new string('x', 100)}\r\n"))));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(ErrorKind.Protocol, (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error.Kind);
    }

    [Fact]
    public async Task Http_1_0_and_early_hints_are_read()
    {
        await using var server = await RecordingServer.StartAsync(
            Answer.RawText($"HTTP/1.0 200 OK\r\n\r\n{NoAccounts}"),
            Answer.RawText($"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {NoAccounts.Length}\r\n\r\n{NoAccounts}"));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal(0, (await client.GetAllServiceAccountsAsync(Organization)).Total);
        Assert.Equal(0, (await client.GetAllServiceAccountsAsync(Organization)).Total);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("https://proxy.example", true)]
    [InlineData("http://127.0.0.1:1", false)]
    [InlineData("https://localhost:1", false)]
    [InlineData("http://[::1]:1", false)]
    public void A_proxy_is_used_for_the_network_and_never_for_loopback(string? endpoint, bool uses)
    {
        using var handler = Assert.IsType<SocketsHttpHandler>(MixpanelTransport.NewHandler(new() { Endpoint = endpoint is null ? null : new Uri(endpoint) }));
        Assert.Equal(uses, handler.UseProxy);
        Assert.False(handler.AllowAutoRedirect);
        Assert.False(handler.UseCookies);
    }

    [Fact]
    public async Task The_caller_can_cancel_a_try()
    {
        using var cancel = new CancellationTokenSource();
        await using var server = await RecordingServer.StartAsync(_ =>
        {
            cancel.CancelAfter(TimeSpan.Zero);
            return Answer.Stall;
        });
        using var client = new MixpanelClient(Given.Account().At(server));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetAllServiceAccountsAsync(Organization, cancel.Token).AsTask());
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task The_caller_can_cancel_a_wait()
    {
        using var cancel = new CancellationTokenSource();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("", 503));
        var clock = new ImpatientClock(ImpatientClock.Noon, TimeSpan.Zero); // waits for ever
        using var client =
            new MixpanelClient(Given.Account().At(server) with { TimeProvider = clock, Randomizer = () => { cancel.CancelAfter(TimeSpan.Zero); return 0; } });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetAllServiceAccountsAsync(Organization, cancel.Token).AsTask());
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task One_client_serves_many_callers()
    {
        await using var server =
            await RecordingServer.StartAsync(request => Answer.Json($$"""{"results":[{"id":{{request.Path.Split('/')[4]}},"username":"a"}],"status":"ok"}"""));
        using var client = new MixpanelClient(Given.Account().At(server));

        var answers = await Task.WhenAll(Enumerable.Range(1, 40).Select(id => client.GetAllServiceAccountsAsync(new() { OrganizationId = id }).AsTask()));

        Assert.Equal(Enumerable.Range(1, 40).Select(id => (long)id), answers.Select(answer => answer.ServiceAccounts[0].Id));
    }
}
