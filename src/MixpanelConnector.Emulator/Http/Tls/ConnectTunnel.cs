using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http.Tls;

/// <summary>
/// A proxy for Mixpanel's hosts only: it routes CONNECT requests, with TLS, to this server itself. It never connects to any other host.
/// </summary>
static class ConnectTunnel
{
    const int LargestHead = 16 * 1024;
    const byte TlsHandshake = 0x16;

    static readonly object Marker = new();
    static readonly TimeSpan LongestHead = TimeSpan.FromSeconds(30);

    /// <summary>Whether the request was sent through the proxy.</summary>
    public static bool IsUnder(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(Marker) == true;

    /// <param name="tls">Handles the connection inside TLS.</param>
    /// <param name="plain">Handles the connection without TLS: some clients send a plain-text request to a proxy, even for an https address.</param>
    public static ConnectionDelegate Before(ConnectionDelegate tls, Func<ConnectionDelegate> plain) => async connection =>
    {
        var (kind, target) = await BeginningOfAsync(connection).ConfigureAwait(false);
        switch (kind)
        {
            case Beginning.Nothing:
                return; // there is no client left to respond to
            case Beginning.Other:
                await AnswerAsync(connection, "405 Method Not Allowed",
                    "This proxy accepts only requests to mixpanel.com and *.mixpanel.com.").ConfigureAwait(false);
                return;
            case Beginning.Connect when !target.EndsWith(":443", StringComparison.Ordinal) || !Regions.IsMixpanel(target[..^":443".Length]):
            case Beginning.Absolute when !Regions.IsMixpanel(target):
                await AnswerAsync(connection, "403 Forbidden",
                    "This proxy connects only to the embedded Mixpanel, as mixpanel.com and *.mixpanel.com.").ConfigureAwait(false);
                return;
            case Beginning.Connect:
                await WriteAsync(connection, "HTTP/1.1 200 Connection established\r\n\r\n").ConfigureAwait(false);
                break;
        }
        connection.Items[Marker] = true;
        await (kind is Beginning.Absolute ? plain() : tls)(connection).ConfigureAwait(false);
    };

    /// <summary>Detects how a connection starts, and for which host. The head is consumed for CONNECT only.</summary>
    static async Task<(Beginning Kind, string Target)> BeginningOfAsync(ConnectionContext connection)
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
                    return (Beginning.Tls, ""); // a client that was redirected here transparently, such as by the script for Node.js
                }
                if (EndOf(result.Buffer) is { } at)
                {
                    var found = Read(Encoding.Latin1.GetString(result.Buffer.Slice(0, at)).Split("\r\n", 2)[0]);
                    input.AdvanceTo(found.Kind is Beginning.Absolute ? result.Buffer.Start : at);
                    return found;
                }
                if (result.IsCompleted || result.IsCanceled || result.Buffer.Length > LargestHead)
                {
                    input.AdvanceTo(result.Buffer.End);
                    return (Beginning.Nothing, "");
                }
                input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (OperationCanceledException)
        {
            return (Beginning.Nothing, "");
        }
    }

    static (Beginning Kind, string Target) Read(string line) => line.Split(' ') switch
    {
        ["CONNECT", var target, "HTTP/1.1" or "HTTP/1.0"] => (Beginning.Connect, target),
        [_, var address, "HTTP/1.1"
            or "HTTP/1.0"] when Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.IsDefaultPort => (
            Beginning.Absolute, uri.Host),
        [_, var address, "HTTP/1.1" or "HTTP/1.0"] when address.Contains("://", StringComparison.Ordinal) => (Beginning.Absolute, ""),
        _ => (Beginning.Other, ""),
    };

    static SequencePosition? EndOf(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        return reader.TryReadTo(out ReadOnlySequence<byte> _, "\r\n\r\n"u8, advancePastDelimiter: true) ? reader.Position : null;
    }

    static Task AnswerAsync(ConnectionContext connection, string status, string text) =>
        WriteAsync(connection, $"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {text.Length}\r\nConnection: close\r\n\r\n{text}");

    static async Task WriteAsync(ConnectionContext connection, string text) =>
        await connection.Transport.Output.WriteAsync(Encoding.ASCII.GetBytes(text)).ConfigureAwait(false);

    enum Beginning
    {
        Nothing,
        Other,
        Connect,
        Absolute,
        Tls,
    }
}
