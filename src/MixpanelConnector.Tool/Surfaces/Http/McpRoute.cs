using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The tools for agents over HTTP, behind the same guard as everything else. Requests are independent: there are no sessions.</summary>
static class McpRoute
{
    public const string Path = "/mcp";

    // The arguments of a call are nested three levels deep in its message.
    const int Depth = Limits.Depth + 3;

    public static Route Route { get; } = new(HttpMethods.Post, Path, Scope.Read, () => [], (_, _) => throw new InvalidOperationException("The protocol answers by itself.")) { LargestBody = Limits.Message };

    public static void AddTo(IServiceCollection services, ServeOptions options, MixpanelClient client)
    {
        services.AddLogging();
        var tools = new Tools(client, options.Tools, options.SecretFolder, options.TimeProvider);
        var limits = new ConditionalWeakTable<Caller, CallLimits>();
        services.AddMcpServer().WithHttpTransport(transport =>
        {
            transport.Stateless = true;
            transport.ConfigureSessionOptions = (context, server, _) =>
            {
                var caller = context.Features.GetRequiredFeature<Caller>();
                McpServerSetup.Configure(server, tools, mayWrite: options.ToolsMayWrite && caller.Scope is Scope.Write, limits.GetValue(caller, _ => new CallLimits(options.TimeProvider)));
                return Task.CompletedTask;
            };
        });
    }

    /// <summary>
    /// Answers a message. It is checked before the protocol builds objects from it, and the response is complete before the server waits for the client to read
    /// it.
    /// </summary>
    public static async Task AnswerAsync(HttpContext context, Func<Task> protocol)
    {
        var received = context.Features.GetRequiredFeature<HeldBytes>();
        if (context.Request.Headers.ContentEncoding.Count > 0) throw new RefusedException(Refusal.WrongType("the message without a Content-Encoding") with { Field = "Content-Encoding" });
        var tokens = Bodies.Check(received.Memory.Span, Depth, Limits.TokensOfMessage);
        received.HoldMore(((long)received.Length * (Limits.CopiesOfMessage - 1)) + ((long)tokens * Limits.BytesOfMessageToken));
        if (MessageCheck.Fault(received.Memory.Span) is { } fault)
        {
            await context.Response.WriteAsync(200, Answers.Json, MessageCheck.ErrorFor(received.Memory.Span, fault.Code, fault.Message));
            return;
        }

        var (request, response) = (context.Request.Body, context.Response.Body);
        using var answer = new MemoryStream();
        (context.Request.Body, context.Response.Body) = (received.AsStream(), answer);
        try
        {
            await protocol();
        }
        catch (JsonException)
        {
            answer.SetLength(0);
            answer.Write(MessageCheck.ErrorFor(received.Memory.Span, MessageCheck.InvalidParams, MessageCheck.WrongForm).Span);
            context.Response.ContentType = Answers.Json;
        }
        finally
        {
            (context.Request.Body, context.Response.Body) = (request, response);
        }

        if (answer.Length == 0) return;
        context.Response.ContentLength = answer.Length;
        await context.Response.WriteBodyAsync(answer.GetBuffer().AsMemory(0, (int)answer.Length));
    }
}
