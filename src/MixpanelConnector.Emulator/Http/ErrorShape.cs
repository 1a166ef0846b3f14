using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>The error format of one family of Mixpanel's APIs.</summary>
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

    /// <summary>App API, and operations that are not emulated: <c>{"error":"…","status":"error"}</c>.</summary>
    public static readonly ErrorShape App = static (json, _, _, error) =>
    {
        json.WriteStartObject();
        json.WriteString("error", error);
        json.WriteString("status", "error");
        json.WriteEndObject();
    };

    /// <summary>Tracking: that of the App API if access is denied, otherwise that of ingestion.</summary>
    public static readonly ErrorShape Tracking =
        static (json, request, status, error) => (status is 401 or 403 ? App : Ingestion)(json, request, status, error);

    /// <summary>Feature flags and experiments: that of the App API if access is denied, otherwise <c>{"status":"error","type":"…","error":"…"}</c>.</summary>
    public static readonly ErrorShape Typed = static (json, request, status, error) =>
    {
        if (status is 401 or 403)
        {
            App(json, request, status, error);
            return;
        }
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

    /// <summary>The error format of the API that a path belongs to.</summary>
    public static ErrorShape For(string? path) =>
        path is null || Begins(path, "/api/2.0/nessie/") ? App
        : Begins(path,
            "/api/app/") ? (path.Contains("/feature-flags", StringComparison.Ordinal) || path.Contains("/experiments", StringComparison.Ordinal) ? Typed : App)
        : Begins(path, "/api/") ? Query
        : Begins(path, "/track", "/engage", "/groups") ? Tracking
        : Begins(path, "/import", "/lookup-tables") ? Ingestion
        : App;

    static bool Begins(string path, params ReadOnlySpan<string> beginnings)
    {
        foreach (var beginning in beginnings)
        {
            if (path.StartsWith(beginning, StringComparison.Ordinal)) return true;
        }
        return false;
    }

    static string StatusText(int status) => status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        412 => "Precondition Failed",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    };
}
