using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>Updates of one user's profile. They take effect in the order in which they are given.</summary>
/// <remarks>Each returns at once, false when the update was not taken; with <c>Async</c> at its end it completes when the update is safe, and throws when it was not taken. An <c>Add</c> or <c>Append</c> whose outcome stays unknown is not sent again, which could count it twice: it is reported as rejected with <c>MaybeDelivered</c>.</remarks>
public readonly struct ProfileUpdates
{
    readonly IMixpanelTracker _tracker;
    readonly string _distinctId;

    internal ProfileUpdates(IMixpanelTracker tracker, string distinctId) => (_tracker, _distinctId) = (tracker, distinctId);

    /// <summary>Sets a property.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Set(string name, JsonNode? value) => Send("$set", Payload.Of(One(name, value)));

    /// <summary>Sets properties.</summary>
    /// <param name="properties">The properties.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Set(JsonObject properties) => Send("$set", Payload.Of(properties));

    /// <summary>Sets those of the properties that have no value yet.</summary>
    /// <param name="properties">The properties.</param>
    /// <returns>False when it was not taken.</returns>
    public bool SetOnce(JsonObject properties) => Send("$set_once", Payload.Of(properties));

    /// <summary>Adds to a number; a negative amount subtracts. What is missing counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">How much.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Add(string name, long amount) => Send("$add", Payload.Of(One(name, amount)));

    /// <summary>Adds to a number; a negative amount subtracts. What is missing counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">How much.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Add(string name, double amount) => Send("$add", Payload.Of(One(name, amount)));

    /// <summary>Adds to a number; a negative amount subtracts. What is missing counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">How much.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Add(string name, decimal amount) => Send("$add", Payload.Of(One(name, amount)));

    /// <summary>Adds a value to the end of a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Append(string name, JsonNode? value) => Send("$append", Payload.Of(One(name, value)));

    /// <summary>Adds those values to a list that it does not hold.</summary>
    /// <param name="name">The property.</param>
    /// <param name="values">The values.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Union(string name, params JsonNode?[] values) => Send("$union", Payload.Of(One(name, new JsonArray(values))));

    /// <summary>Takes a value out of a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Remove(string name, JsonNode? value) => Send("$remove", Payload.Of(One(name, value)));

    /// <summary>Takes properties away.</summary>
    /// <param name="names">The properties.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Unset(params string[] names) => Send("$unset", Payload.Of(Names(names)));

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <param name="properties">The object.</param>
    /// <returns>False when it was not taken.</returns>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public bool Set<T>(T properties) where T : class => Send("$set", new(properties, ReflectionContract.Of<T>()));

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract of its type, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <returns>False when it was not taken.</returns>
    public bool Set<T>(T properties, JsonTypeInfo<T> type) where T : class => Send("$set", new(properties, type));

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <param name="properties">The object.</param>
    /// <returns>False when it was not taken.</returns>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public bool SetOnce<T>(T properties) where T : class => Send("$set_once", new(properties, ReflectionContract.Of<T>()));

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract of its type, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <returns>False when it was not taken.</returns>
    public bool SetOnce<T>(T properties, JsonTypeInfo<T> type) where T : class => Send("$set_once", new(properties, type));

    /// <summary>Deletes the profile.</summary>
    /// <returns>False when it was not taken.</returns>
    public bool Delete() => Send("$delete", Payload.Of(JsonValue.Create("")));

    /// <summary>Sets a property.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask SetAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) => SendAsync("$set", Payload.Of(One(name, value)), cancellationToken);

    /// <summary>Sets properties.</summary>
    /// <param name="properties">The properties.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask SetAsync(JsonObject properties, CancellationToken cancellationToken = default) => SendAsync("$set", Payload.Of(properties), cancellationToken);

    /// <summary>Sets those of the properties that have no value yet.</summary>
    /// <param name="properties">The properties.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask SetOnceAsync(JsonObject properties, CancellationToken cancellationToken = default) => SendAsync("$set_once", Payload.Of(properties), cancellationToken);

    /// <summary>Adds to a number; a negative amount subtracts. What is missing counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">How much.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask AddAsync(string name, long amount, CancellationToken cancellationToken = default) => SendAsync("$add", Payload.Of(One(name, amount)), cancellationToken);

    /// <summary>Adds to a number; a negative amount subtracts. What is missing counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">How much.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask AddAsync(string name, double amount, CancellationToken cancellationToken = default) => SendAsync("$add", Payload.Of(One(name, amount)), cancellationToken);

    /// <summary>Adds to a number; a negative amount subtracts. What is missing counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">How much.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask AddAsync(string name, decimal amount, CancellationToken cancellationToken = default) => SendAsync("$add", Payload.Of(One(name, amount)), cancellationToken);

    /// <summary>Adds a value to the end of a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask AppendAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) => SendAsync("$append", Payload.Of(One(name, value)), cancellationToken);

    /// <summary>Adds those values to a list that it does not hold.</summary>
    /// <param name="name">The property.</param>
    /// <param name="values">The values.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask UnionAsync(string name, IEnumerable<JsonNode?> values, CancellationToken cancellationToken = default) => SendAsync("$union", Payload.Of(One(name, new JsonArray([.. values]))), cancellationToken);

    /// <summary>Takes a value out of a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask RemoveAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) => SendAsync("$remove", Payload.Of(One(name, value)), cancellationToken);

    /// <summary>Takes properties away.</summary>
    /// <param name="names">The properties.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask UnsetAsync(IEnumerable<string> names, CancellationToken cancellationToken = default) => SendAsync("$unset", Payload.Of(Names([.. names])), cancellationToken);

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <param name="properties">The object.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public ValueTask SetAsync<T>(T properties, CancellationToken cancellationToken = default) where T : class => SendAsync("$set", new(properties, ReflectionContract.Of<T>()), cancellationToken);

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract of its type, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask SetAsync<T>(T properties, JsonTypeInfo<T> type, CancellationToken cancellationToken = default) where T : class => SendAsync("$set", new(properties, type), cancellationToken);

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <param name="properties">The object.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public ValueTask SetOnceAsync<T>(T properties, CancellationToken cancellationToken = default) where T : class => SendAsync("$set_once", new(properties, ReflectionContract.Of<T>()), cancellationToken);

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract of its type, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask SetOnceAsync<T>(T properties, JsonTypeInfo<T> type, CancellationToken cancellationToken = default) where T : class => SendAsync("$set_once", new(properties, type), cancellationToken);

    /// <summary>Deletes the profile.</summary>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="MixpanelException">It was not taken.</exception>
    public ValueTask DeleteAsync(CancellationToken cancellationToken = default) => SendAsync("$delete", Payload.Of(JsonValue.Create("")), cancellationToken);

    const string Reflection = "The properties are found by reflection. For trimmed and ahead-of-time compiled applications, give the type's JsonTypeInfo too, or a JsonObject.";

    bool Send(string operation, Payload payload) => _tracker.Enqueue(new TrackedRecord(TrackedKind.Profile, operation, _distinctId, payload));

    ValueTask SendAsync(string operation, Payload payload, CancellationToken cancellationToken) => _tracker.EnqueueAsync(new TrackedRecord(TrackedKind.Profile, operation, _distinctId, payload), cancellationToken);

    static JsonObject One(string name, JsonNode? value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new() { [name] = value?.DeepClone() };
    }

    static JsonArray Names(string[] names) => [.. names.Select(name => JsonValue.Create(name))];
}
