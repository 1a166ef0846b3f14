using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The tools for agents over HTTP, behind the same gate as everything else. Each request stands for itself: there are no sessions.</summary>
static class McpRoute
{
    public const string Path = "/mcp";

    public static Route Route { get; } = new(HttpMethods.Post, Path, Scope.Read, [], (_, _) => throw new InvalidOperationException("The protocol answers by itself."));

    public static void AddTo(IServiceCollection services, ServeOptions options, MixpanelClient client)
    {
        services.AddLogging();
        var tools = new Tools(client, options.SecretFolder, options.TimeProvider);
        services.AddMcpServer().WithHttpTransport(transport =>
        {
            transport.Stateless = true;
            transport.ConfigureSessionOptions = (context, server, _) =>
            {
                McpDoor.Configure(server, tools, mayWrite: options.ToolsMayWrite && context.Features.Get<Caller>() is { Scope: Scope.Write });
                return Task.CompletedTask;
            };
        });
    }
}
