using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Live;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Writes complete responses: their length is known, so a cut connection is always detected.</summary>
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

    /// <summary>The envelope of the App API: <c>{"results":…,"status":"ok"}</c>.</summary>
    public static Task ResultsAsync(this HttpResponse response, int status, Action<Utf8JsonWriter> write) => response.JsonAsync(status, json =>
    {
        json.WriteStartObject();
        json.WritePropertyName("results");
        write(json);
        json.WriteString("status", "ok");
        json.WriteEndObject();
    });

    /// <summary>The time when a response of the query API was computed, in the format of the service.</summary>
    public static void WriteComputedAt(this Utf8JsonWriter json, DateTimeOffset moment) =>
        json.WriteString("computed_at", moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture));

    /// <summary>The App API's response that only reports success.</summary>
    public static Task OkAsync(this HttpResponse response) => response.JsonAsync(200, static json =>
    {
        json.WriteStartObject();
        json.WriteString("status", "ok");
        json.WriteEndObject();
    });

    public static Task ErrorAsync(this HttpContext context, ErrorShape shape, int status, string error)
    {
        Journal.MarkRefused(context, error);
        return context.Response.JsonAsync(status, json => shape(json, context.Request, status, error));
    }

    public static Task BytesAsync(this HttpResponse response, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        response.Begin(status, contentType, body.Length);
        return response.Body.WriteAsync(body, response.HttpContext.RequestAborted).AsTask();
    }

    /// <summary>Copies a complete response in chunks.</summary>
    public static Task CopyAsync(this HttpResponse response, int status, string contentType, PipeReader body, long length)
    {
        response.Begin(status, contentType, length);
        return body.CopyToAsync(response.Body, response.HttpContext.RequestAborted);
    }

    static void Begin(this HttpResponse response, int status, string contentType, long length)
    {
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = length;
        response.Headers.XContentTypeOptions = "nosniff";
    }
}
