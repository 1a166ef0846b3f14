using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace MixpanelConnector;

/// <summary>An action as the doors see it: its names, its schemas, and a call from JSON to JSON.</summary>
public abstract class ActionDescriptor
{
    private protected ActionDescriptor(string name, string group, Type type)
    {
        Name = name;
        Group = group;
        Type = type;
    }

    /// <summary>The snake_case name, such as <c>create_service_account</c>.</summary>
    public string Name { get; }

    /// <summary>The heading under which the action is listed.</summary>
    public string Group { get; }

    /// <summary>What the action does to Mixpanel's data.</summary>
    public abstract Effect Effect { get; }

    /// <summary>The credential that Mixpanel asks for.</summary>
    public abstract CredentialNeed Credential { get; }

    /// <summary>The limit of Mixpanel's that each call counts against; of an action that answers in pages, each page.</summary>
    public abstract RateCost Cost { get; }

    /// <summary>The type whose documentation describes the action.</summary>
    public Type Type { get; }

    /// <summary>Whether the action answers in pages, so that all results can be read as one stream.</summary>
    public abstract bool IsPaged { get; }

    /// <summary>Whether the output holds a secret, so that a door must be told where it goes before it acts.</summary>
    public abstract bool HasSecret { get; }

    /// <summary>Where the answer can be read as a resource, such as <c>events/{event}/properties</c>, a part in braces standing for any text; null for nowhere.</summary>
    public abstract string? ResourcePath { get; }

    /// <summary>The JSON schema that the input must fit.</summary>
    /// <param name="describe">Gives the description of a property; null for none.</param>
    public abstract JsonObject InputSchema(Func<PropertyInfo, string?>? describe = null);

    /// <summary>The JSON schema that the output fits.</summary>
    /// <param name="describe">Gives the description of a property; null for none.</param>
    public abstract JsonObject OutputSchema(Func<PropertyInfo, string?>? describe = null);

    /// <summary>Checks the input against its schema, then carries the action out.</summary>
    /// <param name="client">The client to act through.</param>
    /// <param name="input">The input, a JSON object.</param>
    /// <param name="cancellationToken">Stops the action.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public abstract ValueTask<ActionResult> InvokeAsync(MixpanelClient client, JsonElement input, CancellationToken cancellationToken = default);

    /// <summary>Carries the action out for a reader of its resource. Only for an action that has a <see cref="ResourcePath"/>.</summary>
    /// <param name="client">The client to act through.</param>
    /// <param name="parts">The texts at the parts in braces, by their names.</param>
    /// <param name="cancellationToken">Stops the action.</param>
    /// <exception cref="MixpanelException">A text is refused, or Mixpanel cannot do it.</exception>
    public abstract ValueTask<ActionResult> ReadAsync(MixpanelClient client, IReadOnlyDictionary<string, string> parts, CancellationToken cancellationToken = default);

    /// <summary>Gives all results over all pages, each as one JSON text in UTF-8. Only for an action that <see cref="IsPaged"/>.</summary>
    /// <param name="client">The client to act through.</param>
    /// <param name="input">The input, a JSON object.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    public abstract IAsyncEnumerable<ReadOnlyMemory<byte>> InvokeAllAsync(MixpanelClient client, JsonElement input, CancellationToken cancellationToken = default);
}

/// <summary>What an action gave, ready for a door to hand over.</summary>
public sealed class ActionResult
{
    internal ActionResult(ReadOnlyMemory<byte> json, bool refused, ImmutableArray<KeyValuePair<string, Secret>> secrets)
    {
        Json = json;
        Refused = refused;
        Secrets = secrets;
    }

    /// <summary>The output as JSON in UTF-8. Secrets read <c>***</c>.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>Whether Mixpanel refused data; the output says which and why.</summary>
    public bool Refused { get; }

    /// <summary>The secrets of the output by the name of their field. A door hands them over as safely as it can.</summary>
    public ImmutableArray<KeyValuePair<string, Secret>> Secrets { get; }
}

sealed class ActionDescriptor<TAction, TInput, TOutput>() : ActionDescriptor(Spec.Name, Spec.Group, typeof(TAction))
    where TAction : IAction<TInput, TOutput>
    where TInput : class
    where TOutput : class
{
    static readonly ImmutableArray<JsonPropertyInfo> SecretProperties = [.. Spec.Output.Properties.Where(p => p.PropertyType == typeof(Secret))];
    readonly JsonObject _inputSchema = ActionSchema.Of(Spec.Input);

    static ActionSpec<TInput, TOutput> Spec => TAction.Spec;

    public override Effect Effect => Spec.Effect;

    public override CredentialNeed Credential => Spec.Credential;

    public override RateCost Cost => Spec.Cost;

    public override bool IsPaged => Spec.All is not null;

    public override bool HasSecret => SecretProperties.Length > 0;

    public override string? ResourcePath => Spec.Resource?.Path;

    public override JsonObject InputSchema(Func<PropertyInfo, string?>? describe = null) => ActionSchema.Of(Spec.Input, describe);

    public override JsonObject OutputSchema(Func<PropertyInfo, string?>? describe = null) => ActionSchema.Of(Spec.Output, describe);

    public override async ValueTask<ActionResult> InvokeAsync(MixpanelClient client, JsonElement input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return await InvokeAsync(client, Bind(input), cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<ActionResult> ReadAsync(MixpanelClient client, IReadOnlyDictionary<string, string> parts, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        var resource = Spec.Resource ?? throw new InvalidOperationException($"{Name} is no resource.");
        return await InvokeAsync(client, resource.Input(parts), cancellationToken).ConfigureAwait(false);
    }

    public override IAsyncEnumerable<ReadOnlyMemory<byte>> InvokeAllAsync(MixpanelClient client, JsonElement input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        var all = Spec.All ?? throw new InvalidOperationException($"{Name} does not answer in pages.");
        return all.ReadAsync(new ActionContext(client.Transport), Bind(input), cancellationToken);
    }

    static async ValueTask<ActionResult> InvokeAsync(MixpanelClient client, TInput input, CancellationToken cancellationToken)
    {
        var output = await client.InvokeAsync<TAction, TInput, TOutput>(input, cancellationToken).ConfigureAwait(false);
        return new ActionResult(
            Wire.Write(output, Spec.Output),
            Spec.Refused(output),
            [.. SecretProperties.Where(p => p.Get!(output) is not null).Select(p => KeyValuePair.Create(p.Name, (Secret)p.Get!(output)!))]);
    }

    TInput Bind(JsonElement input)
    {
        // The check comes first: rewriting is nothing that half a character survives.
        if (!SchemaValidation.Check(input, _inputSchema)) input = PlainInput.Of(input, _inputSchema);
        try
        {
            return input.Deserialize(Spec.Input)!;
        }
        catch (JsonException e)
        {
            throw MixpanelException.Invalid(e.Path?.TrimStart('$', '.'), "The input does not have the form that the schema asks for.");
        }
    }
}
