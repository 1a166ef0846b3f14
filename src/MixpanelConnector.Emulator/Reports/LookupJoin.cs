using System.Globalization;
using System.Text.Json;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Reports;

/// <summary>Maps properties of events or users to the lookup tables of which they are the keys. Mixpanel offers this only in its web pages.</summary>
sealed class LookupMappings(DocumentStore documents, LookupTableStore tables)
{
    public const string Event = "event", User = "user";
    const string Kind = "lookup mapping";

    /// <summary>Validates the mappings of a request, which are stored as documents.</summary>
    public static void Check(JsonBody body)
    {
        foreach (var mapping in body.Objects("mappings"))
        {
            mapping.AllowOnly("value", "resourceType");
            if (mapping.RequiredText("value") is "distinct_id" or "$distinct_id") throw mapping.Invalid("value", "must not be the id of a user");
            mapping.OneOf("resourceType", "", Event, User);
        }
    }

    /// <summary>Replaces the mappings of a table. A property can have one table only.</summary>
    public Task SetAsync(int projectId, Guid table, JsonBody body, CancellationToken cancellationToken) => documents.ChangeAsync(
        projectId, Kind,
        all =>
        {
            all.Remove(table.ToString());
            foreach (var mapping in body.Objects("mappings"))
            {
                var (property, resource) = (mapping.RequiredText("value"), mapping.RequiredText("resourceType"));
                if (all.Values.Any(other => IsMapped(Saved.Body(other), property, resource))) throw mapping.Invalid("value", "is mapped to another table");
            }
            all.Add(table.ToString(), new() { ["mappings"] = body.Node("mappings") });
            return true;
        },
        cancellationToken);

    /// <summary>The join that provides the columns with the given names; null if there is none.</summary>
    public LookupJoin? For(int projectId, string resource, IReadOnlyCollection<string> names)
    {
        if (names.Count == 0) return null;
        var join = new LookupJoin();
        foreach (var document in documents.List(projectId, Kind))
        {
            var properties = Saved.Body(document.Content)
                .Objects("mappings")
                .Where(mapping => mapping.Text("resourceType") == resource)
                .Select(mapping => mapping.RequiredText("value")).ToList();
            if (properties.Count > 0
                && tables.ReadAll().FirstOrDefault(table => table.ProjectId == projectId && table.Id.ToString() == document.Id) is { Csv: { Length: > 0 } csv })
                join.Add(csv, properties, names);
        }
        return join.Properties.Count == 0 ? null : join;
    }

    static bool IsMapped(JsonBody mappings, string property, string resource) =>
        mappings.Objects("mappings").Any(mapping => mapping.Text("value") == property && mapping.Text("resourceType") == resource);
}

/// <summary>
/// Provides the columns of lookup tables, each under its name in the table's header, by the value of the property that is mapped to the table.
/// </summary>
sealed class LookupJoin
{
    readonly Dictionary<string, List<(string Property, Dictionary<string, SelectorValue> Values)>> _columns = new(StringComparer.Ordinal);
    readonly HashSet<string> _properties = new(StringComparer.Ordinal);

    /// <summary>The properties that are join keys.</summary>
    public IReadOnlyCollection<string> Properties => _properties;

    public void Add(string csv, IReadOnlyList<string> properties, IReadOnlyCollection<string> names)
    {
        using var rows = LookupCsv.Rows(csv).GetEnumerator();
        if (!rows.MoveNext()) return;
        var asked = rows.Current.Index()
            .Skip(1)
            .Where(column => names.Contains(column.Item, StringComparer.Ordinal))
            .Select(column => (column.Index, column.Item, Values: new Dictionary<string, SelectorValue>(StringComparer.Ordinal))).ToList();
        if (asked.Count == 0) return;
        while (rows.MoveNext())
        {
            foreach (var (index, _, values) in asked)
                values[Segments.LabelOf(ValueOf(rows.Current[0]))] = ValueOf(rows.Current[index]);
        }
        foreach (var (_, name, values) in asked)
        {
            if (!_columns.TryGetValue(name, out var columns)) _columns.Add(name, columns = []);
            columns.AddRange(properties.Select(property => (property, values)));
        }
        _properties.UnionWith(properties);
    }

    /// <param name="name">The column.</param>
    /// <param name="valueOf">Returns the value of a property.</param>
    public SelectorValue Get(string name, Func<string, SelectorValue> valueOf)
    {
        foreach (var (property, values) in _columns.GetValueOrDefault(name, []))
        {
            if (valueOf(property) is { IsUndefined: false } key && values.TryGetValue(Segments.LabelOf(key), out var value)) return value;
        }
        return SelectorValue.Undefined;
    }

    /// <summary>A field of a table, converted to the type as which Mixpanel interprets it.</summary>
    static SelectorValue ValueOf(string text)
    {
        if (text == "") return SelectorValue.Undefined;
        if (text.Equals("true", StringComparison.OrdinalIgnoreCase) || text.Equals("false", StringComparison.OrdinalIgnoreCase))
            return SelectorValue.FromBoolean(text.Length == 4);
        if (double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture,
            out var number)
            && double.IsFinite(number))
            return SelectorValue.FromNumber(number);
        if (text.Length > 10 && text[10] is 'T' or 't'
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            return SelectorValue.FromDateTime(time);
        return text[0] == '[' && ListOf(text) is { } list ? list : SelectorValue.FromText(text);
    }

    static SelectorValue? ListOf(string text)
    {
        try
        {
            var list = JsonElement.Parse(text);
            return list.EnumerateArray().All(element => element.ValueKind == JsonValueKind.String) ? SelectorValue.FromJson(list) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
