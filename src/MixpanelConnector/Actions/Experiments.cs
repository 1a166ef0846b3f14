using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for experiments.</summary>
static class ExperimentActions
{
    public static readonly ActionGroup Group = new("experiments", "Plan, launch and decide experiments.", Api.App,
        "/api/app/workspaces/{workspace_id}/experiments",
        options => new ExperimentsJson(options))
    { HasEnvelope = true, Keywords = "ab a/b split test variant winner end stop conclude" };

    public static readonly ActionSpec<ListExperimentsInput, ResultList<Experiment>> List = new(Group, "list_experiments", "list-experiments", Endpoint.Get());

    public static readonly ActionSpec<CreateExperimentInput, Experiment> Create = new(Group, "create_experiment", "create-experiment", Endpoint.Post());

    public static readonly ActionSpec<ExperimentId, Experiment> Get = new(Group, "get_experiment", "get-experiment", Endpoint.Get("/{experiment_id}"));

    public static readonly ActionSpec<UpdateExperimentInput, Experiment> Update = new(Group, "update_experiment", "update-experiment",
        Endpoint.Patch("/{experiment_id}"))
    { SafeToRepeat = "the given values are set", Check = static input => CheckDates(input.StartDate, input.EndDate) };

    public static readonly ActionSpec<ExperimentId, StatusOutput> Delete = new(Group, "delete_experiment", "delete-experiment",
        Endpoint.Delete("/{experiment_id}"))
    {
        SafeToRepeat = "a deleted experiment stays deleted",
        Gone = _ => StatusOutput.Ok,
    };

    public static readonly ActionSpec<ExperimentId, StatusOutput> Archive = new(Group, "archive_experiment", "archive-experiment",
        Endpoint.Post("/{experiment_id}/archive"))
    { Does = ActionEffect.Update, SafeToRepeat = "an archived experiment stays archived" };

    public static readonly ActionSpec<ExperimentId, Experiment> Unarchive = new(Group, "unarchive_experiment", "unarchive-experiment",
        Endpoint.Delete("/{experiment_id}/archive"))
    { Does = ActionEffect.Update, SafeToRepeat = "a restored experiment stays restored" };

    public static readonly ActionSpec<DecideExperimentInput, Experiment> Decide = new(Group, "decide_experiment", "decide-experiment",
        Endpoint.Patch("/{experiment_id}/decide"))
    {
        IsFinal = true,
    };

    public static readonly ActionSpec<ForceConcludeExperimentInput, Experiment> ForceConclude = new(Group, "force_conclude_experiment",
        "force-conclude-experiment", Endpoint.Put("/{experiment_id}/force_conclude"))
    {
        IsFinal = true,
    };

    public static readonly ActionSpec<ExperimentId, Experiment> Launch = new(Group, "launch_experiment", "launch-experiment",
        Endpoint.Put("/{experiment_id}/launch"))
    {
        IsFinal = true,
    };

    static void CheckDates(string? start, string? end)
    {
        if (start is null || end is null || !TextForms.TryReadTime(start, out var from) || !TextForms.TryReadTime(end, out var to)) return;
        if (to < from) throw MixpanelException.Invalid("end_date", "end_date must not be before start_date.");
    }
}

/// <summary>The workspace whose experiments to list.</summary>
public sealed record ListExperimentsInput : WorkspaceInput;

/// <summary>Identifies an experiment.</summary>
public sealed record ExperimentId : WorkspaceInput
{
    /// <summary>The id of the experiment.</summary>
    [JsonPropertyName("experiment_id")]
    [Size(1)]
    public required string Id { get; init; }
}

/// <summary>The experiment to create.</summary>
public sealed record CreateExperimentInput : WorkspaceInput
{
    /// <summary>The name.</summary>
    [Size(1, 255)]
    public required string Name { get; init; }

    /// <summary>A description. Default: none.</summary>
    [Size(0, 400)]
    public string? Description { get; init; }

    /// <summary>The hypothesis. Default: none.</summary>
    public string? Hypothesis { get; init; }

    /// <summary>The settings of its measurement. Default: Mixpanel's own.</summary>
    public JsonObject? Settings { get; init; }

    /// <summary>The variants to compare. Default: none yet.</summary>
    public IReadOnlyList<JsonObject>? Variants { get; init; }

    /// <summary>The metrics it is judged by. Default: none yet.</summary>
    public IReadOnlyList<JsonObject>? Metrics { get; init; }

    /// <summary>Who else may see or change it. Default: Mixpanel's own.</summary>
    public string? GlobalAccessType { get; init; }
}

/// <summary>The changes to an experiment; omitted fields stay unchanged.</summary>
public sealed record UpdateExperimentInput : WorkspaceInput
{
    /// <summary>The id of the experiment.</summary>
    [Size(1)]
    public required string ExperimentId { get; init; }

    /// <summary>The name.</summary>
    [Size(1, 255)]
    public string? Name { get; init; }

    /// <summary>A description.</summary>
    [Size(0, 400)]
    public string? Description { get; init; }

    /// <summary>The hypothesis.</summary>
    public string? Hypothesis { get; init; }

    /// <summary>Its state.</summary>
    public ExperimentStatus? Status { get; init; }

    /// <summary>The settings of its measurement.</summary>
    public JsonObject? Settings { get; init; }

    /// <summary>The variants to compare.</summary>
    public IReadOnlyList<JsonObject>? Variants { get; init; }

    /// <summary>The metrics it is judged by.</summary>
    public IReadOnlyList<JsonObject>? Metrics { get; init; }

    /// <summary>When it starts, such as 2026-11-30 or 2026-11-30T12:00:00Z.</summary>
    [RegularExpression(TextForms.DayOrTime)]
    public string? StartDate { get; init; }

    /// <summary>When it ends; not before it starts.</summary>
    [RegularExpression(TextForms.DayOrTime)]
    public string? EndDate { get; init; }

    /// <summary>The cached exposures.</summary>
    public JsonObject? ExposuresCache { get; init; }

    /// <summary>The cached results.</summary>
    public JsonObject? ResultsCache { get; init; }

    /// <summary>All its tags.</summary>
    [ItemSize(1)]
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Who else may see or change it.</summary>
    public string? GlobalAccessType { get; init; }
}

/// <summary>The state of an experiment.</summary>
[JsonConverter(typeof(SnakeCaseNames<ExperimentStatus>))]
public enum ExperimentStatus
{
    /// <summary>It has not started.</summary>
    Draft,

    /// <summary>It is running.</summary>
    Active,

    /// <summary>It has ended without a decision.</summary>
    Concluded,

    /// <summary>It was decided for a variant.</summary>
    Success,

    /// <summary>It was decided against all variants.</summary>
    Fail,
}

/// <summary>The decision on an experiment.</summary>
public sealed record DecideExperimentInput : WorkspaceInput
{
    /// <summary>The id of the experiment.</summary>
    [Size(1)]
    public required string ExperimentId { get; init; }

    /// <summary>Whether it was a success.</summary>
    public required bool Success { get; init; }

    /// <summary>The variant that won. Default: none.</summary>
    public string? Variant { get; init; }

    /// <summary>The reason for the decision. Default: none.</summary>
    public string? Message { get; init; }
}

/// <summary>The experiment to conclude, and when it ended.</summary>
public sealed record ForceConcludeExperimentInput : WorkspaceInput
{
    /// <summary>The id of the experiment.</summary>
    [Size(1)]
    public required string ExperimentId { get; init; }

    /// <summary>When it ended, such as 2026-11-30 or 2026-11-30T12:00:00Z. Default: now.</summary>
    [RegularExpression(TextForms.DayOrTime)]
    public string? EndDate { get; init; }
}

/// <summary>An experiment, as Mixpanel returns it.</summary>
public sealed record Experiment : MixpanelObject
{
    /// <summary>The id of the experiment.</summary>
    public required string Id { get; init; }

    /// <summary>The name.</summary>
    public string? Name { get; init; }

    /// <summary>A description.</summary>
    public string? Description { get; init; }

    /// <summary>The hypothesis.</summary>
    public string? Hypothesis { get; init; }

    /// <summary>Its state: draft, active, concluded, success or fail.</summary>
    public string? Status { get; init; }

    /// <summary>When it starts.</summary>
    public string? StartDate { get; init; }

    /// <summary>When it ends.</summary>
    public string? EndDate { get; init; }
}

[JsonSerializable(typeof(ListExperimentsInput))]
[JsonSerializable(typeof(ExperimentId))]
[JsonSerializable(typeof(CreateExperimentInput))]
[JsonSerializable(typeof(UpdateExperimentInput))]
[JsonSerializable(typeof(DecideExperimentInput))]
[JsonSerializable(typeof(ForceConcludeExperimentInput))]
[JsonSerializable(typeof(ResultList<Experiment>))]
[JsonSerializable(typeof(StatusOutput))]
sealed partial class ExperimentsJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Lists the experiments of a workspace.</summary>
    /// <example>{}</example>
    public ValueTask<ResultList<Experiment>> ListExperimentsAsync(ListExperimentsInput? input = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.List, input ?? new(), cancellationToken);

    /// <summary>Creates a draft of an experiment.</summary>
    /// <example>{"name":"Shorter checkout","hypothesis":"More users pay."}</example>
    public ValueTask<Experiment> CreateExperimentAsync(CreateExperimentInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.Create, input, cancellationToken);

    /// <summary>Retrieves an experiment.</summary>
    /// <example>{"experiment_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<Experiment> GetExperimentAsync(ExperimentId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.Get, input, cancellationToken);

    /// <summary>Changes an experiment.</summary>
    /// <example>{"experiment_id":"0f8fad5b-d9cb-469f-a165-70867728950e","description":"Two pages in place of four."}</example>
    public ValueTask<Experiment> UpdateExperimentAsync(UpdateExperimentInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.Update, input, cancellationToken);

    /// <summary>Deletes an experiment.</summary>
    /// <example>{"experiment_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<StatusOutput> DeleteExperimentAsync(ExperimentId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.Delete, input, cancellationToken);

    /// <summary>Moves an experiment to the archive.</summary>
    /// <example>{"experiment_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<StatusOutput> ArchiveExperimentAsync(ExperimentId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.Archive, input, cancellationToken);

    /// <summary>Restores an archived experiment.</summary>
    /// <example>{"experiment_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<Experiment> UnarchiveExperimentAsync(ExperimentId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.Unarchive, input, cancellationToken);

    /// <summary>Records the decision on an active or concluded experiment.</summary>
    /// <example>{"experiment_id":"0f8fad5b-d9cb-469f-a165-70867728950e","success":true,"variant":"two pages"}</example>
    public ValueTask<Experiment> DecideExperimentAsync(DecideExperimentInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.Decide, input, cancellationToken);

    /// <summary>Ends an active experiment early.</summary>
    /// <example>{"experiment_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<Experiment> ForceConcludeExperimentAsync(ForceConcludeExperimentInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.ForceConclude, input, cancellationToken);

    /// <summary>Starts an experiment.</summary>
    /// <example>{"experiment_id":"0f8fad5b-d9cb-469f-a165-70867728950e"}</example>
    public ValueTask<Experiment> LaunchExperimentAsync(ExperimentId input, CancellationToken cancellationToken = default) =>
        InvokeAsync(ExperimentActions.Launch, input, cancellationToken);
}
