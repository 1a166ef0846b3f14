using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MixpanelConnector;

/// <summary>Which user, and which properties.</summary>
public sealed record UserPropertiesInput
{
    /// <summary>The user.</summary>
    [MinLength(1)]
    public required string DistinctId { get; init; }

    /// <summary>The properties by name.</summary>
    public required JsonObject Properties { get; init; }
}

/// <summary>Which user, and what to set.</summary>
public sealed record SetUserPropertiesInput
{
    /// <summary>The user.</summary>
    [MinLength(1)]
    public required string DistinctId { get; init; }

    /// <summary>The properties by name.</summary>
    public required JsonObject Properties { get; init; }

    /// <summary>Whether the profile's last seen time stays as it is. Default: false.</summary>
    [WireName("$ignore_time")]
    public bool? IgnoreTime { get; init; }
}

/// <summary>Which user, and what to add to numbers.</summary>
public sealed record IncrementUserPropertiesInput
{
    /// <summary>The user.</summary>
    [MinLength(1)]
    public required string DistinctId { get; init; }

    /// <summary>What to add, by the name of the property; negative numbers are taken off.</summary>
    public required IReadOnlyDictionary<string, double> Properties { get; init; }
}

/// <summary>Which user, and what to add to lists.</summary>
public sealed record UnionUserPropertiesInput
{
    /// <summary>The user.</summary>
    [MinLength(1)]
    public required string DistinctId { get; init; }

    /// <summary>Lists of what is added where it is not there yet, by the name of the property.</summary>
    public required IReadOnlyDictionary<string, JsonArray> Properties { get; init; }
}

/// <summary>Which user, and which properties to delete.</summary>
public sealed record DeleteUserPropertiesInput
{
    /// <summary>The user.</summary>
    [MinLength(1)]
    public required string DistinctId { get; init; }

    /// <summary>The names of the properties.</summary>
    [MinLength(1)]
    public required IReadOnlyList<string> Properties { get; init; }
}

/// <summary>Updates of profiles.</summary>
public sealed record UpdateUserProfilesInput
{
    /// <summary>Updates as they are on the wire, without the token: each with $distinct_id and one of $set, $set_once, $add, $union, $append, $remove, $unset and $delete.</summary>
    [MinLength(1)]
    public required IReadOnlyList<JsonObject> Updates { get; init; }
}

/// <summary>Which user to delete.</summary>
public sealed record DeleteUserProfileInput
{
    /// <summary>The user.</summary>
    [MinLength(1)]
    public required string DistinctId { get; init; }

    /// <summary>Whether exactly this id is meant, and no other id that leads to the same profile. Default: false.</summary>
    [WireName("$ignore_alias")]
    public bool? IgnoreAlias { get; init; }
}
