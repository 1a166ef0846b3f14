using System.Text.Json.Nodes;
using MixpanelConnector.Tracking.Records;

namespace MixpanelConnector;

/// <summary>A record to be tracked: an event or a profile update.</summary>
public readonly struct TrackedRecord
{
    internal TrackedRecord(TrackedKind kind, string name, MixpanelUser user, Payload payload, string? groupKey = null, string? groupId = null,
        ProfileSettings? settings = null, EventContext? context = null)
    {
        (Kind, Name, User, Payload, GroupKey, GroupId, Settings, Context) = (kind, name, user, payload, groupKey, groupId, settings, context);
    }

    /// <summary>The kind of the record.</summary>
    public TrackedKind Kind { get; }

    /// <summary>The event's name; for an update its operation, such as <c>$set</c>.</summary>
    public string Name { get; }

    /// <summary>The user that the record is about; nobody for a group update.</summary>
    public MixpanelUser User { get; }

    /// <summary>The group key, a property such as <c>company</c>; null for everything but a group update.</summary>
    public string? GroupKey { get; }

    /// <summary>The group; null for everything but a group update.</summary>
    public string? GroupId { get; }

    /// <summary>The settings of an update in addition to its value; null for none.</summary>
    public ProfileSettings? Settings { get; }

    /// <summary>When an event happened, as specified by <c>At</c>; null for now, or when its properties specify it.</summary>
    public DateTimeOffset? Time => Context?.Time;

    internal Payload Payload { get; }

    internal EventContext? Context { get; }

    /// <summary>Returns an event with a context; an update is returned unchanged.</summary>
    internal TrackedRecord In(EventContext context) => Kind is TrackedKind.Event ? new(Kind, Name, User, Payload, context: context) : this;

    /// <summary>Returns the properties as JSON, as they were given, with the groups from <c>InGroup</c>; for an update the value of its operation.</summary>
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
