using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace MixpanelConnector.Emulator.Http;

/// <summary>Lets web pages of any origin send events and profiles, which Mixpanel's own script requires.</summary>
static class Cors
{
    public static RequestDelegate WithCors(this RequestDelegate handler) => context =>
    {
        Allow(context);
        return handler(context);
    };

    /// <summary>The headers that scripts send, and those added by distributed tracing.</summary>
    const string KnownHeaders = "Authorization, Content-Encoding, Content-Type, X-Requested-With, traceparent, tracestate, baggage";

    const int MostHeaders = 64;

    /// <summary>Answers CORS preflight requests: the requested headers are echoed, because <c>*</c> is not allowed with credentials.</summary>
    /// <param name="methods">The methods of the path.</param>
    public static RequestDelegate Preflight(IEnumerable<string> methods)
    {
        var allowed = string.Join(", ", methods.Append(HttpMethods.Options));
        return context =>
        {
            Allow(context);
            context.Response.Headers.AccessControlAllowMethods = allowed;
            context.Response.Headers.AccessControlAllowHeaders = AskedFor(context) is { Count: > 0 } asked ? string.Join(", ", asked) : KnownHeaders;
            context.Response.Headers.AccessControlMaxAge = "86400";
            context.Response.Headers.Append(HeaderNames.Vary, HeaderNames.AccessControlRequestHeaders);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        };
    }

    static List<string> AskedFor(HttpContext context) =>
        [
            .. context.Request.Headers.AccessControlRequestHeaders.SelectMany(names =>
                names?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [])
                .Where(IsName)
                .Take(MostHeaders),
        ];

    static bool IsName(string name) => name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    // Mixpanel's script sends credentials, which rules out "*".
    static void Allow(HttpContext context)
    {
        if (context.Request.Headers.Origin is not [{ Length: > 0 } origin]) return;
        context.Response.Headers.AccessControlAllowOrigin = origin;
        context.Response.Headers.AccessControlAllowCredentials = "true";
        context.Response.Headers.Vary = "Origin";
    }
}
