using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MixpanelConnector.Tool.Tests.Interfaces;

/// <summary>Validates JSON against a JSON schema, independently of the product's check. An unknown schema keyword is an error.</summary>
sealed class SchemaCheck(bool isInput)
{
    static readonly HashSet<string> Notes = ["title", "description", "format", "writeOnly", "default", "example", "examples", "$schema"];

    readonly List<string> _faults = [];

    /// <summary>The error in an input. An optional field may be null, and one with a default may be missing.</summary>
    public static IEnumerable<string> Input(JsonNode? value, JsonNode schema) => Check(value, schema, isInput: true);

    public static IEnumerable<string> Output(JsonNode? value, JsonNode schema) => Check(value, schema, isInput: false);

    static List<string> Check(JsonNode? value, JsonNode schema, bool isInput)
    {
        var check = new SchemaCheck(isInput);
        check.Check(value, schema, isInput ? "input" : "output");
        return check._faults;
    }

    void Check(JsonNode? value, JsonNode schema, string path)
    {
        if (schema.GetValueKind() is JsonValueKind.True) return;
        var rules = schema.AsObject();
        var required = rules["required"]?.AsArray().Select(name => (string)name!).ToHashSet(StringComparer.Ordinal) ?? [];
        foreach (var (word, rule) in rules)
        {
            var holds = word switch
            {
                "type" => (rule is JsonArray types ? types.Select(type => (string)type!) : [(string)rule!]).Any(type => HasType(value, type)),
                "enum" => rule!.AsArray().Any(choice => JsonNode.DeepEquals(choice, value)),
                "const" => JsonNode.DeepEquals(rule, value),
                "anyOf" => rule!.AsArray().Any(choice => Check(value, choice!, isInput).Count == 0),
                "minimum" => value?.GetValueKind() is not JsonValueKind.Number || Number(value) >= Number(rule!),
                "maximum" => value?.GetValueKind() is not JsonValueKind.Number || Number(value) <= Number(rule!),
                "minLength" => value?.GetValueKind() is not JsonValueKind.String || ((string)value!).EnumerateRunes().Count() >= (int)rule!,
                "maxLength" => value?.GetValueKind() is not JsonValueKind.String || ((string)value!).EnumerateRunes().Count() <= (int)rule!,
                "pattern" => value?.GetValueKind() is not JsonValueKind.String
                    || Regex.IsMatch((string)value!, (string)rule!, RegexOptions.ECMAScript, TimeSpan.FromHours(1)),
                "minItems" => value is not JsonArray few || few.Count >= (int)rule!,
                "maxItems" => value is not JsonArray many || many.Count <= (int)rule!,
                "required" => value is not JsonObject whole
                    || required.All(name => whole.ContainsKey(name) || (isInput && rules["properties"]?[name]?["default"] is not null)),
                "properties" or "additionalProperties" or "items" => true,
                _ => Notes.Contains(word),
            };
            if (!holds) _faults.Add($"{path}: {word} {rule?.ToJsonString()} of {value?.ToJsonString() ?? "null"}");
        }

        if (value is JsonArray items && rules["items"] is { } each)
            for (var index = 0; index < items.Count; index++) Check(items[index], each, $"{path}[{index}]");
        if (value is not JsonObject members) return;
        foreach (var (name, member) in members)
        {
            var known = rules["properties"]?[name];
            if (known is not null && !(isInput && member is null && !required.Contains(name))) Check(member, known, $"{path}.{name}");
            else if (known is null && rules["additionalProperties"] is { } more && more.GetValueKind() is JsonValueKind.False)
                _faults.Add($"{path}: {name} is not known");
            else if (known is null && rules["additionalProperties"] is JsonObject others) Check(member, others, $"{path}.{name}");
        }
    }

    static double Number(JsonNode value) => double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture);

    static bool HasType(JsonNode? value, string type) => (type, value?.GetValueKind()) switch
    {
        ("null", null or JsonValueKind.Null) or ("string", JsonValueKind.String) or ("number", JsonValueKind.Number)
            or ("boolean", JsonValueKind.True or JsonValueKind.False) or ("array", JsonValueKind.Array) or ("object", JsonValueKind.Object) => true,
        ("integer", JsonValueKind.Number) => double.IsInteger(Number(value!)),
        _ => false,
    };
}
