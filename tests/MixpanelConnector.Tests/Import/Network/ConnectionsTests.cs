using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MixpanelConnector.Testing;
using MixpanelConnector.Tests.Import.Input;
using MixpanelConnector.Transport;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Network;

/// <summary>Faults below HTTP: answers that are truncated or never end, connections that break, stall, or never open.</summary>
[Collection(nameof(Alone))] // what is allocated is counted for the whole process
public sealed class ConnectionsTests : IDisposable
{
    readonly ImportRun _run = new();
    readonly ConcurrentQueue<ArrivedRequest> _arrived = new();

    public void Dispose() => _run.Dispose();

    /// <summary>Handles the first connections by the script, and accepts everything on later ones.</summary>
    SocketServer FirstPlaying(Func<SocketConversation, Task> script, int connections = 1) => new(async conversation =>
    {
        if (conversation.Number <= connections) await script(conversation);
        else await TakeAllAsync(conversation);
    });

    async Task TakeAllAsync(SocketConversation conversation, string headers = "")
    {
        while (await conversation.ReadRequestAsync() is { } request)
        {
            Take(request);
            await conversation.SendAsync(SocketConversation.Http($$"""{"code":200,"num_records_imported":{{request.Records.Count}},"status":"OK"}""",
                headers: headers));
        }
    }

    void Take(ArrivedRequest request)
    {
        _arrived.Enqueue(request);
        _run.Mixpanel.Store(request.Records);
    }

    async Task<ImportReport> ImportAsync(SocketServer server, int events = 10)
    {
        _run.Reach(server.Address);
        var report = await _run.RunAsync(Events(events));
        Assert.Equal((RunOutcome.Complete, events), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, events), _run.StoredNumbers().Distinct().Order());
        Assert.Equal(events, _run.Mixpanel.Stored.Distinct(StringComparer.Ordinal).Count()); // what came twice came as the same bytes
        return report;
    }

    const string Success = """{"code":200,"num_records_imported":10,"status":"OK"}""";

    // :: Answers that lack their end

    public static TheoryData<string, string> Cuts() => new()
    {
        { "a length, and half of it", $"HTTP/1.1 200 OK\r\nContent-Length: {Success.Length}\r\n\r\n{Success[..20]}" },
        { "a length, and all but the last byte", $"HTTP/1.1 200 OK\r\nContent-Length: {Success.Length}\r\n\r\n{Success[..^1]}" },
        { "no length, and half a body", $"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{Success[..20]}" },
        { "no length, and all but the last byte", $"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{Success[..^1]}" },
        { "chunks without the last, whole JSON", $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{Success.Length:x}\r\n{Success}\r\n" },
        { "half a chunk", $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{Success.Length:x}\r\n{Success[..20]}" },
        { "half a header", "HTTP/1.1 200 OK\r\nContent-Le" },
        { "half a status line", "HTTP/1.1 2" },
        { "nothing", "" },
        { "a gzip body that is cut", "gzip" },
    };

    [Theory, MemberData(nameof(Cuts), DisableDiscoveryEnumeration = true)]
    public async Task An_answer_that_is_cut_is_no_success_and_the_same_bytes_are_sent_again(string how, string answer)
    {
        foreach (var reset in (bool[])[false, true])
        {
            await using var server = FirstPlaying(
                async conversation =>
                {
                    Take((await conversation.ReadRequestAsync())!);
                    if (answer == "gzip")
                        await conversation.SendAsync((byte[])
                        [
                            .. "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"u8,
                            .. Gzip(Success)[..25],
                        ]);
                    else await conversation.SendAsync(answer);
                    if (reset) conversation.Reset();
                },
                connections: 4);
            var report = await ImportAsync(server);
            Assert.True(report.Retries == 4, how);
            Assert.Single(_arrived.Select(request => Encoding.UTF8.GetString(request.Body)).Distinct(StringComparer.Ordinal));
        }
    }

    static byte[] Gzip(string text)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return buffer.ToArray();
    }

    // :: Connections that break

    [Fact]
    public async Task Records_that_were_stored_before_a_reset_are_stored_once()
    {
        var gate = new Lock();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await using var server = new SocketServer(async conversation =>
        {
            while (await conversation.ReadRequestAsync() is { } request)
            {
                Take(request);
                bool isNew;
                lock (gate) isNew = seen.Add(request.Records[0]);
                if (isNew)
                {
                    conversation.Reset();
                    return;
                }

                await conversation.SendAsync(SocketConversation.Imported(request.Records.Count));
            }
        });
        _run.Reach(server.Address);
        var lines =
            string.Concat(Enumerable.Range(0, 300).Select(i => $$$"""{"event":"e","properties":{"time":{{{Time}}},"distinct_id":"u","n":{{{i}}}}}""" + "\n"));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", lines)) with { BatchEvents = 10 });
        Assert.Equal((RunOutcome.Complete, 300), (report.Outcome, report.Accepted));
        Assert.Equal(600, _run.Mixpanel.Stored.Count);
        Assert.Equal(300, _run.Mixpanel.Stored.Distinct(StringComparer.Ordinal).Count()); // the computed ids too are the same
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    [InlineData(500_000)]
    public async Task A_reset_in_the_middle_of_the_upload_is_survived(int afterBytes)
    {
        await using var server = FirstPlaying(
            async conversation =>
            {
                await conversation.ReadHeadAsync();
                await conversation.ReadAsync(afterBytes);
                conversation.Reset();
            },
            connections: 3);
        _run.Reach(server.Address);
        var text = string.Concat(Enumerable.Range(0, 1000).Select(i => Event(i, $",\"p\":\"{Noise(i)}\"") + "\n"));
        var report = await _run.RunAsync(text);
        Assert.Equal((RunOutcome.Complete, 1000), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 1000), _run.StoredNumbers());
    }

    /// <summary>Text that compresses only to about half its size.</summary>
    static string Noise(int seed) =>
        string.Concat(Enumerable.Range(0, 16)
            .Select(i => Convert.ToHexString(System.Security.Cryptography.SHA512.HashData(Encoding.UTF8.GetBytes($"{seed}/{i}")))));

    [Fact]
    public async Task A_server_that_closes_idle_connections_costs_at_most_a_retry()
    {
        await using var server = new SocketServer(async conversation =>
        {
            if (await conversation.ReadRequestAsync() is not { } request) return;
            Take(request);
            await conversation.SendAsync(SocketConversation.Imported(request.Records.Count)); // kept alive, it says, and closes
        });
        _run.Reach(server.Address);
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(200))) with { BatchEvents = 10, Senders = 2 });
        Assert.Equal((RunOutcome.Complete, 200), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 200), _run.StoredNumbers().Distinct().Order());
    }

    // :: Answers that never end

    [Fact]
    public async Task Endless_headers_are_cut_off_and_not_believed()
    {
        long sent = 0;
        await using var server = new SocketServer(async conversation =>
        {
            await conversation.ReadRequestAsync();
            await conversation.SendAsync("HTTP/1.1 200 OK\r\n");
            for (var i = 0; ; i++)
            {
                var header = $"X-{i}: {new string('x', 1000)}\r\n";
                await conversation.SendAsync(header);
                Interlocked.Add(ref sent, header.Length);
            }
        });
        _run.Reach(server.Address);
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Unavailable, 10, 3), (report.Outcome, report.Pending, report.Requests));
        Assert.InRange(sent, 1, 64 << 20); // what the sockets' buffers hold
    }

    [Theory]
    [InlineData("Content-Length: 1073741824\r\n", false)]
    [InlineData("Connection: close\r\n", false)]
    [InlineData("Content-Encoding: gzip\r\nConnection: close\r\n", true)]
    public async Task A_gigabyte_of_answer_is_not_read_to_its_end(string header, bool bomb)
    {
        long sent = 0;
        var part = bomb ? Gzip(new string(' ', 64 << 20)) : new byte[64 << 10];
        await using var server = new SocketServer(async conversation =>
        {
            await conversation.ReadRequestAsync();
            await conversation.SendAsync($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{header}\r\n");
            for (long rest = bomb ? part.Length : 1L << 30; rest > 0; rest -= part.Length)
            {
                await conversation.SendAsync(part);
                Interlocked.Add(ref sent, part.Length);
            }
        });
        _run.Reach(server.Address);
        var before = GC.GetTotalAllocatedBytes();
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Unavailable, 10, 3), (report.Outcome, report.Pending, report.Requests));
        Assert.Contains("larger response than is plausible", report.Problems[0], StringComparison.Ordinal);
        Assert.InRange(sent, 1, 128 << 20);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 300 << 20);
    }

    [Fact]
    public async Task An_answer_that_drips_is_given_up_at_the_deadline()
    {
        var clock = new ImpatientClock();
        var dripped = 0;
        await using var server = FirstPlaying(async conversation =>
        {
            await conversation.ReadRequestAsync();
            await conversation.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            while (dripped < 12)
            {
                await conversation.SendAsync("{");
                dripped++;
                clock.Advance(TimeSpan.FromSeconds(10));
            }

            await conversation.StallAsync(); // a clock that went on would run into the next attempt, before the end of this one is seen here
        });
        var report = await RunOnAsync(server, clock, Events(10));
        Assert.Equal((RunOutcome.Complete, 10, 2), (report.Outcome, report.Accepted, report.Requests));
        Assert.Equal(12, dripped); // not before its 120 seconds
    }

    async Task<ImportReport> RunOnAsync(SocketServer server, ImpatientClock clock, string text, Func<ImportRequest, ImportRequest>? change = null)
    {
        _run.Options = _run.Options with { TimeProvider = clock, AttemptTimeout = null };
        _run.Reach(server.Address);
        var request = _run.Request(_run.Folder.Write("input.ndjson", text));
        return await _run.RunAsync(change?.Invoke(request) ?? request);
    }

    // :: Silence

    [Fact]
    public async Task A_server_that_falls_silent_is_given_up_while_the_others_go_on()
    {
        var clock = new ImpatientClock();
        var served = 0;
        await using var server = new SocketServer(async conversation =>
        {
            if (conversation.Number == 1)
            {
                await conversation.ReadRequestAsync();
                await conversation.StallAsync();
                return;
            }

            while (await conversation.ReadRequestAsync() is { } request)
            {
                Take(request);
                await conversation.SendAsync(SocketConversation.Imported(request.Records.Count));
                if (Interlocked.Increment(ref served) == 29) clock.Advance(TimeSpan.FromSeconds(120)); // all but the one
            }
        });
        var report = await RunOnAsync(server, clock, Events(300), request => request with { BatchEvents = 10, Senders = 3 });
        Assert.Equal((RunOutcome.Complete, 300), (report.Outcome, report.Accepted));
        Assert.InRange(report.Retries, 1, 3); // an answer on its way may just miss the leap of the clock
        Assert.Equal(Enumerable.Range(0, 300), _run.StoredNumbers().Distinct().Order());
    }

    [Fact]
    public async Task A_slow_upload_that_moves_is_not_given_up()
    {
        var clock = new ImpatientClock();
        var seconds = 0;
        await using var server = new SocketServer(async conversation =>
        {
            var length = (await conversation.ReadHeadAsync())!.Value;
            var body = new List<byte>();
            while (body.Count < length)
            {
                body.AddRange(await conversation.ReadAsync(Math.Min(8 << 10, length - body.Count)));
                clock.Advance(TimeSpan.FromSeconds(1));
                seconds++;
            }

            Take(conversation.Request([.. body]));
            await conversation.SendAsync(SocketConversation.Imported(1000));
        });
        var text = string.Concat(Enumerable.Range(0, 1000).Select(i => Event(i, $",\"p\":\"{Noise(i)}{Noise(-i - 1)}\"") + "\n"));
        var report = await RunOnAsync(server, clock, text);
        Assert.Equal((RunOutcome.Complete, 1000, 1), (report.Outcome, report.Accepted, report.Requests));
        Assert.True(seconds > 180, $"only {seconds} s");
    }

    [Fact]
    public void The_limits_of_a_connection_are_the_documented_ones()
    {
        using var handler = (SocketsHttpHandler)MixpanelTransport.NewHandler(_run.Options);
        Assert.Equal((10, 120, 64), (handler.ConnectTimeout.TotalSeconds, handler.PooledConnectionLifetime.TotalSeconds, handler.MaxResponseHeadersLength));
    }

    [Fact]
    public async Task A_connection_that_is_never_answered_is_an_outage_in_which_nothing_was_sent()
    {
        using var full = new FullBacklog();
        var time = ImpatientClock.ForImports();
        _run.Options = _run.Options with { TimeProvider = time };
        _run.Reach(full.Address, handler => handler.ConnectTimeout = TimeSpan.FromMilliseconds(40));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(10))) with { MaxOutage = TimeSpan.FromSeconds(10) });
        Assert.Equal((RunOutcome.Unavailable, 10, 0), (report.Outcome, report.Pending, report.Rejected));
        Assert.Contains("No connection to 127.0.0.1", report.Problems[0], StringComparison.Ordinal);
        Assert.InRange(report.Requests, 3, 5);
    }

    /// <summary>A listener with a full backlog, for which the system no longer answers.</summary>
    sealed class FullBacklog : IDisposable
    {
        readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        readonly List<Socket> _waiting = [];

        public FullBacklog()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(0);
            for (var i = 0; i < 8; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                _waiting.Add(socket);
                try { socket.Connect(_listener.LocalEndPoint!); }
                catch (SocketException) { } // in progress, as a socket says that does not block
            }
        }

        public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");

        public void Dispose()
        {
            _listener.Dispose();
            foreach (var socket in _waiting) socket.Dispose();
        }
    }

    // :: Names and refused connections

    [Fact]
    public async Task A_name_that_is_not_known_is_an_outage()
    {
        _run.Reach(new Uri("https://mixpanel-connector.invalid"));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(10))) with { MaxOutage = TimeSpan.FromSeconds(10) });
        Assert.Equal((RunOutcome.Unavailable, 10, 0), (report.Outcome, report.Pending, report.Rejected));
        Assert.Contains("mixpanel-connector.invalid:443 cannot be reached", report.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketError.HostNotFound)]
    [InlineData(SocketError.TryAgain)]
    [InlineData(SocketError.NoData)]
    [InlineData(SocketError.ConnectionRefused)]
    [InlineData(SocketError.NetworkUnreachable)]
    [InlineData(SocketError.HostUnreachable)]
    public async Task Names_and_routes_that_fail_now_and_then_only_delay(SocketError error)
    {
        await using var server = new SocketServer(conversation => TakeAllAsync(conversation));
        var failures = 0;
        _run.Reach(server.Address, handler => handler.ConnectCallback = async (context, cancellationToken) =>
        {
            if (failures++ % 3 != 2) throw new SocketException((int)error);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        });
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Complete, 10, 2), (report.Outcome, report.Accepted, report.Retries));
        Assert.Single(_arrived);
    }

    // :: Unusual HTTP that is independent of Mixpanel

    public static TheoryData<string, string> Oddities() => new()
    {
        { "HTTP/1.0", $"HTTP/1.0 200 OK\r\n\r\n{Success}" },
        { "Connection: close", $"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {Success.Length}\r\n\r\n{Success}" },
        { "early hints",
            $"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 "
            + $"OK\r\nContent-Length: {Success.Length}\r\n\r\n{Success}" },
        { "100 Continue, unasked", $"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {Success.Length}\r\n\r\n{Success}" },
        { "chunks of one byte", $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{string.Concat(Success.Select(c => $"1\r\n{c}\r\n"))}0\r\n\r\n" },
        { "chunk extensions and a trailer",
            $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{Success.Length:x};x=y\r\n{Success}\r\n0\r\nX-Trailer: 1\r\n\r\n" },
        { "no content type, no reason", $"HTTP/1.1 200\r\nContent-Length: {Success.Length}\r\n\r\n{Success}" },
        { "a byte order mark's absence and white space", $"HTTP/1.1 200 OK\r\nContent-Length: {Success.Length + 4}\r\n\r\n \r\n{Success}\n" },
        { "a wrong content type", $"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=\"\r\nContent-Length: {Success.Length}\r\n\r\n{Success}" },
    };

    [Theory, MemberData(nameof(Oddities), DisableDiscoveryEnumeration = true)]
    public async Task An_odd_but_whole_success_is_a_success(string how, string answer)
    {
        await using var server = new SocketServer(async conversation =>
        {
            Take((await conversation.ReadRequestAsync())!);
            await conversation.SendAsync(answer);
        });
        var report = await ImportAsync(server);
        Assert.True(report.Requests == 1, how);
        Assert.Single(_arrived);
    }

    [Fact]
    public async Task A_compressed_success_is_a_success()
    {
        await using var server = new SocketServer(async conversation =>
        {
            Take((await conversation.ReadRequestAsync())!);
            var body = Gzip(Success);
            await conversation.SendAsync((byte[])
            [
                .. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {body.Length}\r\n\r\n"),
                .. body,
            ]);
        });
        Assert.Equal(1, (await ImportAsync(server)).Requests);
    }

    [Fact]
    public async Task A_request_asks_for_no_permission_to_send_its_body()
    {
        var heads = new ConcurrentQueue<string>();
        await using var server = new SocketServer(async conversation =>
        {
            if (await conversation.ReadRequestAsync() is not { } request) return;
            heads.Enqueue(conversation.Head);
            Take(request);
            await conversation.SendAsync(SocketConversation.Imported(request.Records.Count));
        });
        await ImportAsync(server);
        Assert.DoesNotContain("Expect:", Assert.Single(heads), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_size_that_is_refused_before_the_body_is_read_is_learned()
    {
        await using var server = new SocketServer(async conversation =>
        {
            while (await conversation.ReadHeadAsync() is { } length)
            {
                if (length > 300_000)
                {
                    await conversation.SendAsync("HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                    await conversation.StallAsync(); // it reads on for a while, as servers do so that their answer arrives
                    return;
                }

                var request = conversation.Request(await conversation.ReadAsync(length));
                Take(request);
                await conversation.SendAsync(SocketConversation.Imported(request.Records.Count));
            }
        });
        _run.Reach(server.Address);
        var text = string.Concat(Enumerable.Range(0, 1000).Select(i => Event(i, $",\"p\":\"{Noise(i)}\"") + "\n"));
        var report = await _run.RunAsync(text);
        Assert.Equal((RunOutcome.Complete, 1000), (report.Outcome, report.Accepted));
        Assert.InRange(report.Requests, 8, 20);
    }

    // :: Order

    [Fact]
    public async Task The_state_moves_only_over_what_is_settled_without_a_gap_and_memory_is_bounded_by_the_window()
    {
        const int window = 256;
        var others = 0;
        var allOthers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new SocketServer(async conversation =>
        {
            while (await conversation.ReadRequestAsync() is { } request)
            {
                if (request.Records[0] == Event(0)) await release.Task;
                else if (Interlocked.Increment(ref others) == window - 1) allOthers.SetResult();
                Take(request);
                await conversation.SendAsync(SocketConversation.Imported(request.Records.Count));
            }
        });
        _run.Reach(server.Address);
        using var inner = new InMemoryImportState();
        using var state = new Watched(inner);
        var running =
            _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(2000))) with { BatchEvents = 2, Senders = 4, CheckpointInterval = TimeSpan.Zero }, state);
        await allOthers.Task;
        Assert.False(running.IsCompleted);
        Assert.Equal(window - 1, Volatile.Read(ref others));
        Assert.All(state.Accepted, accepted => Assert.Equal(0, accepted));
        release.SetResult();
        var report = await running;
        Assert.Equal((RunOutcome.Complete, 2000), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 2000), _run.StoredNumbers().Order());
        Assert.Equal(state.Accepted.Order(), state.Accepted);
    }

    /// <summary>Records the position of each checkpoint.</summary>
    sealed class Watched(IImportState state) : IImportState
    {
        public ConcurrentQueue<long> Accepted { get; } = new();

        public string? DeadLetterPath => state.DeadLetterPath;

        public ImportCheckpoint? Load() => state.Load();

        public void Save(ImportCheckpoint checkpoint)
        {
            Accepted.Enqueue(checkpoint.Totals.Accepted);
            state.Save(checkpoint);
        }

        public IEnumerable<ReadOnlyMemory<byte>> DeadLetters() => state.DeadLetters();

        public void Clear() => state.Clear();

        public void Dispose() => state.Dispose();
    }
}
