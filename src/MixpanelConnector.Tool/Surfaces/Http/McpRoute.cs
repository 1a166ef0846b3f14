using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using MixpanelConnector.Tool.Surfaces.Mcp;
using ModelContextProtocol.Protocol;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The tools for agents over HTTP, behind the same guard as everything else. Requests are independent: there are no sessions.</summary>
static class McpRoute
{
    public const string Path = "/mcp";

    const string VersionHeader = "MCP-Protocol-Version";

    /// <summary>The memory of an answer in a batch, in the buffer in which it arrives.</summary>
    const int LargestAnswer = 2 * ResponseSanitizer.MostBytes;

    public static Route Route { get; } = new(HttpMethods.Post, Path, Scope.Read, () => [],
        (_, _) => throw new InvalidOperationException("The protocol answers by itself."))
    { LargestBody = Limits.Message };

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
                McpServerSetup.Configure(server, tools, mayWrite: options.ToolsMayWrite && caller.Scope is Scope.Write,
                    limits.GetValue(caller, _ => new CallLimits(options.TimeProvider)));
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
        if (context.Request.Headers.ContentEncoding.Count > 0)
            throw new RefusedException(Refusal.WrongType("the message without a Content-Encoding") with { Field = "Content-Encoding" });
        var isBatch = MessageCheck.IsBatch(received.Memory.Span)
            && (context.Request.Headers[VersionHeader].FirstOrDefault() ?? MessageCheck.VersionWithBatches) == MessageCheck.VersionWithBatches;
        IReadOnlyList<ReadOnlyMemory<byte>> messages = [received.Memory];
        if (Checked(received, isBatch, ref messages) is { } fault)
        {
            await context.Response.WriteAsync(fault.Status, Answers.Json, MessageCheck.ErrorFor(received.Memory.Span, fault.Code, fault.Message));
            return;
        }

        if (isBatch)
        {
            await AnswerBatchAsync(context, received, messages, protocol);
            return;
        }

        if (MessageCheck.IsError(received.Memory.Span))
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }

        await WriteAsync(context, await AskAsync(context, received, received.Memory, protocol));
    }

    /// <summary>Answers the messages of a batch one after the other, and together.</summary>
    static async Task AnswerBatchAsync(HttpContext context, HeldBytes received, IReadOnlyList<ReadOnlyMemory<byte>> messages, Func<Task> protocol)
    {
        received.HoldMore((long)messages.Count * LargestAnswer); // before anything is done: afterwards it would be too late to refuse
        var answers = new List<ReadOnlyMemory<byte>>();
        var ids = new HashSet<RequestId>();
        foreach (var message in messages)
        {
            if (MessageCheck.FaultInBatch(message.Span, ids) is { } fault)
            {
                answers.Add(MessageCheck.ErrorFor(message.Span, fault.Code, fault.Message));
                continue;
            }

            if (MessageCheck.IsError(message.Span)) continue;
            context.Response.ContentType = null;
            var answer = await AskAsync(context, received, message, protocol);
            if (context.Response.StatusCode >= 400)
            {
                await WriteAsync(context, answer); // about the request as such, and so the same for all messages
                return;
            }

            if (answer.Length > 0) answers.Add(context.Response.ContentType == Answers.Json ? answer : DataOf(answer));
        }

        context.Response.ContentType = null;
        if (answers.Count == 0) context.Response.StatusCode = StatusCodes.Status202Accepted;
        else await context.Response.WriteAsync(StatusCodes.Status200OK, Answers.Json, MessageCheck.Together(answers));
    }

    /// <summary>The message in a stream of a single event.</summary>
    static ReadOnlyMemory<byte> DataOf(ReadOnlyMemory<byte> events)
    {
        var data = "data: "u8;
        var start = events.Span.IndexOf(data) + data.Length;
        return events.Slice(start, events.Span[start..].IndexOf((byte)'\n'));
    }

    /// <summary>Has the protocol answer a message; the status and the type are those of the response.</summary>
    static async Task<ReadOnlyMemory<byte>> AskAsync(HttpContext context, HeldBytes received, ReadOnlyMemory<byte> message, Func<Task> protocol)
    {
        var (request, response) = (context.Request.Body, context.Response.Body);
        using var answer = new MemoryStream();
        using var asked = MessageCheck.IsPlain(message.Span) ? StreamOf(message) : Plain(received, message);
        (context.Request.Body, context.Response.Body) = (asked, answer);
        try
        {
            await protocol();
        }
        catch (JsonException)
        {
            answer.SetLength(0);
            answer.Write(MessageCheck.ErrorFor(message.Span, MessageCheck.InvalidParams, MessageCheck.WrongForm).Span);
            context.Response.ContentType = Answers.Json;
        }
        finally
        {
            (context.Request.Body, context.Response.Body) = (request, response);
        }

        return answer.GetBuffer().AsMemory(0, (int)answer.Length);
    }

    static MemoryStream StreamOf(ReadOnlyMemory<byte> message) =>
        MemoryMarshal.TryGetArray(message, out var bytes)
            ? new(bytes.Array!, bytes.Offset, bytes.Count, writable: false)
            : throw new InvalidOperationException("The body is not in an array.");

    static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> answer)
    {
        if (answer.Length == 0) return;
        context.Response.ContentLength = answer.Length;
        await context.Response.WriteBodyAsync(answer);
    }

    /// <summary>
    /// A message with the members that the protocol defines and no others: JSON-RPC ignores others, and so does the protocol on standard input, but not while
    /// it reads a body.
    /// </summary>
    static MemoryStream Plain(HeldBytes received, ReadOnlyMemory<byte> message)
    {
        var plain = new MemoryStream();
        using (var json = new Utf8JsonWriter(plain, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            JsonSerializer.Serialize(json, LineTransport.Read(message.Span)!, LineTransport.MessageType);
        received.HoldMore(plain.Length);
        plain.Position = 0;
        return plain;
    }

    /// <summary>
    /// The error in a message, with the status of its response; null if there is none. What was not processed at all is an error of HTTP, too.
    /// </summary>
    /// <param name="received">The body.</param>
    /// <param name="isBatch">Whether it is taken as a batch, whose messages are checked one by one.</param>
    /// <param name="messages">The messages of a batch.</param>
    static (int Status, int Code, string Message)? Checked(HeldBytes received, bool isBatch, ref IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        try
        {
            var tokens = Bodies.Check(received.Memory.Span, isBatch ? MessageCheck.Depth + 1 : MessageCheck.Depth, Limits.TokensOfMessage);
            received.HoldMore(((long)received.Length * (Limits.CopiesOfMessage - 1)) + ((long)tokens * Limits.BytesOfMessageToken));
        }
        catch (RefusedException e) when (e.Refusal.Status == 413)
        {
            return (413, MessageCheck.InvalidRequest, e.Refusal.Detail);
        }
        catch (MixpanelException e)
        {
            return MessageCheck.FaultOfJson(received.Memory.Span, isBatch ? MessageCheck.Depth + 1 : MessageCheck.Depth) is { } found
                ? (400, found.Code, found.Message)
                : (400, MessageCheck.InvalidRequest, e.Error.Message.Replace("input: ", "The message ", StringComparison.Ordinal));
        }

        if (isBatch) return MessageCheck.FaultOfBatch(received.Memory, out messages) is { } whole ? (400, whole.Code, whole.Message) : null;
        if (MessageCheck.Fault(received.Memory.Span) is { } fault) return (fault.Code == MessageCheck.InvalidParams ? 200 : 400, fault.Code, fault.Message);
        return MessageCheck.IsPlain(received.Memory.Span) || MessageCheck.IsError(received.Memory.Span) || LineTransport.Read(received.Memory.Span) is not null
            ? null
            : (400, MessageCheck.InvalidRequest, MessageCheck.NotAMessage);
    }
}
