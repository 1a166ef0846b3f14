using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>One operation of Mixpanel's: its input, its output, what it does. Declared in one file, reachable through every door.</summary>
/// <typeparam name="TInput">The input, one property per field.</typeparam>
/// <typeparam name="TOutput">The output, one property per field.</typeparam>
public interface IAction<TInput, TOutput>
    where TInput : class
    where TOutput : class
{
    /// <summary>The name and the facts of the action.</summary>
    static abstract ActionSpec<TInput, TOutput> Spec { get; }

    /// <summary>Carries the action out.</summary>
    /// <param name="context">What the action works with.</param>
    /// <param name="input">The input.</param>
    /// <param name="cancellationToken">Stops the action.</param>
    /// <exception cref="MixpanelException">The input is refused, or Mixpanel cannot do it.</exception>
    static abstract ValueTask<TOutput> ExecuteAsync(ActionContext context, TInput input, CancellationToken cancellationToken);
}

/// <summary>What an action does to Mixpanel's data. It decides about retries, questions before, and hints to agents.</summary>
public enum Effect
{
    /// <summary>Changes nothing.</summary>
    ReadOnly,

    /// <summary>Changes data; doing it twice is the same as once.</summary>
    Idempotent,

    /// <summary>Makes something new each time.</summary>
    Creates,

    /// <summary>Removes something that cannot be brought back.</summary>
    Destructive,
}

/// <summary>The credential that Mixpanel asks for before it carries an action out.</summary>
public enum CredentialNeed
{
    /// <summary>A service account of the organization.</summary>
    ServiceAccount,

    /// <summary>A service account, and the project that is meant.</summary>
    ServiceAccountOfProject,

    /// <summary>A service account and the project that is meant, or else the token of a project.</summary>
    ServiceAccountOfProjectOrToken,
}

/// <summary>The limit of Mixpanel's that a call of an action counts against.</summary>
public enum RateCost
{
    /// <summary>None that is documented.</summary>
    None,

    /// <summary>A query: a project has 60 an hour, and 5 at a time.</summary>
    Query,

    /// <summary>Ingestion: a project takes about 2 GB of JSON, or 30,000 events a second, over a minute.</summary>
    Ingestion,
}

/// <summary>The name and the facts of an action.</summary>
/// <typeparam name="TInput">The input.</typeparam>
/// <typeparam name="TOutput">The output.</typeparam>
/// <param name="name">The snake_case name that gives every other name.</param>
/// <param name="input">How the input is read from JSON.</param>
/// <param name="output">How the output is written to JSON.</param>
public sealed class ActionSpec<TInput, TOutput>(string name, JsonTypeInfo<TInput> input, JsonTypeInfo<TOutput> output)
    where TInput : class
    where TOutput : class
{
    /// <summary>The snake_case name.</summary>
    public string Name { get; } = name;

    /// <summary>The heading under which the action is listed, such as <c>Events</c>.</summary>
    public required string Group { get; init; }

    /// <summary>What the action does to Mixpanel's data.</summary>
    public required Effect Effect { get; init; }

    /// <summary>The credential that it needs.</summary>
    public required CredentialNeed Credential { get; init; }

    /// <summary>The limit that each call counts against; of an action that answers in pages, each page.</summary>
    public required RateCost Cost { get; init; }

    /// <summary>How the input is read from JSON.</summary>
    public JsonTypeInfo<TInput> Input { get; } = input;

    /// <summary>How the output is written to JSON.</summary>
    public JsonTypeInfo<TOutput> Output { get; } = output;

    /// <summary>Tells from an output that Mixpanel refused data. Default: never.</summary>
    public Func<TOutput, bool> Refused { get; init; } = static _ => false;

    /// <summary>Gives all results over all pages, for an action that answers in pages. Default: none.</summary>
    public ResultStream<TInput>? All { get; init; }

    /// <summary>Where the answer can be read as a resource, for an action that changes nothing. Default: nowhere.</summary>
    public ActionResource<TInput>? Resource { get; init; }
}

/// <summary>An address at which an action's answer can be read: for agents, who then need not call the action.</summary>
/// <typeparam name="TInput">The input of the action.</typeparam>
/// <param name="path">The path, such as <c>events/{event}/properties</c>; a part in braces stands for any text.</param>
/// <param name="input">Makes the input from the texts at the parts in braces, by their names.</param>
public sealed class ActionResource<TInput>(string path, Func<IReadOnlyDictionary<string, string>, TInput> input)
{
    /// <summary>The path, with the parts that stand for any text in braces.</summary>
    public string Path { get; } = path;

    internal Func<IReadOnlyDictionary<string, string>, TInput> Input { get; } = input;
}

/// <summary>All results of an action over all its pages, one by one.</summary>
/// <typeparam name="TInput">The input of the action.</typeparam>
public abstract class ResultStream<TInput>
{
    internal abstract IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(ActionContext context, TInput input, CancellationToken cancellationToken);
}

/// <summary>What an action works with: the connection and the options.</summary>
public sealed class ActionContext
{
    internal ActionContext(MixpanelTransport transport) => Transport = transport;

    internal MixpanelTransport Transport { get; }

    /// <summary>The options of the client that runs the action.</summary>
    public MixpanelOptions Options => Transport.Options;
}
