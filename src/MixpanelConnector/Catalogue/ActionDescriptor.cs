using System.Collections.Immutable;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>One operation of Mixpanel's public API, as every interface sees it: its names, its facts, its schemas, and a call from JSON to JSON.</summary>
public abstract class ActionDescriptor
{
    private protected ActionDescriptor(ActionGroup group, string name, string operationId)
    {
        Group = group;
        Name = name;
        OperationId = operationId;
        group.Add(this);
    }

    /// <summary>The group that the action belongs to.</summary>
    public ActionGroup Group { get; }

    /// <summary>The snake_case name, which gives every other name, such as <c>create_service_account</c>.</summary>
    public string Name { get; }

    /// <summary>The name of the method of <see cref="MixpanelClient"/>, whose documentation is the action's.</summary>
    public string MethodName => string.Concat(Name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..])) + "Async";

    /// <summary>The operationId in Mixpanel's own specification.</summary>
    public string OperationId { get; }

    /// <summary>The page of Mixpanel's documentation.</summary>
    public Uri Documentation => new("https://developer.mixpanel.com/reference/" + OperationId);

    /// <summary>The API that the operation is part of.</summary>
    internal abstract Api Api { get; }

    /// <summary>What the action does to Mixpanel's data.</summary>
    public abstract ActionEffect Effect { get; }

    /// <summary>Whether what the action does can be undone by another one.</summary>
    public abstract bool CanBeUndone { get; }

    /// <summary>Whether somebody must say yes before it is carried out: it removes or replaces what cannot be brought back. An interface asks; the library does what it is told.</summary>
    public bool NeedsConfirmation => Effect is ActionEffect.Delete;

    /// <summary>Whether the same call may be made again when the outcome of one is unknown.</summary>
    public abstract bool IsRepeatable { get; }

    /// <summary>The credential that Mixpanel asks for.</summary>
    public abstract AuthScheme Auth { get; }

    /// <summary>The limit of Mixpanel's that each call counts against; of an action that answers in pages, each page.</summary>
    public abstract RateCost Cost { get; }

    /// <summary>The type of the input, whose properties are its fields.</summary>
    public abstract Type InputType { get; }

    /// <summary>The type of the output, whose properties are its fields.</summary>
    public abstract Type OutputType { get; }

    /// <summary>Whether the action answers in pages, so that all results can be read as one stream.</summary>
    public abstract bool IsPaged { get; }

    /// <summary>Whether the output holds a secret, so that an interface must be told where it goes before it acts.</summary>
    public abstract bool HasSecret { get; }

    /// <summary>Whether many need it: an interface that cannot show a hundred actions at once shows these.</summary>
    public abstract bool IsCommon { get; }

    /// <summary>Where the answer can be read as a resource, such as <c>events/{event}/properties</c>, a part in braces standing for any text; null for nowhere.</summary>
    public abstract string? ResourcePath { get; }

    /// <summary>The request of Mixpanel's that the action is; null where the library does more than to send it with a service account and to read its answer.</summary>
    public abstract PlainCall? PlainCall { get; }

    /// <summary>The JSON schema that the input must fit.</summary>
    /// <param name="annotate">Adds to the schema of a property what an interface says about it, such as its description; null for nothing.</param>
    public abstract JsonObject InputSchema(Action<PropertyInfo, JsonObject>? annotate = null);

    /// <summary>The JSON schema that the output fits.</summary>
    /// <param name="annotate">Adds to the schema of a property what an interface says about it, such as its description; null for nothing.</param>
    public abstract JsonObject OutputSchema(Action<PropertyInfo, JsonObject>? annotate = null);

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

/// <summary>What an action gave, ready for an interface to hand over.</summary>
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

    /// <summary>The secrets of the output by the name of their field. An interface hands them over as safely as it can.</summary>
    public ImmutableArray<KeyValuePair<string, Secret>> Secrets { get; }
}
