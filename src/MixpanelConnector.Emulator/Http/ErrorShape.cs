using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>How one family of Mixpanel's APIs words its errors.</summary>
delegate void ErrorShape(Utf8JsonWriter json, HttpRequest request, int status, string error);

static class ErrorShapes
{
    /// <summary>Ingestion: <c>{"code":400,"error":"…","status":"Bad Request"}</c>.</summary>
    public static readonly ErrorShape Ingestion = static (json, _, status, error) =>
    {
        json.WriteStartObject();
        json.WriteNumber("code", status);
        json.WriteString("error", error);
        json.WriteString("status", StatusText(status));
        json.WriteEndObject();
    };

    /// <summary>App API, and what is not emulated: <c>{"error":"…","status":"error"}</c>.</summary>
    public static readonly ErrorShape App = static (json, _, _, error) =>
    {
        json.WriteStartObject();
        json.WriteString("error", error);
        json.WriteString("status", "error");
        json.WriteEndObject();
    };

    /// <summary>Feature flags and experiments: <c>{"status":"error","type":"…","error":"…"}</c>.</summary>
    public static readonly ErrorShape Typed = static (json, _, status, error) =>
    {
        json.WriteStartObject();
        json.WriteString("status", "error");
        json.WriteString("type", StatusText(status));
        json.WriteString("error", error);
        json.WriteEndObject();
    };

    /// <summary>Query and export: <c>{"request":"/api/query/…","error":"…"}</c>.</summary>
    public static readonly ErrorShape Query = static (json, request, _, error) =>
    {
        json.WriteStartObject();
        json.WriteString("request", request.Path + request.QueryString);
        json.WriteString("error", error);
        json.WriteEndObject();
    };

    /// <summary>The shape of the API that a path belongs to.</summary>
    public static ErrorShape For(string? path) =>
        path is null || path.StartsWith("/api/app/", StringComparison.Ordinal) || path.StartsWith("/emulator/", StringComparison.Ordinal) || path.StartsWith("/flags", StringComparison.Ordinal) ? App
        : path.StartsWith("/api/", StringComparison.Ordinal) ? Query
        : Ingestion;

    static string StatusText(int status) => status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    };
}
