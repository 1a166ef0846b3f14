using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Adds an error body where routing rejects a method, which by itself returns only a status.</summary>
static class MethodCheck
{
    public static async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        await next(context).ConfigureAwait(false);
        if (context.Response is { StatusCode: StatusCodes.Status405MethodNotAllowed, HasStarted: false })
            await context.ErrorAsync(ErrorShapes.For(context.Request.Path), 405,
                $"{context.Request.Method} is not allowed here; allowed: {context.Response.Headers.Allow}").ConfigureAwait(false);
    }
}
