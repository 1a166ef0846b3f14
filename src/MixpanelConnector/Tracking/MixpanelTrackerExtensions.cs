using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using MixpanelConnector.Tracking;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.TypedEvents;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector;

/// <summary>The methods with which an application tracks.</summary>
/// <remarks>
/// <c>Track</c> enqueues the event and returns at once; it returns false when the event was not accepted, which is counted and logged.
/// <c>TrackAsync</c> completes when the event is as safe as the tracker promises (in memory, or on the disk with an outbox), and
/// throws when it was not accepted. Time and <c>$insert_id</c> are fixed by the call; properties named <c>time</c>, <c>$insert_id</c>,
/// <c>distinct_id</c> or like a super property replace what the tracker would add.
/// </remarks>
public static class MixpanelTrackerExtensions
{
    const string Reflection = "The properties are found by reflection. In trimmed and ahead-of-time compiled applications, "
        + "also pass the type's JsonTypeInfo, or use a JsonObject or a dictionary.";

    /// <summary>Tracks an event without properties.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static bool Track(this IMixpanelTracker tracker, string name, MixpanelUser user) => Send(tracker, Event(name, user, default));

    /// <summary>
    /// Tracks an event with the properties of an object, such as <c>new { Total = 12.5m, Currency = "EUR" }</c>. Names are kept unchanged; nulls are omitted.
    /// </summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="properties">The object.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static bool Track<T>(this IMixpanelTracker tracker, string name, MixpanelUser user, T properties) =>
        Send(tracker, Event(name, user, new(properties, TrackedContract.Reflected<T>())));

    /// <summary>Tracks an event with the properties of an object whose type has a source-generated contract.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static bool Track<T>(this IMixpanelTracker tracker, string name, MixpanelUser user, T properties, JsonTypeInfo<T> type) =>
        Send(tracker, Event(name, user, new(properties, NotNull(type))));

    /// <summary>Tracks an event of a partial type that carries <see cref="MixpanelEventAttribute"/>. Its serialization is generated at compile time.</summary>
    /// <typeparam name="T">The type of the event.</typeparam>
    /// <param name="tracker">The tracker.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="happened">The event.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public static bool Track<T>(this IMixpanelTracker tracker, MixpanelUser user, T happened)
        where T : IMixpanelEvent<T> => Send(tracker, Event(user, happened));

    /// <summary>Tracks an event of a type that carries <see cref="MixpanelEventAttribute"/>, using the type's JSON contract.</summary>
    /// <typeparam name="T">The type of the event.</typeparam>
    /// <param name="tracker">The tracker.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="happened">The event.</param>
    /// <param name="type">The contract, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    public static bool Track<T>(this IMixpanelTracker tracker, MixpanelUser user, T happened, JsonTypeInfo<T> type) =>
        Send(tracker, Event(EventName<T>.Value, user, new(happened, NotNull(type))));

    /// <summary>Tracks an event with properties as JSON.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="properties">The properties.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static bool Track(this IMixpanelTracker tracker, string name, MixpanelUser user, JsonObject properties) =>
        Send(tracker, Event(name, user, Payload.Of(properties)));

    /// <summary>Tracks an event with properties by name: text, numbers, booleans, times, lists, JSON, and nested dictionaries.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="properties">The properties.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    [OverloadResolutionPriority(1)]
    public static bool Track(this IMixpanelTracker tracker, string name, MixpanelUser user, IReadOnlyDictionary<string, object?> properties) =>
        Send(tracker, Event(name, user, Payload.Of(properties)));

    /// <summary>Tracks an event without properties, and completes when it is safe.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask TrackAsync(this IMixpanelTracker tracker, string name, MixpanelUser user, CancellationToken cancellationToken = default) =>
        SendAsync(tracker, Event(name, user, default), cancellationToken);

    /// <summary>Tracks an event with the properties of an object, and completes when it is safe.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="properties">The object.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    [RequiresUnreferencedCode(Reflection)]
    [RequiresDynamicCode(Reflection)]
    public static ValueTask TrackAsync<T>(this IMixpanelTracker tracker, string name, MixpanelUser user, T properties,
        CancellationToken cancellationToken = default) =>
            SendAsync(tracker, Event(name, user, new(properties, TrackedContract.Reflected<T>())), cancellationToken);

    /// <summary>Tracks an event with the properties of an object whose type has a source-generated contract, and completes when it is safe.</summary>
    /// <typeparam name="T">The type of the object.</typeparam>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="properties">The object.</param>
    /// <param name="type">The contract, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask TrackAsync<T>(this IMixpanelTracker tracker, string name, MixpanelUser user, T properties, JsonTypeInfo<T> type,
        CancellationToken cancellationToken = default) => SendAsync(tracker, Event(name, user, new(properties, NotNull(type))), cancellationToken);

    /// <summary>Tracks an event of a partial type that carries <see cref="MixpanelEventAttribute"/>, and completes when it is safe.</summary>
    /// <typeparam name="T">The type of the event.</typeparam>
    /// <param name="tracker">The tracker.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="happened">The event.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask TrackAsync<T>(this IMixpanelTracker tracker, MixpanelUser user, T happened, CancellationToken cancellationToken = default)
        where T : IMixpanelEvent<T> => SendAsync(tracker, Event(user, happened), cancellationToken);

    /// <summary>
    /// Tracks an event of a type that carries <see cref="MixpanelEventAttribute"/>, using the type's JSON contract, and completes when it is safe.
    /// </summary>
    /// <typeparam name="T">The type of the event.</typeparam>
    /// <param name="tracker">The tracker.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="happened">The event.</param>
    /// <param name="type">The contract, from a <see cref="System.Text.Json.Serialization.JsonSerializerContext"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask TrackAsync<T>(this IMixpanelTracker tracker, MixpanelUser user, T happened, JsonTypeInfo<T> type,
        CancellationToken cancellationToken = default) => SendAsync(tracker, Event(EventName<T>.Value, user, new(happened, NotNull(type))), cancellationToken);

    /// <summary>Tracks an event with properties as JSON, and completes when it is safe.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="properties">The properties.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask TrackAsync(this IMixpanelTracker tracker, string name, MixpanelUser user, JsonObject properties,
        CancellationToken cancellationToken = default) => SendAsync(tracker, Event(name, user, Payload.Of(properties)), cancellationToken);

    /// <summary>Tracks an event with properties by name, and completes when it is safe.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="user">The user of the event: a <c>distinct_id</c>, or a <see cref="MixpanelUser"/>.</param>
    /// <param name="properties">The properties.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    [OverloadResolutionPriority(1)]
    public static ValueTask TrackAsync(this IMixpanelTracker tracker, string name, MixpanelUser user, IReadOnlyDictionary<string, object?> properties,
        CancellationToken cancellationToken = default) => SendAsync(tracker, Event(name, user, Payload.Of(properties)), cancellationToken);

    /// <summary>
    /// Returns the same tracker, for events that happened at a time other than now: <c>tracker.At(order.PlacedAt).Track(…)</c>. A <c>time</c> property of the
    /// event takes precedence.
    /// </summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="time">The time.</param>
    public static IMixpanelTracker At(this IMixpanelTracker tracker, DateTimeOffset time) =>
        ContextTracker.Of(tracker, context => context with { Time = time });

    /// <summary>
    /// Returns the same tracker, for events that belong to a group, or to several of a kind: <c>tracker.InGroup("company", "acme").Track(…)</c>. Another call
    /// adds groups of another kind. An event's own property of that name takes precedence.
    /// </summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="groupKey">The group key, a property such as <c>company</c>.</param>
    /// <param name="groupIds">The group or the groups, such as <c>acme</c>.</param>
    /// <exception cref="ArgumentException">There is no group, one is empty, or the key is a property that each call fixes, such as
    /// <c>distinct_id</c>.</exception>
    public static IMixpanelTracker InGroup(this IMixpanelTracker tracker, string groupKey, params IEnumerable<string> groupIds)
    {
        ArgumentException.ThrowIfNullOrEmpty(groupKey);
        if (FixedProperties.Contains(groupKey)) throw new ArgumentException(FixedProperties.Refusal(groupKey), nameof(groupKey));
        ArgumentNullException.ThrowIfNull(groupIds);
        List<string> groups = [.. groupIds];
        if (groups.Count == 0 || groups.Exists(string.IsNullOrEmpty))
            throw new ArgumentException("At least one group is required, and none may be empty.", nameof(groupIds));
        JsonNode value = groups is [var only] ? JsonValue.Create(only) : new JsonArray([.. groups.Select(group => JsonValue.Create(group))]);
        return ContextTracker.Of(tracker, context => context with { Groups = context.Groups.With(new JsonObject { [groupKey] = value }) });
    }

    /// <summary>Returns the profile of a user, for updates.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="distinctId">The user's <c>distinct_id</c>.</param>
    /// <exception cref="ArgumentException">The id is empty.</exception>
    public static ProfileUpdates Profile(this IMixpanelTracker tracker, string distinctId)
    {
        ArgumentNullException.ThrowIfNull(tracker);
        ArgumentException.ThrowIfNullOrEmpty(distinctId);
        return new(tracker, distinctId);
    }

    /// <summary>Returns the profile of a user, for updates: that of the signed-in user, or else of the device.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="user">The user; not <see cref="MixpanelUser.None"/>.</param>
    /// <exception cref="ArgumentException">The user is nobody.</exception>
    public static ProfileUpdates Profile(this IMixpanelTracker tracker, MixpanelUser user) => Profile(tracker, user.DistinctId);

    /// <summary>Returns the profile of a group, for updates.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="groupKey">The group key, a property such as <c>company</c>.</param>
    /// <param name="groupId">The group, such as <c>acme</c>.</param>
    /// <exception cref="ArgumentException">The key or the group is empty.</exception>
    public static GroupUpdates Group(this IMixpanelTracker tracker, string groupKey, string groupId)
    {
        ArgumentNullException.ThrowIfNull(tracker);
        ArgumentException.ThrowIfNullOrEmpty(groupKey);
        ArgumentException.ThrowIfNullOrEmpty(groupId);
        return new(tracker, groupKey, groupId);
    }

    /// <summary>
    /// Links an anonymous id with a user's, in projects with original identity merge. Projects with simplified merge link by events:
    /// <see cref="MixpanelUser.Identified"/>.
    /// </summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="identifiedId">The user's id.</param>
    /// <param name="anonymousId">The anonymous id: a version 4 UUID that is not linked with anybody yet; Mixpanel silently ignores any other.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    /// <exception cref="ArgumentException">An id is empty.</exception>
    public static bool Identify(this IMixpanelTracker tracker, string identifiedId, string anonymousId) =>
        Send(tracker, Identification(identifiedId, anonymousId));

    /// <summary>Links an anonymous id with a user's, like <see cref="Identify"/>, and completes when that is safe.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="identifiedId">The user's id.</param>
    /// <param name="anonymousId">The anonymous id: a version 4 UUID that is not linked with anybody yet; Mixpanel silently ignores any other.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">An id is empty.</exception>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask IdentifyAsync(this IMixpanelTracker tracker, string identifiedId, string anonymousId,
        CancellationToken cancellationToken = default) => SendAsync(tracker, Identification(identifiedId, anonymousId), cancellationToken);

    /// <summary>Adds another id for a user, in projects with original identity merge.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="distinctId">The user's id.</param>
    /// <param name="alias">The additional id.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    /// <exception cref="ArgumentException">An id is empty.</exception>
    public static bool CreateAlias(this IMixpanelTracker tracker, string distinctId, string alias) => Send(tracker, Alias(distinctId, alias));

    /// <summary>Adds another id for a user, like <see cref="CreateAlias"/>, and completes when that is safe.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="distinctId">The user's id.</param>
    /// <param name="alias">The additional id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">An id is empty.</exception>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask CreateAliasAsync(this IMixpanelTracker tracker, string distinctId, string alias, CancellationToken cancellationToken = default) =>
        SendAsync(tracker, Alias(distinctId, alias), cancellationToken);

    /// <summary>Merges two ids into one user, in projects with original identity merge. This cannot be undone.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="firstId">One id.</param>
    /// <param name="secondId">The other id.</param>
    /// <returns>False when the tracker did not accept it.</returns>
    /// <exception cref="ArgumentException">An id is empty.</exception>
    public static bool Merge(this IMixpanelTracker tracker, string firstId, string secondId) => Send(tracker, Merger(firstId, secondId));

    /// <summary>Merges two ids into one user, like <see cref="Merge"/>, and completes when that is safe. This cannot be undone.</summary>
    /// <param name="tracker">The tracker.</param>
    /// <param name="firstId">One id.</param>
    /// <param name="secondId">The other id.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentException">An id is empty.</exception>
    /// <exception cref="MixpanelException">The tracker did not accept it.</exception>
    public static ValueTask MergeAsync(this IMixpanelTracker tracker, string firstId, string secondId, CancellationToken cancellationToken = default) =>
        SendAsync(tracker, Merger(firstId, secondId), cancellationToken);

    static TrackedRecord Identification(string identifiedId, string anonymousId)
    {
        ArgumentException.ThrowIfNullOrEmpty(identifiedId);
        ArgumentException.ThrowIfNullOrEmpty(anonymousId);
        return Event("$identify", identifiedId, Payload.Of(new JsonObject { ["$identified_id"] = identifiedId, ["$anon_id"] = anonymousId }));
    }

    static TrackedRecord Alias(string distinctId, string alias)
    {
        ArgumentException.ThrowIfNullOrEmpty(distinctId);
        ArgumentException.ThrowIfNullOrEmpty(alias);
        return Event("$create_alias", distinctId, Payload.Of(new JsonObject { ["alias"] = alias }));
    }

    static TrackedRecord Merger(string firstId, string secondId)
    {
        ArgumentException.ThrowIfNullOrEmpty(firstId);
        ArgumentException.ThrowIfNullOrEmpty(secondId);
        return Event("$merge", firstId, Payload.Of(new JsonObject { ["$distinct_ids"] = new JsonArray(firstId, secondId) }));
    }

    static TrackedRecord Event(string name, MixpanelUser user, Payload payload)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new(TrackedKind.Event, name, user, payload);
    }

    static TrackedRecord Event<T>(MixpanelUser user, T happened)
        where T : IMixpanelEvent<T>
    {
        ArgumentNullException.ThrowIfNull(happened);
        return Event(T.EventName, user, new(happened, EventContract<T>.Instance));
    }

    static JsonTypeInfo<T> NotNull<T>(JsonTypeInfo<T> type) => type ?? throw new ArgumentNullException(nameof(type));

    static bool Send(IMixpanelTracker tracker, in TrackedRecord record)
    {
        ArgumentNullException.ThrowIfNull(tracker);
        return tracker.Enqueue(in record);
    }

    static ValueTask SendAsync(IMixpanelTracker tracker, in TrackedRecord record, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tracker);
        return tracker.EnqueueAsync(record, cancellationToken);
    }
}
