using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// The console: a page that uses the same routes as every other client, and has no special rights. Its files are public; the data it shows comes from routes
/// that are not. It is built from <c>src/MixpanelConnector.Console</c>.
/// </summary>
static class ConsoleRoutes
{
    public static IEnumerable<Route> All() =>
    [
        File("/", "index.html", "text/html; charset=utf-8"),
        File("/console.js", "console.js", "text/javascript; charset=utf-8"),
        File("/console.css", "console.css", "text/css; charset=utf-8"),
        File("/console.svg", "console.svg", "image/svg+xml"),
        new Route(HttpMethods.Get, "/v1/server", Scope.Read, OpenApi.AboutServer, AboutAsync),
        new Route(HttpMethods.Get, "/v1/live", Scope.Read, OpenApi.Live, (services, context) => services.Live.AnswerAsync(services, context))
        {
            IsLimited = false,
            HasStreamedAnswer = true,
        },
    ];

    static Route File(string path, string name, string type)
    {
        var bytes = new Lazy<ReadOnlyMemory<byte>>(() => Read(name));
        return new Route(HttpMethods.Get, path, Scope.None, Operation: null, (_, context) => context.Response.WriteAsync(200, type, bytes.Value));
    }

    static byte[] Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"console/{name}")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    /// <summary>Returns what this server is connected to, and what the caller is allowed to do.</summary>
    static Task AboutAsync(Services services, HttpContext context)
    {
        var destination = services.Client.Options;
        return context.Response.WriteAsync(200, Answers.Json, JsonText.Utf8(new JsonObject
        {
            ["mixpanel"] = services.Live.Feed is null ? "real" : "embedded",
            ["region"] = services.Live.Feed is null && destination.Endpoint is null ? destination.Region.ToString().ToLowerInvariant() : null,
            ["project_id"] = destination.ProjectId,
            ["organization_id"] = destination.OrganizationId,
            ["scope"] = context.Features.GetRequiredFeature<Caller>().Scope is Scope.Write ? "write" : "read",
            ["version"] = typeof(ConsoleRoutes).Assembly.GetName().Version!.ToString(3),
        }));
    }
}
