using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for feature flags.</summary>
static class FeatureFlagActions
{
    const string Base = "/api/app/projects/{project_id}/workspaces/{workspace_id}/feature-flags";

    public static readonly ActionGroup Group = new("feature-flags", "Manage feature flags, and get the variants assigned to a user.", Api.App, "",
        options => new FeatureFlagsJson(options))
    { HasEnvelope = true, Keywords = "toggle rollout variant switch" };

    public static readonly ActionSpec<GetVariantAssignmentsInput, VariantAssignments> GetAssignments = new(Group, "get_variant_assignments",
        "get-variant-assignments", Endpoint.Get("/flags"))
    { Of = Api.Ingestion, Needs = AuthScheme.ServiceAccountOfProject };

    public static readonly ActionSpec<NoInput, FeatureFlagDefinitions> GetDefinitions = new(Group, "get_feature_flag_definitions", "get-flag-definitions",
        Endpoint.Get("/flags/definitions"))
    { Of = Api.Ingestion, Needs = AuthScheme.ServiceAccountOfProject };

    public static readonly ActionSpec<ListFeatureFlagsInput, ResultList<FeatureFlag>> List =
        new(Group, "list_feature_flags", "list-feature-flags", Endpoint.Get(Base));

    public static readonly ActionSpec<CreateFeatureFlagInput, FeatureFlag> Create =
        new(Group, "create_feature_flag", "create-feature-flag", Endpoint.Post(Base));

    public static readonly ActionSpec<FeatureFlagId, FeatureFlag> Get = new(Group, "get_feature_flag", "get-feature-flag", Endpoint.Get(Base + "/{flag_id}"));

    public static readonly ActionSpec<UpdateFeatureFlagInput, FeatureFlag> Update = new(Group, "update_feature_flag", "update-feature-flag",
        Endpoint.Put(Base + "/{flag_id}"))
    {
        SafeToRepeat = "the whole flag is replaced",
    };

    public static readonly ActionSpec<FeatureFlagId, StatusOutput> Delete = new(Group, "delete_feature_flag", "delete-feature-flag",
        Endpoint.Delete(Base + "/{flag_id}"))
    { SafeToRepeat = "a deleted flag stays deleted", Gone = _ => StatusOutput.Ok };
}

/// <summary>The user to evaluate flags for.</summary>
public sealed record GetVariantAssignmentsInput
{
    /// <summary>The context: distinct_id, and everything else that the rules of the flags use.</summary>
    public required FlagContext Context { get; init; }
}

/// <summary>The context that the rules of feature flags use.</summary>
public sealed record FlagContext
{
    /// <summary>The user.</summary>
    [Size(1)]
    public required string DistinctId { get; init; }

    /// <summary>The device, for flags that are assigned by device. Default: none.</summary>
    public string? DeviceId { get; init; }

    /// <summary>The properties that the rules of the flags compare. Default: none.</summary>
    public JsonObject? CustomProperties { get; init; }
}

/// <summary>The assigned variants.</summary>
public sealed record VariantAssignments : MixpanelObject
{
    /// <summary>By flag key; flags without a variant are omitted.</summary>
    public required IReadOnlyDictionary<string, VariantAssignment> Flags { get; init; }
}

/// <summary>The variant of a flag.</summary>
public sealed record VariantAssignment : MixpanelObject
{
    /// <summary>The key of the variant.</summary>
    public required string VariantKey { get; init; }

    /// <summary>The value of the variant, of any type.</summary>
    public JsonElement VariantValue { get; init; }

    /// <summary>The experiment that the flag is part of.</summary>
    public string? ExperimentId { get; init; }

    /// <summary>Whether that experiment is running.</summary>
    public bool? IsExperimentActive { get; init; }

    /// <summary>Whether it was assigned because the user is a test user.</summary>
    public bool? IsQaTester { get; init; }
}

/// <summary>The flags for local evaluation.</summary>
public sealed record FeatureFlagDefinitions : MixpanelObject
{
    /// <summary>The flags, with their rules.</summary>
    public required IReadOnlyList<FeatureFlag> Flags { get; init; }
}

/// <summary>The flags to list.</summary>
public sealed record ListFeatureFlagsInput : WorkspaceInput
{
    /// <summary>Whether archived flags are included. Default: false.</summary>
    public bool? IncludeArchived { get; init; }
}

/// <summary>Identifies a flag.</summary>
public sealed record FeatureFlagId : WorkspaceInput
{
    /// <summary>The id of the flag.</summary>
    [JsonPropertyName("flag_id")]
    [RegularExpression(TextForms.Uuid)]
    public required string Id { get; init; }
}

/// <summary>The fields of a feature flag.</summary>
public abstract record FeatureFlagInput : WorkspaceInput
{
    private protected FeatureFlagInput() { }

    /// <summary>The name.</summary>
    [Size(1, 255)]
    public required string Name { get; init; }

    /// <summary>The key by which programs ask for it.</summary>
    [Size(1, 255)]
    public required string Key { get; init; }

    /// <summary>Its tags; may be empty.</summary>
    [ItemSize(1)]
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>What a variant is assigned to, such as distinct_id.</summary>
    [Size(1, 255)]
    public required string Context { get; init; }

    /// <summary>Where it is evaluated.</summary>
    [AllowedValues("client", "server", "remote_or_local", "remote_only")]
    public required string ServingMethod { get; init; }

    /// <summary>Its variants, and who gets them.</summary>
    public required FlagRuleset Ruleset { get; init; }

    /// <summary>A description. Default: none.</summary>
    public string? Description { get; init; }

    /// <summary>The status. Default: disabled.</summary>
    [AllowedValues("enabled", "disabled", "archived")]
    public string? Status { get; init; }

    /// <summary>The experiment that it is part of. Default: none.</summary>
    [RegularExpression(TextForms.Uuid)]
    public string? ExperimentId { get; init; }

    /// <summary>The id of the group key, for a context that is a group. Default: none.</summary>
    public string? DataGroupId { get; init; }

    /// <summary>Whether the experiment is running. Default: Mixpanel's own.</summary>
    public bool? IsExperimentActive { get; init; }

    /// <summary>A salt hashed with the context, so that flags assign independently. Default: Mixpanel's own.</summary>
    [Size(32, 32)]
    public string? HashSalt { get; init; }

    /// <summary>Whether to regenerate the hash salt, which reassigns all users. Default: false.</summary>
    public bool? ResetHashSalt { get; init; }
}

/// <summary>The flag to create.</summary>
public sealed record CreateFeatureFlagInput : FeatureFlagInput;

/// <summary>The complete new flag: omitted fields are lost.</summary>
public sealed record UpdateFeatureFlagInput : FeatureFlagInput
{
    /// <summary>The id of the flag.</summary>
    [RegularExpression(TextForms.Uuid)]
    public required string FlagId { get; init; }
}

/// <summary>Variants, and who gets them.</summary>
public sealed record FlagRuleset : MixpanelObject
{
    /// <summary>The variants; at most eleven.</summary>
    [Size(1, 11)]
    public required IReadOnlyList<FlagVariant> Variants { get; init; }

    /// <summary>Who gets a variant; the first match decides.</summary>
    public required IReadOnlyList<FlagRollout> Rollout { get; init; }

    /// <summary>Who gets a variant regardless of the rollout. Default: nobody.</summary>
    public FlagTest? Test { get; init; }
}

/// <summary>A variant of a flag.</summary>
public sealed record FlagVariant : MixpanelObject
{
    /// <summary>The key of the variant.</summary>
    [Size(1)]
    public required string Key { get; init; }

    /// <summary>The value of the variant: a boolean, a text of at most 32,768 characters, or any other.</summary>
    [Size(0, 32_768)]
    public required JsonElement Value { get; init; }

    /// <summary>Whether it is the control variant.</summary>
    public required bool IsControl { get; init; }

    /// <summary>Its share, from 0 to 1.</summary>
    [Range(0, 1)]
    public required decimal Split { get; init; }

    /// <summary>A description.</summary>
    public string? Description { get; init; }

    /// <summary>Whether users keep the variant once assigned. Default: false.</summary>
    public bool? IsSticky { get; init; }
}

/// <summary>A rollout to a share of contexts, and their variants.</summary>
public sealed record FlagRollout : MixpanelObject
{
    /// <summary>The share of contexts that gets a variant, from 0 to 1.</summary>
    [Range(0, 1)]
    public required decimal RolloutPercentage { get; init; }

    /// <summary>The share of each variant, by key.</summary>
    [ItemRange(0, 1)]
    public required IReadOnlyDictionary<string, decimal> VariantSplits { get; init; }

    /// <summary>The name of the rollout.</summary>
    public string? Name { get; init; }

    /// <summary>The hash of the cohort, as Mixpanel stores it.</summary>
    public string? CohortHash { get; init; }

    /// <summary>The cohort that gets the rollout, as Mixpanel stores it.</summary>
    public JsonObject? CohortDefinition { get; init; }

    /// <summary>The required values of custom properties.</summary>
    public JsonObject? RuntimeEvaluationDefinition { get; init; }

    /// <summary>A JsonLogic rule on custom properties.</summary>
    public JsonElement? RuntimeEvaluationRule { get; init; }

    /// <summary>An event that must have occurred before: event_name, time_window, duration, property_filters.</summary>
    public JsonObject? RuntimeEventRule { get; init; }

    /// <summary>The single variant for all users in the rollout.</summary>
    public FlagVariantKey? VariantOverride { get; init; }
}

/// <summary>Identifies a variant.</summary>
public sealed record FlagVariantKey : MixpanelObject
{
    /// <summary>The key of the variant.</summary>
    [Size(1)]
    public required string Key { get; init; }
}

/// <summary>The test users of a flag.</summary>
public sealed record FlagTest : MixpanelObject
{
    /// <summary>Variant keys by user id.</summary>
    public IReadOnlyDictionary<string, string>? Users { get; init; }
}

/// <summary>A feature flag, as Mixpanel returns it.</summary>
public sealed record FeatureFlag : MixpanelObject
{
    /// <summary>The id of the flag.</summary>
    public required string Id { get; init; }

    /// <summary>The name.</summary>
    public string? Name { get; init; }

    /// <summary>The key by which programs ask for it.</summary>
    public required string Key { get; init; }

    /// <summary>enabled, disabled or archived.</summary>
    public string? Status { get; init; }

    /// <summary>What a variant is assigned to.</summary>
    public string? Context { get; init; }

    /// <summary>Its variants, and who gets them.</summary>
    public JsonObject? Ruleset { get; init; }
}

[JsonSerializable(typeof(GetVariantAssignmentsInput))]
[JsonSerializable(typeof(VariantAssignments))]
[JsonSerializable(typeof(NoInput))]
[JsonSerializable(typeof(FeatureFlagDefinitions))]
[JsonSerializable(typeof(ListFeatureFlagsInput))]
[JsonSerializable(typeof(ResultList<FeatureFlag>))]
[JsonSerializable(typeof(CreateFeatureFlagInput))]
[JsonSerializable(typeof(FeatureFlagId))]
[JsonSerializable(typeof(UpdateFeatureFlagInput))]
[JsonSerializable(typeof(StatusOutput))]
sealed partial class FeatureFlagsJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Evaluates all feature flags for a user.</summary>
    /// <example>{"context":{"distinct_id":"user-1"}}</example>
    public ValueTask<VariantAssignments> GetVariantAssignmentsAsync(GetVariantAssignmentsInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(FeatureFlagActions.GetAssignments, input, cancellationToken);

    /// <summary>Retrieves the feature flags with their rules, for local evaluation.</summary>
    /// <example>{}</example>
    public ValueTask<FeatureFlagDefinitions> GetFeatureFlagDefinitionsAsync(NoInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(FeatureFlagActions.GetDefinitions, input ?? new(), cancellationToken);

    /// <summary>Lists the feature flags of a workspace.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<FeatureFlag>> ListFeatureFlagsAsync(ListFeatureFlagsInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(FeatureFlagActions.List, input ?? new(), cancellationToken);

    /// <summary>Creates a feature flag.</summary>
    /// <example>{"name":"Short checkout","key":"short-checkout","tags":[],"context":"distinct_id","serving_method":"remote_or_local","ruleset":{"variants":[{"key":"control","value":false,"is_control":true,"split":0.5},{"key":"treatment","value":true,"is_control":false,"split":0.5}],"rollout":[{"rollout_percentage":1,"variant_splits":{"control":0.5,"treatment":0.5}}]}}</example>
    public ValueTask<FeatureFlag> CreateFeatureFlagAsync(CreateFeatureFlagInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(FeatureFlagActions.Create, input, cancellationToken);

    /// <summary>Retrieves a feature flag.</summary>
    /// <example>{"flag_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<FeatureFlag> GetFeatureFlagAsync(FeatureFlagId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(FeatureFlagActions.Get, input, cancellationToken);

    /// <summary>Replaces a feature flag completely.</summary>
    /// <example>{"flag_id":"0f8fad5b-d9cb-469f-a165-70867728950e","name":"Short checkout","key":"short-checkout","tags":[],"context":"distinct_id","serving_method":"remote_or_local","ruleset":{"variants":[{"key":"control","value":false,"is_control":true,"split":0.5},{"key":"treatment","value":true,"is_control":false,"split":0.5}],"rollout":[{"rollout_percentage":1,"variant_splits":{"control":0.5,"treatment":0.5}}]},"status":"enabled"}</example>
    public ValueTask<FeatureFlag> UpdateFeatureFlagAsync(UpdateFeatureFlagInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(FeatureFlagActions.Update, input, cancellationToken);

    /// <summary>Deletes a feature flag.</summary>
    /// <example>{"flag_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<StatusOutput> DeleteFeatureFlagAsync(FeatureFlagId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(FeatureFlagActions.Delete, input, cancellationToken);
}
