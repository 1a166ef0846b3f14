using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for group profiles.</summary>
static class GroupProfileActions
{
    public static readonly ActionGroup Group = new("group-profiles", "Update the profiles of groups, such as companies.", Api.Ingestion, "",
        options => new GroupProfilesJson(options))
    {
        Auth = AuthScheme.ProjectToken,
        Cost = RateCost.Ingestion,
        Keywords = "company account organization team",
    };

    public static readonly ActionSpec<GroupPropertiesInput, IngestionOutput> SetGroupProperties = new(Group, "set_group_properties", "group-set-property",
        ProfileUpdate.Of("/groups", "$set"))
    { Does = ActionEffect.Update, SafeToRepeat = "the given values are set" };

    public static readonly ActionSpec<GroupPropertiesInput, IngestionOutput> SetGroupPropertiesOnce = new(Group, "set_group_properties_once",
        "group-set-property-once", ProfileUpdate.Of("/groups", "$set_once"))
    { Does = ActionEffect.Update, SafeToRepeat = "values that are set stay" };

    public static readonly ActionSpec<DeleteGroupPropertiesInput, IngestionOutput> DeleteGroupProperties = new(Group, "delete_group_properties",
        "group-delete-property", ProfileUpdate.Of("/groups", "$unset"))
    { Does = ActionEffect.Delete, SafeToRepeat = "what was removed stays removed" };

    public static readonly ActionSpec<GroupPropertiesInput, IngestionOutput> RemoveGroupPropertyValues = new(Group, "remove_group_property_values",
        "group-remove-from-list-property",
        ProfileUpdate.Of("/groups", "$remove"))
    { Does = ActionEffect.Update, SafeToRepeat = "what was removed stays removed" };

    public static readonly ActionSpec<UnionGroupPropertiesInput, IngestionOutput> UnionGroupProperties = new(Group, "union_group_properties", "group-union",
        ProfileUpdate.Of("/groups", "$union"))
    { Does = ActionEffect.Update, SafeToRepeat = "values already present are not added" };

    public static readonly ActionSpec<UpdateGroupProfilesInput, IngestionOutput> UpdateGroupProfiles = new(Group, "update_group_profiles", "group-batch-update",
        ProfileUpdate.Many("/groups"))
    {
        Does = ActionEffect.Delete,
        SafeToRepeat = "all operators for groups are idempotent",
        Execute = ProfileUpdate.SendGroupsAsync,
    };

    public static readonly ActionSpec<GroupProfileId, IngestionOutput> DeleteGroupProfile = new(Group, "delete_group_profile", "delete-group",
        ProfileUpdate.Of("/groups", "$delete"))
    { Does = ActionEffect.Delete, SafeToRepeat = "a deleted profile stays deleted" };
}

/// <summary>The fields of every group profile update.</summary>
public abstract record GroupProfileInput
{
    private protected GroupProfileInput() { }

    /// <summary>The group key: the name of the property that assigns events to groups, such as company.</summary>
    [WireName("$group_key")]
    [Size(1)]
    public required string GroupKey { get; init; }

    /// <summary>The group.</summary>
    [WireName("$group_id")]
    [Size(1)]
    public required string GroupId { get; init; }
}

/// <summary>Identifies a group.</summary>
public sealed record GroupProfileId : GroupProfileInput;

/// <summary>A group, and its properties.</summary>
public sealed record GroupPropertiesInput : GroupProfileInput
{
    /// <summary>The properties by name.</summary>
    public required JsonObject Properties { get; init; }
}

/// <summary>A group, and values to add to its lists.</summary>
public sealed record UnionGroupPropertiesInput : GroupProfileInput
{
    /// <summary>Lists of values to add unless present, by property name.</summary>
    public required IReadOnlyDictionary<string, JsonArray> Properties { get; init; }
}

/// <summary>A group, and the properties to delete.</summary>
public sealed record DeleteGroupPropertiesInput : GroupProfileInput
{
    /// <summary>The names of the properties.</summary>
    [Size(1)]
    [ItemSize(1)]
    public required IReadOnlyList<string> Properties { get; init; }
}

/// <summary>Updates of group profiles.</summary>
public sealed record UpdateGroupProfilesInput
{
    /// <summary>
    /// Updates in Mixpanel's wire format, without the token: each with $group_key, $group_id and exactly one of $set, $set_once, $union, $remove, $unset and
    /// $delete.
    /// </summary>
    [Size(1)]
    public required IReadOnlyList<JsonObject> Updates { get; init; }
}

[JsonSerializable(typeof(GroupPropertiesInput))]
[JsonSerializable(typeof(UnionGroupPropertiesInput))]
[JsonSerializable(typeof(DeleteGroupPropertiesInput))]
[JsonSerializable(typeof(UpdateGroupProfilesInput))]
[JsonSerializable(typeof(GroupProfileId))]
[JsonSerializable(typeof(IngestionOutput))]
sealed partial class GroupProfilesJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Sets properties of a group profile, creating it if needed.</summary>
    /// <example>{"group_key":"company","group_id":"acme","properties":{"plan":"enterprise"}}</example>
    public ValueTask<IngestionOutput> SetGroupPropertiesAsync(GroupPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GroupProfileActions.SetGroupProperties, input, cancellationToken);

    /// <summary>Sets properties of a group profile that have no value yet.</summary>
    /// <example>{"group_key":"company","group_id":"acme","properties":{"first_plan":"free"}}</example>
    public ValueTask<IngestionOutput> SetGroupPropertiesOnceAsync(GroupPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GroupProfileActions.SetGroupPropertiesOnce, input, cancellationToken);

    /// <summary>Deletes properties of a group profile.</summary>
    /// <example>{"group_key":"company","group_id":"acme","properties":["plan"]}</example>
    public ValueTask<IngestionOutput> DeleteGroupPropertiesAsync(DeleteGroupPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GroupProfileActions.DeleteGroupProperties, input, cancellationToken);

    /// <summary>Removes a value from list properties of a group profile.</summary>
    /// <example>{"group_key":"company","group_id":"acme","properties":{"regions":"EU"}}</example>
    public ValueTask<IngestionOutput> RemoveGroupPropertyValuesAsync(GroupPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GroupProfileActions.RemoveGroupPropertyValues, input, cancellationToken);

    /// <summary>Adds values to list properties of a group profile, unless they are present.</summary>
    /// <example>{"group_key":"company","group_id":"acme","properties":{"regions":["EU"]}}</example>
    public ValueTask<IngestionOutput> UnionGroupPropertiesAsync(UnionGroupPropertiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GroupProfileActions.UnionGroupProperties, input, cancellationToken);

    /// <summary>Applies many updates to group profiles, in order; more than 2,000, or 10 MB, go in several requests.</summary>
    /// <example>{"updates":[{"$group_key":"company","$group_id":"acme","$set":{"plan":"enterprise"}}]}</example>
    public ValueTask<IngestionOutput> UpdateGroupProfilesAsync(UpdateGroupProfilesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GroupProfileActions.UpdateGroupProfiles, input, cancellationToken);

    /// <summary>Deletes a group profile. The events of the group stay.</summary>
    /// <example>{"group_key":"company","group_id":"acme"}</example>
    public ValueTask<IngestionOutput> DeleteGroupProfileAsync(GroupProfileId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GroupProfileActions.DeleteGroupProfile, input, cancellationToken);
}
