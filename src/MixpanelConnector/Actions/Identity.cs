using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions for identities.</summary>
static class IdentityActions
{
    const string SameLink = "the same ids are linked only once";

    public static readonly ActionGroup Group = new("identity", "Link the ids of one user.", Api.Ingestion, "", options => new IdentityJson(options))
    {
        Auth = AuthScheme.ProjectToken,
        Cost = RateCost.Ingestion,
        Keywords = "merge join link alias user duplicate",
    };

    public static readonly ActionSpec<CreateIdentityInput, IngestionOutput> CreateIdentity = new(Group, "create_identity", "create-identity",
        Track("$identify"))
    {
        Does = ActionEffect.Update,
        IsFinal = true,
        SafeToRepeat = SameLink,
    };

    public static readonly ActionSpec<CreateAliasInput, IngestionOutput> CreateAlias = new(Group, "create_alias", "identity-create-alias",
        Track("$create_alias"))
    {
        Does = ActionEffect.Update,
        IsFinal = true,
        SafeToRepeat = SameLink,
    };

    public static readonly ActionSpec<MergeIdentitiesInput, MergeIdentitiesOutput> MergeIdentities = new(Group, "merge_identities", "identity-merge", Merge)
    {
        Does = ActionEffect.Update,
        IsFinal = true,
        SafeToRepeat = SameLink,
        Needs = AuthScheme.ServiceAccountOfProject,
    };

    /// <summary>One of Mixpanel's own events, sent as an import.</summary>
    static Endpoint Merge => Endpoint.Post("/import") with
    {
        Body = (_, fields) => new JsonArray(new JsonObject
        {
            ["event"] = "$merge",
            ["properties"] = new JsonObject { ["$distinct_ids"] = fields["distinct_ids"]!.DeepClone() },
        }),
        QueryFields = ["strict"],
    };

    /// <summary>One of Mixpanel's own events, sent as a form.</summary>
    static Endpoint Track(string name) => Endpoint.Post("/track") with
    {
        Fields = FieldPlace.Form,
        Query = [new("verbose", "1")],
        Body = (context, fields) =>
        {
            fields.Remove("strict", out var strict);
            fields["token"] = context.Token;
            var form = new JsonObject { ["data"] = Encoding.UTF8.GetString(JsonDefaults.Utf8(new JsonObject { ["event"] = name, ["properties"] = fields })) };
            if (strict is not null) form["strict"] = strict;
            return form;
        },
    };
}

/// <summary>The two ids of one user.</summary>
public sealed record CreateIdentityInput
{
    /// <summary>The id of the identified user.</summary>
    [WireName("$identified_id")]
    [Size(1)]
    public required string IdentifiedId { get; init; }

    /// <summary>The user's anonymous id. Mixpanel accepts one that is not a version 4 UUID, and ignores it.</summary>
    [WireName("$anon_id")]
    [Size(1)]
    public required string AnonId { get; init; }

    /// <summary>"1": Mixpanel validates, and reports why it refuses; "0": it silently drops invalid data. Default: Mixpanel's own.</summary>
    [AllowedValues("0", "1")]
    public string? Strict { get; init; }
}

/// <summary>An additional id for a user.</summary>
public sealed record CreateAliasInput
{
    /// <summary>The id of the user.</summary>
    [Size(1)]
    public required string DistinctId { get; init; }

    /// <summary>The additional id.</summary>
    [Size(1)]
    public required string Alias { get; init; }

    /// <summary>"1": Mixpanel validates, and reports why it refuses; "0": it silently drops invalid data. Default: Mixpanel's own.</summary>
    [AllowedValues("0", "1")]
    public string? Strict { get; init; }
}

/// <summary>The two ids to merge.</summary>
public sealed record MergeIdentitiesInput
{
    /// <summary>The two ids.</summary>
    [Size(2, 2)]
    [ItemSize(1)]
    public required IReadOnlyList<string> DistinctIds { get; init; }

    /// <summary>"1": Mixpanel validates, and reports why it refuses; "0": it silently drops invalid data. Default: "1".</summary>
    [AllowedValues("0", "1")]
    public string Strict { get => field ?? "1"; init; }
}

/// <summary>The outcome of the merge.</summary>
public sealed record MergeIdentitiesOutput : MixpanelObject
{
    /// <summary>"OK".</summary>
    public required string Status { get; init; }

    /// <summary>The number of accepted merges: 1.</summary>
    public required long NumRecordsImported { get; init; }
}

[JsonSerializable(typeof(CreateIdentityInput))]
[JsonSerializable(typeof(CreateAliasInput))]
[JsonSerializable(typeof(MergeIdentitiesInput))]
[JsonSerializable(typeof(MergeIdentitiesOutput))]
[JsonSerializable(typeof(IngestionOutput))]
sealed partial class IdentityJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Joins a user's anonymous id with the id of the identified user. It cannot be undone.</summary>
    /// <remarks>For projects with original ID merge: with simplified ID merge it changes nothing.</remarks>
    /// <example>{"identified_id":"user-1","anon_id":"3f8f0a52-4a1c-4f4f-9d3e-0d7f2b1c9a10"}</example>
    public ValueTask<IngestionOutput> CreateIdentityAsync(CreateIdentityInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(IdentityActions.CreateIdentity, input, cancellationToken);

    /// <summary>Gives a user another id. It cannot be undone.</summary>
    /// <remarks>For projects with original ID merge: with simplified ID merge it changes nothing.</remarks>
    /// <example>{"distinct_id":"user-1","alias":"ada@example.com"}</example>
    public ValueTask<IngestionOutput> CreateAliasAsync(CreateAliasInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(IdentityActions.CreateAlias, input, cancellationToken);

    /// <summary>Merges two ids into one. It cannot be undone.</summary>
    /// <remarks>For projects with original ID merge: with simplified ID merge it is refused.</remarks>
    /// <example>{"distinct_ids":["user-1","user-2"]}</example>
    public ValueTask<MergeIdentitiesOutput> MergeIdentitiesAsync(MergeIdentitiesInput input, CancellationToken cancellationToken = default) =>
        InvokeAsync(IdentityActions.MergeIdentities, input, cancellationToken);
}
