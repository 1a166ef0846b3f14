using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>A group of related actions, with what they have in common.</summary>
public sealed class ActionGroup
{
    readonly List<ActionDescriptor> _actions = [];
    readonly Lazy<JsonSerializerContext> _own, _reply;

    /// <param name="name">The name in commands.</param>
    /// <param name="about">What its actions are for.</param>
    /// <param name="api">The API that its operations are part of.</param>
    /// <param name="basePath">The common prefix of the paths of its operations.</param>
    /// <param name="json">Creates the JSON context of its types.</param>
    internal ActionGroup(string name, string about, Api api, string basePath, Func<JsonSerializerOptions, JsonSerializerContext> json)
    {
        (Name, About, Api, BasePath) = (name, about, api, basePath);
        (_own, _reply) = (new(() => json(JsonDefaults.Options())), new(() => json(JsonDefaults.ReplyOptions())));
    }

    /// <summary>The name in commands and options, such as <c>user-profiles</c>.</summary>
    public string Name { get; }

    /// <summary>The heading, such as <c>User profiles</c>.</summary>
    public string Title => Name == "gdpr" ? "GDPR" : char.ToUpperInvariant(Name[0]) + Name[1..].Replace('-', ' ');

    /// <summary>What its actions are for, in a few words.</summary>
    public string About { get; }

    /// <summary>Its actions, in the order in which they are declared.</summary>
    public IReadOnlyList<ActionDescriptor> Actions => _actions;

    /// <summary>Search words for its actions, in addition to those of their names and descriptions.</summary>
    public string Keywords { get; internal init; } = "";

    internal Api Api { get; }

    internal string BasePath { get; }

    /// <summary>Whether results may be wrapped in an envelope, <c>results</c>.</summary>
    internal bool HasEnvelope { get; init; }

    /// <summary>The credential of its operations. Default: by the API.</summary>
    internal AuthScheme? Auth { get; init; }

    /// <summary>The rate limit that its calls count against. Default: by the API.</summary>
    internal RateCost? Cost { get; init; }

    internal void Add(ActionDescriptor action) => _actions.Add(action);

    /// <summary>Returns the contract for this library's own JSON: inputs as they are given, outputs as they are shown.</summary>
    internal JsonTypeInfo<T> Own<T>() => Of<T>(_own.Value);

    /// <summary>Returns the contract for reading Mixpanel's JSON, which may gain members at any time.</summary>
    internal JsonTypeInfo<T> Reply<T>() => Of<T>(_reply.Value);

    static JsonTypeInfo<T> Of<T>(JsonSerializerContext context) =>
        (JsonTypeInfo<T>)(context.GetTypeInfo(typeof(T)) ?? throw new InvalidOperationException($"{context.GetType().Name} does not know {typeof(T).Name}."));
}
