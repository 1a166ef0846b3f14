using System.Text.Json.Nodes;

namespace MixpanelConnector;

/// <summary>What every update of a user profile says.</summary>
public abstract record UserProfileInput
{
    private protected UserProfileInput() { }

    /// <summary>The user.</summary>
    [WireName("$distinct_id")]
    [Size(1)]
    public required string DistinctId { get; init; }
}

/// <summary>Which user, and which properties.</summary>
public sealed record UserPropertiesInput : UserProfileInput
{
    /// <summary>The properties by name.</summary>
    public required JsonObject Properties { get; init; }
}

/// <summary>Which user, and what to set.</summary>
public sealed record SetUserPropertiesInput : UserProfileInput
{
    /// <summary>The properties by name.</summary>
    public required JsonObject Properties { get; init; }

    /// <summary>Whether the profile's last seen time stays as it is. Default: false.</summary>
    [WireName("$ignore_time")]
    public bool? IgnoreTime { get; init; }
}

/// <summary>Which user, and what to add to numbers.</summary>
public sealed record IncrementUserPropertiesInput : UserProfileInput
{
    /// <summary>What to add, by the name of the property; a negative number subtracts.</summary>
    public required IReadOnlyDictionary<string, decimal> Properties { get; init; }
}

/// <summary>Which user, and what to add to lists.</summary>
public sealed record UnionUserPropertiesInput : UserProfileInput
{
    /// <summary>Lists of what is added where it is not there yet, by the name of the property.</summary>
    public required IReadOnlyDictionary<string, JsonArray> Properties { get; init; }
}

/// <summary>Which user, and which properties to delete.</summary>
public sealed record DeleteUserPropertiesInput : UserProfileInput
{
    /// <summary>The names of the properties.</summary>
    [Size(1)]
    public required IReadOnlyList<string> Properties { get; init; }
}

/// <summary>Updates of user profiles.</summary>
public sealed record UpdateUserProfilesInput
{
    /// <summary>Updates as they are on the wire, without the token: each with $distinct_id and exactly one of $set, $set_once, $add, $union, $append, $remove, $unset and $delete.</summary>
    [Size(1)]
    public required IReadOnlyList<JsonObject> Updates { get; init; }
}

/// <summary>Which user to delete.</summary>
public sealed record DeleteUserProfileInput : UserProfileInput
{
    /// <summary>Whether exactly this id is meant, and no other id that leads to the same profile. Default: false.</summary>
    [WireName("$ignore_alias")]
    public bool? IgnoreAlias { get; init; }
}

public sealed partial class MixpanelClient
{
    /// <summary>Sets properties of a user profile, which is made if there is none.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"$email":"ada@example.com","plan":"pro"}}</example>
    public ValueTask<Acknowledgement> SetUserPropertiesAsync(SetUserPropertiesInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.SetUserProperties, input, cancellationToken);

    /// <summary>Sets properties of a user profile that have no value yet.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"first_plan":"free"}}</example>
    public ValueTask<Acknowledgement> SetUserPropertiesOnceAsync(UserPropertiesInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.SetUserPropertiesOnce, input, cancellationToken);

    /// <summary>Adds to numbers of a user profile; one that is missing starts at 0.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"logins":1}}</example>
    public ValueTask<Acknowledgement> IncrementUserPropertiesAsync(IncrementUserPropertiesInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.IncrementUserProperties, input, cancellationToken);

    /// <summary>Adds values to lists of a user profile, where they are not there yet.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"colors":["blue"]}}</example>
    public ValueTask<Acknowledgement> UnionUserPropertiesAsync(UnionUserPropertiesInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.UnionUserProperties, input, cancellationToken);

    /// <summary>Appends a value to each of some lists of a user profile.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"colors":"blue"}}</example>
    public ValueTask<Acknowledgement> AppendUserPropertiesAsync(UserPropertiesInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.AppendUserProperties, input, cancellationToken);

    /// <summary>Removes a value from each of some lists of a user profile.</summary>
    /// <example>{"distinct_id":"user-1","properties":{"colors":"blue"}}</example>
    public ValueTask<Acknowledgement> RemoveUserPropertyValuesAsync(UserPropertiesInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.RemoveUserPropertyValues, input, cancellationToken);

    /// <summary>Deletes properties of a user profile.</summary>
    /// <example>{"distinct_id":"user-1","properties":["plan"]}</example>
    public ValueTask<Acknowledgement> DeleteUserPropertiesAsync(DeleteUserPropertiesInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.DeleteUserProperties, input, cancellationToken);

    /// <summary>Applies many updates to user profiles, in order; more than 2,000, or more than 10 MB, go in several requests.</summary>
    /// <example>{"updates":[{"$distinct_id":"user-1","$set":{"plan":"pro"}},{"$distinct_id":"user-2","$unset":["plan"]}]}</example>
    public ValueTask<Acknowledgement> UpdateUserProfilesAsync(UpdateUserProfilesInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.UpdateUserProfiles, input, cancellationToken);

    /// <summary>Deletes a user profile. The events of the user stay.</summary>
    /// <example>{"distinct_id":"user-1"}</example>
    public ValueTask<Acknowledgement> DeleteUserProfileAsync(DeleteUserProfileInput input, CancellationToken cancellationToken = default) => InvokeAsync(UserProfileActions.DeleteUserProfile, input, cancellationToken);
}
