using System.Text;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Columns;

/// <summary>A field of the record, and the column that it comes from.</summary>
/// <param name="Index">Its place in <see cref="ColumnMap.Fields"/>.</param>
/// <param name="Column">The column's place, from 0.</param>
/// <param name="Kind">How its values are written.</param>
/// <param name="Name">The field's name as JSON, with the colon.</param>
readonly record struct ColumnField(int Index, int Column, FieldKind Kind, ReadOnlyMemory<byte> Name)
{
    /// <summary>Whether the members of an object are properties of the record.</summary>
    public bool HoldsProperties { get; init; }
}

enum FieldKind
{
    /// <summary>By the value's type.</summary>
    Value,

    /// <summary>Text, whatever it looks like: names and ids.</summary>
    Text,

    /// <summary>The event's time.</summary>
    Time,
}

/// <summary>Which column gives which field of a record: <c>{"event":…,"properties":{…}}</c> or <c>{"$distinct_id":…,"$properties":{…}}</c>; a group has <c>$group_id</c>.</summary>
sealed class ColumnMap
{
    readonly List<ColumnField> _fields = [];
    readonly List<ColumnField> _properties = [];

    /// <exception cref="InputException">The columns do not give a record.</exception>
    public ColumnMap(IReadOnlyList<string> columns, ImportRequest request)
    {
        Type = request.Type;
        var (root, plain) = RootOf(Type);
        var (properties, alias) = Type is ImportType.Events ? ("properties", "properties") : ("$properties", "properties");
        if (columns.FirstOrDefault(string.IsNullOrWhiteSpace) is not null) throw new InputException("has a column without a name. Name it in the header");
        foreach (var (field, column) in request.Columns)
            if (!columns.Contains(column, StringComparer.Ordinal)) throw new InputException($"has no column {column}, which is mapped to {field}");

        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < columns.Count; i++)
        {
            var mapped = request.Columns.Where(pair => pair.Value == columns[i]).Select(pair => pair.Key).Order(StringComparer.Ordinal).ToList();
            foreach (var name in mapped is [] ? [columns[i]] : mapped)
            {
                var field = name == plain ? root : name;
                if (!sources.TryAdd(field, columns[i])) throw new InputException($"has two columns for {field}: {sources[field]} and {columns[i]}. Rename one, or map it to another field");
                var entry = new ColumnField(_fields.Count, i, KindOf(field, Type), NameOf(field))
                {
                    HoldsProperties = field == properties || field == alias,
                };
                _fields.Add(entry);
                if (field == root) Root = entry;
                else _properties.Add(entry);
            }
        }
    }

    public ImportType Type { get; }

    /// <summary>All fields, in the order of their columns.</summary>
    public IReadOnlyList<ColumnField> Fields => _fields;

    /// <summary>The field beside the properties; null when no column gives it.</summary>
    public ColumnField? Root { get; }

    public IReadOnlyList<ColumnField> Properties => _properties;

    /// <summary>Whether the name of one of the columns says that they are records of this type.</summary>
    public static bool IsKnown(IEnumerable<string> columns, ImportRequest request) =>
        columns.Any(column => column is "event" or "time" or "distinct_id" or "$distinct_id" or "$insert_id" || column == RootOf(request.Type).Field || column == RootOf(request.Type).Plain || request.Columns.Values.Contains(column, StringComparer.Ordinal));

    /// <summary>The field beside the properties, and how a column may also call it.</summary>
    static (string Field, string Plain) RootOf(ImportType type) => type switch
    {
        ImportType.Profiles => ("$distinct_id", "distinct_id"),
        ImportType.Groups => ("$group_id", "group_id"),
        _ => ("event", "event"),
    };

    /// <summary>How the values of a field are written.</summary>
    public static FieldKind KindOf(string field, ImportType type) => (type, field) switch
    {
        (ImportType.Events, "event" or "distinct_id" or "$insert_id" or "$user_id" or "$device_id") or (ImportType.Profiles, "$distinct_id") or (ImportType.Groups, "$group_id") => FieldKind.Text,
        (ImportType.Events, "time") => FieldKind.Time,
        _ => FieldKind.Value,
    };

    /// <summary>A name as JSON, with the colon.</summary>
    public static ReadOnlyMemory<byte> NameOf(string field)
    {
        var json = new JsonText();
        json.AppendString(Encoding.UTF8.GetBytes(field));
        json.AppendByte((byte)':');
        return json.Written.ToArray();
    }
}
