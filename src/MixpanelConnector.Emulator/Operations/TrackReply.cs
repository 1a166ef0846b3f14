using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>The responses of <c>/track</c>, <c>/engage</c> and <c>/groups</c>: status 200 with 1 or 0, in the format that the client requested.</summary>
static partial class TrackReply
{
    const int LongestCallback = 128;

    // A transparent 1×1 GIF, for clients that are an <img>.
    static readonly byte[] Pixel = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    /// <summary>Rejects a request whose response could not be written, before its records are stored.</summary>
    public static void CheckCallback(Payload payload)
    {
        if (payload.Field("callback") is { Length: > 0 } callback && !(callback.Length <= LongestCallback && Callback.IsMatch(callback)))
            throw new RefusedException(400,
                "'callback' is invalid: must be the name of a function, such as mixpanel.done or mixpanel._jsc[7], of at most 128 characters");
    }

    public static Task WriteAsync(HttpResponse response, Payload payload, string? error) =>
        Asks(payload, "verbose")
            ? WriteAsync(response, payload, json => WriteVerbose(json, error))
            : WriteAsync(response, payload, error is null ? "1" : "0", "text/plain");

    /// <summary>A response that is an object, whether <c>verbose</c> requests it or not.</summary>
    public static Task WriteAsync(HttpResponse response, Payload payload, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer)) // escapes <, > and &: the response may be executed as a script
            write(json);
        return WriteAsync(response, payload, Encoding.UTF8.GetString(buffer.WrittenSpan), "application/json");
    }

    public static bool Asks(Payload payload, string parameter) => payload.Field(parameter) is not (null or "" or "0");

    static Task WriteAsync(HttpResponse response, Payload payload, string body, string contentType)
    {
        if (payload.Field("img") == "1") return response.BytesAsync(200, "image/gif", Pixel);
        if (payload.Field("callback") is { Length: > 0 } callback)
            return response.BytesAsync(200, "text/javascript; charset=utf-8", Encoding.UTF8.GetBytes($"{callback}({body});"));
        return response.BytesAsync(200, contentType, Encoding.UTF8.GetBytes(body));
    }

    static void WriteVerbose(Utf8JsonWriter json, string? error)
    {
        json.WriteStartObject();
        json.WriteString("error", error);
        json.WriteNumber("status", error is null ? 1 : 0);
        json.WriteEndObject();
    }

    /// <summary>
    /// What clients pass: a function's path, such as <c>mixpanel._jsc[7]</c>, or a function that does nothing. The response is executed as a script.
    /// </summary>
    [GeneratedRegex(@"^(?:[a-zA-Z_$][a-zA-Z0-9_$]*(?:\.[a-zA-Z_$][a-zA-Z0-9_$]*|\[[0-9]+\])*|\(function\(\)\{\}\))\z", RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000)]
    static partial Regex Callback { get; }
}
