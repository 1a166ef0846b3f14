using System.Diagnostics.Metrics;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>What the server must withstand, each test named after its requirement.</summary>
public sealed class SecurityTests
{
    const string Import = "/v1/actions/import_events";
    const string Query = "/v1/actions/query_user_profiles";
    const string NewAccount = "/v1/actions/create_service_account";
    const string Profiles = """{"results":[],"page":0,"status":"ok"}""";

    [Theory]
    [InlineData("127.0.0.1", false, false, false, "", null)]
    [InlineData("::1", false, false, false, "", null)]
    [InlineData("0.0.0.0", false, true, false, "a.example", "keys")]
    [InlineData("0.0.0.0", true, false, false, "a.example", "certificate")]
    [InlineData("0.0.0.0", true, true, false, "", "allow_host")]
    [InlineData("0.0.0.0", true, true, false, "a.example", null)]
    [InlineData("10.0.0.1", true, false, true, "a.example", null)]
    [InlineData("127.0.0.1", false, false, true, "a.example", "keys")]
    public void Beyond_this_machine_only_with_keys_and_an_encrypted_way(string address, bool keys, bool certificate, bool proxy, string host, string? refused)
    {
        using var folder = new TemporaryFolder();
        using var made = Certificate();
        var options = new ServeOptions
        {
            Address = IPAddress.Parse(address),
            Keys = keys ? Served.KeysIn(folder, out _, out _) : Keys.None,
            Certificate = certificate ? made : null,
            BehindProxy = proxy,
            Hosts = host.Length > 0 ? [host] : [],
            StateFolder = "",
            SecretFolder = "",
            Destination = "",
        };

        if (refused is null) options.Validated();
        else Assert.Equal(refused, Assert.Throws<MixpanelException>(options.Validated).Error.Field);
    }

    [Fact]
    public async Task Without_options_only_loopback_listens()
    {
        await using var served = await Served.StartAsync();
        Assert.Equal("127.0.0.1", served.Gateway.Address.Host);
        foreach (var address in (await Dns.GetHostAddressesAsync(Dns.GetHostName(), AddressFamily.InterNetwork,
            TestContext.Current.CancellationToken)).Where(address => !IPAddress.IsLoopback(address)))
        {
            using var client = new TcpClient();
            await Assert.ThrowsAsync<SocketException>(async () =>
                await client.ConnectAsync(address, served.Gateway.Address.Port, TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task Keys_are_random_kept_as_hashes_and_compared_alike()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out var write);
        var text = await File.ReadAllTextAsync(folder.File("keys.txt"), TestContext.Current.CancellationToken);
        Assert.Equal(256 / 8, Convert.FromBase64String(read["mpk_".Length..].Replace('-', '+').Replace('_', '/') + "=").Length);
        Assert.NotEqual(read, write, StringComparer.Ordinal);
        Assert.DoesNotContain(read, text, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(read))), text, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("keys.txt")));

        Assert.Equal("reader", keys.Find(read)!.Name);
        Assert.Null(keys.Find(null));
        Assert.Null(keys.Find(""));
        Assert.Null(keys.Find(read[..^1]));
        Assert.Null(keys.Find(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(read))))); // the hash is no key

        await using var served = await Served.StartAsync(options => options with { Keys = keys });
        var unknown = await served.SendAsync(HttpMethod.Get, "/v1/actions", (string?)null, ("Authorization", "Bearer mpk_unknown"));
        var none = await served.SendAsync(HttpMethod.Get, "/v1/actions", (string?)null);
        Assert.Equal(await unknown.TextAsync(), await none.TextAsync());
        Assert.Equal("Bearer", none.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public void A_file_of_keys_that_others_can_read_is_refused()
    {
        using var folder = new TemporaryFolder();
        Served.KeysIn(folder, out _, out _);
        if (OperatingSystem.IsWindows()) return; // other permissions
        File.SetUnixFileMode(folder.File("keys.txt"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var host = new HostEnvironment { Environment = _ => null, Input = Stream.Null, Output = Stream.Null, Error = TextWriter.Null };
        Assert.Equal("keys",
            Assert.Throws<MixpanelException>(() => Keys.Load(folder.File("keys.txt"), host, () => new TokenBucket(1, TimeProvider.System))).Error.Field);
    }

    [Fact]
    public async Task Every_route_asks_for_its_scope()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out var write);
        await using var served = await Served.StartAsync(options => options with { Keys = keys });
        foreach (var route in Routes.All().Append(McpRoute.Route).Append(new Route("GET", "/nothing", Scope.Read, () => [], (_, _) => Task.CompletedTask)))
        {
            var path = route.Pattern.Replace("{id}", "x", StringComparison.Ordinal);
            Assert.Equal(route.Scope is Scope.None, await StatusAsync(null) is not 401);
            Assert.Equal(route.Scope is Scope.Write, await StatusAsync(read) is 403);
            Assert.False(await StatusAsync(write) is 401 or 403, $"{route.Method} {path}");

            async Task<int> StatusAsync(string? key)
            {
                using var answer =
                    await served.BeginAsync(route.Method, path, route.Method == "GET" ? null : "{}", key is null ? [] : [("Authorization", $"Bearer {key}")]);
                return (int)answer.StatusCode;
            }
        }

        string[] looksOnly = ["/v1/imports/inspect", "/v1/imports/show-mapping"]; // which send and keep nothing
        Assert.All(Routes.All().Where(route => route.Method is not "GET"
            && ActionCatalogue.Actions.All(action => !route.Pattern.EndsWith(action.Name, StringComparison.Ordinal))),
            route => Assert.Equal(looksOnly.Contains(route.Pattern, StringComparer.Ordinal) ? Scope.Read : Scope.Write, route.Scope));
        Assert.All(ActionCatalogue.Actions,
            action => Assert.Equal(action.Effect is ActionEffect.Read ? Scope.Read : Scope.Write,
                Routes.All().Single(route => route.Pattern == $"/v1/actions/{action.Name}").Scope));
    }

    [Theory]
    [InlineData(Import, """{"strict":"1","properties":{},"events":["A"],"token":"mine"}""", "token")]
    [InlineData(Import, """{"strict":"1","properties":{},"events":["A"],"project_id":"7"}""", "project_id")]
    [InlineData(Query, """{"endpoint":"http://127.0.0.1:1"}""", "endpoint")]
    [InlineData(NewAccount, """{"username":"a","secret":"mine"}""", "secret")]
    [InlineData("/v1/imports?project_id=7", "[]", "project_id")]
    public async Task Fields_that_are_not_the_callers_to_set_are_refused(string path, string body, string field)
    {
        await using var served = await Served.StartAsync();
        var answer = await served.PostAsync(path, body);
        Assert.Equal((400, field), ((int)answer.StatusCode, (await answer.JsonAsync()).GetProperty("field").GetString()));
        Assert.Empty(served.Mixpanel.Requests);
    }

    public static TheoryData<string, byte[], string, int> Oversized => new()
    {
        { "raw", new byte[10_000_001], "", 413 },
        { "bomb", Gzip(new byte[60_000_000]), "gzip", 413 },
        { "ratio", Gzip(Encoding.UTF8.GetBytes($"{{\"a\":\"{new string(' ', 5_000_000)}\"}}")), "gzip", 413 },
        { "nested", Gzip(Gzip("{}"u8.ToArray())), "gzip, gzip", 415 },
        { "cut", Gzip(Encoding.UTF8.GetBytes(Served.OneEvent))[..^6], "gzip", 400 },
        { "two members", [.. Gzip("{}"u8.ToArray()), .. Gzip("{}"u8.ToArray())], "gzip", 400 },
        { "brotli", [1, 2, 3], "br", 415 },
        { "deep", Encoding.UTF8.GetBytes($"{{\"properties\":{new string('[', 40)}{new string(']', 40)}}}"), "", 400 },
        { "long name", Encoding.UTF8.GetBytes($"{{\"{new string('k', 256)}\":1}}"), "", 400 },
        { "long text", Encoding.UTF8.GetBytes($"{{\"where\":\"{new string('k', (1 << 20) + 1)}\"}}"), "", 400 },
        { "not UTF-8", [(byte)'"', 0xFF, (byte)'"'], "", 400 },
        { "many names", Encoding.UTF8.GetBytes($"{{{string.Join(',', Enumerable.Range(0, Limits.Names + 1).Select(n => $"\"k{n}\":1"))}}}"), "", 400 },
        { "many values", Encoding.UTF8.GetBytes($"{{\"output_properties\":[{string.Join(',', Enumerable.Repeat("1", Limits.Tokens))}]}}"), "", 413 },
        { "many values, compressed",
            Gzip(Encoding.UTF8.GetBytes($"{{\"output_properties\":[{string.Join(',', Enumerable.Repeat("{}", Limits.Tokens / 2))}]}}")), "gzip", 413 },
        { "a length that is not so", [.. Gzip("{}"u8.ToArray())[..^4], 255, 255, 255, 127], "gzip", 400 },
    };

    [Theory, MemberData(nameof(Oversized))]
    public async Task A_body_has_limits(string what, byte[] body, string encoding, int status)
    {
        Assert.NotEmpty(what);
        await using var served = await Served.StartAsync();
        var answer = await served.SendAsync(HttpMethod.Post, Query, body, encoding.Length > 0 ? [("Content-Encoding", encoding)] : []);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Empty(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task A_gzip_body_within_the_limits_is_taken()
    {
        await using var served = await Served.StartAsync();
        Assert.Equal(200,
            (int)(await served.SendAsync(HttpMethod.Post, Import, Gzip(Encoding.UTF8.GetBytes(Served.OneEvent)), ("Content-Encoding", "gzip"))).StatusCode);
    }

    [Fact]
    public async Task A_caller_has_a_rate_and_others_theirs()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out var write, rate: 1, new FakeTimeProvider());
        await using var served = await Served.StartAsync(options => options with { Keys = keys });
        var statuses = new List<int>();
        HttpResponseMessage last = null!;
        for (var n = 0; n < 6; n++)
            statuses.Add((int)(last = await served.SendAsync(HttpMethod.Get, "/v1/actions", (string?)null, ("Authorization", $"Bearer {read}"))).StatusCode);

        Assert.Equal([200, 200, 429, 429, 429, 429], statuses);
        Assert.Equal("too_often", await last.KindAsync());
        Assert.Equal(TimeSpan.FromSeconds(1), last.Headers.RetryAfter!.Delta);
        Assert.Equal(200, (int)(await served.SendAsync(HttpMethod.Get, "/v1/actions", (string?)null, ("Authorization", $"Bearer {write}"))).StatusCode);
        Assert.Equal(200, (int)(await served.SendAsync(HttpMethod.Get, "/healthz", (string?)null)).StatusCode);
    }

    [Fact]
    public async Task Too_many_at_once_are_told_to_come_back_and_health_is_still_answered()
    {
        await using var served = await Served.StartAsync(options => options with { LongestQueue = TimeSpan.FromMilliseconds(50) }, Answer.Stall);
        using var stop = new CancellationTokenSource();
        var stalled = Enumerable.Range(0, Limits.Turns).Select(_ => Task.Run(async () =>
        {
            using var body = new StringContent("{}", Encoding.UTF8, "application/json");
            await served.Http.PostAsync(new Uri(Query, UriKind.Relative), body, stop.Token);
        })).ToList();
        while (served.Mixpanel.Requests.Count < Limits.Turns) await Task.Yield();

        var refused = await served.PostAsync(Query, "{}");
        Assert.Equal((503, "busy"), ((int)refused.StatusCode, await refused.KindAsync()));
        Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        Assert.Equal(200, (int)(await served.SendAsync(HttpMethod.Get, "/healthz", (string?)null)).StatusCode);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(stalled));
    }

    [Fact]
    public async Task Connections_that_send_nothing_or_little_hold_nobody_up()
    {
        await using var served = await Served.StartAsync();
        var slow = new List<TcpClient>();
        for (var n = 0; n < 600; n++)
        {
            var client = new TcpClient();
            slow.Add(client);
            await client.ConnectAsync(IPAddress.Loopback, served.Gateway.Address.Port, TestContext.Current.CancellationToken);
            if (n % 2 == 0)
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST {Import} HTTP/1.1\r\nHost: "), TestContext.Current.CancellationToken);
        }

        Assert.Equal(200, (int)(await served.PostAsync(Import, Served.OneEvent)).StatusCode);
        slow.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Problems_are_those_of_RFC_9457_and_tell_nothing_about_the_inside()
    {
        var context = new DefaultHttpContext { Response = { Body = new MemoryStream() } };
        using var log = new StringWriter();
        await using (var audit = new AuditLog(log, TimeProvider.System))
            await new ErrorMiddleware(Options(), audit).RunAsync(context, _ => throw new InvalidOperationException("s3cret in /some/path"));

        var text = Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());
        var problem = JsonElement.Parse(text);
        Assert.Equal((500, "application/problem+json"), (context.Response.StatusCode, context.Response.ContentType));
        Assert.All((string[])["type", "title", "status", "detail", "kind"], name => Assert.True(problem.TryGetProperty(name, out _)));
        Assert.DoesNotContain("s3cret", text + log, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        Assert.Contains(context.Response.Headers["X-Request-Id"].ToString(), log.ToString(), StringComparison.Ordinal);

        await using var served = await Served.StartAsync(Answer.Json("""{"error":"no"}""", 503));
        foreach (var answer in (HttpResponseMessage[])
        [
            await served.PostAsync(Import, Served.OneEvent),
            await served.PostAsync("/nothing", "{}"),
            await served.PostAsync(Import, "{"),
        ])
        {
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.ToString());
            Assert.False(answer.Headers.Contains("Server"));
            Assert.False(answer.Headers.Contains("X-Powered-By"));
            Assert.Single(answer.Headers.GetValues("X-Request-Id"));
        }
    }

    [Fact]
    public async Task No_request_names_where_the_server_sends()
    {
        await using var other = await RecordingServer.StartAsync();
        await using var served = await Served.StartAsync(Answer.Json(Profiles));
        await served.PostAsync(Query,
            $$"""{"where":"\"{{other.Url}}\" in properties[\"a\"]","session_id":"{{other.Url}}","output_properties":["{{other.Url}}"]}""");
        await served.PostAsync(Query, "{}", ("X-Forwarded-Host", other.Url), ("Forwarded", $"host={other.Url}"), ("X-Original-URL", other.Url),
            ("Referer", other.Url));
        await served.PostAsync($"/v1/imports?endpoint={other.Url}", "[]");
        Assert.Empty(other.Requests);
        Assert.Equal("POST /api/query/engage?project_id=12345\nPOST /api/query/engage?project_id=12345", served.Mixpanel.Lines);
    }

    [Fact]
    public async Task What_Mixpanel_answers_is_not_trusted()
    {
        const string Hostile = "<script>alert(1)</script> Basic cm9ib3Q6";
        Answer[] answers =
        [
            Answer.Plain(Hostile, 200, "text/html"),
            Answer.Redirect("http://evil.example/"),
            Answer.Cut("""{"results":["""),
            Answer.Json("""{"results":"many"}"""),
            Answer.Reset,
        ];
        await using var served = await Served.StartAsync(options => options, answers);
        foreach (var answer in answers)
        {
            var given = await served.PostAsync(Query, "{}");
            Assert.True((int)given.StatusCode is 502 or 503, given.StatusCode.ToString());
            Assert.DoesNotContain("<script>", await given.TextAsync(), StringComparison.Ordinal);
            Assert.Equal("application/problem+json", given.Content.Headers.ContentType!.ToString());
        }
    }

    [Fact]
    public async Task One_denial_is_one_line_of_plain_ASCII_whatever_it_is_about()
    {
        var context = new DefaultHttpContext
        {
            Request = { Method = "GET\r\nX", Path = "/a\n{\"event\":\"forged\"}\u001b[2J\u202e\u2028é" },
            Response = { Body = new MemoryStream() },
        };
        using var log = new StringWriter();
        await using (var audit = new AuditLog(log, TimeProvider.System))
            await new ErrorMiddleware(Options(), audit).RunAsync(context, _ => throw new RefusedException(Refusal.KeyNeeded));

        var line = Assert.Single(log.ToString().TrimEnd('\n').Split('\n'));
        Assert.All(line, c => Assert.InRange(c, ' ', '~'));
        Assert.Equal("denied", JsonElement.Parse(line).GetProperty("event").GetString());
    }

    [Fact]
    public async Task Evil_texts_cost_no_time()
    {
        await using var served = await Served.StartAsync(Answer.Json(Profiles));
        foreach (var evil in (string[])
        [
            new string('(', 100_000),
            new string('a', 100_000) + "!",
            string.Concat(Enumerable.Repeat("a@", 50_000)),
            new string('\\', 99_999),
        ])
        {
            // 50 ms per request on an idle machine; a backtracking search would not end.
            await served.PostAsync(Query, JsonSerializer.Serialize(new { where = evil }), ("Idempotency-Key", new string('k', 255))).WaitAsync(Hang.Limit);
            await served.PostAsync($"/v1/imports?time_offset={evil[..4000].Replace("\\", "%5C", StringComparison.Ordinal)}", "[]").WaitAsync(Hang.Limit);
        }
    }

    [Fact]
    public async Task Denials_are_in_the_log_without_what_was_sent()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out _, rate: 2, new FakeTimeProvider());
        await using var served = await Served.StartAsync(options => options with { Keys = keys });
        await served.PostAsync(Import, Served.OneEvent);
        await served.PostAsync(Import, Served.OneEvent, ("Authorization", "Bearer mpk_wrong-key"));
        await served.PostAsync(Import, Served.OneEvent, ("Authorization", $"Bearer {read}"));
        for (var n = 0; n < 6; n++) await served.SendAsync(HttpMethod.Get, "/v1/actions", (string?)null, ("Authorization", $"Bearer {read}"));
        await served.SendAsync(HttpMethod.Get, "/healthz", (string?)null, ("Origin", "http://evil.example"));
        await served.StopAsync();

        var lines = served.Log.TrimEnd().Split('\n').Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal("key_needed key_needed scope_too_small", string.Join(' ', lines.Take(3).Select(line => line.GetProperty("reason").GetString())));
        Assert.Equal("reader", lines[2].GetProperty("caller").GetString());
        Assert.Contains(lines, line => line.GetProperty("reason").GetString() == "too_often");
        Assert.Equal("wrong_origin", lines[^1].GetProperty("reason").GetString());
        Assert.DoesNotContain("mpk_", served.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("distinct_id", served.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_from_outside_become_no_labels()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) => { if (instrument.Name == "http.server.request.duration") self.EnableMeasurementEvents(instrument); },
        };
        var watch = false;
        listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            if (!Volatile.Read(ref watch)) return;
            lock (seen) foreach (var tag in tags) seen.Add($"{tag.Key}={tag.Value}");
        });
        listener.Start();
        await using var served = await Served.StartAsync(options => options with { Telemetry = "http://127.0.0.1:1" });
        Volatile.Write(ref watch, true);
        for (var n = 0; n < 200; n++)
        {
            await served.PostAsync($"/v1/imports/label-{n}/resume?label={n}", "{}");
            await served.PostAsync($"/label-{n}", $$"""{"label-{{n}}":1}""");
        }

        lock (seen) Assert.DoesNotContain(seen, tag => tag.Contains("label-", StringComparison.Ordinal));
        Assert.Equal(404, (int)(await served.SendAsync(HttpMethod.Get, "/metrics", (string?)null)).StatusCode);
    }

    [Fact]
    public async Task The_document_lists_what_is_served_and_nothing_else_is()
    {
        await using var served = await Served.StartAsync();
        var document = await (await served.SendAsync(HttpMethod.Get, "/openapi.json", (string?)null)).JsonAsync();
        var listed = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"))
            .Order(StringComparer.Ordinal);
        var files = Routes.All()
            .Where(route => route.Operation is null)
            .Select(route => $"{route.Method} {route.Pattern}")
            .ToHashSet(StringComparer.Ordinal); // of the console
        Assert.All(files, file => Assert.Matches(@"^GET /[\w.]*$", file));
        Assert.Equal(
            served.Gateway.Endpoints.Where(endpoint => !endpoint.TrimEnd('/').EndsWith(" /mcp", StringComparison.Ordinal) && !files.Contains(endpoint))
                .Order(StringComparer.Ordinal),
            listed);
        Assert.Equal("POST /mcp/", Assert.Single(served.Gateway.Endpoints, endpoint => endpoint.Contains("/mcp", StringComparison.Ordinal)));
        foreach (var path in (string[])["/console", "/swagger", "/debug", "/metrics", "/.env", "/v1"])
            Assert.Equal(404, (int)(await served.SendAsync(HttpMethod.Get, path, (string?)null)).StatusCode);
    }

    [Fact]
    public async Task Every_answer_carries_the_headers_of_a_careful_server()
    {
        await using var served = await Served.StartAsync();
        foreach (var route in Routes.All().Append(McpRoute.Route).Append(new Route("GET", "/nothing", Scope.None, () => [], (_, _) => Task.CompletedTask)))
        {
            using var answer =
                await served.BeginAsync(route.Method, route.Pattern.Replace("{id}", "x", StringComparison.Ordinal), route.Method == "GET" ? null : "{}");
            var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
            Assert.Equal(
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                + "frame-ancestors 'none'; require-trusted-types-for 'script'",
                policy);
            Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
            Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Cross-Origin-Opener-Policy")));
            Assert.Equal("same-origin", Assert.Single(answer.Headers.GetValues("Cross-Origin-Resource-Policy")));
            Assert.True(answer.Headers.CacheControl!.NoStore);
        }
    }

    static ServeOptions Options() => new() { StateFolder = "", SecretFolder = "", Destination = "" };

    static byte[] Gzip(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal)) gzip.Write(bytes);
        return compressed.ToArray();
    }

    static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=a.example", key, HashAlgorithmName.SHA256).CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1),
            TimeProvider.System.GetUtcNow().AddDays(1));
    }
}
