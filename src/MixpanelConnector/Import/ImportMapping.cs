using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Import.Map;

namespace MixpanelConnector;

/// <summary>How Mixpanel tells users apart, which is a setting of the project.</summary>
public enum ImportIdentity
{
    /// <summary>Simplified ID merge, as new projects have it: <c>$user_id</c> and <c>$device_id</c>, which one event with both links.</summary>
    Simplified,

    /// <summary>Original ID merge: <c>distinct_id</c> alone, the known one before the anonymous one. Nothing is linked.</summary>
    Original,
}

/// <summary>A table of rules that makes Mixpanel's events, profiles and groups of the records of another tool: one of those for vendors that are built in, or your own in the same language, which the documentation describes with a JSON schema.</summary>
public sealed class ImportMapping
{
    readonly JsonElement _json;

    ImportMapping(string name, string? vendor, JsonElement json)
    {
        (Name, Vendor, _json) = (name, vendor, json);
        Ignored = json.TryGetProperty("ignore", out var ignored) ? MappingParser.Texts(ignored, "ignore") : [];
        Lookups = json.TryGetProperty("lookups", out var lookups) ? MappingParser.Lookups(lookups, "lookups") : [];
        Rows = json.TryGetProperty("rows", out var rows) ? MappingParser.Rows(rows, "rows") : null;
    }

    /// <summary>The vendors whose exports are known.</summary>
    public static IReadOnlyList<string> Vendors { get; } = ["amplitude", "ga4", "segment", "rudderstack", "posthog", "heap", "mparticle", "snowplow", "matomo", "adobe"];

    /// <summary>What it is called: a vendor's name, or the <c>name</c> in the file. It is the beginning of names that Mixpanel reserves, and part of ids that are computed.</summary>
    public string Name { get; }

    /// <summary>The vendor whose built-in mapping it is; null for one of your own.</summary>
    public string? Vendor { get; }

    /// <summary>The names of files that stand beside the records, as globs.</summary>
    internal IReadOnlyList<string> Ignored { get; }

    /// <summary>What it looks up in other files among the inputs.</summary>
    internal Dictionary<string, LookupRule> Lookups { get; }

    /// <summary>How its rows of text are read; null as any others.</summary>
    internal MappingRows? Rows { get; }

    /// <summary>Its rules as JSON in one line.</summary>
    public string Json => JsonSerializer.Serialize(_json, MappingJson.Default.JsonElement);

    /// <summary>Shows whether the rules are the same.</summary>
    internal string Fingerprint => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(Json)).ToString("x32", CultureInfo.InvariantCulture);

    /// <summary>The mapping for exports of a vendor.</summary>
    /// <param name="vendor">One of <see cref="Vendors"/>.</param>
    /// <exception cref="MixpanelException">It is none of them.</exception>
    public static ImportMapping OfVendor(string vendor)
    {
        ArgumentNullException.ThrowIfNull(vendor);
        if (!Vendors.Contains(vendor, StringComparer.Ordinal)) throw MixpanelException.Invalid("vendor", $"The vendor must be one of {string.Join(", ", Vendors)}. For another one, write a mapping of your own.");
        using var stream = typeof(ImportMapping).Assembly.GetManifestResourceStream($"vendors.{vendor}.json")!;
        using var text = new StreamReader(stream);
        return new ImportMapping(vendor, vendor, MappingText.Read(text.ReadToEnd())).Checked();
    }

    /// <summary>A mapping of your own. Comments and commas at the end are allowed.</summary>
    /// <param name="json">Its rules.</param>
    /// <exception cref="MixpanelException">It is no mapping; the message says what is wrong, and where.</exception>
    public static ImportMapping Parse(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        var root = MappingText.Read(json);
        MappingParser.Ensure(root, "the file", MappingParser.OfMappings);
        foreach (var plain in (ReadOnlySpan<string>)["$schema", "documentation"])
            if (root.TryGetProperty(plain, out var said)) MappingParser.Text(said, plain);
        if (!root.TryGetProperty("name", out var name)) throw MappingParser.Wrong("the file", "lacks name");
        var text = MappingParser.Text(name, "name");
        if (text.Length is 0 or > 64 || text.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '-')) || !char.IsAsciiLetter(text[0])) throw MappingParser.Wrong("name", "must be up to 64 lower-case letters, digits, _ and -, and begin with a letter");
        return new ImportMapping(text, null, root).Checked();
    }

    /// <summary>The rules for a type of records; null where it has none.</summary>
    /// <param name="type">What the records are to be.</param>
    /// <param name="groupKey">The property that makes the groups; null for none.</param>
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

    /// <summary>All of it is read once, so that what is wrong shows before anything is done.</summary>
    ImportMapping Checked()
    {
        MappingSection?[] sections = [Section(ImportType.Events, "group"), Section(ImportType.Profiles, null), Section(ImportType.Groups, "group")];
        return Array.TrueForAll(sections, section => section is null) ? throw MappingParser.Wrong("the file", "has neither events, profiles nor groups") : this;
    }
}

[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string))]
sealed partial class MappingJson : JsonSerializerContext;
