using System.Text.Json.Nodes;

namespace MixpanelConnector;

/// <summary>The fields of every user profile update.</summary>
public abstract record UserProfileInput
{
    private protected UserProfileInput() { }

    /// <summary>The user.</summary>
    [WireName("$distinct_id")]
    [Size(1)]
    public required string DistinctId { get; init; }
}

/// <summary>A user, and properties.</summary>
public sealed record UserPropertiesInput : UserProfileInput
{
    /// <summary>The properties by name.</summary>
    public required JsonObject Properties { get; init; }
}

/// <summary>A user, and the properties to set.</summary>
public sealed record SetUserPropertiesInput : UserProfileInput
{
    /// <summary>The properties by name.</summary>
    public required JsonObject Properties { get; init; }

    /// <summary>Whether the profile's last seen time stays unchanged. Default: false.</summary>
    [WireName("$ignore_time")]
    public bool? IgnoreTime { get; init; }
}

/// <summary>A user, and the numbers to increment.</summary>
public sealed record IncrementUserPropertiesInput : UserProfileInput
{
    /// <summary>The amounts to add, by property name; a negative number subtracts.</summary>
    public required IReadOnlyDictionary<string, decimal> Properties { get; init; }
}

/// <summary>A user, and values to add to lists.</summary>
public sealed record UnionUserPropertiesInput : UserProfileInput
{
    /// <summary>Lists of values to add unless present, by property name.</summary>
    public required IReadOnlyDictionary<string, JsonArray> Properties { get; init; }
}

/// <summary>A user, and the properties to delete.</summary>
public sealed record DeleteUserPropertiesInput : UserProfileInput
{
    /// <summary>The names of the properties.</summary>
    [Size(1)]
    [ItemSize(1)]
    public required IReadOnlyList<string> Properties { get; init; }
}

/// <summary>Updates of user profiles.</summary>
public sealed record UpdateUserProfilesInput
{
    /// <summary>
    /// Updates in Mixpanel's wire format, without the token: each with $distinct_id and exactly one of $set, $set_once, $add, $union, $append, $remove, $unset
    /// and $delete.
    /// </summary>
    [Size(1)]
    public required IReadOnlyList<JsonObject> Updates { get; init; }
}

/// <summary>The user to delete.</summary>
public sealed record DeleteUserProfileInput : UserProfileInput
{
    /// <summary>Whether the id is used literally, and not resolved as an alias. Default: false.</summary>
    [WireName("$ignore_alias")]
    public bool? IgnoreAlias { get; init; }
}

public sealed partial class MixpanelClient
{
    /// <summary>Sets properties of a user profile, creating it if needed.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"$email":"ada@example.com","plan":"pro"}}</example>
    public ValueTask<IngestionOutput> SetUserPropertiesAsync(SetUserPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.SetUserProperties, input, cancellationToken);

    /// <summary>Sets properties of a user profile that have no value yet.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"first_plan":"free"}}</example>
    public ValueTask<IngestionOutput> SetUserPropertiesOnceAsync(UserPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.SetUserPropertiesOnce, input, cancellationToken);

    /// <summary>Increments numeric properties of a user profile; a missing one starts at 0.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"logins":1}}</example>
    public ValueTask<IngestionOutput> IncrementUserPropertiesAsync(IncrementUserPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.IncrementUserProperties, input, cancellationToken);

    /// <summary>Adds values to list properties of a user profile, unless they are present.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"colors":["blue"]}}</example>
    public ValueTask<IngestionOutput> UnionUserPropertiesAsync(UnionUserPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.UnionUserProperties, input, cancellationToken);

    /// <summary>Appends a value to list properties of a user profile.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"colors":"blue"}}</example>
    public ValueTask<IngestionOutput> AppendUserPropertiesAsync(UserPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.AppendUserProperties, input, cancellationToken);

    /// <summary>Removes a value from list properties of a user profile.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"colors":"blue"}}</example>
    public ValueTask<IngestionOutput> RemoveUserPropertyValuesAsync(UserPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.RemoveUserPropertyValues, input, cancellationToken);

    /// <summary>Deletes properties of a user profile.</summary>
    /// <example>{"distinct_id":"user-1","properties":["plan"]}</example>
    public ValueTask<IngestionOutput> DeleteUserPropertiesAsync(DeleteUserPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.DeleteUserProperties, input, cancellationToken);

    /// <summary>Applies many updates to user profiles, in order; more than 2,000, or 10 MB, go in several requests.</summary>
    /// <example>{"updates":[{"$distinct_id":"user-1","$set":{"plan":"pro"}},{"$distinct_id":"user-2","$unset":["plan"]}]}</example>
    public ValueTask<IngestionOutput> UpdateUserProfilesAsync(UpdateUserProfilesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.UpdateUserProfiles, input, cancellationToken);

    /// <summary>Deletes a user profile. The events of the user stay.</summary>
    /// <example>{"distinct_id":"user-1"}</example>
    public ValueTask<IngestionOutput> DeleteUserProfileAsync(DeleteUserProfileInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(UserProfileActions.DeleteUserProfile, input, cancellationToken);
}
