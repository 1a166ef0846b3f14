using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The declaration of an action. Unspecified properties follow from its endpoint and its group.</summary>
/// <param name="group">The group that it belongs to.</param>
/// <param name="name">The snake_case name.</param>
/// <param name="operationId">The operationId in Mixpanel's own specification.</param>
/// <param name="endpoint">How Mixpanel is called.</param>
sealed class ActionSpec<
    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TInput,
    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOutput>(ActionGroup group, string name, string operationId,
        Endpoint endpoint) : ActionDescriptor(group, name, operationId)
    where TInput : class
    where TOutput : class
{
    JsonObject? _inputSchema;
    JsonTypeInfo<TInput>? _input;
    JsonTypeInfo<TOutput>? _output;

    /// <summary>The API that the operation is part of. Default: the group's.</summary>
    public Api? Of { get; init; }

    /// <summary>The effect of the action. Default: by the method.</summary>
    public ActionEffect? Does { get; init; }

    /// <summary>Why the same request may be repeated when its outcome is unknown. Default: null; then only reads may be repeated.</summary>
    public string? SafeToRepeat { get; init; }

    /// <summary>Whether no other action undoes an update.</summary>
    public bool IsFinal { get; init; }

    /// <summary>The credential. Default: the group's, else by the API.</summary>
    public AuthScheme? Needs { get; init; }

    /// <summary>The rate limit that a call counts against. Default: the group's, else by the API.</summary>
    public RateCost? Costs { get; init; }

    /// <summary>Whether the action is in common use. Default: no.</summary>
    public bool Common { get; init; }

    /// <summary>Validates what a schema cannot express, before anything is sent. Default: nothing.</summary>
    public Action<TInput>? Check { get; init; }

    /// <summary>The same, where the message refers to settings. Default: nothing.</summary>
    public Action<TInput, MessageWords>? CheckInWords { get; init; }

    /// <summary>Creates the output from the result. Default: as its type specifies.</summary>
    public Func<JsonElement, JsonElement>? Result { get; init; }

    /// <summary>
    /// Returns the output of a deletion when a retry finds nothing because the first attempt succeeded. Default: that it is done, where the output is no more
    /// than that.
    /// </summary>
    public Func<TInput, TOutput>? Gone { get; init; }

    /// <summary>The meaning of a 405 from Mixpanel: why it is too late. Default: that there is no such operation.</summary>
    public string? TooLate { get; init; }

    /// <summary>Creates an output from an answer that refuses; null where that is an error. Default: an error.</summary>
    public Func<Reply, MixpanelOptions, TOutput?>? OnRefusal { get; init; }

    /// <summary>Runs the action, where a declaration is not enough. Default: the call of the endpoint.</summary>
    public Func<ActionContext, TInput, CancellationToken, ValueTask<TOutput>>? Execute { get; init; }

    /// <summary>
    /// The input of a .NET caller as JSON, to be validated; null where <see cref="Execute"/> validates it, because it is too large to be written just for
    /// that. Default: as its type is written.
    /// </summary>
    public Func<TInput, JsonElement?>? Written { get; init; }

    /// <summary>Completes an output. Default: nothing is added.</summary>
    public Func<ActionContext, TInput, TOutput, CancellationToken, ValueTask<TOutput>>? Then { get; init; }

    /// <summary>Whether an output reports that Mixpanel refused data. Default: never.</summary>
    public Func<TOutput, bool> Refused { get; init; } = static output => output is IngestionOutput { Status: 0 };

    /// <summary>Returns the results of all pages, for a paged action. Default: none.</summary>
    public ResultStream<TInput>? All { get; init; }

    /// <summary>The resource at which the answer can be read, for an action that changes nothing. Default: none.</summary>
    public ActionResource<TInput>? Resource { get; init; }

    public Endpoint Endpoint { get; } = endpoint;

    internal override Api Api => Of ?? Group.Api;

    public override ActionEffect Effect => Does ?? Endpoint.Effect;

    public override bool CanBeUndone => !IsFinal && Effect is not ActionEffect.Delete;

    public override bool IsRepeatable => Effect is ActionEffect.Read || SafeToRepeat is not null;

    public override AuthScheme Auth => Needs ?? Group.Auth ?? (Api is Api.App ? AuthScheme.ServiceAccount : AuthScheme.ServiceAccountOfProject);

    public override RateCost Cost => Costs ?? Group.Cost ?? Api switch { Api.Query => RateCost.Query, Api.Export => RateCost.Export, _ => RateCost.None };

    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)]
    public override Type InputType => typeof(TInput);

    public override Type OutputType => typeof(TOutput);

    public override bool IsPaged => All is not null;

    public override bool HasSecret => typeof(TOutput).GetProperties().Any(property => property.PropertyType == typeof(MixpanelSecret));

    public override bool IsCommon => Common;

    public override string? ResourcePath => Resource?.Path;

    public override PlainCall? PlainCall => field ??= IsPlain
        ? new()
        {
            Method = Endpoint.Method,
            Path = Group.BasePath + Endpoint.Path,
            HasBody = Endpoint.Fields is FieldPlace.Json,
            NamesProject = Auth is AuthScheme.ServiceAccountOfProject,
            HasEnvelope = Group.HasEnvelope,
            IsResults = typeof(TOutput).IsAssignableTo(typeof(IResults)),
        }
        : null;

    /// <summary>
    /// Whether it calls the host that the App and the query API share, does nothing around the request, keeps the names of fields, and returns the result as
    /// the output.
    /// </summary>
    bool IsPlain =>
        Api is Api.App or Api.Query && Auth is AuthScheme.ServiceAccount or AuthScheme.ServiceAccountOfProject && Endpoint.IsPlain
        && Execute is null && Then is null && Check is null && Result is null && OnRefusal is null && TooLate is null
        && typeof(TOutput) != typeof(StatusOutput) && typeof(TOutput) != typeof(IngestionOutput)
        && !Input.Properties.Any(property => property.AttributeProvider?.IsDefined(typeof(WireNameAttribute), inherit: false) is true)
        && Schema["required"] is var required
            && Endpoint.PartsOf(Group.BasePath + Endpoint.Path)
                .All(part => part == "project_id" || required?.AsArray().Any(name => (string?)name == part) is true);

    JsonTypeInfo<TInput> Input => _input ??= Group.Own<TInput>();

    JsonTypeInfo<TOutput> Output => _output ??= Group.Own<TOutput>();

    JsonObject Schema => _inputSchema ??= InputSchema();

    public override JsonObject InputSchema(Action<PropertyInfo, JsonObject>? annotate = null) =>
        annotate is null ? InputSchemas.Find(Name) ?? ActionSchema.Of(Input) : ActionSchema.Of(Input, annotate);

    public override JsonObject OutputSchema(Action<PropertyInfo, JsonObject>? annotate = null) => ActionSchema.Of(Output, annotate);

    public override async ValueTask<ActionResult> InvokeAsync(MixpanelClient client, JsonElement input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return await ResultAsync(Context(client), Bind(input), isChecked: true, cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<ActionResult> ReadAsync(MixpanelClient client, IReadOnlyDictionary<string, string> parts,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        var resource = Resource ?? throw new InvalidOperationException($"{Name} is not a resource.");
        return await ResultAsync(Context(client), resource.Input(parts), isChecked: false, cancellationToken).ConfigureAwait(false);
    }

    public override IAsyncEnumerable<ReadOnlyMemory<byte>> InvokeAllAsync(MixpanelClient client, JsonElement input,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        var all = All ?? throw new InvalidOperationException($"{Name} is not paginated.");
        return all.ReadAsync(Context(client), Bind(input), cancellationToken);
    }

    /// <summary>Returns the context of the action for a client.</summary>
    public ActionContext Context(MixpanelClient client) => new(client.Transport, this, Endpoint);

    /// <summary>Runs the action for a .NET caller.</summary>
    public ValueTask<TOutput> InvokeAsync(MixpanelClient client, TInput input, CancellationToken cancellationToken) =>
        InvokeAsync(Context(client), input, isChecked: false, cancellationToken);

    /// <summary>Runs the action with a context.</summary>
    public async ValueTask<TOutput> InvokeAsync(ActionContext context, TInput input, bool isChecked, CancellationToken cancellationToken)
    {
        var fields = isChecked ? null : Validate(input);
        var output = Execute is null
            ? await CallAsync(context, input, fields ?? JsonSerializer.SerializeToElement(input, Input), cancellationToken).ConfigureAwait(false)
            : await Execute(context, input, cancellationToken).ConfigureAwait(false);
        return Then is null ? output : await Then(context, input, output, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Validates the input of a .NET caller against the schema, as JSON is. Returns it as JSON, if it was written to be validated.</summary>
    /// <exception cref="MixpanelException">The input is invalid.</exception>
    public JsonElement? Validate(TInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        JsonElement? written;
        try
        {
            written = Written is null ? JsonSerializer.SerializeToElement(input, Input) : Written(input);
        }
        catch (JsonException e)
        {
            // Only a value that no enumeration has cannot be written; the path has the names of .NET.
            var field = JsonNamingPolicy.SnakeCaseLower.ConvertName(e.Path?.TrimStart('$', '.') ?? "");
            throw MixpanelException.Invalid(field, $"{field} is not one of the values of its type.");
        }

        if (written is { } fields) SchemaValidation.Check(fields, Schema);
        return written;
    }

    async ValueTask<TOutput> CallAsync(ActionContext context, TInput input, JsonElement fields, CancellationToken cancellationToken)
    {
        Check?.Invoke(input);
        CheckInWords?.Invoke(input, context.Options.Words);
        var request = await Endpoint.RequestAsync(context, fields, Input, cancellationToken).ConfigureAwait(false);
        var reply = await context.Transport.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            if (reply is { Status: 404, IsRepeated: true } && Gone is not null) return Gone(input);
            if (reply.Status == 405 && TooLate is not null) throw new MixpanelException(reply.Error(ErrorKind.Rejected, TooLate));
            return reply is { Status: 400 or 422, IsUnavailable: false } && OnRefusal?.Invoke(reply, context.Options) is { } refusal
                ? refusal
                : Answers.Read(reply, context.Options, Group.HasEnvelope, Result, Group.Reply<TOutput>());
        }
        catch (MixpanelException e) when (!IsRepeatable && IsUnknown(e.Error, reply))
        {
            throw new MixpanelException(ReplyClassifier.Unconfirmed(e.Error), e);
        }
    }

    /// <summary>Whether the request may have been carried out although no answer confirms it.</summary>
    static bool IsUnknown(MixpanelError error, Reply reply) =>
        error.Kind is ErrorKind.Timeout or ErrorKind.Unavailable or ErrorKind.Protocol && reply.MayHaveArrived
            && (reply.Status is 0 or 200 or 201 or 204 or >= 500 || reply.IsUnavailable);

    async ValueTask<ActionResult> ResultAsync(ActionContext context, TInput input, bool isChecked, CancellationToken cancellationToken)
    {
        var output = await InvokeAsync(context, input, isChecked, cancellationToken).ConfigureAwait(false);
        return new ActionResult(
            JsonDefaults.Write(output, Output),
            Refused(output),
            HasSecret
                ?
                [
                    .. Output.Properties.Where(p => p.PropertyType == typeof(MixpanelSecret) && p.Get!(output) is not null)
                        .Select(p => KeyValuePair.Create(p.Name, (MixpanelSecret)p.Get!(output)!)),
                ]
                : []);
    }

    TInput Bind(JsonElement input)
    {
        // Validates first: rewriting fails on a lone surrogate.
        if (!SchemaValidation.Check(input, Schema)) input = PlainInput.Of(input, Schema);
        try
        {
            return input.Deserialize(Input)!;
        }
        catch (JsonException e)
        {
            throw MixpanelException.Invalid(e.Path?.TrimStart('$', '.'), "The input does not match the schema.");
        }
    }
}

/// <summary>An address at which an action's answer can be read: for agents, which then need not call the action.</summary>
/// <typeparam name="TInput">The input of the action.</typeparam>
/// <param name="path">The path, such as <c>events/{event}/properties</c>; a part in braces stands for any text.</param>
/// <param name="input">Creates the input from the texts for the parts in braces, by name.</param>
sealed class ActionResource<TInput>(string path, Func<IReadOnlyDictionary<string, string>, TInput> input)
{
    public string Path { get; } = path;

    public Func<IReadOnlyDictionary<string, string>, TInput> Input { get; } = input;
}

/// <summary>The results of all pages of an action, one by one.</summary>
/// <typeparam name="TInput">The input of the action.</typeparam>
abstract class ResultStream<TInput>
{
    public abstract IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(ActionContext context, TInput input, CancellationToken cancellationToken);
}

/// <summary>The context of an action: the connection, the options and its declaration.</summary>
sealed class ActionContext(MixpanelTransport transport, ActionDescriptor action, Endpoint endpoint)
{
    public MixpanelTransport Transport { get; } = transport;

    /// <summary>The action that runs.</summary>
    public ActionDescriptor Action { get; } = action;

    /// <summary>The options of the client that runs the action.</summary>
    public MixpanelOptions Options => Transport.Options;

    /// <summary>The project token, for a call that identifies its project by it.</summary>
    public string Token =>
        Options.Token ?? throw MixpanelException.Invalid("token", "This call requires the project token. Configure it, or use the embedded Mixpanel.");

    /// <summary>Creates the declared request, without the parts that come from the input.</summary>
    /// <param name="path">A path that replaces the declared one.</param>
    public MixpanelRequest Request(string? path = null) =>
        new(endpoint.Method, Action.Api, path ?? Action.Group.BasePath + endpoint.Path, Action.Auth)
        {
            IsRepeatable = Action.IsRepeatable,
            IsRead = Action.Effect is ActionEffect.Read,
            Counts = Action.Cost switch { RateCost.Query => CallKind.Query, RateCost.Export => CallKind.Export, _ => null },
            Query = Action.Auth is AuthScheme.OAuthToken ? [.. endpoint.Query, new("token", Token)] : endpoint.Query,
        };
}
