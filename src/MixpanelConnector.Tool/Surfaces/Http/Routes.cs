using Microsoft.AspNetCore.Http;
using MixpanelConnector.Tool.Surfaces.Http.Imports;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>All HTTP endpoints except /mcp, whose protocol describes itself.</summary>
static class Routes
{
    public static IEnumerable<Route> All() =>
    [
        .. ActionRoutes.All(),
        .. ImportRoutes.All(),
        .. ConsoleRoutes.All(),
        new Route(HttpMethods.Get, "/openapi.json", Scope.None, OpenApi.Self,
            (_, context) => context.Response.WriteAsync(200, Answers.Json, OpenApi.Document())),
        new Route(HttpMethods.Get, "/reference", Scope.None, OpenApi.Reference, (_, context) => ReferencePage.AnswerAsync(context)),
        new Route(HttpMethods.Get, "/reference.css", Scope.None, Operation: null, (_, context) => ReferencePage.AnswerStyleAsync(context)),
        new Route(HttpMethods.Get, "/healthz", Scope.None, OpenApi.Health,
            (_, context) => context.Response.WriteAsync(200, Answers.Json, """{"status":"ok"}"""u8.ToArray())) { IsLimited = false },
        new Route(HttpMethods.Get, "/readyz", Scope.None, OpenApi.Ready, ReadyAsync) { IsLimited = false },
    ];

    /// <summary>
    /// The server is ready if it accepts requests and its own state can be written. Mixpanel is not called: its queries are limited, and its availability is
    /// its own matter.
    /// </summary>
    static Task ReadyAsync(Services services, HttpContext context)
    {
        if (services.Stopping.IsCancellationRequested) throw new RefusedException(Refusal.Busy with { Detail = "The server is stopping." });
        try
        {
            services.Database.Probe(services.Options.TimeProvider);
        }
        catch (IOException)
        {
            throw new RefusedException(Refusal.Busy with
            {
                Detail = "The server cannot write to its disk, which may be full. It is ready again once there is space.",
                RetryAfter = 60,
            });
        }

        return context.Response.WriteAsync(200, Answers.Json, """{"status":"ready"}"""u8.ToArray());
    }
}
