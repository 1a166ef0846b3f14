using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>The answers of <c>/track</c>, <c>/engage</c> and <c>/groups</c>: 200 with 1 or 0, dressed as the client asked.</summary>
static class TrackReply
{
    // A transparent GIF of one pixel, for clients that are an <img>.
    static readonly byte[] Pixel = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    public static Task WriteAsync(HttpResponse response, Payload payload, string? error) =>
        Asks(payload, "verbose") ? WriteAsync(response, payload, json => WriteVerbose(json, error)) : WriteAsync(response, payload, error is null ? "1" : "0", "text/plain");

    /// <summary>An answer that is an object, whether <c>verbose</c> asks for it or not.</summary>
    public static Task WriteAsync(HttpResponse response, Payload payload, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer)) // escapes <, > and &: the answer may become a script
            write(json);
        return WriteAsync(response, payload, Encoding.UTF8.GetString(buffer.WrittenSpan), "application/json");
    }

    public static bool Asks(Payload payload, string parameter) => payload.Field(parameter) is not (null or "" or "0");

    static Task WriteAsync(HttpResponse response, Payload payload, string body, string contentType)
    {
        if (payload.Field("img") == "1")
            return response.BytesAsync(200, "image/gif", Pixel);
        if (payload.Field("callback") is { Length: > 0 } callback)
        {
            if (!IsFunctionName(callback))
                throw new RefusedException(400, "'callback' is invalid: must be the name of a function");
            return response.BytesAsync(200, "text/javascript; charset=utf-8", Encoding.UTF8.GetBytes($"{callback}({body});"));
        }
        return response.BytesAsync(200, contentType, Encoding.UTF8.GetBytes(body));
    }

    static void WriteVerbose(Utf8JsonWriter json, string? error)
    {
        json.WriteStartObject();
        json.WriteString("error", error);
        json.WriteNumber("status", error is null ? 1 : 0);
        json.WriteEndObject();
    }

    static bool IsFunctionName(string name)
    {
        if (name.Length > 128 || char.IsAsciiDigit(name[0]))
            return false;
        foreach (var character in name)
        {
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('_' or '$' or '.'))
                return false;
        }
        return true;
    }
}
