using System.Text.Json;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>Reads identity links from events.</summary>
static class IdentityRules
{
    const string Identify = "$identify", CreateAlias = "$create_alias", Merge = "$merge";

    public static bool IsIdentityEvent(in EventFields fields) => fields.Name.Text is Identify or CreateAlias or Merge;

    /// <summary>Simplified: links a device to a user if an event contains both.</summary>
    public static IdentityLink? DeviceOf(int projectId, in EventFields fields) =>
        fields.UserId.AsText() is { Length: > 0 } user && fields.DeviceId.AsText() is { Length: > 0 } device
            ? new IdentityLink(projectId, IdentityLinkKind.Device, "$device:" + device, user)
            : null;

    /// <summary>
    /// Original: the link of an identity event, or the rule that it violates. Neither if Mixpanel accepts the event silently and does nothing.
    /// </summary>
    /// <param name="projectId">The project.</param>
    /// <param name="body">The bytes that <paramref name="fields"/> refers to.</param>
    /// <param name="fields">The scanned event.</param>
    /// <param name="imported">Whether it was sent to <c>/import</c>: only there can any two ids be merged.</param>
    public static (IdentityLink? Link, Fault? Fault) Read(int projectId, ReadOnlySpan<byte> body, in EventFields fields, bool imported)
    {
        var properties = JsonElement.Parse(body[fields.PropertiesStart..fields.PropertiesEnd]);
        switch (fields.Name.Text)
        {
            case Identify:
                // The JavaScript SDK uses other names, and adds the prefix of devices.
                var anonymous = TextOf(properties, "$anon_id") ?? TextOf(properties, "$anon_distinct_id");
                if (anonymous is null) return (null, Missing("$anon_id"));
                if ((TextOf(properties, "$identified_id") ?? TextOf(properties, "distinct_id")) is not { } identified) return (null, Missing("$identified_id"));
                return (IsRandomUuid(anonymous) ? new IdentityLink(projectId, IdentityLinkKind.Identify, anonymous, identified) : null, null);
            case CreateAlias:
                if (TextOf(properties, "distinct_id") is not { } id) return (null, Missing("distinct_id"));
                return TextOf(properties, "alias") is { } alias
                    ? (new IdentityLink(projectId, IdentityLinkKind.Alias, alias, id), null)
                    : (null, Missing("alias"));
            case Merge when imported:
                const string Field = "properties.$distinct_ids";
                return properties.TryGetProperty("$distinct_ids", out var ids) && ids.ValueKind == JsonValueKind.Array && ids.GetArrayLength() == 2
                    && ids.EnumerateArray().All(element => element.ValueKind == JsonValueKind.String && element.GetString() != "")
                    ? (new IdentityLink(projectId, IdentityLinkKind.Merge, ids[1].GetString()!, ids[0].GetString()!), null)
                    : (null, new Fault(Field, $"'{Field}' is invalid: must have exactly two ids"));
            default:
                return (null, null);
        }
    }

    static Fault Missing(string name) => new($"properties.{name}", $"'properties.{name}' is invalid: must not be missing");

    static string? TextOf(JsonElement properties, string name) =>
        properties.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>Whether it is a version 4 UUID, with or without the prefix of devices.</summary>
    static bool IsRandomUuid(string id)
    {
        const string Device = "$device:";
        var uuid = id.StartsWith(Device, StringComparison.Ordinal) ? id[Device.Length..] : id;
        return Guid.TryParseExact(uuid, "D", out var guid) && guid.Version == 4 && guid.Variant is >= 8 and <= 11;
    }
}
