using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace MixpanelConnector;

/// <summary>Validates an input against the schema of its action, so that what is documented is what is enforced.</summary>
/// <remarks>
/// It supports the subset of JSON Schema that <see cref="ActionSchema"/> writes: type, enum, format date, minimum, maximum, lengths, numbers of items, pattern,
/// properties, required, default, additionalProperties, items, anyOf.
/// Time and memory grow with the input alone: it stops after <see cref="MostCounted"/> faults, and a path is formatted only for a fault that is shown.
/// </remarks>
sealed class SchemaValidation
{
    /// <summary>The maximum number of faults that are described, and that are counted.</summary>
    const int MostShown = 10, MostCounted = 100;

    /// <summary>The maximum length of a path that is shown, in characters.</summary>
    const int LongestPath = 200;

    readonly List<(string Path, string Reason)> _shown = [];

    // The current position: the name of a member, or the index of an item.
    readonly List<(string? Name, int Index)> _path = [];
    int _faults;
    bool _isPlain = true;

    SchemaValidation() { }

    /// <summary>Validates an input. Returns whether its type can read it directly; if not, <see cref="PlainInput"/> must normalize it first.</summary>
    /// <exception cref="MixpanelException">The input is invalid; each fault is reported with its path.</exception>
    public static bool Check(JsonElement input, JsonObject schema)
    {
        var check = new SchemaValidation();
        check.CheckValue(input, schema);
        if (check._faults == 0) return check._isPlain;
        var shown = check._shown.Select(fault => fault.Path.Length == 0 ? fault.Reason : $"{fault.Path}: {fault.Reason}");
        var more = check._faults - check._shown.Count;
        var message = string.Join("; ", shown) + (more == 0 ? "" : check.IsEnough ? $" (and at least {more} more)" : $" (and {more} more)");
        throw MixpanelException.Invalid(check._shown[0].Path is { Length: > 0 } path ? path : null, message is [.., '?'] ? message : $"{message}.");
    }

    /// <summary>Validates one field of the input of a .NET caller, where validating all of it would cost too much.</summary>
    /// <exception cref="MixpanelException">The field is invalid.</exception>
    public static void Check(string field, JsonNode? value, JsonObject schema)
    {
        var input = JsonElement.Parse(JsonDefaults.Utf8(new JsonObject { [field] = value }));
        var rules = schema["properties"]![field]!.DeepClone();
        Check(input, new JsonObject { ["properties"] = new JsonObject { [field] = rules }, ["required"] = new JsonArray(field) });
    }

    bool IsEnough => _faults >= MostCounted;

    void CheckValue(JsonElement value, JsonNode schema)
    {
        if (schema is not JsonObject rules)
        {
            CheckText(value);
            return;
        }

        if (rules["anyOf"] is JsonArray choices)
        {
            if (Fitting(value, choices) is { } fitting) CheckValue(value, fitting);
            else if (Fault()) Show($"must be {string.Join(" or ", choices.Select(choice => Article((string)choice!["type"]!)))}, not {Kind(value)}");
            return;
        }

        if ((string?)rules["type"] is { } type && !HasType(value, type))
        {
            if (Fault())
                Show(_path.Count == 0
                    ? $"The input must be a JSON object, not {Kind(value)}"
                    : OutOfRange(value, type, rules) ?? $"must be {Article(type)}, not {Kind(value)}");
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                CheckObject(value, rules);
                break;
            case JsonValueKind.Array:
                CheckLength(value.GetArrayLength(), rules, "minItems", "maxItems", "item");
                CheckItems(value, rules["items"]);
                break;
            case JsonValueKind.Number:
                if ((string?)rules["type"] == "integer" && !value.TryGetInt64(out _)) _isPlain = false;
                if (rules["enum"] is JsonArray numbers && !(WholeNumber.TryRead(value, out var whole) && numbers.Any(number => (long?)number == whole)))
                    if (Fault()) Show($"must be one of {string.Join(", ", numbers.Select(number => (long?)number))}");
                CheckRange(value.GetDouble(), rules);
                break;
            case JsonValueKind.String when TextOf(value) is { } text:
                if (rules["enum"] is JsonArray names && !names.Any(name => (string?)name == text))
                    if (Fault())
                        Show($"must be one of {string.Join(", ", names.Select(name => (string?)name))}{(MixpanelSpelling.Nearest(text, names.Select(name => (string)name!)) is { } near ? $"; did you mean {near}?" : "")}");
                if (rules["minLength"] is not null || rules["maxLength"] is not null)
                    CheckLength(text.EnumerateRunes().Count(), rules, "minLength", "maxLength", "character");
                if (TextForms.Fault(text, rules) is { } form && Fault()) Show(form);
                break;
            default:
                CheckText(value);
                break;
        }
    }

    void CheckRange(double number, JsonObject rules)
    {
        var (least, most) = ((long?)rules["minimum"], (long?)rules["maximum"]);
        if (!(number < least || number > most) || !Fault()) return;
        Show(most is null
            ? string.Create(CultureInfo.InvariantCulture, $"must be at least {least}")
            : string.Create(CultureInfo.InvariantCulture, $"must be from {least} to {most}"));
    }

    void CheckLength(int length, JsonObject rules, string least, string most, string what)
    {
        if (length < (int?)rules[least] && Fault()) Show((int?)rules[least] == 1 ? "must not be empty" : $"must have at least {rules[least]} {what}s");
        else if (length > (int?)rules[most] && Fault()) Show($"must have at most {rules[most]} {what}s");
    }

    void CheckItems(JsonElement array, JsonNode? rule)
    {
        var index = 0;
        foreach (var item in array.EnumerateArray())
        {
            if (IsEnough) return;
            _path.Add((null, index++));
            if (rule is null) CheckText(item);
            else CheckValue(item, rule);
            _path.RemoveAt(_path.Count - 1);
        }
    }

    void CheckObject(JsonElement value, JsonObject rules)
    {
        var properties = rules["properties"] as JsonObject ?? [];
        var required = rules["required"] as JsonArray ?? [];
        var others = rules["additionalProperties"];
        var closed = others is JsonValue additional && !additional.GetValue<bool>();
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, member) in Members(value, given))
        {
            if (properties[name] is { } known)
            {
                if (member.ValueKind is JsonValueKind.Null && MayBeLeftOut(name, known, required)) _isPlain = false;
                else CheckValue(member, known);
            }
            else if (closed)
            {
                if (Fault())
                    Show(properties.Count == 0
                        ? "is not a field of this input, which has none"
                        : $"is not a known field{(MixpanelSpelling.Nearest(name, properties.Select(p => p.Key)) is { } near ? $"; did you mean {near}?" : ".")} The fields are {string.Join(", ", properties.Select(p => p.Key))}");
            }
            else if (others is JsonObject rule)
            {
                CheckValue(member, rule);
            }
            else
            {
                CheckText(member);
            }
        }

        foreach (var name in required.Select(name => (string)name!).Where(name => !given.Contains(name)))
        {
            if (properties[name]?["default"] is not null)
            {
                _isPlain = false;
                continue;
            }

            _path.Add((name, 0));
            if (Fault()) Show("is missing");
            _path.RemoveAt(_path.Count - 1);
        }
    }

    /// <summary>
    /// Checks what a schema cannot express: JSON can spell half a character (a lone surrogate), which would be silently replaced when sent, and a duplicate
    /// name, of which one value would be lost.
    /// </summary>
    void CheckText(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                if (!IsText(JsonMarshal.GetRawUtf8Value(value)) && TextOf(value) is null) if (Fault()) Show("is not valid Unicode");
                break;
            case JsonValueKind.Array:
                CheckItems(value, rule: null);
                break;
            case JsonValueKind.Object:
                foreach (var (_, member) in Members(value, new HashSet<string>(StringComparer.Ordinal))) CheckText(member);
                break;
        }
    }

    /// <summary>
    /// Enumerates the members with distinct names, and keeps <see cref="_path"/> at the current one. Must be enumerated to the end, or not at all.
    /// </summary>
    /// <param name="value">The object.</param>
    /// <param name="seen">Receives the names.</param>
    IEnumerable<(string Name, JsonElement Value)> Members(JsonElement value, HashSet<string> seen)
    {
        foreach (var member in value.EnumerateObject())
        {
            if (IsEnough) yield break;
            if (!TryGetName(member, out var name))
            {
                if (Fault()) Show(_path.Count == 0 ? "The input has a name that is not valid Unicode" : "has a name that is not valid Unicode");
                continue;
            }

            _path.Add((name, 0));
            if (seen.Add(name)) yield return (name, member.Value);
            else if (Fault()) Show("is given twice");
            _path.RemoveAt(_path.Count - 1);
        }
    }

    /// <summary>Counts a fault; returns whether it is among those that are described.</summary>
    bool Fault() => _faults++ < MostShown;

    void Show(string reason) => _shown.Add((Path(), reason));

    string Path()
    {
        var path = new StringBuilder();
        foreach (var (name, index) in _path)
        {
            if (name is null) path.Append(CultureInfo.InvariantCulture, $"[{index}]");
            else path.Append(path.Length == 0 ? "" : ".").Append(string.IsNullOrWhiteSpace(name) ? GivenName.Shown(name) : name);
            if (path.Length > LongestPath) return path.ToString(0, char.IsHighSurrogate(path[LongestPath - 1]) ? LongestPath - 1 : LongestPath) + "…";
        }

        return path.ToString();
    }

    /// <summary>Returns the choice of an <c>anyOf</c> whose type a value has; null for none.</summary>
    public static JsonNode? Fitting(JsonElement value, JsonArray choices) => choices.FirstOrDefault(choice => HasType(value, (string)choice!["type"]!));

    /// <summary>Whether null for a member is equivalent to its absence: only a required member cannot be null.</summary>
    public static bool MayBeLeftOut(string name, JsonNode rule, JsonArray required) =>
        (rule as JsonObject)?["default"] is not null || !required.Any(known => (string?)known == name);

    /// <summary>Whether raw JSON text is certainly valid Unicode: only an escape can spell a lone surrogate.</summary>
    static bool IsText(ReadOnlySpan<byte> raw) => !raw.Contains((byte)'\\') && Utf8.IsValid(raw);

    /// <summary>Returns null when it is not valid Unicode.</summary>
    static string? TextOf(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    static bool TryGetName(JsonProperty member, out string name)
    {
        try
        {
            name = member.Name;
            return true;
        }
        catch (InvalidOperationException)
        {
            name = "";
            return false;
        }
    }

    static bool HasType(JsonElement value, string type) => type switch
    {
        "string" => value.ValueKind is JsonValueKind.String,
        "integer" => value.ValueKind is JsonValueKind.Number && WholeNumber.TryRead(value, out _),
        "number" => value.ValueKind is JsonValueKind.Number && value.TryGetDecimal(out _), // the type of every such field
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "array" => value.ValueKind is JsonValueKind.Array,
        "object" => value.ValueKind is JsonValueKind.Object,
        _ => throw new InvalidOperationException($"The schema type {type} is not known here."),
    };

    /// <summary>The range of a number that is too large for its type; null for any other value.</summary>
    static string? OutOfRange(JsonElement value, string type, JsonObject rules)
    {
        if (value.ValueKind is not JsonValueKind.Number || type is not ("integer" or "number")) return null;
        var (least, most) = type == "number"
            ? (decimal.MinValue, decimal.MaxValue)
            : ((long?)rules["minimum"] ?? long.MinValue, (long?)rules["maximum"] ?? long.MaxValue);
        return type == "integer" && Math.Abs(value.GetDouble()) < long.MaxValue
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"must be {Article(type)} from {least} to {most}"); // otherwise a fraction
    }

    static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when !WholeNumber.TryRead(value, out _) => "a number with a fraction or out of range",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Null => "null",
        JsonValueKind.String => "a string",
        JsonValueKind.Array => "an array",
        _ => "an object",
    };

    static string Article(string type) => type is "integer" or "array" or "object" ? $"an {type}" : $"a {type}";
}
