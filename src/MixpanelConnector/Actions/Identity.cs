using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MixpanelConnector.Transport;

namespace MixpanelConnector;

/// <summary>The actions about who is who.</summary>
static class IdentityActions
{
    const string SameLink = "the same ids are joined once";

    public static readonly ActionGroup Group = new("identity", "Join the ids of one person.", Api.Ingestion, "", options => new IdentityJson(options)) { Auth = AuthScheme.ProjectToken, Cost = RateCost.Ingestion, Keywords = "merge join link alias user duplicate" };

    public static readonly ActionSpec<CreateIdentityInput, Acknowledgement> CreateIdentity = new(Group, "create_identity", "create-identity", Track("$identify")) { Does = ActionEffect.Update, IsFinal = true, SafeToRepeat = SameLink };

    public static readonly ActionSpec<CreateAliasInput, Acknowledgement> CreateAlias = new(Group, "create_alias", "identity-create-alias", Track("$create_alias")) { Does = ActionEffect.Update, IsFinal = true, SafeToRepeat = SameLink };

    public static readonly ActionSpec<MergeIdentitiesInput, MergeIdentitiesOutput> MergeIdentities = new(Group, "merge_identities", "identity-merge", Merge) { Does = ActionEffect.Update, IsFinal = true, SafeToRepeat = SameLink, Needs = AuthScheme.ServiceAccountOfProject };

    /// <summary>An event of Mixpanel's own among those that are imported.</summary>
    static Endpoint Merge => Endpoint.Post("/import") with
    {
        Body = (_, fields) => new JsonArray(new JsonObject { ["event"] = "$merge", ["properties"] = new JsonObject { ["$distinct_ids"] = fields["distinct_ids"]!.DeepClone() } }),
        QueryFields = ["strict"],
    };

    /// <summary>An event of Mixpanel's own, as a form.</summary>
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

/// <summary>Which two ids are of one person.</summary>
public sealed record CreateIdentityInput
{
    /// <summary>The id of the person who is known.</summary>
    [WireName("$identified_id")]
    [Size(1)]
    public required string IdentifiedId { get; init; }

    /// <summary>The id under which the person was anonymous. Mixpanel takes one that is no UUID of version 4, and ignores it.</summary>
    [WireName("$anon_id")]
    [Size(1)]
    public required string AnonId { get; init; }

    /// <summary>"1" has Mixpanel validate, and say why it refuses; "0" has it drop what is invalid without a word. Default: Mixpanel's own.</summary>
    [AllowedValues("0", "1")]
    public string? Strict { get; init; }
}

/// <summary>Which further id a person has.</summary>
public sealed record CreateAliasInput
{
    /// <summary>The id of the person.</summary>
    [Size(1)]
    public required string DistinctId { get; init; }

    /// <summary>The further id.</summary>
    [Size(1)]
    public required string Alias { get; init; }

    /// <summary>"1" has Mixpanel validate, and say why it refuses; "0" has it drop what is invalid without a word. Default: Mixpanel's own.</summary>
    [AllowedValues("0", "1")]
    public string? Strict { get; init; }
}

/// <summary>Which two ids become one.</summary>
public sealed record MergeIdentitiesInput
{
    /// <summary>The two ids.</summary>
    [Size(2, 2)]
    public required IReadOnlyList<string> DistinctIds { get; init; }

    /// <summary>"1" has Mixpanel validate, and say why it refuses; "0" has it drop what is invalid without a word.</summary>
    [AllowedValues("0", "1")]
    [DefaultValue("1")]
    public string Strict { get; init; } = "1";
}

/// <summary>What became of the merge.</summary>
public sealed record MergeIdentitiesOutput : MixpanelObject
{
    /// <summary>"OK".</summary>
    public required string Status { get; init; }

    /// <summary>How many merges were taken: 1.</summary>
    public required long NumRecordsImported { get; init; }
}

[JsonSerializable(typeof(CreateIdentityInput))]
[JsonSerializable(typeof(CreateAliasInput))]
[JsonSerializable(typeof(MergeIdentitiesInput))]
[JsonSerializable(typeof(MergeIdentitiesOutput))]
[JsonSerializable(typeof(Acknowledgement))]
sealed partial class IdentityJson : JsonSerializerContext;

public sealed partial class MixpanelClient
{
    /// <summary>Joins the id under which a person was anonymous with the id under which they are known. It cannot be undone.</summary>
    /// <remarks>For projects with the original merging of ids: in one with the simplified merging it changes nothing.</remarks>
    /// <example>{"identified_id":"user-1","anon_id":"3f8f0a52-4a1c-4f4f-9d3e-0d7f2b1c9a10"}</example>
    public ValueTask<Acknowledgement> CreateIdentityAsync(CreateIdentityInput input, CancellationToken cancellationToken = default) => InvokeAsync(IdentityActions.CreateIdentity, input, cancellationToken);

    /// <summary>Gives a person a further id. It cannot be undone.</summary>
    /// <remarks>For projects with the original merging of ids: in one with the simplified merging it changes nothing.</remarks>
    /// <example>{"distinct_id":"user-1","alias":"ada@example.com"}</example>
    public ValueTask<Acknowledgement> CreateAliasAsync(CreateAliasInput input, CancellationToken cancellationToken = default) => InvokeAsync(IdentityActions.CreateAlias, input, cancellationToken);

    /// <summary>Makes one person of two ids. It cannot be undone.</summary>
    /// <remarks>For projects with the original merging of ids: one with the simplified merging refuses it.</remarks>
    /// <example>{"distinct_ids":["user-1","user-2"]}</example>
    public ValueTask<MergeIdentitiesOutput> MergeIdentitiesAsync(MergeIdentitiesInput input, CancellationToken cancellationToken = default) => InvokeAsync(IdentityActions.MergeIdentities, input, cancellationToken);
}
