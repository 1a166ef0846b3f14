using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>Something that is served: what is mapped, who may use it, and its entry in the OpenAPI document are one.</summary>
/// <param name="Method">GET, POST or DELETE.</param>
/// <param name="Pattern">The path, with names in braces.</param>
/// <param name="Scope">Who may use it.</param>
/// <param name="Operation">Makes its entry in the OpenAPI document; null for what is no operation of any client, such as a file of the console.</param>
/// <param name="Handler">Answers a request.</param>
sealed record Route(string Method, string Pattern, Scope Scope, Func<JsonObject>? Operation, Func<Services, HttpContext, Task> Handler)
{
    /// <summary>Whether it takes part in the limits on callers. Without them it must cost next to nothing.</summary>
    public bool IsLimited { get; init; } = true;

    /// <summary>Bytes of the JSON body that it takes, which is received before the request has a turn; 0 for none.</summary>
    public int LargestBody { get; init; }

    /// <summary>Whether its body is streamed, and has a limit of its own.</summary>
    public bool HasStreamedBody { get; init; }

    /// <summary>Whether its answer is a stream, whose reader may pause.</summary>
    public bool HasStreamedAnswer { get; init; }
}

/// <summary>What the routes work with.</summary>
sealed record Services(ServeOptions Options, MixpanelClient Client, Idempotency Idempotency, ServeDatabase Database, Imports.ImportJobs Imports, Console.LiveStream Live, AuditLog Log, CancellationToken Stopping);
