using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Writes whole answers: the length is known, so a cut connection never looks like one.</summary>
static class Replies
{
    public static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Task JsonAsync(this HttpResponse response, int status, Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, Readable))
            write(json);
        return response.BytesAsync(status, "application/json", body.WrittenMemory);
    }

    public static Task ErrorAsync(this HttpContext context, ErrorShape shape, int status, string error) =>
        context.Response.JsonAsync(status, json => shape(json, context.Request, status, error));

    public static Task BytesAsync(this HttpResponse response, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        response.Headers.XContentTypeOptions = "nosniff";
        return response.Body.WriteAsync(body, response.HttpContext.RequestAborted).AsTask();
    }
}
