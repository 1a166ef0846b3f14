using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions about user profiles.</summary>
static class UserProfileActions
{
    public static readonly ActionGroup Group = new("user-profiles", "Change what is known of users, and query it.", Api.Ingestion, "", options => new UserProfileActionsJson(options)) { Auth = AuthScheme.ProjectToken, Cost = RateCost.Ingestion };

    public static readonly ActionSpec<QueryUserProfilesInput, QueryUserProfilesOutput> QueryUserProfiles = new(Group, "query_user_profiles", "engage-query", Endpoint.Post("/api/query/engage"))
    {
        Of = Api.Query,
        Does = ActionEffect.Read,
        Needs = AuthScheme.ServiceAccountOfProject,
        Costs = RateCost.Query,
        Execute = MixpanelConnector.QueryUserProfiles.ExecuteAsync,
        All = new ResultStream<QueryUserProfilesInput, UserProfile>(MixpanelConnector.QueryUserProfiles.ReadAllAsync, group => group.Own<UserProfile>()),
    };
}

[JsonSerializable(typeof(QueryUserProfilesInput))]
[JsonSerializable(typeof(QueryUserProfilesOutput))]
[JsonSerializable(typeof(UserProfile))]
sealed partial class UserProfileActionsJson : JsonSerializerContext;
