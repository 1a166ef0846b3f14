using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Hashing;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MixpanelConnector.Faults;

/// <summary>
/// A fake Mixpanel on plain sockets that only accepts imports: for each request, a test can specify what to store and whether and how to
/// answer. It journals every stored event. It is fast enough for millions of them.
/// </summary>
sealed class JournalServer : IAsyncDisposable
{
    readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    readonly CancellationTokenSource _stopping = new();
    readonly ConcurrentDictionary<UInt128, int> _bodies = new();
    readonly ConcurrentDictionary<string, int> _authorizations = new(StringComparer.Ordinal);
    readonly ConcurrentQueue<string> _complaints = new();
    readonly ConcurrentDictionary<Task, byte> _connections = new();
    readonly ConcurrentBag<RequestBody> _unpackers = [];
    readonly IJournal _journal;
    readonly Task _accepting;
    long _requests, _stored;
    TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public JournalServer(IJournal journal)
    {
        _journal = journal;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        _accepting = AcceptAsync();
    }

    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");

    /// <summary>Decides on each request.</summary>
    public Func<Asked, Reply> Script { get; set; } = _ => Reply.Good;

    /// <summary>The events that are refused every time: none is ever stored, whatever the answer.</summary>
    public Func<long, bool>? Refuses { get; set; }

    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>The number of stored events, including repetitions.</summary>
    public long Stored => Interlocked.Read(ref _stored);

    /// <summary>The number of distinct bodies received.</summary>
    public int UniqueBodies => _bodies.Count;

    public IReadOnlyCollection<string> Authorizations => [.. _authorizations.Keys];

    /// <summary>Received data that no importer should send.</summary>
    public IReadOnlyCollection<string> Complaints => [.. _complaints];

    /// <summary>Waits until a condition on the server is true, or the other task ends.</summary>
    public async Task UntilAsync(Func<bool> holds, Task or)
    {
        while (!holds() && !or.IsCompleted)
        {
            var changed = Volatile.Read(ref _changed).Task;
            if (holds()) return;
            await Task.WhenAny(changed, or);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await Task.WhenAll([_accepting, .. _connections.Keys]);
        _stopping.Dispose();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stopping.Token);
                socket.NoDelay = true;
                var connection = Task.Run(() => ServeAsync(socket));
                _connections[connection] = 0;
                _ = connection.ContinueWith(done => _connections.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The test ended.
        }
    }

    async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        try
        {
            var buffer = new byte[256 << 10];
            var filled = 0;
            while (true)
            {
                int head;
                while ((head = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
                {
                    var count = await socket.ReceiveAsync(buffer.AsMemory(filled), _stopping.Token);
                    if (count == 0) return;
                    filled += count;
                }

                var headers = Encoding.ASCII.GetString(buffer, 0, head);
                var length = int.Parse(Header(headers, "Content-Length") ?? "0", CultureInfo.InvariantCulture);
                var end = head + 4 + length;
                if (end > buffer.Length) Array.Resize(ref buffer, end + (64 << 10));
                while (filled < end)
                {
                    var count = await socket.ReceiveAsync(buffer.AsMemory(filled), _stopping.Token);
                    if (count == 0) return;
                    filled += count;
                }

                if (!await AnswerAsync(socket, headers, buffer, head + 4, length)) return;
                buffer.AsSpan(end, filled - end).CopyTo(buffer);
                filled -= end;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The client or the test ended.
        }
        catch (Exception e)
        {
            _complaints.Enqueue(e.ToString());
        }
    }

    async Task<bool> AnswerAsync(Socket socket, string headers, byte[] buffer, int at, int length)
    {
        if (!headers.StartsWith("POST /import?", StringComparison.Ordinal)) _complaints.Enqueue($"asked for {headers.Split('\r')[0]}");
        _authorizations.TryAdd(Header(headers, "Authorization") ?? "", 0);
        _bodies.AddOrUpdate(XxHash128.HashToUInt128(buffer.AsSpan(at, length)), 1, (_, count) => count + 1);
        if (!_unpackers.TryTake(out var body)) body = new RequestBody();
        Reply reply;
        byte[] answer;
        try
        {
            body.Read(buffer, at, length, Header(headers, "Content-Encoding") == "gzip");
            reply = Script(new Asked(Interlocked.Increment(ref _requests), body.Events.Count, body.Bytes.Length));
            answer = Take(body, reply);
        }
        finally
        {
            _unpackers.Add(body);
        }

        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        if (reply.Delay > TimeSpan.Zero) await Task.Delay(reply.Delay, _stopping.Token);
        switch (reply.Ending)
        {
            case Ending.Never:
                await Task.Delay(Timeout.Infinite, _stopping.Token);
                return false;
            case Ending.Reset:
                socket.LingerState = new LingerOption(true, 0);
                return false;
        }

        await socket.SendAsync(answer, _stopping.Token);
        return reply.Ending is Ending.Whole;
    }

    /// <summary>Stores the events of a request as specified; returns the bytes of the answer.</summary>
    byte[] Take(RequestBody body, Reply reply)
    {
        List<int>? refused = null;
        if (Refuses is not null)
        {
            for (var i = 0; i < body.Events.Count; i++)
                if (Refuses(body.Events[i].Oid)) (refused ??= []).Add(i);
        }

        if (reply.Stores)
        {
            _journal.Store(body.Bytes, refused is null ? body.Events : [.. body.Events.Where((_, index) => !refused.Contains(index))]);
            Interlocked.Add(ref _stored, body.Events.Count - (refused?.Count ?? 0));
        }

        var status = reply.Status == 200 && refused is not null ? 400 : reply.Status;
        var text = reply.Body ?? (refused is null
            ? string.Create(CultureInfo.InvariantCulture, $$"""{"code":200,"num_records_imported":{{body.Events.Count}},"status":"OK"}""")
            : string.Create(CultureInfo.InvariantCulture,
                $$"""{"code":400,"error":"some data points in the request failed validation","failed_records":[{{string.Join(',', refused.Select(index => string.Create(CultureInfo.InvariantCulture, $$"""{"index":{{index}},"field":"properties.amount","message":"is refused here"}""")))}}],"num_records_imported":{{body.Events.Count - refused.Count}},"status":"Bad Request"}"""));
        return reply.Ending is Ending.Cut
            ? Encoding.ASCII.GetBytes($"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n{reply.Headers}Connection: "
                + $"close\r\n\r\n{text[..(text.Length / 2)]}")
            : Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
                $"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n{reply.Headers}Content-Length: {text.Length}\r\n\r\n{text}"));
    }

    static string? Header(string headers, string name)
    {
        foreach (var line in headers.AsSpan().EnumerateLines())
        {
            if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.OrdinalIgnoreCase))
                return line[(name.Length + 1)..].Trim().ToString();
        }

        return null;
    }
}
