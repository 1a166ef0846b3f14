using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector;

/// <summary>The updates that profiles of users and of groups have in common, applied in the order of the calls.</summary>
/// <remarks>
/// Each method returns at once, with false when the tracker did not accept the update. The <c>Async</c> variants complete when the update is safe, and throw
/// when it was not accepted. All of them throw an <see cref="ArgumentException"/> when the name of a property is empty.
/// </remarks>
public abstract class PropertyUpdates
{
    const string Reflection =
        "The properties are found by reflection. In trimmed and ahead-of-time compiled applications, also pass the type's JsonTypeInfo, or use a JsonObject.";

    private protected PropertyUpdates(IMixpanelTracker tracker) => Tracker = tracker;

    private protected IMixpanelTracker Tracker { get; }

    /// <summary>Sets a property.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Set(string name, JsonNode? value) => Send("$set", One(name, value));

    /// <summary>Sets properties.</summary>
    /// <param name="properties">The properties.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Set(JsonObject properties) => Send("$set", Payload.Of(properties));

    /// <summary>Sets a property that has no value yet.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool SetOnce(string name, JsonNode? value) => Send("$set_once", One(name, value));

    /// <summary>Sets those of the properties that have no value yet.</summary>
    /// <param name="properties">The properties.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool SetOnce(JsonObject properties) => Send("$set_once", Payload.Of(properties));

    /// <summary>Adds those of the values that a list does not contain yet.</summary>
    /// <param name="name">The property.</param>
    /// <param name="values">The values.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Union(string name, params JsonNode?[] values) => Send("$union", One(name, values ?? throw new ArgumentNullException(nameof(values))));

    /// <summary>Removes a value from a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Remove(string name, JsonNode? value) => Send("$remove", One(name, value));

    /// <summary>Removes properties.</summary>
    /// <param name="names">The properties.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Unset(params string[] names) => Send("$unset", Names(names));

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="properties">The object.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public bool Set<T>(T properties) where T : class => Send("$set", new(properties, TrackedContract.Reflected<T>()));

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="properties">The object.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public bool SetOnce<T>(T properties) where T : class => Send("$set_once", new(properties, TrackedContract.Reflected<T>()));

    /// <summary>Deletes the profile.</summary>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Delete() => Send("$delete", Payload.Of(JsonValue.Create("")));

    /// <summary>Sets a property.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask SetAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) =>
        SendAsync("$set", One(name, value), cancellationToken);

    /// <summary>Sets properties.</summary>
    /// <param name="properties">The properties.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask SetAsync(JsonObject properties, CancellationToken cancellationToken = default) =>
        SendAsync("$set", Payload.Of(properties), cancellationToken);

    /// <summary>Sets a property that has no value yet.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask SetOnceAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) =>
        SendAsync("$set_once", One(name, value), cancellationToken);

    /// <summary>Sets those of the properties that have no value yet.</summary>
    /// <param name="properties">The properties.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask SetOnceAsync(JsonObject properties, CancellationToken cancellationToken = default) =>
        SendAsync("$set_once", Payload.Of(properties), cancellationToken);

    /// <summary>Adds those of the values that a list does not contain yet.</summary>
    /// <param name="name">The property.</param>
    /// <param name="values">The values.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask UnionAsync(string name, IEnumerable<JsonNode?> values, CancellationToken cancellationToken = default) =>
        SendAsync("$union", One(name, values ?? throw new ArgumentNullException(nameof(values))), cancellationToken);

    /// <summary>Removes a value from a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask RemoveAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) =>
        SendAsync("$remove", One(name, value), cancellationToken);

    /// <summary>Removes properties.</summary>
    /// <param name="names">The properties.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask UnsetAsync(IEnumerable<string> names, CancellationToken cancellationToken = default) =>
        SendAsync("$unset", Names([.. names]), cancellationToken);

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="properties">The object.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public ValueTask SetAsync<T>(T properties, CancellationToken cancellationToken = default) where T : class =>
        SendAsync("$set", new(properties, TrackedContract.Reflected<T>()), cancellationToken);

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="properties">The object.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public ValueTask SetOnceAsync<T>(T properties, CancellationToken cancellationToken = default) where T : class =>
        SendAsync("$set_once", new(properties, TrackedContract.Reflected<T>()), cancellationToken);

    /// <summary>Deletes the profile.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask DeleteAsync(CancellationToken cancellationToken = default) => SendAsync("$delete", Payload.Of(JsonValue.Create("")), cancellationToken);

    /// <summary>Returns the record of an update.</summary>
    private protected abstract TrackedRecord Record(string operation, Payload payload);

    internal bool Send(string operation, Payload payload) => Tracker.Enqueue(Record(operation, payload));

    internal ValueTask SendAsync(string operation, Payload payload, CancellationToken cancellationToken) =>
        Tracker.EnqueueAsync(Record(operation, payload), cancellationToken);

    private protected static Payload One(string name, object? value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Payload.Of(name, value);
    }

    static Payload Names(string[] names) => Payload.Of(new JsonArray([.. names.Select(name => JsonValue.Create(name))]));
}
