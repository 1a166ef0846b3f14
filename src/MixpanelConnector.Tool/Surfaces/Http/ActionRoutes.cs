using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using MixpanelConnector.Tool.Surfaces.Docs;
using MixpanelConnector.Tool.Surfaces.Mcp;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>The routes of the catalogue's actions, and the list of actions.</summary>
static class ActionRoutes
{
    public const string Path = "/v1/actions";

    /// <summary>The member of a body that confirms an irreversible action.</summary>
    public const string Confirm = "confirm";

    public static IEnumerable<Route> All()
    {
        yield return new Route(HttpMethods.Get, Path, Scope.Read, OpenApi.ListOfActions, ListAsync);
        foreach (var action in ActionCatalogue.Actions)
            yield return new Route(HttpMethods.Post, $"{Path}/{action.Name}", action.Effect is ActionEffect.Read ? Scope.Read : Scope.Write,
                () => OpenApi.Action(action), (services, context) => InvokeAsync(action, services, context))
            { LargestBody = Limits.RawBody };
    }

    /// <summary>The refusal of a path that does not exist, with the action that it probably means.</summary>
    public static Refusal NotFound(PathString path)
    {
        if (!path.StartsWithSegments(Path, StringComparison.Ordinal, out var rest) || rest.Value is not { Length: > 1 } name) return Refusal.NoSuchPath;
        var near = ActionNames.Nearest(name[1..], ActionCatalogue.Actions);
        return Refusal.NoSuchPath with
        {
            Detail = $"There is no action with this name. {(near is null ? "" : $"Did you mean {near}? ")}GET {Path} lists all actions.",
        };
    }

    static Task ListAsync(Services services, HttpContext context) => context.Response.WriteAsync(200, Answers.Json, Descriptors.Value);

    static readonly Lazy<ReadOnlyMemory<byte>> Descriptors =
        new(() => JsonText.Utf8(new JsonObject { ["actions"] = new JsonArray([.. ActionCatalogue.Actions.Select(Describe)]) }));

    /// <summary>Describes an action, with everything in its descriptor.</summary>
    public static JsonObject Describe(ActionDescriptor action) => new()
    {
        ["name"] = action.Name,
        ["title"] = ActionNames.Title(action),
        ["group"] = action.Group.Title,
        ["operation_id"] = action.OperationId,
        ["documentation"] = action.Documentation.AbsoluteUri,
        ["description"] = XmlDocs.Summary(action),
        ["remarks"] = XmlDocs.Remarks(action),
        ["effect"] = ActionNames.Snake(action.Effect),
        ["credential"] = ActionNames.Snake(action.Auth),
        ["rate_cost"] = ActionNames.Snake(action.Cost),
        ["scope"] = action.Effect is ActionEffect.Read ? "read" : "write",
        ["idempotent"] = action.IsRepeatable,
        ["reversible"] = action.CanBeUndone,
        ["paged"] = action.IsPaged,
        ["has_secret"] = action.HasSecret,
        ["example"] = OpenApi.Example(action),
        ["dotnet_method"] = action.MethodName,
        ["needs_confirmation"] = action.NeedsConfirmation,
        ["agents"] = !action.CanBeUndone ? "never" : ToolSelection.Default.Holds(action) ? "tool" : AnyAction.Run,
        ["input_schema"] = InputSchema(action, DescribeMember),
        ["output_schema"] = action.OutputSchema(XmlDocs.Describe),
    };

    /// <summary>The schema of a body: the input, and the confirmation of an irreversible action.</summary>
    public static JsonObject InputSchema(ActionDescriptor action, Action<PropertyInfo, JsonObject>? annotate = null)
    {
        var schema = action.InputSchema(annotate ?? XmlDocs.Describe);
        if (!action.NeedsConfirmation) return schema;
        schema["properties"]!.AsObject().Add(Confirm,
            new JsonObject { ["description"] = "Must be true: this cannot be undone.", ["type"] = "boolean", ["const"] = true });
        if (schema["required"] is not JsonArray required) schema["required"] = required = [];
        required.Add((JsonNode)Confirm);
        return schema;
    }

    /// <summary>The input in a body, without the required confirmation.</summary>
    /// <exception cref="MixpanelException">The confirmation is missing.</exception>
    static JsonElement Confirmed(ActionDescriptor action, JsonElement body)
    {
        if (!action.NeedsConfirmation || body.ValueKind is not JsonValueKind.Object) return body;
        return JsonMembers.Find(body, Confirm) is { ValueKind: JsonValueKind.True }
            ? JsonMembers.Without(body, Confirm)
            : throw Configuration.Invalid(Confirm, "This cannot be undone: confirm must be true.");
    }

    /// <summary>Adds the name and type of a field in .NET to its schema.</summary>
    static void DescribeMember(PropertyInfo property, JsonObject schema)
    {
        XmlDocs.Describe(property, schema);
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        schema["x-dotnet"] = new JsonObject { ["name"] = property.Name, ["type"] = NameOf(type) };

        static string NameOf(Type type) =>
            type.IsGenericType
                ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GenericTypeArguments.Select(NameOf))}>"
                : type switch
                {
                    _ when type == typeof(string) => "string",
                    _ when type == typeof(decimal) => "decimal",
                    _ => type.Name,
                };
    }

    static async Task InvokeAsync(ActionDescriptor action, Services services, HttpContext context)
    {
        if (context.Request.Query.Keys.FirstOrDefault() is { } parameter)
            throw Configuration.Invalid(parameter.Length > 50 ? parameter[..50] : parameter,
                "An action takes its input from the JSON body only: move this parameter there.");
        var key = Idempotency.KeyOf(context.Request);
        using var body = await Bodies.ReadJsonAsync(context.Request, context.Features.GetRequiredFeature<HeldBytes>(), context.RequestAborted);
        var input = Confirmed(action, body.Json);
        if (action.Effect is ActionEffect.Read)
        {
            // Reading needs no protection from repetition, and its results should not be stored on disk: the key is ignored.
            var page = await action.InvokeAsync(services.Client, input, context.RequestAborted);
            await context.Response.WriteAsync(200, Answers.Json, page.Json);
            return;
        }

        // An action that creates something always runs to its end. A repeatable one goes on for a while only: its caller may not need the answer.
        using var left = new CancellationTokenSource(Timeout.InfiniteTimeSpan, services.Options.TimeProvider);
        using var leaving = action.IsRepeatable ? context.RequestAborted.Register(() => left.CancelAfter(Limits.AfterCaller)) : default;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(services.Ended, left.Token);
        if (key is null)
        {
            await context.Response.WriteAsync(200, Answers.Json, Deliver(await RunAsync()));
            return;
        }

        ActionResult? fresh = null;
        MixpanelException? failure = null;
        var caller = context.Features.GetRequiredFeature<Caller>();
        var (outcome, replayed) =
            await services.Idempotency.RunAsync(caller, services.Idempotency.Name(caller, action.Name, key), body.Bytes, action.IsRepeatable, async () =>
        {
            try
            {
                fresh = await RunAsync();
                return new Outcome(200, WithoutSecrets(fresh), Unknown: false, Kept: true);
            }
            catch (MixpanelException e)
            {
                failure = e;
                var unknown = e.Error.IsPartial || e.Error.Kind is ErrorKind.Timeout or ErrorKind.Unavailable or ErrorKind.Protocol;
                return new Outcome(ErrorTable.Row(e.Error.Kind).HttpStatus, ErrorTable.Problem(e.Error), unknown, Kept: false);
            }
        }, context.RequestAborted);

        if (failure is not null) throw failure;
        if (replayed) context.Response.Headers[Idempotency.ReplayedHeader] = "true";
        await context.Response.WriteAsync(outcome.Status, outcome.Status == 200 ? Answers.Json : Answers.ProblemJson,
            fresh is null ? outcome.Json : Deliver(fresh));

        async Task<ActionResult> RunAsync()
        {
            try
            {
                return await action.InvokeAsync(services.Client, input, stop.Token);
            }
            catch (OperationCanceledException e) when (services.Ended.IsCancellationRequested)
            {
                throw new MixpanelException(new(ErrorKind.Timeout, "The server stopped before Mixpanel responded. Whether the request took effect is unknown."),
                    e);
            }
        }
    }

    /// <summary>The output with its one-time secret, which only this response contains.</summary>
    static ReadOnlyMemory<byte> Deliver(ActionResult result)
    {
        if (result.Secrets.IsEmpty) return result.Json;
        using var handover = new PreparedHandover(path: null);
        return handover.Deliver(result);
    }

    static ReadOnlyMemory<byte> WithoutSecrets(ActionResult result)
    {
        if (result.Secrets.IsEmpty) return result.Json;
        var json = JsonNode.Parse(result.Json.Span)!.AsObject();
        foreach (var (name, _) in result.Secrets) json.Remove(name);
        return JsonText.Utf8(json);
    }
}
