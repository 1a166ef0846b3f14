using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Lets web pages of any origin send events and profiles, as Mixpanel's own script must be able to.</summary>
static class Cors
{
    public static RequestDelegate WithCors(this RequestDelegate handler) => context =>
    {
        Allow(context);
        return handler(context);
    };

    /// <summary>Answers what a browser asks before it sends.</summary>
    public static Task PreflightAsync(HttpContext context)
    {
        Allow(context);
        context.Response.Headers.AccessControlAllowMethods = "GET, POST, OPTIONS";
        context.Response.Headers.AccessControlAllowHeaders = "Authorization, Content-Encoding, Content-Type, X-Requested-With";
        context.Response.Headers.AccessControlMaxAge = "86400";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    // Mixpanel's script sends with credentials, which rules out "*".
    static void Allow(HttpContext context)
    {
        if (context.Request.Headers.Origin is not [{ Length: > 0 } origin])
            return;
        context.Response.Headers.AccessControlAllowOrigin = origin;
        context.Response.Headers.AccessControlAllowCredentials = "true";
        context.Response.Headers.Vary = "Origin";
    }
}
