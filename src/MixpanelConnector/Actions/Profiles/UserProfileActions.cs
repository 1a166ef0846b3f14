using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for user profiles.</summary>
static class UserProfileActions
{
    public static readonly ActionGroup Group = new("user-profiles", "Update and query user profiles.", Api.Ingestion, "",
        options => new UserProfileActionsJson(options))
    { Auth = AuthScheme.ProjectToken, Cost = RateCost.Ingestion, Keywords = "person people customer" };

    public static readonly ActionSpec<SetUserPropertiesInput, IngestionOutput> SetUserProperties = new(Group, "set_user_properties", "profile-set",
        ProfileUpdate.Of("/engage", "$set"))
    { Does = ActionEffect.Update, SafeToRepeat = "the given values are set" };

    public static readonly ActionSpec<UserPropertiesInput, IngestionOutput> SetUserPropertiesOnce = new(Group, "set_user_properties_once",
        "profile-set-property-once", ProfileUpdate.Of("/engage", "$set_once"))
    { Does = ActionEffect.Update, SafeToRepeat = "values that are set stay" };

    public static readonly ActionSpec<IncrementUserPropertiesInput, IngestionOutput> IncrementUserProperties = new(Group, "increment_user_properties",
        "profile-numerical-add", ProfileUpdate.Of("/engage", "$add"))
    {
        Does = ActionEffect.Update,
    };

    public static readonly ActionSpec<UnionUserPropertiesInput, IngestionOutput> UnionUserProperties = new(Group, "union_user_properties", "user-profile-union",
        ProfileUpdate.Of("/engage", "$union"))
    { Does = ActionEffect.Update, SafeToRepeat = "values already present are not added" };

    public static readonly ActionSpec<UserPropertiesInput, IngestionOutput> AppendUserProperties = new(Group, "append_user_properties",
        "profile-append-to-list-property", ProfileUpdate.Of("/engage", "$append"))
    {
        Does = ActionEffect.Update,
    };

    public static readonly ActionSpec<UserPropertiesInput, IngestionOutput> RemoveUserPropertyValues = new(Group, "remove_user_property_values",
        "profile-remove-from-list-property",
        ProfileUpdate.Of("/engage", "$remove"))
    { Does = ActionEffect.Update, SafeToRepeat = "what was removed stays removed" };

    public static readonly ActionSpec<DeleteUserPropertiesInput, IngestionOutput> DeleteUserProperties = new(Group, "delete_user_properties",
        "profile-delete-property", ProfileUpdate.Of("/engage", "$unset"))
    { Does = ActionEffect.Delete, SafeToRepeat = "what was removed stays removed" };

    public static readonly ActionSpec<UpdateUserProfilesInput, IngestionOutput> UpdateUserProfiles = new(Group, "update_user_profiles", "profile-batch-update",
        ProfileUpdate.Many("/engage"))
    { Does = ActionEffect.Delete, Execute = ProfileUpdate.SendUsersAsync };

    public static readonly ActionSpec<DeleteUserProfileInput, IngestionOutput> DeleteUserProfile = new(Group, "delete_user_profile", "delete-profile",
        ProfileUpdate.Of("/engage", "$delete"))
    { Does = ActionEffect.Delete, SafeToRepeat = "a deleted profile stays deleted" };

    public static readonly ActionSpec<QueryUserProfilesInput, QueryUserProfilesOutput> QueryUserProfiles = new(Group, "query_user_profiles", "engage-query",
        Endpoint.Post("/api/query/engage"))
    {
        Common = true,
        Of = Api.Query,
        Does = ActionEffect.Read,
        Needs = AuthScheme.ServiceAccountOfProject,
        Costs = RateCost.Query,
        Execute = MixpanelConnector.QueryUserProfiles.ExecuteAsync,
        All = new ResultStream<QueryUserProfilesInput, UserProfile>(MixpanelConnector.QueryUserProfiles.ReadAllAsync, group => group.Own<UserProfile>()),
    };
}

[JsonSerializable(typeof(UserPropertiesInput))]
[JsonSerializable(typeof(SetUserPropertiesInput))]
[JsonSerializable(typeof(IncrementUserPropertiesInput))]
[JsonSerializable(typeof(UnionUserPropertiesInput))]
[JsonSerializable(typeof(DeleteUserPropertiesInput))]
[JsonSerializable(typeof(UpdateUserProfilesInput))]
[JsonSerializable(typeof(DeleteUserProfileInput))]
[JsonSerializable(typeof(IngestionOutput))]
[JsonSerializable(typeof(QueryUserProfilesInput))]
[JsonSerializable(typeof(QueryUserProfilesOutput))]
[JsonSerializable(typeof(UserProfile))]
sealed partial class UserProfileActionsJson : JsonSerializerContext;
