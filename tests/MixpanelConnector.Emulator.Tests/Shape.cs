using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>
/// The shape of a JSON value, written like one: <c>{"code":"int","tags":[{"id":"int"}],"?more":"string|null"}</c>. Every name is
/// required unless it begins with <c>?</c>, and no others are allowed; the name <c>*</c> stands for any number of any names.
/// </summary>
static class Shape
{
    public static void Is(string shape, JsonElement value) => Check(JsonElement.Parse(shape), value, "$");

    static void Check(JsonElement shape, JsonElement value, string path)
    {
        switch (shape.ValueKind)
        {
            case JsonValueKind.String:
                Assert.True(shape.GetString()!.Split('|').Any(type => IsOf(type, value)), $"{path} is not {shape}: {value.GetRawText()}");
                break;
            case JsonValueKind.Array:
                Assert.True(value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0, $"{path} is no list with elements: {value.GetRawText()}");
                foreach (var element in value.EnumerateArray())
                    Check(shape[0], element, path + "[]");
                break;
            default:
                Assert.True(value.ValueKind == JsonValueKind.Object, $"{path} is no object: {value.GetRawText()}");
                CheckMembers(shape, value, path);
                break;
        }
    }

    static void CheckMembers(JsonElement shape, JsonElement value, string path)
    {
        var members = shape.EnumerateObject().ToDictionary(member => member.Name.TrimStart('?'), StringComparer.Ordinal);
        if (members.TryGetValue("*", out var any))
        {
            Assert.True(value.EnumerateObject().Any(), $"{path} is empty");
            foreach (var member in value.EnumerateObject())
                Check(any.Value, member.Value, $"{path}.{member.Name}");
            return;
        }
        foreach (var member in members.Values.Where(member => !member.Name.StartsWith('?')))
            Assert.True(value.TryGetProperty(member.Name, out _), $"{path}.{member.Name} is missing: {value.GetRawText()}");
        foreach (var member in value.EnumerateObject())
        {
            Assert.True(members.ContainsKey(member.Name), $"{path}.{member.Name} is not documented");
            Check(members[member.Name].Value, member.Value, $"{path}.{member.Name}");
        }
    }

    static bool IsOf(string type, JsonElement value) => type switch
    {
        "int" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "string" => value.ValueKind == JsonValueKind.String,
        "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "any" => true,
        "date" =>
            value.ValueKind == JsonValueKind.String && DateTimeOffset.TryParse(value.GetString(), System.Globalization.CultureInfo.InvariantCulture, out _),
        _ => value.ValueKind == JsonValueKind.String && value.GetString() == type.TrimStart('='),
    };
}
