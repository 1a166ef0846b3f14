using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking.Records;
using MixpanelConnector.Tracking.Values;

namespace MixpanelConnector;

/// <summary>
/// A record about to be sent, which <see cref="TrackerOptions.BeforeSend"/> can inspect and change. Changes made after the call has returned have no effect.
/// </summary>
public sealed class OutgoingRecord
{
    // The properties that Mixpanel needs. They are in no property list, so that nobody removes them by accident.
    static readonly string[] OfEvents = ["distinct_id", "$user_id", "$device_id", "time", "$insert_id"];

    MixpanelUser _user;
    string _name;

    OutgoingRecord(in TrackedRecord record, JsonObject properties) =>
        (Kind, _name, _user, GroupKey, GroupId, Settings,
            Properties) = (record.Kind, record.Name, record.User, record.GroupKey, record.GroupId, record.Settings, properties);

    /// <summary>The kind of the record.</summary>
    public TrackedKind Kind { get; }

    /// <summary>The event's name; for an update its operation, such as <c>$set</c>, which cannot be changed.</summary>
    /// <exception cref="InvalidOperationException">The operation of an update is set.</exception>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public string Name
    {
        get => _name;
        set
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(value);
            if (Kind is not TrackedKind.Event) throw new InvalidOperationException("The operation of an update cannot be changed.");
            _name = value;
        }
    }

    /// <summary>The user that the record is about; nobody for a group update.</summary>
    /// <exception cref="InvalidOperationException">It is set for a group update.</exception>
    public MixpanelUser User
    {
        get => _user;
        set
        {
            if (Kind is TrackedKind.Group) throw new InvalidOperationException("The update of a group has no user.");
            if (Kind is TrackedKind.Profile && value.DistinctId.Length == 0)
                throw new InvalidOperationException("The update of a profile needs a distinct_id.");
            if (value == _user) return;
            _user = value;
            foreach (var name in OfEvents.AsSpan(0, 3)) Envelope.Remove(name);
        }
    }

    /// <summary>The id by which Mixpanel identifies the user; empty for nobody.</summary>
    public string DistinctId => _user.DistinctId;

    /// <summary>The group key, a property such as <c>company</c>; null for everything but a group update.</summary>
    public string? GroupKey { get; }

    /// <summary>The group; null for everything but a group update.</summary>
    public string? GroupId { get; }

    /// <summary>The settings of an update in addition to its values; null for none.</summary>
    public ProfileSettings? Settings { get; set; }

    /// <summary>
    /// The properties, including those that the tracker adds; for an update those that it changes. Ids, the time and the token are not among them. Empty for an
    /// update without values (<c>$unset</c>, <c>$delete</c>), and then without effect.
    /// </summary>
    public JsonObject Properties { get; private set; }

    /// <summary>The ids that an event set itself, its time, and the other properties that Mixpanel needs, as they are written.</summary>
    internal JsonObject Envelope { get; } = [];

    /// <summary>A property reserved for Mixpanel that was put among the event's properties; null when there is none.</summary>
    internal string? Misplaced =>
        Kind is TrackedKind.Event
            ? OfEvents.Append("token").FirstOrDefault(name => Properties.ContainsKey(name) && (name != "token" || Envelope.ContainsKey(name)))
            : null;

    /// <summary>Whether the operation of an update has properties by name.</summary>
    internal bool HasProperties { get; private init; } = true;

    /// <summary>Parses a written record, for the tracker.</summary>
    /// <param name="record">The record.</param>
    /// <param name="written">The record as JSON.</param>
    /// <param name="hasToken">Whether an event carries the project's token.</param>
    internal static OutgoingRecord Of(in TrackedRecord record, ReadOnlySpan<byte> written, bool hasToken)
    {
        var json = new Utf8JsonReader(written, new JsonReaderOptions { MaxDepth = TrackedValue.DeepestWritten });
        json.Read();
        var root = (JsonObject)Read(ref json)!;
        var name = record.Kind is TrackedKind.Event ? "properties" : record.Name;
        var properties = root[name] as JsonObject;
        root.Remove(name);
        return record.Kind is TrackedKind.Event
            ? OfEvent(in record, properties!, hasToken)
            : new(in record, properties ?? []) { HasProperties = properties is not null };
    }

    /// <summary>Returns the changed record, to be written again.</summary>
    internal TrackedRecord Changed(in TrackedRecord record) =>
        new(Kind, Name, User, HasProperties ? Payload.WithNulls(Properties) : record.Payload, GroupKey, GroupId, Settings);

    /// <summary>Converts .NET values that were put into the properties to the JSON they will be written as.</summary>
    internal void Parse()
    {
        var writer = RecordWriter.Rent();
        try
        {
            writer.WritePayload(Changed(default));
            var json = new Utf8JsonReader(writer.Written, new JsonReaderOptions { MaxDepth = TrackedValue.DeepestWritten });
            json.Read();
            Properties = Read(ref json) as JsonObject ?? [];
        }
        finally
        {
            writer.Return();
        }
    }

    /// <summary>Returns the record as a test gets it: without the tracker's additions.</summary>
    internal static OutgoingRecord Of(in TrackedRecord record, JsonNode properties) =>
        record.Kind is TrackedKind.Event
            ? OfEvent(in record, properties.AsObject(), hasToken: false)
            : new(in record, properties as JsonObject ?? []) { HasProperties = properties is JsonObject };

    static OutgoingRecord OfEvent(in TrackedRecord record, JsonObject properties, bool hasToken)
    {
        var outgoing = new OutgoingRecord(in record, properties);
        foreach (var name in (ReadOnlySpan<string>)[.. OfEvents, .. hasToken ? ["token"] : (string[])[]])
        {
            if (!properties.TryGetPropertyValue(name, out var value)) continue;
            properties.Remove(name);
            outgoing.Envelope[name] = value;
        }

        if (outgoing.Envelope.ContainsKey("distinct_id") || outgoing.Envelope.ContainsKey("$user_id") || outgoing.Envelope.ContainsKey("$device_id"))
            outgoing._user = MixpanelUser.Of(outgoing.Text("distinct_id") ?? record.User.DistinctId, outgoing.Text("$user_id") ?? record.User.UserId,
                outgoing.Text("$device_id") ?? record.User.DeviceId);
        return outgoing;
    }

    /// <summary>Returns the properties together with the reserved ones that the event set itself.</summary>
    internal JsonObject AllProperties()
    {
        var all = Properties.DeepClone().AsObject();
        foreach (var (name, value) in Envelope) all[name] = value?.DeepClone();
        return all;
    }

    string? Text(string name) => Envelope[name]?.ToString();

    /// <summary>Reads a value with all that it contains. When a name occurs twice in an object, the last one counts.</summary>
    static JsonNode? Read(ref Utf8JsonReader json)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.StartObject:
                var members = new JsonObject();
                while (json.Read() && json.TokenType is JsonTokenType.PropertyName)
                {
                    var name = json.GetString()!;
                    json.Read();
                    members[name] = Read(ref json);
                }

                return members;
            case JsonTokenType.StartArray:
                var items = new JsonArray();
                while (json.Read() && json.TokenType is not JsonTokenType.EndArray) items.Add(Read(ref json));
                return items;
            default:
                return JsonNode.Parse(ref json);
        }
    }
}
