using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>An endpoint: its mapping, its required scope and its entry in the OpenAPI document are defined together.</summary>
/// <param name="Method">GET, POST or DELETE.</param>
/// <param name="Pattern">The path, with names in braces.</param>
/// <param name="Scope">The required scope.</param>
/// <param name="Operation">Creates its entry in the OpenAPI document; null if it is not an operation for clients, such as a file of the console.</param>
/// <param name="Handler">Answers a request.</param>
sealed record Route(string Method, string Pattern, Scope Scope, Func<JsonObject>? Operation, Func<Services, HttpContext, Task> Handler)
{
    /// <summary>Whether the limits on callers apply to it. Without them it must cost next to nothing.</summary>
    public bool IsLimited { get; init; } = true;

    /// <summary>The maximum size in bytes of its JSON body, which is received before the request gets a turn; 0 for no body.</summary>
    public int LargestBody { get; init; }

    /// <summary>Whether its body is streamed, with its own size limit.</summary>
    public bool HasStreamedBody { get; init; }

    /// <summary>Whether its response is a stream, whose reader may pause.</summary>
    public bool HasStreamedAnswer { get; init; }
}

/// <summary>The dependencies of the route handlers.</summary>
sealed record Services(ServeOptions Options, MixpanelClient Client, Idempotency Idempotency, ServeDatabase Database, Imports.ImportJobs Imports,
    LiveStream Live, AuditLog Log, CancellationToken Stopping, CancellationToken Ended);
