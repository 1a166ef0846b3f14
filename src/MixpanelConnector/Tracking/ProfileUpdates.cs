using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>Updates of one user's profile, applied in the order of the calls.</summary>
/// <remarks>
/// Each method returns at once, with false when the tracker did not accept the update. The <c>Async</c> variants complete when the update is safe, and throw
/// when it was not accepted. An <c>Add</c> or <c>Append</c> whose outcome stays unknown is not sent again, which could count it twice: it is reported as
/// rejected with <c>MaybeDelivered</c>.
/// </remarks>
public readonly struct ProfileUpdates
{
    readonly UpdatedProfile _profile;

    internal ProfileUpdates(IMixpanelTracker tracker, string distinctId) => _profile = new(tracker, TrackedKind.Profile, distinctId, null, null);

    internal UpdatedProfile Profile => _profile;

    ProfileUpdates(UpdatedProfile profile) => _profile = profile;

    /// <summary>Returns updates with additional settings: the person's IP address, when the person was seen, whether that stays unchanged.</summary>
    /// <param name="settings">The settings.</param>
    public ProfileUpdates With(ProfileSettings settings) => new(_profile.With(settings));

    /// <summary>Sets a property.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Set(string name, JsonNode? value) => _profile.Send("$set", UpdatedProfile.One(name, value));

    /// <summary>Sets properties.</summary>
    /// <param name="properties">The properties.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Set(JsonObject properties) => _profile.Send("$set", Payload.Of(properties));

    /// <summary>Sets a property that has no value yet.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool SetOnce(string name, JsonNode? value) => _profile.Send("$set_once", UpdatedProfile.One(name, value));

    /// <summary>Sets those of the properties that have no value yet.</summary>
    /// <param name="properties">The properties.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool SetOnce(JsonObject properties) => _profile.Send("$set_once", Payload.Of(properties));

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Add(string name, long amount) => _profile.Send("$add", UpdatedProfile.One(name, amount));

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Add(string name, double amount) => _profile.Send("$add", UpdatedProfile.One(name, amount));

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Add(string name, decimal amount) => _profile.Send("$add", UpdatedProfile.One(name, amount));

    /// <summary>Adds a value to the end of a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Append(string name, JsonNode? value) => _profile.Send("$append", UpdatedProfile.One(name, value));

    /// <summary>Adds those of the values that a list does not contain yet.</summary>
    /// <param name="name">The property.</param>
    /// <param name="values">The values.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Union(string name, params JsonNode?[] values) => _profile.Send("$union", UpdatedProfile.One(name, values ?? throw new ArgumentNullException(nameof(values))));

    /// <summary>Removes a value from a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Remove(string name, JsonNode? value) => _profile.Send("$remove", UpdatedProfile.One(name, value));

    /// <summary>Removes properties.</summary>
    /// <param name="names">The properties.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Unset(params string[] names) => _profile.Send("$unset", UpdatedProfile.Names(names));

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="properties">The object.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    [RequiresUnreferencedCode(UpdatedProfile.Reflection)]
    [RequiresDynamicCode(UpdatedProfile.Reflection)]
    public bool Set<T>(T properties) where T : class => _profile.Send("$set", new(properties, TrackedContract.Reflected<T>()));

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="properties">The object.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    [RequiresUnreferencedCode(UpdatedProfile.Reflection)]
    [RequiresDynamicCode(UpdatedProfile.Reflection)]
    public bool SetOnce<T>(T properties) where T : class => _profile.Send("$set_once", new(properties, TrackedContract.Reflected<T>()));

    /// <summary>Deletes the profile.</summary>
    /// <returns>False when the tracker did not accept it.</returns>
    public bool Delete() => _profile.Send("$delete", Payload.Of(JsonValue.Create("")));

    /// <summary>Sets a property.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask SetAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) => _profile.SendAsync("$set", UpdatedProfile.One(name, value), cancellationToken);

    /// <summary>Sets properties.</summary>
    /// <param name="properties">The properties.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask SetAsync(JsonObject properties, CancellationToken cancellationToken = default) => _profile.SendAsync("$set", Payload.Of(properties), cancellationToken);

    /// <summary>Sets a property that has no value yet.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">Its value: text, a number, a boolean, or any JSON.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask SetOnceAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) => _profile.SendAsync("$set_once", UpdatedProfile.One(name, value), cancellationToken);

    /// <summary>Sets those of the properties that have no value yet.</summary>
    /// <param name="properties">The properties.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask SetOnceAsync(JsonObject properties, CancellationToken cancellationToken = default) => _profile.SendAsync("$set_once", Payload.Of(properties), cancellationToken);

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask AddAsync(string name, long amount, CancellationToken cancellationToken = default) => _profile.SendAsync("$add", UpdatedProfile.One(name, amount), cancellationToken);

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask AddAsync(string name, double amount, CancellationToken cancellationToken = default) => _profile.SendAsync("$add", UpdatedProfile.One(name, amount), cancellationToken);

    /// <summary>Adds to a number; a negative amount subtracts. A missing property counts as 0.</summary>
    /// <param name="name">The property.</param>
    /// <param name="amount">The amount to add.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask AddAsync(string name, decimal amount, CancellationToken cancellationToken = default) => _profile.SendAsync("$add", UpdatedProfile.One(name, amount), cancellationToken);

    /// <summary>Adds a value to the end of a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask AppendAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) => _profile.SendAsync("$append", UpdatedProfile.One(name, value), cancellationToken);

    /// <summary>Adds those of the values that a list does not contain yet.</summary>
    /// <param name="name">The property.</param>
    /// <param name="values">The values.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask UnionAsync(string name, IEnumerable<JsonNode?> values, CancellationToken cancellationToken = default) => _profile.SendAsync("$union", UpdatedProfile.One(name, values ?? throw new ArgumentNullException(nameof(values))), cancellationToken);

    /// <summary>Removes a value from a list.</summary>
    /// <param name="name">The property.</param>
    /// <param name="value">The value.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask RemoveAsync(string name, JsonNode? value, CancellationToken cancellationToken = default) => _profile.SendAsync("$remove", UpdatedProfile.One(name, value), cancellationToken);

    /// <summary>Removes properties.</summary>
    /// <param name="names">The properties.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask UnsetAsync(IEnumerable<string> names, CancellationToken cancellationToken = default) => _profile.SendAsync("$unset", UpdatedProfile.Names([.. names]), cancellationToken);

    /// <summary>Sets the properties of an object, such as <c>new { Plan = "pro" }</c>.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="properties">The object.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    [RequiresUnreferencedCode(UpdatedProfile.Reflection)]
    [RequiresDynamicCode(UpdatedProfile.Reflection)]
    public ValueTask SetAsync<T>(T properties, CancellationToken cancellationToken = default) where T : class => _profile.SendAsync("$set", new(properties, TrackedContract.Reflected<T>()), cancellationToken);

    /// <summary>Sets those properties of an object that have no value yet.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="properties">The object.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    [RequiresUnreferencedCode(UpdatedProfile.Reflection)]
    [RequiresDynamicCode(UpdatedProfile.Reflection)]
    public ValueTask SetOnceAsync<T>(T properties, CancellationToken cancellationToken = default) where T : class => _profile.SendAsync("$set_once", new(properties, TrackedContract.Reflected<T>()), cancellationToken);

    /// <summary>Deletes the profile.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public ValueTask DeleteAsync(CancellationToken cancellationToken = default) => _profile.SendAsync("$delete", Payload.Of(JsonValue.Create("")), cancellationToken);
}
