using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking;

namespace MixpanelConnector;

/// <summary>A record on its way out, for <see cref="TrackerOptions.BeforeSend"/> to look at and to change. What is done to it after the call has returned has no effect.</summary>
public sealed class OutgoingRecord
{
    // What makes a record Mixpanel's. It is in no list of properties, so that nobody takes it away by accident.
    static readonly string[] OfEvents = ["distinct_id", "$user_id", "$device_id", "time", "$insert_id"];

    internal const int DeepestWritten = 1000; // as the writer goes

    MixpanelUser _user;
    string _name;

    OutgoingRecord(in TrackedRecord record, JsonObject properties) =>
        (Kind, _name, _user, GroupKey, GroupId, Settings, Properties) = (record.Kind, record.Name, record.User, record.GroupKey, record.GroupId, record.Settings, properties);

    /// <summary>What it is.</summary>
    public TrackedKind Kind { get; }

    /// <summary>The event's name; of an update its operation, such as <c>$set</c>, which stays as it is.</summary>
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

    /// <summary>Whom it is about; nobody for an update of a group.</summary>
    /// <exception cref="InvalidOperationException">It is set for an update of a group.</exception>
    public MixpanelUser User
    {
        get => _user;
        set
        {
            if (Kind is TrackedKind.Group) throw new InvalidOperationException("The update of a group is about no user.");
            if (Kind is TrackedKind.Profile && value.DistinctId.Length == 0) throw new InvalidOperationException("The update of a profile must be about somebody.");
            if (value == _user) return;
            _user = value;
            foreach (var name in OfEvents.AsSpan(0, 3)) Envelope.Remove(name);
        }
    }

    /// <summary>The id under which Mixpanel counts; empty for nobody.</summary>
    public string DistinctId => _user.DistinctId;

    /// <summary>The property that makes groups, such as <c>company</c>; null for everything but an update of a group.</summary>
    public string? GroupKey { get; }

    /// <summary>The group; null for everything but an update of a group.</summary>
    public string? GroupId { get; }

    /// <summary>What an update says beside its values; null for nothing.</summary>
    public ProfileSettings? Settings { get; set; }

    /// <summary>The properties, those that the tracker adds too; of an update those that it changes. Ids, the time and the token are not among them. Empty for an update that gives no values (<c>$unset</c>, <c>$delete</c>), and then without effect.</summary>
    public JsonObject Properties { get; private set; }

    /// <summary>The ids of an event that brought its own, its time, and what else makes it Mixpanel's, as they are written.</summary>
    internal JsonObject Envelope { get; } = [];

    /// <summary>What makes an event Mixpanel's and was put among its properties; null where nothing was.</summary>
    internal string? Misplaced => Kind is TrackedKind.Event ? OfEvents.Append("token").FirstOrDefault(name => Properties.ContainsKey(name) && (name != "token" || Envelope.ContainsKey(name))) : null;

    /// <summary>Whether the operation of an update has properties by name.</summary>
    internal bool HasProperties { get; private init; } = true;

    /// <summary>What was written of a record, for the tracker.</summary>
    /// <param name="record">The record.</param>
    /// <param name="written">It as JSON.</param>
    /// <param name="hasToken">Whether an event carries the project's token.</param>
    internal static OutgoingRecord Of(in TrackedRecord record, ReadOnlySpan<byte> written, bool hasToken)
    {
        var json = new Utf8JsonReader(written, new JsonReaderOptions { MaxDepth = DeepestWritten });
        json.Read();
        var root = (JsonObject)Read(ref json)!;
        var name = record.Kind is TrackedKind.Event ? "properties" : record.Name;
        var properties = root[name] as JsonObject;
        root.Remove(name);
        return record.Kind is TrackedKind.Event ? OfEvent(in record, properties!, hasToken) : new(in record, properties ?? []) { HasProperties = properties is not null };
    }

    /// <summary>The record as it was changed, to be written again.</summary>
    internal TrackedRecord Changed(in TrackedRecord record) =>
        new(Kind, Name, User, HasProperties ? Payload.WithNulls(Properties) : record.Payload, GroupKey, GroupId, Settings);

    /// <summary>Has values of .NET that were put into the properties be what they will be in JSON.</summary>
    internal void Parse()
    {
        var writer = RecordWriter.Rent();
        try
        {
            writer.WritePayload(Changed(default));
            var json = new Utf8JsonReader(writer.Written, new JsonReaderOptions { MaxDepth = DeepestWritten });
            json.Read();
            Properties = Read(ref json) as JsonObject ?? [];
        }
        finally
        {
            writer.Return();
        }
    }

    /// <summary>The record as a test gets it: with nothing that a tracker would add.</summary>
    internal static OutgoingRecord Of(in TrackedRecord record, JsonNode properties) =>
        record.Kind is TrackedKind.Event ? OfEvent(in record, properties.AsObject(), hasToken: false) : new(in record, properties as JsonObject ?? []) { HasProperties = properties is JsonObject };

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
            outgoing._user = MixpanelUser.Of(outgoing.Text("distinct_id") ?? record.User.DistinctId, outgoing.Text("$user_id") ?? record.User.UserId, outgoing.Text("$device_id") ?? record.User.DeviceId);
        return outgoing;
    }

    /// <summary>The properties with what an event brought of its own beside them.</summary>
    internal JsonObject AllProperties()
    {
        var all = Properties.DeepClone().AsObject();
        foreach (var (name, value) in Envelope) all[name] = value?.DeepClone();
        return all;
    }

    string? Text(string name) => Envelope[name]?.ToString();

    /// <summary>A value with all that is in it. Where a name comes twice in an object, the last one counts.</summary>
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
