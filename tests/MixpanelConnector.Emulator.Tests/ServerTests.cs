namespace MixpanelConnector.Emulator.Tests;

public sealed class ServerTests
{
    [Fact]
    public async Task It_listens_on_loopback_and_says_when_it_serves()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync("/healthz");

        Assert.Equal(200, answer.Status);
        Assert.Equal("ok", answer.Json.GetProperty("status").GetString());
        Assert.Equal("127.0.0.1", mixpanel.Server.Address.Host);
        Assert.False(answer.Headers.ContainsKey("Server"));
    }

    [Fact]
    public async Task It_listens_on_the_port_asked_for()
    {
        int port;
        await using (var first = await LocalMixpanel.StartAsync())
            port = first.Server.Address.Port;

        await using var second = await LocalMixpanel.StartAsync(options => options with { Port = port });

        Assert.Equal(port, second.Server.Address.Port);
    }

    [Fact]
    public async Task It_may_be_stopped_twice()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.Server.DisposeAsync();
    }

    [Fact]
    public async Task It_answers_to_further_names_that_are_allowed()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { HostNames = ["api.mixpanel.com"] });

        Assert.Equal(200, (await mixpanel.SendAsync(HttpMethod.Get, "/healthz", headers: headers => headers.Host = "api.mixpanel.com")).Status);
        Assert.Equal(421, (await mixpanel.SendAsync(HttpMethod.Get, "/healthz", headers: headers => headers.Host = "data.mixpanel.com")).Status);
    }

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFF")]
    [InlineData("80000000")]
    [InlineData("xyz")]
    public async Task A_chunk_whose_size_cannot_be_is_refused(string size)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        foreach (var path in (string[])["/track", "/engage", "/lookup-tables/00000000-0000-4000-8000-000000000001?project_id=1"])
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync(mixpanel.Server.Address.Host, mixpanel.Server.Address.Port);
            await using var stream = client.GetStream();
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"{(path.Contains("lookup", StringComparison.Ordinal) ? "PUT" : "POST")} {path} "
                + $"HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic bG9jYWw6bG9jYWw=\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\n"));
            using var reader = new StreamReader(stream);
            Assert.Equal("HTTP/1.1 400 Bad Request", await reader.ReadLineAsync());
        }
    }

    [Theory]
    [InlineData("GZIP")]
    [InlineData("x-gzip")]
    [InlineData("X-GZip")]
    public async Task Gzip_is_recognized_under_all_of_its_names(string encoding)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        using var content = LocalMixpanel.Gzip(System.Text.Encoding.UTF8.GetBytes($"[{mixpanel.Event()}]"));
        content.Headers.ContentEncoding.Clear();
        content.Headers.ContentEncoding.Add(encoding);

        Assert.Equal(200, (await mixpanel.ImportAsync(content)).Status);
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("GZIP;q=0.5, br", true)]
    [InlineData("x-gzip", true)]
    [InlineData("gzip;q=0", false)]
    [InlineData("gzip; q=0.000, identity", false)]
    [InlineData("identity, *;q=0", false)]
    [InlineData("notgzip", false)]
    public async Task An_export_is_compressed_if_the_client_accepts_it(string accepted, bool compressed)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/2.0/export?project_id=1&from_date=2026-09-01&to_date=2026-09-01");
        request.Headers.Authorization = LocalMixpanel.Basic("local", "local");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        using var response = await mixpanel.Http.SendAsync(request);

        Assert.Equal(compressed ? ["gzip"] : [], response.Content.Headers.ContentEncoding);
    }

    [Theory]
    [InlineData("GET", "/api/2.0/engage?api_key=k&expire=1&sig=s", 401)]
    [InlineData("POST", "/api/2.0/jql?sig=s&api_key=k", 401)]
    [InlineData("GET", "/api/2.0/export?from_date=2026-09-01&to_date=2026-09-01&api_key=k&expire=1&sig=s", 401)]
    [InlineData("GET", "/api/app/me?sig=s", 401)]
    [InlineData("GET", "/api/2.0/engage?signature=s", 400)]
    public async Task A_signature_is_no_credential(string method, string path, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(status, (await mixpanel.SendAsync(new HttpMethod(method), path)).Status);
        Assert.Equal(400, (await mixpanel.SendAsync(new HttpMethod(method), path, authorization: LocalMixpanel.Basic("local", "local"))).Status);
    }

    /// <summary>As in a container.</summary>
    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("172.17.0.2:8123", 200)]
    [InlineData("mixpanel", 200)]
    [InlineData("attacker.example", 421)]
    public async Task On_all_addresses_it_answers_to_any_of_them_and_to_names_that_are_allowed(string host, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { AnyAddress = true, HostNames = ["mixpanel"] });

        Assert.Equal("127.0.0.1", mixpanel.Server.Address.Host); // how it is come to from here
        Assert.Equal(status, (await mixpanel.SendAsync(HttpMethod.Get, "/healthz", headers: headers => headers.Host = host)).Status);
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:80", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("api.mixpanel.com", 421)]
    [InlineData("127.0.0.1.attacker.example", 421)]
    [InlineData("localhost.attacker.example", 421)]
    public async Task It_answers_to_loopback_names_only(string host, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(status, (await mixpanel.SendAsync(HttpMethod.Get, "/healthz", headers: headers => headers.Host = host)).Status);
    }

    [Theory]
    [InlineData("GET", "/api/2.0/nessie/anything")]
    [InlineData("GET", "/flags/anything")]
    [InlineData("GET", "/anything/else")]
    public async Task What_is_not_emulated_says_so(string method, string path)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.SendAsync(new HttpMethod(method), path)).Is(501, $$"""{"error":"{{method}} {{path}} is not emulated","status":"error"}""");
    }

    [Theory]
    [InlineData("DELETE", "/import")]
    [InlineData("PUT", "/track")]
    [InlineData("POST", "/healthz")]
    [InlineData("PUT", "/api/query/engage")]
    [InlineData("DELETE", "/api/2.0/export")]
    [InlineData("PATCH", "/api/app/organizations/1/service-accounts/1")]
    public async Task A_wrong_method_is_told_from_a_wrong_path(string method, string path)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(405, (await mixpanel.SendAsync(new HttpMethod(method), path)).Status);
    }

    [Fact]
    public async Task Requests_at_the_same_time_are_all_stored()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => mixpanel.ImportAsync($"[{mixpanel.Event(insertId: $"\"id-{i}\"")}]")));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        var events = await mixpanel.Server.EventsAsync();
        Assert.Equal(50, events.Select(e => e.InsertId).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), events.Select(e => e.Sequence));
    }
}
