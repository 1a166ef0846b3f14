using System.Text.Json.Nodes;
using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>One record on its way into a tracker: an event, or an update of a profile.</summary>
public readonly struct TrackedRecord
{
    internal TrackedRecord(TrackedKind kind, string name, MixpanelUser user, Payload payload, string? groupKey = null, string? groupId = null, ProfileSettings? settings = null, EventContext? context = null)
    {
        (Kind, Name, User, Payload, GroupKey, GroupId, Settings, Context) = (kind, name, user, payload, groupKey, groupId, settings, context);
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

    /// <summary>What an update says beside its value; null for nothing.</summary>
    public ProfileSettings? Settings { get; }

    /// <summary>When an event happened, as <c>At</c> said it; null for now, or where its properties say it.</summary>
    public DateTimeOffset? Time => Context?.Time;

    internal Payload Payload { get; }

    internal EventContext? Context { get; }

    /// <summary>An event with what was said of it beside its properties; an update stays as it is.</summary>
    internal TrackedRecord In(EventContext context) => Kind is TrackedKind.Event ? new(Kind, Name, User, Payload, context: context) : this;

    /// <summary>The properties as JSON, as they were given, with the groups that <c>InGroup</c> gave; of an update the value of its operation.</summary>
    public JsonNode? ToJson()
    {
        var writer = RecordWriter.Rent();
        try
        {
            writer.WritePayload(in this);
            var json = JsonNode.Parse(writer.Written);
            return Context is { } context ? context.Groups.FillIn(json ?? new JsonObject()) : json;
        }
        finally
        {
            writer.Return();
        }
    }
}
