using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for personal data.</summary>
static class GdprActions
{
    public static readonly ActionGroup Group = new("gdpr", "Retrieve and delete users' personal data.", Api.App, "/api/app", options => new GdprJson(options))
    {
        HasEnvelope = true,
        Auth = AuthScheme.OAuthToken,
        Cost = RateCost.Gdpr,
        Keywords = "privacy forget forgotten erase ccpa right person deletion",
    };

    public static readonly ActionSpec<CreateDataRetrievalInput, DataTask> CreateRetrieval = new(Group, "create_data_retrieval", "create-retrieval",
        Endpoint.Post("/data-retrievals/v3.0"))
    {
        Result = TaskOf,
    };

    public static readonly ActionSpec<DataTask, DataRetrieval> GetRetrieval = new(Group, "get_data_retrieval", "get-retrieval",
        Endpoint.Get("/data-retrievals/v3.0/{tracking_id}"))
    {
        Result = RetrievalOf,
    };

    public static readonly ActionSpec<CreateDataDeletionInput, DataTask> CreateDeletion = new(Group, "create_data_deletion", "create-deletion",
        Endpoint.Post("/data-deletions/v3.0"))
    {
        Does = ActionEffect.Delete,
        Result = TaskOf,
    };

    public static readonly ActionSpec<DataTask, DataDeletion> GetDeletion =
        new(Group, "get_data_deletion", "get-deletion", Endpoint.Get("/data-deletions/v3.0/{tracking_id}"));

    public static readonly ActionSpec<DataTask, StatusOutput> CancelDeletion = new(Group, "cancel_data_deletion", "delete-deletion",
        Endpoint.Delete("/data-deletions/v3.0/{tracking_id}"))
    {
        Does = ActionEffect.Update,
        SafeToRepeat = "a cancelled deletion stays cancelled",
        TooLate = "The deletion has started, or was already cancelled: it can no longer be cancelled.",
    };

    /// <summary>Reads <c>{"task_id":…}</c>, as in the specification, or <c>[{"tracking_id":…}]</c>, as in the guide.</summary>
    static JsonElement TaskOf(JsonElement result)
    {
        var task = result.ValueKind is JsonValueKind.Array ? result[0] : result;
        return JsonSerializer.SerializeToElement(
            new() { TrackingId = (task.TryGetProperty("tracking_id", out var id) ? id : task.GetProperty("task_id")).GetString()! }, Group.Own<DataTask>());
    }

    /// <summary>The link is <c>results</c> in the specification, <c>result</c> in the guide.</summary>
    static JsonElement RetrievalOf(JsonElement result) => Answers.Renamed(result, "results", "result");
}

/// <summary>The users whose data to retrieve.</summary>
public sealed record CreateDataRetrievalInput
{
    /// <summary>The distinct_ids of the users.</summary>
    [Size(1, 2000)]
    [ItemSize(1)]
    public required IReadOnlyList<string> DistinctIds { get; init; }

    /// <summary>The law that applies: GDPR or CCPA. Default: GDPR.</summary>
    [AllowedValues("GDPR", "CCPA")]
    public string? ComplianceType { get; init; }

    /// <summary>What is disclosed under CCPA: Data, Categories or Sources. Default: Data.</summary>
    [AllowedValues("Data", "Categories", "Sources")]
    public string? DisclosureType { get; init; }
}

/// <summary>The users whose data to delete.</summary>
public sealed record CreateDataDeletionInput
{
    /// <summary>The distinct_ids of the users.</summary>
    [Size(1, 1999)]
    [ItemSize(1)]
    public required IReadOnlyList<string> DistinctIds { get; init; }

    /// <summary>The law that applies: GDPR or CCPA. Default: GDPR.</summary>
    [AllowedValues("GDPR", "CCPA")]
    public string? ComplianceType { get; init; }
}

/// <summary>Identifies a retrieval or deletion.</summary>
public sealed record DataTask
{
    /// <summary>The id to query its status with.</summary>
    [Size(1)]
    public required string TrackingId { get; init; }
}

/// <summary>A retrieval, as Mixpanel returns it.</summary>
public sealed record DataRetrieval : MixpanelObject
{
    /// <summary>Its status: PENDING, STAGING, STARTED, SUCCESS, FAILURE, REVOKED, NOT_FOUND or UNKNOWN.</summary>
    public required string Status { get; init; }

    /// <summary>The URL of the data once it is ready; empty until then.</summary>
    public string? Result { get; init; }

    /// <summary>The distinct_ids of the users.</summary>
    public IReadOnlyList<string>? DistinctIds { get; init; }
}

/// <summary>A deletion, as Mixpanel returns it.</summary>
public sealed record DataDeletion : MixpanelObject
{
    /// <summary>Its status: PENDING, STAGING, STARTED, SUCCESS, FAILURE, REVOKED, NOT_FOUND or UNKNOWN.</summary>
    public required string Status { get; init; }

    /// <summary>The id to query its status with.</summary>
    public string? TrackingId { get; init; }

    /// <summary>The distinct_ids of the users.</summary>
    public IReadOnlyList<string>? DistinctIds { get; init; }
}

[JsonSerializable(typeof(CreateDataRetrievalInput))]
[JsonSerializable(typeof(CreateDataDeletionInput))]
[JsonSerializable(typeof(DataTask))]
[JsonSerializable(typeof(DataRetrieval))]
[JsonSerializable(typeof(DataDeletion))]
[JsonSerializable(typeof(StatusOutput))]
sealed partial class GdprJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Requests a copy of all data of users.</summary>
    /// <example>{"distinct_ids":["user-1"]}</example>
    public ValueTask<DataTask> CreateDataRetrievalAsync(CreateDataRetrievalInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GdprActions.CreateRetrieval, input, cancellationToken);

    /// <summary>Returns the status of a retrieval, and the URL of its result.</summary>
    /// <example>{"tracking_id":"1234567890"}</example>
    public ValueTask<DataRetrieval> GetDataRetrievalAsync(DataTask input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GdprActions.GetRetrieval, input, cancellationToken);

    /// <summary>Deletes all data of users; Mixpanel completes it within 30 days.</summary>
    /// <example>{"distinct_ids":["user-1"]}</example>
    public ValueTask<DataTask> CreateDataDeletionAsync(CreateDataDeletionInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GdprActions.CreateDeletion, input, cancellationToken);

    /// <summary>Returns the status of a deletion.</summary>
    /// <example>{"tracking_id":"1234567890"}</example>
    public ValueTask<DataDeletion> GetDataDeletionAsync(DataTask input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GdprActions.GetDeletion, input, cancellationToken);

    /// <summary>Cancels a deletion before it begins.</summary>
    /// <example>{"tracking_id":"1234567890"}</example>
    public ValueTask<StatusOutput> CancelDataDeletionAsync(DataTask input, CancellationToken cancellationToken = default) =>
        InvokeAsync(GdprActions.CancelDeletion, input, cancellationToken);
}
