using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>Applies an update to a profile's properties.</summary>
static class ProfileChange
{
    /// <summary>Returns the updated profile; null if it is deleted. The given properties are changed in place, unless the update is rejected.</summary>
    public static JsonObject? Apply(ProfileUpdate update, JsonObject? properties, out Fault? fault)
    {
        fault = null;
        if (update.Operation == ProfileOperation.Delete) return null;
        var changed = properties?.DeepClone().AsObject() ?? [];
        if (update.Value is JsonArray names)
        {
            foreach (var name in names)
                changed.Remove(name!.GetValue<string>());
        }
        else
        {
            foreach (var (name, operand) in update.Value!.AsObject())
            {
                fault ??= Apply(update.Operation, changed, JsonText.Cut(name), operand)
                    ? null
                    : new Fault($"$add.{name}", $"'$add.{name}' is invalid: the sum is too large for a number");
            }
        }
        if (update.SeenAt is { } seen) changed["$last_seen"] = seen.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        fault ??= Check(update, changed);
        return fault is null ? changed : properties;
    }

    /// <summary>Changes one property; false if the result could not be stored.</summary>
    static bool Apply(ProfileOperation operation, JsonObject properties, string name, JsonNode? operand)
    {
        switch (operation)
        {
            case ProfileOperation.Set:
                properties[name] = operand?.DeepClone();
                break;
            case ProfileOperation.SetOnce when !properties.ContainsKey(name):
                properties[name] = operand?.DeepClone();
                break;
            case ProfileOperation.Add:
                return TryAdd(properties, name, operand!);
            case ProfileOperation.Append:
                ListOf(properties, name).Add(operand?.DeepClone());
                break;
            case ProfileOperation.Union:
                Unite(ListOf(properties, name), operand!.AsArray());
                break;
            case ProfileOperation.Remove when properties[name] is JsonArray list:
                list.RemoveAll(element => JsonNode.DeepEquals(element, operand));
                break;
        }
        return true;
    }

    /// <summary>Adds in exact decimal arithmetic, as long as a decimal can represent the numbers. A property that is not a number is left unchanged.</summary>
    static bool TryAdd(JsonObject properties, string name, JsonNode operand)
    {
        var present = properties[name];
        if (present is not null && present.GetValueKind() != JsonValueKind.Number) return true;
        if (Sum(present?.ToJsonString() ?? "0", operand.ToJsonString()) is not { } sum) return false;
        properties[name] = present is null ? operand.DeepClone() : sum;
        return true;
    }

    /// <summary>The sum; null if it is beyond the range of a double.</summary>
    static JsonValue? Sum(string a, string b)
    {
        var exact = TryDecimal(a, out var x) & TryDecimal(b, out var y);
        try
        {
            if (exact) return JsonValue.Create(x + y);
        }
        catch (OverflowException)
        {
            // Too large for a decimal: handled below.
        }
        var sum = double.Parse(a, CultureInfo.InvariantCulture) + double.Parse(b, CultureInfo.InvariantCulture);
        return double.IsFinite(sum) ? JsonValue.Create(sum) : null;
    }

    static bool TryDecimal(string number, out decimal value) =>
        decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    /// <summary>The list of a name; a single value becomes its first element.</summary>
    static JsonArray ListOf(JsonObject properties, string name)
    {
        if (properties[name] is JsonArray list) return list;
        var made = properties[name] is { } single ? new JsonArray(single.DeepClone()) : [];
        properties[name] = made;
        return made;
    }

    static void Unite(JsonArray list, JsonArray others)
    {
        foreach (var other in others)
        {
            if (!list.Any(element => JsonNode.DeepEquals(element, other))) list.Add(other?.DeepClone());
        }
    }

    static Fault? Check(ProfileUpdate update, JsonObject changed)
    {
        if (changed.Count > ProfileLimits.Properties) return new Fault("", $"profile is invalid: must have at most {ProfileLimits.Properties} properties");
        if (update.Operation is ProfileOperation.Append or ProfileOperation.Union)
        {
            foreach (var (name, _) in update.Value!.AsObject())
            {
                if (ProfileLimits.IsTooLarge(changed[JsonText.Cut(name)]))
                    return new Fault(name, $"'{name}' is invalid: must be at most {ProfileLimits.ContainerBytes} bytes");
            }
        }
        return null;
    }
}
