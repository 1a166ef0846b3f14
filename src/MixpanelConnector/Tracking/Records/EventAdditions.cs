using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Tracking.Values;
using MixpanelConnector.Transport;

namespace MixpanelConnector.Tracking.Records;

/// <summary>Which of the properties that a tracker adds are set by the event itself.</summary>
sealed record OwnProperties(bool[] Added)
{
    public bool Time { get; set; }

    public bool DistinctId { get; set; }

    public bool UserId { get; set; }

    public bool DeviceId { get; set; }

    public bool InsertId { get; set; }
}

/// <summary>The properties that are added to every event of a tracker unless it sets them itself. Serialized once.</summary>
sealed class EventAdditions
{
    readonly (byte[] Name, byte[] Member)[] _members;
    readonly byte[] _all;
    readonly ulong[] _firstLettersByLength = new ulong[64];
    readonly JsonObject _superProperties;
    readonly string? _token;

    /// <param name="superProperties">The application's super properties.</param>
    /// <param name="token">The project token, when it is sent in the events; otherwise null.</param>
    public EventAdditions(JsonObject superProperties, string? token = null)
    {
        (_superProperties, _token) = (superProperties, token);
        // ip 0: without it, Mixpanel would place the user where this server is.
        var added = new OrderedDictionary<string, JsonNode>(StringComparer.Ordinal)
        {
            ["ip"] = 0,
            ["mp_lib"] = ThisLibrary.Name,
            ["$lib_version"] = ThisLibrary.Version,
        };
        foreach (var (name, value) in superProperties)
            if (value is not null) added[name] = value;
        if (token is not null) added["token"] = token;
        _members = [.. added.Select(member => (Encoding.UTF8.GetBytes(member.Key), Member(member.Key, member.Value)))];
        _all = [.. _members.SelectMany(member => member.Member)];
        foreach (var name in (IEnumerable<byte[]>)
        [
            .. _members.Select(member => member.Name),
            "time"u8.ToArray(),
            "distinct_id"u8.ToArray(),
            "$insert_id"u8.ToArray(),
            "$user_id"u8.ToArray(),
            "$device_id"u8.ToArray(),
        ])
            if (name.Length is > 0 and < 64) _firstLettersByLength[name.Length] |= 1UL << (name[0] & 63);
    }

    /// <summary>Returns the same additions with further properties, which take precedence.</summary>
    public EventAdditions With(JsonObject properties)
    {
        if (properties.Count == 0) return this;
        var all = _superProperties.DeepClone().AsObject();
        foreach (var (name, value) in properties) all[name] = value?.DeepClone();
        return new(all, _token);
    }

    bool MayBeKnown(ReadOnlySpan<byte> name) => name.Length >= 64 || (name.Length > 0 && (_firstLettersByLength[name.Length] & (1UL << (name[0] & 63))) != 0);

    /// <summary>Returns which of the properties the event sets itself; null when none.</summary>
    public OwnProperties? OwnOf(ReadOnlySpan<byte> properties)
    {
        OwnProperties? own = null;
        var reader = new Utf8JsonReader(properties);
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            // The length and the first letter rule out most names.
            if (!reader.ValueIsEscaped && !MayBeKnown(reader.ValueSpan)) { }
            else if (reader.ValueTextEquals("time"u8)) (own ??= New()).Time = true;
            else if (reader.ValueTextEquals("distinct_id"u8)) (own ??= New()).DistinctId = true;
            else if (reader.ValueTextEquals("$insert_id"u8)) (own ??= New()).InsertId = true;
            else if (reader.ValueTextEquals("$user_id"u8)) (own ??= New()).UserId = true;
            else if (reader.ValueTextEquals("$device_id"u8)) (own ??= New()).DeviceId = true;
            else
            {
                for (var i = 0; i < _members.Length; i++)
                    if (reader.ValueTextEquals(_members[i].Name)) (own ??= New()).Added[i] = true;
            }

            reader.Skip();
        }

        return own;

        OwnProperties New() => new(new bool[_members.Length]);
    }

    public void AppendTo(RecordWriter writer, OwnProperties? own)
    {
        if (own is null)
        {
            writer.Append(_all);
            return;
        }

        for (var i = 0; i < _members.Length; i++)
            if (!own.Added[i]) writer.AppendMember(_members[i].Member);
    }

    static byte[] Member(string name, JsonNode value)
    {
        using var text = new MemoryStream();
        text.WriteByte((byte)',');
        using (var json = new Utf8JsonWriter(text, WellFormedEncoder.WriterOptions))
        {
            json.WriteStringValue(name);
            json.Flush();
            text.WriteByte((byte)':');
            json.Reset();
            TrackedValue.Write(json, value, name);
        }

        return text.ToArray();
    }
}
