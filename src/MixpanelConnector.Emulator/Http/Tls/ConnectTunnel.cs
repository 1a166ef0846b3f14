using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http.Tls;

/// <summary>
/// A proxy for Mixpanel's hosts alone: what is asked for by CONNECT is this very server, behind TLS. Nothing is ever connected to
/// anywhere else.
/// </summary>
static class ConnectTunnel
{
    const int LargestHead = 16 * 1024;
    const byte TlsHandshake = 0x16;

    static readonly object Marker = new();
    static readonly TimeSpan LongestHead = TimeSpan.FromSeconds(30);

    /// <summary>Whether the request came through the proxy.</summary>
    public static bool IsUnder(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(Marker) == true;

    public static ConnectionDelegate Before(ConnectionDelegate next) => async connection =>
    {
        var (head, isTls) = await ReadHeadAsync(connection).ConfigureAwait(false);
        if (isTls)
        {
            // Who was led here without knowing it, as by the script for Node.js.
            connection.Items[Marker] = true;
            await next(connection).ConfigureAwait(false);
            return;
        }
        if (head is null)
            return; // no head, or none of HTTP: nobody is there to be answered
        var words = head.Split("\r\n", 2)[0].Split(' ');
        if (words is not ["CONNECT", var target, "HTTP/1.1" or "HTTP/1.0"])
        {
            await AnswerAsync(connection, "405 Method Not Allowed", "This proxy takes CONNECT alone: ask for https addresses of mixpanel.com.").ConfigureAwait(false);
            return;
        }
        if (!target.EndsWith(":443", StringComparison.Ordinal) || !Regions.IsMixpanel(target[..^":443".Length]))
        {
            await AnswerAsync(connection, "403 Forbidden", "This proxy leads to the embedded Mixpanel, under mixpanel.com:443 and *.mixpanel.com:443, and nowhere else.").ConfigureAwait(false);
            return;
        }
        connection.Items[Marker] = true;
        await WriteAsync(connection, "HTTP/1.1 200 Connection established\r\n\r\n").ConfigureAwait(false);
        await next(connection).ConfigureAwait(false);
    };

    /// <summary>The request line and the headers, null when they do not come, or do not end; or that TLS begins at once, of which nothing is taken.</summary>
    static async Task<(string? Head, bool IsTls)> ReadHeadAsync(ConnectionContext connection)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        end.CancelAfter(LongestHead);
        var input = connection.Transport.Input;
        try
        {
            while (true)
            {
                var result = await input.ReadAsync(end.Token).ConfigureAwait(false);
                if (!result.Buffer.IsEmpty && result.Buffer.FirstSpan[0] == TlsHandshake)
                {
                    input.AdvanceTo(result.Buffer.Start);
                    return (null, true);
                }
                if (EndOf(result.Buffer) is { } at)
                {
                    var head = Encoding.Latin1.GetString(result.Buffer.Slice(0, at));
                    input.AdvanceTo(at);
                    return (head, false);
                }
                if (result.IsCompleted || result.IsCanceled || result.Buffer.Length > LargestHead)
                {
                    input.AdvanceTo(result.Buffer.End);
                    return (null, false);
                }
                input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (OperationCanceledException)
        {
            return (null, false);
        }
    }

    static SequencePosition? EndOf(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        return reader.TryReadTo(out ReadOnlySequence<byte> _, "\r\n\r\n"u8, advancePastDelimiter: true) ? reader.Position : null;
    }

    static Task AnswerAsync(ConnectionContext connection, string status, string text) =>
        WriteAsync(connection, $"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {text.Length}\r\nConnection: close\r\n\r\n{text}");

    static async Task WriteAsync(ConnectionContext connection, string text) =>
        await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(text)).ConfigureAwait(false);
}
