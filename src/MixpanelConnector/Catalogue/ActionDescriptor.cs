using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>An operation of Mixpanel's public API, as every interface sees it: its names, properties and schemas, and a call from JSON to JSON.</summary>
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

    /// <summary>The name in snake_case, such as <c>create_service_account</c>; all other names derive from it.</summary>
    public string Name { get; }

    /// <summary>The name of the method of <see cref="MixpanelClient"/>, whose documentation describes the action.</summary>
    public string MethodName => string.Concat(Name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..])) + "Async";

    /// <summary>The operationId in Mixpanel's own specification.</summary>
    public string OperationId { get; }

    /// <summary>The page of Mixpanel's documentation.</summary>
    public Uri Documentation => new("https://developer.mixpanel.com/reference/" + OperationId);

    /// <summary>The API that the operation is part of.</summary>
    internal abstract Api Api { get; }

    /// <summary>What the action does to Mixpanel's data.</summary>
    public abstract ActionEffect Effect { get; }

    /// <summary>Whether another action can undo its effect.</summary>
    public abstract bool CanBeUndone { get; }

    /// <summary>
    /// Whether the action requires confirmation because it irreversibly removes or replaces data. Interfaces ask for it; the library itself does not.
    /// </summary>
    public bool NeedsConfirmation => Effect is ActionEffect.Delete;

    /// <summary>Whether the same call may be repeated when the outcome of one is unknown.</summary>
    public abstract bool IsRepeatable { get; }

    /// <summary>The credential that Mixpanel requires.</summary>
    public abstract AuthScheme Auth { get; }

    /// <summary>The rate limit that each call counts against; for a paged action, each page.</summary>
    public abstract RateCost Cost { get; }

    /// <summary>The type of the input, whose properties are its fields.</summary>
    [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)]
    public abstract Type InputType { get; }

    /// <summary>The type of the output, whose properties are its fields.</summary>
    public abstract Type OutputType { get; }

    /// <summary>Whether the action is paged, so that all results can be read as one stream.</summary>
    public abstract bool IsPaged { get; }

    /// <summary>Whether the output contains a secret, so that an interface must know where it goes before it runs the action.</summary>
    public abstract bool HasSecret { get; }

    /// <summary>Whether the action is in common use: an interface that cannot show a hundred actions at once shows these.</summary>
    public abstract bool IsCommon { get; }

    /// <summary>
    /// The path at which the answer can be read as a resource, such as <c>events/{event}/properties</c>, where a part in braces stands for any text; null for
    /// none.
    /// </summary>
    public abstract string? ResourcePath { get; }

    /// <summary>
    /// The single Mixpanel request that the action consists of; null where the library does more than send it with a service account and read the answer.
    /// </summary>
    public abstract PlainCall? PlainCall { get; }

    /// <summary>Returns the JSON schema that the input must match.</summary>
    /// <param name="annotate">Adds an interface's annotations, such as a description, to the schema of a property; null for none.</param>
    public abstract JsonObject InputSchema(Action<PropertyInfo, JsonObject>? annotate = null);

    /// <summary>Returns the JSON schema of the output.</summary>
    /// <param name="annotate">Adds an interface's annotations, such as a description, to the schema of a property; null for none.</param>
    public abstract JsonObject OutputSchema(Action<PropertyInfo, JsonObject>? annotate = null);

    /// <summary>Validates the input against its schema, then runs the action.</summary>
    /// <param name="client">The client to use.</param>
    /// <param name="input">The input, a JSON object.</param>
    /// <param name="cancellationToken">Cancels the action.</param>
    /// <returns>The result. When Mixpanel refused some of the data, <see cref="ActionResult.Refused"/> is set.</returns>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public abstract ValueTask<ActionResult> InvokeAsync(MixpanelClient client, JsonElement input, CancellationToken cancellationToken = default);

    /// <summary>Runs the action to read its resource. Only for an action that has a <see cref="ResourcePath"/>.</summary>
    /// <param name="client">The client to use.</param>
    /// <param name="parts">The texts for the parts in braces, by name.</param>
    /// <param name="cancellationToken">Cancels the action.</param>
    /// <returns>The result. When Mixpanel refused some of the data, <see cref="ActionResult.Refused"/> is set.</returns>
    /// <exception cref="MixpanelException">A text is invalid, or Mixpanel failed or refused the call.</exception>
    public abstract ValueTask<ActionResult> ReadAsync(MixpanelClient client, IReadOnlyDictionary<string, string> parts,
        CancellationToken cancellationToken = default);

    /// <summary>Returns the results of all pages, each as one JSON text in UTF-8. Only for an action that <see cref="IsPaged"/>.</summary>
    /// <param name="client">The client to use.</param>
    /// <param name="input">The input, a JSON object.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    /// <exception cref="MixpanelException">The input is invalid, or Mixpanel failed or refused the call.</exception>
    public abstract IAsyncEnumerable<ReadOnlyMemory<byte>> InvokeAllAsync(MixpanelClient client, JsonElement input,
        CancellationToken cancellationToken = default);
}

/// <summary>The result of an action, ready for an interface to return.</summary>
public sealed class ActionResult
{
    internal ActionResult(ReadOnlyMemory<byte> json, bool refused, ImmutableArray<KeyValuePair<string, MixpanelSecret>> secrets)
    {
        Json = json;
        Refused = refused;
        Secrets = secrets;
    }

    /// <summary>The output as JSON in UTF-8, with secrets masked as <c>***</c>.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    /// <summary>Whether Mixpanel refused data; the output has the details.</summary>
    public bool Refused { get; }

    /// <summary>The secrets of the output by field name. An interface returns them as safely as it can.</summary>
    public ImmutableArray<KeyValuePair<string, MixpanelSecret>> Secrets { get; }
}
