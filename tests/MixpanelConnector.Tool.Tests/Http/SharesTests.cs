using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>The holder of a key is served, whatever the holders of other keys and callers without a key do.</summary>
public sealed class SharesTests
{
    const string Query = "/v1/actions/query_user_profiles";
    const string Profiles = """{"results":[],"page":0,"status":"ok"}""";

    [Theory]
    [InlineData(Query, "30000")]
    [InlineData(Query, "9999999")]
    [InlineData("/mcp", "4000000")]
    public async Task Bodies_that_come_slowly_hold_no_turn(string path, string length)
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out var write);
        await using var served = await Served.StartAsync(options => options with { Keys = keys }, Answer.Json(Profiles));
        using var slow = new Sockets(served);
        for (var n = 0; n <= Limits.Turns; n++)
            await slow.SendAsync(
                $"POST {path} HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer {read}\r\nContent-Type: application/json\r\nAccept: application/json, "
                + $"text/event-stream\r\nContent-Length: {length}\r\n\r\n{{");

        // The key's own requests are served, too: a declared length reserves no memory.
        Assert.Equal(200, await StatusAsync(served, write));
        Assert.Equal(200, await StatusAsync(served, read));
    }

    [Fact]
    public async Task Answers_that_are_read_slowly_hold_no_turn()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out _, out var write);
        await using var served = await Served.StartAsync(options => options with { Keys = keys, Rate = 1_000_000 }, Answer.Json(Profiles));
        using var slow = new Sockets(served);
        var script = string.Concat(Enumerable.Repeat("GET /console.js HTTP/1.1\r\nHost: HOST\r\n\r\n", 100)); // far more than sockets hold
        for (var n = 0; n <= Limits.Turns; n++) await slow.SendAsync(script);

        Assert.Equal(200, (int)(await served.SendAsync(HttpMethod.Get, "/console.js", (string?)null)).StatusCode);
        Assert.Equal(200, await StatusAsync(served, write));
    }

    [Fact]
    public async Task Calls_that_Mixpanel_does_not_answer_take_the_turns_of_their_key_alone()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out var write);
        await using var served = await Served.StartAsync(options => options with { Keys = keys, LongestQueue = TimeSpan.FromMilliseconds(50) },
            request => request.Text.Contains("stall", StringComparison.Ordinal) ? Answer.Stall : Answer.Json(Profiles));
        using var stop = new CancellationTokenSource();
        var stalled = Enumerable.Range(0, Limits.Turns).Select(_ => Task.Run(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Query)
            {
                Content = new StringContent("""{"where":"\"stall\""}""", Encoding.UTF8, "application/json"),
            };
            request.Headers.Add("Authorization", $"Bearer {read}");
            await served.Http.SendAsync(request, stop.Token);
        })).ToList();
        while (served.Mixpanel.Requests.Count < Limits.Turns) await Task.Yield();

        Assert.Equal(503, await StatusAsync(served, read));
        Assert.Equal(200, await StatusAsync(served, write));
        Assert.Equal(200, (int)(await served.SendAsync(HttpMethod.Get, "/", (string?)null)).StatusCode);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(stalled));
    }

    [Fact]
    public async Task Connections_without_a_request_make_room_and_those_without_a_key_first()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out var read, out var write);
        await using var served = await Served.StartAsync(options => options with { Keys = keys, Connections = 4 }, Answer.Json(Profiles));
        using var sockets = new Sockets(served);
        var known = await sockets.SendAsync($"GET /v1/actions HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer {read}\r\n\r\n");
        await known.ReadExactlyAsync(new byte[12], TestContext.Current.CancellationToken);
        for (var n = 0; n < 20; n++) await sockets.SendAsync("GET / HT");

        Assert.Equal(200, await StatusAsync(served, write));
        await known.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET /v1/actions HTTP/1.1\r\nHost: {served.Gateway.Address.Authority}\r\nAuthorization: Bearer {read}\r\nConnection: close\r\n\r\n"),
            TestContext.Current.CancellationToken);
        using var rest = new StreamReader(known, Encoding.Latin1);
        Assert.Equal(1, (await rest.ReadToEndAsync(TestContext.Current.CancellationToken)).Split("HTTP/1.1 200").Length - 1);
    }

    [Fact]
    public void A_share_of_the_memory_is_nobody_elses()
    {
        var room = new RequestMemory();
        var callers = Enumerable.Range(0, 5)
            .Select(n => new Caller(n.ToString(CultureInfo.InvariantCulture), Scope.Read, new TokenBucket(1, TimeProvider.System), room)).ToArray();
        Assert.True(room.TryHold(callers[0], Limits.HeldByOne));
        Assert.False(room.TryHold(callers[0], 1));
        foreach (var greedy in callers[1..4]) room.TryHold(greedy, Limits.HeldByOne);

        Assert.False(room.TryHold(callers[4], Limits.HeldByOne));
        Assert.True(room.TryHold(callers[4], Limits.HeldAlways));
        room.LetGo(callers[0], Limits.HeldByOne);
        Assert.True(room.TryHold(callers[4], Limits.HeldByOne - Limits.HeldAlways));
    }

    public static TheoryData<string, string, int> Messages => new()
    {
        { "a text", Call($"\"{new string('x', Limits.Text)}\""), 200 },
        { "too long a text", Call($"\"{new string('x', Limits.Text + 1)}\""), 400 },
        { "too long", Call($"[{string.Join(',', Enumerable.Repeat($"\"{new string('x', 1_000_000)}\"", 5))}]"), 413 },
        { "many values", Call($"[{string.Join(',', Enumerable.Repeat("1", Limits.TokensOfMessage))}]"), 413 },
        { "many names", Call($"{{{string.Join(',', Enumerable.Range(0, Limits.Names + 1).Select(n => $"\"{n}\":1"))}}}"), 400 },
        { "deep", Call(new string('[', 100) + new string(']', 100)), 400 },
    };

    [Theory, MemberData(nameof(Messages))]
    public async Task A_message_of_an_agent_has_limits(string what, string message, int status)
    {
        Assert.NotEmpty(what);
        await using var served = await Served.StartAsync(Answer.Json(Profiles));
        Assert.Equal(status, (int)(await served.PostAsync("/mcp", message, ("Accept", "application/json, text/event-stream"))).StatusCode);
    }

    [Theory]
    [InlineData(" ;")]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("\t")]
    [InlineData("# nobody yet;# still nobody")]
    [InlineData("\ufeff")]
    public void A_setting_of_keys_without_a_key_opens_nothing(string text)
    {
        using var folder = new TemporaryFolder();
        Assert.Equal("keys", Assert.Throws<MixpanelException>(() => Load(text, path: null)).Error.Field);

        var blank = folder.Write("blank.txt", text.Replace(';', '\n'));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(blank, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var key = $"a read {new string('0', 64)}";
        Assert.Equal("keys", Assert.Throws<MixpanelException>(() => Load(key, blank)).Error.Field);
        Assert.False(Load(key, path: null).Open);
        Assert.True(Load(text: null, path: null).Open);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\n# made by hand")]
    public void A_new_key_has_a_line_of_its_own(string end)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("keys.txt", $"old read {new string('0', 64)}{end}");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var key = Keys.Make(path, "new", Scope.Write);

        Assert.Equal("new", Load(text: null, path).Find(key)!.Name);
        Assert.Equal(end.Contains('#') ? 3 : 2, File.ReadLines(path).Count());
    }

    static Keys Load(string? text, string? path) =>
        Keys.Load(path,
            new HostEnvironment
            {
                Environment = name => name == Keys.Variable ? text : null,
                Input = Stream.Null,
                Output = Stream.Null,
                Error = TextWriter.Null,
            },
            () => new TokenBucket(1, TimeProvider.System));

    static string Call(string where) =>
        """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"query_user_profiles","arguments":{"where":""" + where + "}}}";

    static async Task<int> StatusAsync(Served served, string key) => (int)(await served.PostAsync(Query, "{}", ("Authorization", $"Bearer {key}"))).StatusCode;

    /// <summary>Connections that send given data and read nothing.</summary>
    sealed class Sockets(Served served) : IDisposable
    {
        readonly List<TcpClient> _clients = [];

        public async Task<NetworkStream> SendAsync(string text)
        {
            var client = new TcpClient { ReceiveBufferSize = 2048 };
            _clients.Add(client);
            await client.ConnectAsync(IPAddress.Loopback, served.Gateway.Address.Port, TestContext.Current.CancellationToken);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text.Replace("HOST", served.Gateway.Address.Authority, StringComparison.Ordinal)),
                TestContext.Current.CancellationToken);
            return client.GetStream();
        }

        public void Dispose() => _clients.ForEach(client => client.Dispose());
    }
}
