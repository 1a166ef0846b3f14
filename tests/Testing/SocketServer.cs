using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MixpanelConnector.Testing;

/// <summary>A server below HTTP: the test's script controls the socket of each connection, and every byte.</summary>
public sealed class SocketServer : IAsyncDisposable
{
    readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    readonly CancellationTokenSource _stop = new();
    readonly Func<SocketConversation, Task> _script;
    readonly X509Certificate2? _certificate;
    readonly Task _accepting;
    int _connections;

    /// <param name="script">Plays the server on one connection; the connection is closed normally when it returns.</param>
    /// <param name="certificate">The certificate for TLS; null for none.</param>
    public SocketServer(Func<SocketConversation, Task> script, X509Certificate2? certificate = null)
    {
        (_script, _certificate) = (script, certificate);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>The number of connections that were opened.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>A server that responds to every request with raw bytes as text, and keeps the connection open.</summary>
    public static SocketServer Answering(Func<ArrivedRequest, string> answer, X509Certificate2? certificate = null) => new(
        async conversation =>
        {
            while (await conversation.ReadRequestAsync() is { } request) await conversation.SendAsync(answer(request));
        },
        certificate);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    async Task AcceptAsync()
    {
        var conversations = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                conversations.Add(PlayAsync(socket, Interlocked.Increment(ref _connections)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(conversations);
        }
    }

    async Task PlayAsync(Socket socket, int number)
    {
        // The end of the test ends the script, whatever it is doing.
        await using var ending = _stop.Token.Register(socket.Dispose);
        try
        {
            using (socket)
            {
                Stream stream = new NetworkStream(socket);
                if (_certificate is not null)
                {
                    var secured = new SslStream(stream);
                    stream = secured;
                    await secured.AuthenticateAsServerAsync(_certificate, clientCertificateRequired: false, checkCertificateRevocation: false);
                }

                await using (stream) await _script(new SocketConversation(socket, stream, number, _stop.Token));
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException
            or System.Security.Authentication.AuthenticationException)
        {
            // The client has disconnected: its test reports what it missed.
        }
    }
}

/// <summary>One connection of a <see cref="SocketServer"/>.</summary>
public sealed class SocketConversation(Socket socket, Stream stream, int number, CancellationToken stopping)
{
    static int _requests;

    /// <summary>The number of the connection, from 1.</summary>
    public int Number { get; } = number;

    /// <summary>The head of the request that was read last.</summary>
    public string Head { get; private set; } = "";

    /// <summary>An HTTP response with its length.</summary>
    public static string Http(string body, string status = "200 OK", string headers = "") =>
        $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body).ToString(CultureInfo.InvariantCulture)}\r\n\r\n{body}";

    /// <summary>Mixpanel's response if it accepted all events.</summary>
    public static string Imported(int count) => Http($$"""{"code":200,"num_records_imported":{{count}},"status":"OK"}""");

    /// <summary>Reads one complete request; null if the client has closed the connection.</summary>
    public async Task<ArrivedRequest?> ReadRequestAsync()
    {
        if (await ReadHeadAsync() is not { } length) return null;
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, stopping);
        return Request(body);
    }

    /// <summary>The request whose head was read, with its body.</summary>
    public ArrivedRequest Request(byte[] body)
    {
        if (Head.Contains("\r\nContent-Encoding: gzip", StringComparison.OrdinalIgnoreCase))
        {
            using var plain = new MemoryStream();
            using (var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress)) gzip.CopyTo(plain);
            body = plain.ToArray();
        }

        return ArrivedRequest.From(Interlocked.Increment(ref _requests), new Uri("http://127.0.0.1" + Head.Split(' ')[1]), body);
    }

    /// <summary>Reads a request's head, and nothing of its body; returns the length of the body, or null if the client has closed the connection.</summary>
    public async Task<int?> ReadHeadAsync()
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!(head is [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n']))
        {
            if (await stream.ReadAsync(one, stopping) == 0) return null;
            head.Add(one[0]);
        }

        Head = Encoding.ASCII.GetString([.. head]);
        var line = Head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return line is null ? 0 : int.Parse(line.AsSpan("Content-Length:".Length), CultureInfo.InvariantCulture);
    }

    /// <summary>Reads up to a number of bytes; fewer at the end.</summary>
    public async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        return bytes[..await stream.ReadAtLeastAsync(bytes, count, throwOnEndOfStream: false, stopping)];
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes, stopping);
        await stream.FlushAsync(stopping);
    }

    /// <summary>Resets the connection instead of closing it normally.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }

    /// <summary>Sends nothing more until the client closes the connection or the test ends.</summary>
    public async Task StallAsync()
    {
        var rest = new byte[4096];
        while (await stream.ReadAsync(rest, stopping) > 0) { }
    }
}
