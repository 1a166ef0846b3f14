using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Import.Map;

namespace MixpanelConnector;

/// <summary>How Mixpanel identifies users: a setting of the project.</summary>
public enum ImportIdentity
{
    /// <summary>Simplified ID merge, the default of new projects: <c>$user_id</c> and <c>$device_id</c>. An event with both links the two.</summary>
    Simplified,

    /// <summary>Original ID merge: only <c>distinct_id</c>, the known id taking precedence over the anonymous one. No ids are linked.</summary>
    Original,
}

/// <summary>
/// A set of rules that converts the records of another tool to Mixpanel events, profiles and groups: a built-in mapping for a vendor, or a custom one in the
/// same language, which the documentation describes with a JSON schema.
/// </summary>
public sealed class ImportMapping
{
    readonly JsonElement _json;

    ImportMapping(string name, string? vendor, JsonElement json)
    {
        (Name, Vendor, _json) = (name, vendor, json);
        Ignored = json.TryGetProperty("ignore", out var ignored) ? MappingParser.Texts(ignored, "ignore") : [];
        Lookups = json.TryGetProperty("lookups", out var lookups) ? MappingParser.Lookups(name, lookups, "lookups") : [];
        Tables = json.TryGetProperty("tables", out var tables) ? MappingParser.Tables(tables, "tables") : null;
        Rows = json.TryGetProperty("rows", out var rows) ? MappingParser.Rows(rows, "rows") : null;
    }

    /// <summary>The vendors with a built-in mapping.</summary>
    public static IReadOnlyList<string> Vendors { get; } =
    [
        "amplitude", "ga4", "segment", "rudderstack", "posthog", "heap", "mparticle", "snowplow", "matomo", "adobe",
    ];

    /// <summary>
    /// The name: that of the vendor, or the <c>name</c> in the file. It prefixes property names that Mixpanel reserves, and is part of computed ids.
    /// </summary>
    public string Name { get; }

    /// <summary>The vendor of a built-in mapping; null for a custom mapping.</summary>
    public string? Vendor { get; }

    /// <summary>Globs for the names of files next to the records that are not records themselves.</summary>
    internal IReadOnlyList<string> Ignored { get; }

    /// <summary>The values it looks up in other files among the inputs.</summary>
    internal Dictionary<string, LookupRule> Lookups { get; }

    /// <summary>How the tables of its inputs are determined; null for the names of their files.</summary>
    internal MappingTables? Tables { get; }

    /// <summary>How its text rows are read; null for the usual way.</summary>
    internal MappingRows? Rows { get; }

    /// <summary>The rules as single-line JSON.</summary>
    public string Json => JsonSerializer.Serialize(_json, MappingJson.Default.JsonElement);

    /// <summary>A hash that shows whether the rules are the same.</summary>
    internal string Fingerprint => Hash128.Of(Encoding.UTF8.GetBytes(Json)).ToString();

    /// <summary>Returns the built-in mapping for a vendor's exports.</summary>
    /// <param name="vendor">One of <see cref="Vendors"/>.</param>
    /// <returns>The mapping.</returns>
    /// <exception cref="MixpanelException">The vendor is not one of them.</exception>
    public static ImportMapping OfVendor(string vendor)
    {
        ArgumentNullException.ThrowIfNull(vendor);
        if (!Vendors.Contains(vendor, StringComparer.Ordinal))
            throw MixpanelException.Invalid("vendor", $"The vendor must be one of {string.Join(", ", Vendors)}. For another one, write a mapping of your own.");
        using var stream = typeof(ImportMapping).Assembly.GetManifestResourceStream($"vendors.{vendor}.json")!;
        using var text = new StreamReader(stream);
        return new ImportMapping(vendor, vendor, MappingText.Read(text.ReadToEnd())).Checked();
    }

    /// <summary>Parses a custom mapping. Comments and trailing commas are allowed.</summary>
    /// <param name="json">The rules.</param>
    /// <returns>The mapping.</returns>
    /// <exception cref="MixpanelException">The mapping is invalid; the message says what is wrong, and where.</exception>
    public static ImportMapping Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var root = MappingText.Read(json);
        MappingParser.Ensure(root, "the file", MappingParser.OfMappings);
        foreach (var plain in (ReadOnlySpan<string>)["$schema", "documentation"])
            if (root.TryGetProperty(plain, out var said)) MappingParser.Text(said, plain);
        if (!root.TryGetProperty("name", out var name)) throw MappingParser.Wrong("the file", "lacks name");
        var text = MappingParser.Text(name, "name");
        if (text.Length is 0 or > 64 || text.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '-'))
            || !char.IsAsciiLetter(text[0]))
            throw MappingParser.Wrong("name", "must be up to 64 lower-case letters, digits, _ and -, and begin with a letter");
        return new ImportMapping(text, null, root).Checked();
    }

    /// <summary>The rules for a type of record; null when it has none.</summary>
    /// <param name="type">The type that the records are converted to.</param>
    /// <param name="groupKey">The property that identifies the groups; null for none.</param>
    internal MappingSection? Section(ImportType type, string? groupKey)
    {
        var parser = new MappingParser(Name, groupKey, Lookups.Keys.ToHashSet(StringComparer.Ordinal));
        return type switch
        {
            ImportType.Events => _json.TryGetProperty("events", out var events) ? parser.Events(events, "events") : null,
            ImportType.Profiles => _json.TryGetProperty("profiles", out var profiles) ? parser.Updates(profiles, "profiles") : null,
            ImportType.Groups => _json.TryGetProperty("groups", out var groups) ? parser.Updates(groups, "groups") : null,
            _ => null,
        };
    }

    /// <summary>Parses all sections once, so that errors show before anything is done.</summary>
    ImportMapping Checked()
    {
        MappingSection?[] sections = [Section(ImportType.Events, "group"), Section(ImportType.Profiles, null), Section(ImportType.Groups, "group")];
        return Array.TrueForAll(sections, section => section is null) ? throw MappingParser.Wrong("the file", "has neither events, profiles nor groups") : this;
    }
}

[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string))]
sealed partial class MappingJson : JsonSerializerContext;
