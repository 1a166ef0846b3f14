using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
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

    public static Route Route { get; } = new(HttpMethods.Post, Path, Scope.Read, () => [], (_, _) => throw new InvalidOperationException("The protocol answers by itself.")) { LargestBody = Limits.Message };

    public static void AddTo(IServiceCollection services, ServeOptions options, MixpanelClient client, AuditLog log)
    {
        services.AddLogging();
        var tools = new Tools(client, options.Tools, options.SecretFolder, options.TimeProvider, error => log.WriteLocal(error));
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
        if (Checked(received) is { } fault)
        {
            await context.Response.WriteAsync(fault.Status, Answers.Json, MessageCheck.ErrorFor(received.Memory.Span, fault.Code, fault.Message));
            return;
        }

        if (MessageCheck.IsError(received.Memory.Span))
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }

        var (request, response) = (context.Request.Body, context.Response.Body);
        using var answer = new MemoryStream();
        (context.Request.Body, context.Response.Body) = (MessageCheck.IsPlain(received.Memory.Span) ? received.AsStream() : Plain(received), answer);
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

    /// <summary>
    /// A message with the members that the protocol defines and no others: JSON-RPC ignores others, and so does the protocol on standard input, but not while it
    /// reads a body.
    /// </summary>
    static MemoryStream Plain(HeldBytes received)
    {
        var plain = new MemoryStream();
        using (var json = new Utf8JsonWriter(plain, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) JsonSerializer.Serialize(json, LineTransport.Read(received.Memory.Span)!, LineTransport.MessageType);
        received.HoldMore(plain.Length);
        plain.Position = 0;
        return plain;
    }

    /// <summary>The error in a message, with the status of its response; null if there is none. What was not processed at all is an error of HTTP, too.</summary>
    static (int Status, int Code, string Message)? Checked(HeldBytes received)
    {
        try
        {
            var tokens = Bodies.Check(received.Memory.Span, MessageCheck.Depth, Limits.TokensOfMessage);
            received.HoldMore(((long)received.Length * (Limits.CopiesOfMessage - 1)) + ((long)tokens * Limits.BytesOfMessageToken));
        }
        catch (RefusedException e) when (e.Refusal.Status == 413)
        {
            return (413, MessageCheck.InvalidRequest, e.Refusal.Detail);
        }
        catch (MixpanelException e)
        {
            return MessageCheck.FaultOfJson(received.Memory.Span) is { } found ? (400, found.Code, found.Message) : (400, MessageCheck.InvalidRequest, e.Error.Message.Replace("input: ", "The message ", StringComparison.Ordinal));
        }

        if (MessageCheck.Fault(received.Memory.Span) is { } fault) return (fault.Code == MessageCheck.InvalidParams ? 200 : 400, fault.Code, fault.Message);
        return MessageCheck.IsPlain(received.Memory.Span) || MessageCheck.IsError(received.Memory.Span) || LineTransport.Read(received.Memory.Span) is not null ? null : (400, MessageCheck.InvalidRequest, MessageCheck.NotAMessage);
    }
}
