using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Emulator.Rules;

enum ProfileOperation { Set, SetOnce, Add, Union, Append, Remove, Unset, Delete }

/// <summary>One update of one profile, as <c>/engage</c> and <c>/groups</c> accept it.</summary>
/// <param name="Token">The project's token.</param>
/// <param name="GroupKey">The group key; empty for a user profile.</param>
/// <param name="Id">The user or group.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Value">Its argument: an object of properties, or an array of names to unset.</param>
/// <param name="SeenAt">The new value of the profile's <c>$last_seen</c>; null to leave it unchanged.</param>
/// <param name="IgnoresAlias">Whether the id is used literally, even if it is another's alias.</param>
sealed record ProfileUpdate(string Token, string GroupKey, string Id, ProfileOperation Operation, JsonNode? Value, DateTimeOffset? SeenAt, bool IgnoresAlias)
{
    static readonly JsonDocumentOptions NoDuplicates = new() { AllowDuplicateProperties = false, MaxDepth = EventLimits.JsonDepth };

    static readonly (string Name, ProfileOperation Operation, bool ForGroups)[] Operations =
    [
        ("$set", ProfileOperation.Set, true),
        ("$set_once", ProfileOperation.SetOnce, true),
        ("$add", ProfileOperation.Add, false),
        ("$union", ProfileOperation.Union, true),
        ("$append", ProfileOperation.Append, false),
        ("$remove", ProfileOperation.Remove, true),
        ("$unset", ProfileOperation.Unset, true),
        ("$delete", ProfileOperation.Delete, true),
    ];

    /// <summary>The members other than the operation; the last ones are what SDKs report about themselves and the device.</summary>
    static readonly HashSet<string> Members = new(
        ["$token", "$distinct_id", "$group_key", "$group_id", "$ip", "$time", "$ignore_time", "$ignore_alias", "$device_id", "$user_id",
            "$had_persisted_distinct_id", "$mp_metadata", "mp_lib", "$lib_version"],
        StringComparer.Ordinal);

    /// <summary>Parses an update, or returns the rule that it violates.</summary>
    /// <param name="record">The update.</param>
    /// <param name="ofGroup">Whether it is for a group.</param>
    /// <param name="now">The time of receipt.</param>
    /// <param name="strict">Whether unknown members are rejected.</param>
    public static (ProfileUpdate? Update, Fault? Fault) Read(JsonElement record, bool ofGroup, DateTimeOffset now, bool strict)
    {
        if (record.ValueKind != JsonValueKind.Object) return (null, new Fault("", "record is invalid: must be an object"));
        var bytes = JsonMarshal.GetRawUtf8Value(record);
        if (bytes.Length > ProfileLimits.UpdateBytes) return (null, new Fault("", $"record is invalid: must be at most {ProfileLimits.UpdateBytes} bytes"));
        if (!JsonText.AreAllValid(bytes)) return (null, new Fault("", "record is invalid: string should be valid utf8"));
        try
        {
            var root = JsonNode.Parse(bytes, documentOptions: NoDuplicates)!.AsObject();
            if (strict
                && root.FirstOrDefault(member => !Members.Contains(member.Key) && !Operations.Any(known => known.Name == member.Key)) is { Key: { } unknown })
                return (null, new Fault(unknown, $"'{unknown}' is invalid: not known"));
            if (ReadIdentity(root, ofGroup, out var token, out var groupKey, out var id) is { } anonymous) return (null, anonymous);
            if (ReadOperation(root, ofGroup, out var operation, out var value) is { } fault) return (null, fault);
            return (new ProfileUpdate(token, groupKey, id, operation, value, ofGroup ? null : SeenBy(root, now), IsTrue(root["$ignore_alias"])), null);
        }
        catch (JsonException)
        {
            return (null, new Fault("", "record is invalid: must not have a name twice"));
        }
    }

    static Fault? ReadIdentity(JsonObject root, bool ofGroup, out string token, out string groupKey, out string id)
    {
        token = Text(root["$token"]);
        groupKey = ofGroup ? StoredText.Of(Text(root["$group_key"])) : "";
        id = StoredText.Of(Text(root[ofGroup ? "$group_id" : "$distinct_id"]));
        if (token == "") return Nameless(root, "$token");
        if (ofGroup && root.ContainsKey("$distinct_id")) return new Fault("$distinct_id", "'$distinct_id' is invalid: must not be present on a group");
        if (ofGroup && groupKey == "") return Nameless(root, "$group_key");
        return id == "" ? Nameless(root, ofGroup ? "$group_id" : "$distinct_id") : null;
    }

    static Fault Nameless(JsonObject root, string member) =>
        new(member, root[member]?.GetValueKind() is JsonValueKind.True or JsonValueKind.False or JsonValueKind.Array or JsonValueKind.Object
        ? $"'{member}' is invalid: must be text or a number, and is a boolean, a list or an object"
        : $"{member}, missing or empty");

    static Fault? ReadOperation(JsonObject root, bool ofGroup, out ProfileOperation operation, out JsonNode? value)
    {
        (operation, value) = (default, null);
        var named = Operations.Where(known => root.ContainsKey(known.Name)).ToList();
        if (named.Count != 1) return new Fault("", "record is invalid: must have exactly one operation");
        var (name, asked, forGroups) = named[0];
        if (ofGroup && !forGroups) return new Fault(name, $"'{name}' is invalid: groups do not have this operation");
        (operation, value) = (asked, root[name]);
        return CheckValue(name, operation, value);
    }

    static Fault? CheckValue(string name, ProfileOperation operation, JsonNode? value)
    {
        switch (operation)
        {
            case ProfileOperation.Delete:
                return null;
            case ProfileOperation.Unset:
                return value is JsonArray { Count: > 0 } names && names.All(IsText)
                    ? null
                    : new Fault(name, $"'{name}' is invalid: must be a list of property names");
        }
        if (value is not JsonObject properties) return new Fault(name, $"'{name}' is invalid: must be an object");
        foreach (var (property, operand) in properties)
        {
            var fault = operation switch
            {
                ProfileOperation.Add when operand?.GetValueKind() != JsonValueKind.Number => "must be a number",
                ProfileOperation.Union when operand is not JsonArray { Count: > 0 } => "must be a list",
                _ when ProfileLimits.IsTooLarge(operand) => $"must be at most {ProfileLimits.ContainerBytes} bytes",
                _ => null,
            };
            if (fault is not null) return new Fault($"{name}.{property}", $"'{name}.{property}' is invalid: {fault}");
        }
        return null;
    }

    static DateTimeOffset? SeenBy(JsonObject root, DateTimeOffset now)
    {
        if (IsTrue(root["$ignore_time"])) return null;
        return Text(root["$time"]) is { Length: > 0 } time ? EventTime.Read(time) ?? now : now;
    }

    static bool IsTrue(JsonNode? node) => node?.GetValueKind() == JsonValueKind.True;

    static bool IsText(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String;

    /// <summary>Strings and numbers as text; otherwise empty.</summary>
    static string Text(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.String => node.GetValue<string>(),
        JsonValueKind.Number => node.ToJsonString(),
        _ => "",
    };
}
