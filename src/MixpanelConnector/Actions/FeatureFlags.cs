using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions about feature flags.</summary>
static class FeatureFlagActions
{
    const string Base = "/api/app/projects/{project_id}/workspaces/{workspace_id}/feature-flags";

    public static readonly ActionGroup Group = new("feature-flags", "Manage feature flags, and ask which variants somebody gets.", Api.App, "", options => new FeatureFlagsJson(options)) { HasEnvelope = true, Keywords = "toggle rollout variant switch" };

    public static readonly ActionSpec<GetVariantAssignmentsInput, VariantAssignments> GetAssignments = new(Group, "get_variant_assignments", "get-variant-assignments", Endpoint.Get("/flags")) { Of = Api.Ingestion, Needs = AuthScheme.ServiceAccountOfProject };

    public static readonly ActionSpec<NoInput, FeatureFlagDefinitions> GetDefinitions = new(Group, "get_feature_flag_definitions", "get-flag-definitions", Endpoint.Get("/flags/definitions")) { Of = Api.Ingestion, Needs = AuthScheme.ServiceAccountOfProject };

    public static readonly ActionSpec<ListFeatureFlagsInput, ResultList<FeatureFlag>> List = new(Group, "list_feature_flags", "list-feature-flags", Endpoint.Get(Base));

    public static readonly ActionSpec<CreateFeatureFlagInput, FeatureFlag> Create = new(Group, "create_feature_flag", "create-feature-flag", Endpoint.Post(Base));

    public static readonly ActionSpec<FeatureFlagId, FeatureFlag> Get = new(Group, "get_feature_flag", "get-feature-flag", Endpoint.Get(Base + "/{flag_id}"));

    public static readonly ActionSpec<UpdateFeatureFlagInput, FeatureFlag> Update = new(Group, "update_feature_flag", "update-feature-flag", Endpoint.Put(Base + "/{flag_id}")) { SafeToRepeat = "the whole flag is replaced" };

    public static readonly ActionSpec<FeatureFlagId, Done> Delete = new(Group, "delete_feature_flag", "delete-feature-flag", Endpoint.Delete(Base + "/{flag_id}")) { SafeToRepeat = "what is gone stays gone", Gone = _ => Done.Ok };
}

/// <summary>Who asks for variants.</summary>
public sealed record GetVariantAssignmentsInput
{
    /// <summary>Who it is: distinct_id, and what else the rules of the flags look at.</summary>
    public required FlagContext Context { get; init; }
}

/// <summary>What the rules of feature flags look at.</summary>
public sealed record FlagContext
{
    /// <summary>The user.</summary>
    [Size(1)]
    public required string DistinctId { get; init; }

    /// <summary>The device, for flags that are decided by it. Default: none.</summary>
    public string? DeviceId { get; init; }

    /// <summary>What the rules of the flags compare. Default: nothing.</summary>
    public JsonObject? CustomProperties { get; init; }
}

/// <summary>The variants that somebody gets.</summary>
public sealed record VariantAssignments : MixpanelObject
{
    /// <summary>By the key of the flag; one that assigns nothing is left out.</summary>
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

    /// <summary>Whether that experiment runs.</summary>
    public bool? IsExperimentActive { get; init; }

    /// <summary>Whether it was assigned since it is a test user.</summary>
    public bool? IsQaTester { get; init; }
}

/// <summary>The flags that can be evaluated elsewhere.</summary>
public sealed record FeatureFlagDefinitions : MixpanelObject
{
    /// <summary>The flags, with their rules.</summary>
    public required IReadOnlyList<FeatureFlag> Flags { get; init; }
}

/// <summary>Which flags.</summary>
public sealed record ListFeatureFlagsInput : WorkspaceInput
{
    /// <summary>Whether archived flags are listed, too. Default: false.</summary>
    public bool? IncludeArchived { get; init; }
}

/// <summary>Which flag.</summary>
public sealed record FeatureFlagId : WorkspaceInput
{
    /// <summary>The id of the flag.</summary>
    [JsonPropertyName("flag_id")]
    [RegularExpression("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")]
    public required string Id { get; init; }
}

/// <summary>What a feature flag says.</summary>
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
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>What a variant is assigned to, such as distinct_id.</summary>
    [Size(1, 255)]
    public required string Context { get; init; }

    /// <summary>Where it is evaluated.</summary>
    [AllowedValues("client", "server", "remote_or_local", "remote_only")]
    public required string ServingMethod { get; init; }

    /// <summary>Its variants, and who gets them.</summary>
    public required FlagRuleset Ruleset { get; init; }

    /// <summary>What it is for. Default: nothing.</summary>
    public string? Description { get; init; }

    /// <summary>Whether it is on. Default: disabled.</summary>
    [AllowedValues("enabled", "disabled", "archived")]
    public string? Status { get; init; }

    /// <summary>The experiment that it is part of. Default: none.</summary>
    [RegularExpression("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")]
    public string? ExperimentId { get; init; }

    /// <summary>The group that a variant is assigned to, for a context that is a group. Default: none.</summary>
    public string? DataGroupId { get; init; }

    /// <summary>Whether the experiment runs. Default: Mixpanel's own.</summary>
    public bool? IsExperimentActive { get; init; }

    /// <summary>What is hashed with the context, so that flags assign independently. Default: Mixpanel's own.</summary>
    [Size(32, 32)]
    public string? HashSalt { get; init; }

    /// <summary>Whether the hash salt is made anew, so that all are assigned anew. Default: false.</summary>
    public bool? ResetHashSalt { get; init; }
}

/// <summary>The flag to make.</summary>
public sealed record CreateFeatureFlagInput : FeatureFlagInput;

/// <summary>The whole flag as it is to be: what is left out is lost.</summary>
public sealed record UpdateFeatureFlagInput : FeatureFlagInput
{
    /// <summary>The id of the flag.</summary>
    [RegularExpression("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")]
    public required string FlagId { get; init; }
}

/// <summary>Variants, and who gets them.</summary>
public sealed record FlagRuleset : MixpanelObject
{
    /// <summary>The variants; at most eleven.</summary>
    [Size(1, 11)]
    public required IReadOnlyList<FlagVariant> Variants { get; init; }

    /// <summary>Who gets a variant; the first part that fits decides.</summary>
    public required IReadOnlyList<FlagRollout> Rollout { get; init; }

    /// <summary>Who gets a variant whatever the rest says. Default: nobody.</summary>
    public FlagTest? Test { get; init; }
}

/// <summary>A variant of a flag.</summary>
public sealed record FlagVariant : MixpanelObject
{
    /// <summary>The key of the variant.</summary>
    [Size(1)]
    public required string Key { get; init; }

    /// <summary>The value of the variant: a boolean, a text of at most 32,768 characters, or any other.</summary>
    public required JsonElement Value { get; init; }

    /// <summary>Whether it is what others are compared with.</summary>
    public required bool IsControl { get; init; }

    /// <summary>Its share, from 0 to 1.</summary>
    public required decimal Split { get; init; }

    /// <summary>What it is for.</summary>
    public string? Description { get; init; }

    /// <summary>Whether who got it keeps it. Default: false.</summary>
    public bool? IsSticky { get; init; }
}

/// <summary>A part of those who are asked for, and what they get.</summary>
public sealed record FlagRollout : MixpanelObject
{
    /// <summary>The share of them that gets a variant, from 0 to 1.</summary>
    public required decimal RolloutPercentage { get; init; }

    /// <summary>The share of each variant by its key.</summary>
    public required IReadOnlyDictionary<string, decimal> VariantSplits { get; init; }

    /// <summary>The name of the part.</summary>
    public string? Name { get; init; }

    /// <summary>The cohort, as Mixpanel keeps it.</summary>
    public string? CohortHash { get; init; }

    /// <summary>Who is in the part, as Mixpanel keeps cohorts.</summary>
    public JsonObject? CohortDefinition { get; init; }

    /// <summary>What custom properties must be equal to.</summary>
    public JsonObject? RuntimeEvaluationDefinition { get; init; }

    /// <summary>A JsonLogic rule on custom properties.</summary>
    public JsonElement? RuntimeEvaluationRule { get; init; }

    /// <summary>An event that must have happened before: event_name, time_window, duration, property_filters.</summary>
    public JsonObject? RuntimeEventRule { get; init; }

    /// <summary>The one variant that all of the part get.</summary>
    public FlagVariantKey? VariantOverride { get; init; }
}

/// <summary>Which variant.</summary>
public sealed record FlagVariantKey : MixpanelObject
{
    /// <summary>The key of the variant.</summary>
    public required string Key { get; init; }
}

/// <summary>Who tests a flag.</summary>
public sealed record FlagTest : MixpanelObject
{
    /// <summary>The key of the variant by the id of the user.</summary>
    public IReadOnlyDictionary<string, string>? Users { get; init; }
}

/// <summary>A feature flag, as Mixpanel gives it.</summary>
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
[JsonSerializable(typeof(Done))]
sealed partial class FeatureFlagsJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Evaluates all feature flags for somebody.</summary>
    /// <example>{"context":{"distinct_id":"user-1"}}</example>
    public ValueTask<VariantAssignments> GetVariantAssignmentsAsync(GetVariantAssignmentsInput input, CancellationToken cancellationToken = default) => InvokeAsync(FeatureFlagActions.GetAssignments, input, cancellationToken);

    /// <summary>Retrieves the feature flags with their rules, to evaluate them elsewhere.</summary>
    /// <example>{}</example>
    public ValueTask<FeatureFlagDefinitions> GetFeatureFlagDefinitionsAsync(NoInput? input = null, CancellationToken cancellationToken = default) => InvokeAsync(FeatureFlagActions.GetDefinitions, input ?? new(), cancellationToken);

    /// <summary>Lists the feature flags of a workspace.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<FeatureFlag>> ListFeatureFlagsAsync(ListFeatureFlagsInput? input = null, CancellationToken cancellationToken = default) => InvokeAsync(FeatureFlagActions.List, input ?? new(), cancellationToken);

    /// <summary>Makes a feature flag.</summary>
    /// <example>{"name":"Short checkout","key":"short-checkout","tags":[],"context":"distinct_id","serving_method":"remote_or_local","ruleset":{"variants":[{"key":"control","value":false,"is_control":true,"split":0.5},{"key":"treatment","value":true,"is_control":false,"split":0.5}],"rollout":[{"rollout_percentage":1,"variant_splits":{"control":0.5,"treatment":0.5}}]}}</example>
    public ValueTask<FeatureFlag> CreateFeatureFlagAsync(CreateFeatureFlagInput input, CancellationToken cancellationToken = default) => InvokeAsync(FeatureFlagActions.Create, input, cancellationToken);

    /// <summary>Retrieves a feature flag.</summary>
    /// <example>{"flag_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<FeatureFlag> GetFeatureFlagAsync(FeatureFlagId input, CancellationToken cancellationToken = default) => InvokeAsync(FeatureFlagActions.Get, input, cancellationToken);

    /// <summary>Replaces a feature flag as a whole.</summary>
    /// <example>{"flag_id":"0f8fad5b-d9cb-469f-a165-70867728950e","name":"Short checkout","key":"short-checkout","tags":[],"context":"distinct_id","serving_method":"remote_or_local","ruleset":{"variants":[{"key":"control","value":false,"is_control":true,"split":0.5},{"key":"treatment","value":true,"is_control":false,"split":0.5}],"rollout":[{"rollout_percentage":1,"variant_splits":{"control":0.5,"treatment":0.5}}]},"status":"enabled"}</example>
    public ValueTask<FeatureFlag> UpdateFeatureFlagAsync(UpdateFeatureFlagInput input, CancellationToken cancellationToken = default) => InvokeAsync(FeatureFlagActions.Update, input, cancellationToken);

    /// <summary>Deletes a feature flag.</summary>
    /// <example>{"flag_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<Done> DeleteFeatureFlagAsync(FeatureFlagId input, CancellationToken cancellationToken = default) => InvokeAsync(FeatureFlagActions.Delete, input, cancellationToken);
}
