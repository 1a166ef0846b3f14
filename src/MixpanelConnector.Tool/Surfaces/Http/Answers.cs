using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>Writes responses.</summary>
static class Answers
{
    public const string Json = "application/json";
    public const string ProblemJson = "application/problem+json";

    public static Task WriteAsync(this HttpResponse response, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(response.HttpContext.Request.Method) ? Task.CompletedTask : response.WriteBodyAsync(body);
    }

    /// <summary>A response stays in memory until its client has read it, and counts against the budget until then.</summary>
    public static async Task WriteBodyAsync(this HttpResponse response, ReadOnlyMemory<byte> body)
    {
        var caller = response.HttpContext.Features.Get<Caller>();
        using var held = caller?.Memory.Hold(caller, body.Length);
        await response.Body.WriteAsync(body);
    }

    public static Task RefuseAsync(this HttpResponse response, Refusal refusal)
    {
        if (refusal.RetryAfter is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (refusal.Status == 401) response.Headers.WWWAuthenticate = "Bearer";
        return response.WriteAsync(refusal.Status, ProblemJson, ErrorTable.Problem(refusal.Kind, refusal.Title, refusal.Status, refusal.Detail, refusal.Field));
    }

    public static Task FailAsync(this HttpResponse response, MixpanelError error)
    {
        var status = ErrorTable.Row(error.Kind).HttpStatus;
        if (status is 429 or 503) response.Headers.RetryAfter = RetryAfter(error).ToString(CultureInfo.InvariantCulture);
        if (status == 401) response.Headers.WWWAuthenticate = "Bearer";
        return response.WriteAsync(status, ProblemJson, ErrorTable.Problem(error));
    }

    /// <summary>The delay that Mixpanel requested, otherwise the one that it recommends.</summary>
    static int RetryAfter(MixpanelError error) => (int)Math.Clamp(Math.Ceiling(error.RetryAfter?.TotalSeconds ?? 2), 1, int.MaxValue);
}
