using System.Text.Json.Nodes;
using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>What is tracked.</summary>
public enum TrackedKind
{
    /// <summary>Something that happened.</summary>
    Event,

    /// <summary>An update of a user's profile.</summary>
    Profile,

    /// <summary>An update of a group's profile.</summary>
    Group,
}

/// <summary>One record on its way into a tracker: an event, or an update of a profile.</summary>
public readonly struct TrackedRecord
{
    internal TrackedRecord(TrackedKind kind, string name, MixpanelUser user, Payload payload, string? groupKey = null, string? groupId = null)
    {
        (Kind, Name, User, Payload, GroupKey, GroupId) = (kind, name, user, payload, groupKey, groupId);
    }

    /// <summary>What it is.</summary>
    public TrackedKind Kind { get; }

    /// <summary>The event's name; of an update its operation, such as <c>$set</c>.</summary>
    public string Name { get; }

    /// <summary>Whom it is about; nobody for an update of a group.</summary>
    public MixpanelUser User { get; }

    /// <summary>The property that makes groups, such as <c>company</c>; null for everything but an update of a group.</summary>
    public string? GroupKey { get; }

    /// <summary>The group; null for everything but an update of a group.</summary>
    public string? GroupId { get; }

    internal Payload Payload { get; }

    /// <summary>The properties as JSON, as they were given; of an update the value of its operation.</summary>
    public JsonNode? ToJson()
    {
        var writer = RecordWriter.Rent();
        try
        {
            writer.WritePayload(in this);
            return JsonNode.Parse(writer.Written);
        }
        finally
        {
            writer.Return();
        }
    }
}
