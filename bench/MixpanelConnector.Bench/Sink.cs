using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MixpanelConnector.Bench;

/// <summary>
/// A minimal stand-in for Mixpanel, so that the programs are measured and not the server: it accepts a body without
/// decompressing it, computes the number of events from its last four bytes (the uncompressed length), and reports
/// them as imported. An import that loses an event fails.
/// </summary>
static class Sink
{
    /// <summary>Serves until it is killed.</summary>
    /// <param name="latency">The delay of each answer.</param>
    /// <param name="eventLength">The size of each event, in bytes.</param>
    /// <param name="port">0 for any.</param>
    /// <param name="certificate">The certificate to serve TLS with; null for none.</param>
    /// <param name="quota">Returns 0 if the events are admitted, otherwise the seconds to wait; null for no quota.</param>
    /// <param name="tellsWhen">Whether a quota refusal has <c>Retry-After</c>.</param>
    public static async Task RunAsync(TimeSpan latency, int eventLength, int port, X509Certificate2? certificate, Func<int, double>? quota = null,
        bool tellsWhen = false)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(64);
        Console.WriteLine($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}");
        while (true) _ = ServeAsync(await listener.AcceptAsync(), latency, eventLength, certificate, quota, tellsWhen);
    }

    static async Task ServeAsync(Socket socket, TimeSpan latency, int eventLength, X509Certificate2? certificate, Func<int, double>? quota, bool tellsWhen)
    {
        socket.NoDelay = true;
        await using var plain = new NetworkStream(socket, ownsSocket: true);
        await using var secure = certificate is null ? null : new SslStream(plain);
        Stream stream = secure is null ? plain : secure;
        var buffer = new byte[256 << 10];
        var filled = 0;
        try
        {
            if (secure is not null) await secure.AuthenticateAsServerAsync(certificate!);
            while (true)
            {
                int head;
                while ((head = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
                {
                    var read = await stream.ReadAsync(buffer.AsMemory(filled));
                    if (read == 0) return;
                    filled += read;
                }

                var length = ContentLength(Encoding.ASCII.GetString(buffer, 0, head));
                var body = Math.Min(length, filled - head - 4);
                var tail = new byte[4];
                buffer.AsSpan(head + 4 + Math.Max(0, body - 4), Math.Min(4, body)).CopyTo(tail.AsSpan(4 - Math.Min(4, body)));
                while (body < length)
                {
                    var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - body)));
                    if (read == 0) return;
                    if (read < 4) tail.AsSpan(read).CopyTo(tail);
                    buffer.AsSpan(Math.Max(0, read - 4), Math.Min(4, read)).CopyTo(tail.AsSpan(4 - Math.Min(4, read)));
                    body += read;
                }

                filled = 0; // no client here pipelines requests
                if (latency > TimeSpan.Zero) await Task.Delay(latency, TimeProvider.System);
                var events = (int)EventFile.CountOf(BinaryPrimitives.ReadUInt32LittleEndian(tail), eventLength);
                if (quota?.Invoke(events) is > 0 and var wait)
                {
                    const string Refusal = """{"code":429,"error":"Project exceeded rate limits. Please retry the request with exponential backoff.","status":"Too Many Requests"}""";
                    var header = tellsWhen ? string.Create(CultureInfo.InvariantCulture, $"Retry-After: {Math.Ceiling(wait):f0}\r\n") : "";
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(
                        $"HTTP/1.1 429 Too Many Requests\r\n{header}Content-Type: application/json\r\nContent-Length: {Refusal.Length}\r\n\r\n{Refusal}"));
                    continue;
                }

                var reply = string.Create(CultureInfo.InvariantCulture, $$"""{"code":200,"num_records_imported":{{events}},"status":"OK"}""");
                await stream.WriteAsync(Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {reply.Length}\r\n\r\n{reply}"));
            }
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // The program has ended.
        }
    }

    static int ContentLength(string head)
    {
        foreach (var line in head.Split("\r\n"))
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                return int.Parse(line["Content-Length:".Length..], CultureInfo.InvariantCulture);
        throw new InvalidOperationException("The sink needs a Content-Length.");
    }
}
