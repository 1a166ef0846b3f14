using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Docs;

/// <summary>Describes the constraints of a schema on a value, beyond its type and its choices.</summary>
static class FieldLimits
{
    /// <summary>The bounds of a number, a length or a list, such as <c>1 to 50 characters</c>.</summary>
    public static List<string> Of(JsonObject field)
    {
        var limits = new List<string>();
        Range("minimum", "maximum", "");
        Range("minLength", "maxLength", " characters");
        Range("minItems", "maxItems", " items");
        return limits;

        void Range(string least, string most, string what)
        {
            if (field[least] is null && field[most] is null) return;
            limits.Add(field[most] is null
                ? field[least]?.ToString() == "1" && what.Length > 0 ? "not empty" : $"at least {field[least]}{what}"
                : $"{(field[least] is { } from ? $"{from} to" : "at most")} {field[most]}{what}");
        }
    }

    /// <summary>The regular expression that a text matches as a whole; null if there is none.</summary>
    public static string? Pattern(JsonObject field) =>
        (string?)field["pattern"] is { } pattern ? pattern is ['^', '(', '?', ':', .., ')', '$'] ? pattern[4..^2] : pattern : null;
}
