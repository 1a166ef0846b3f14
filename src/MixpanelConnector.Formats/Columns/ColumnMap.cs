using System.Text;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Columns;

/// <summary>A field of the record, and the column that supplies it.</summary>
/// <param name="Index">Its index in <see cref="ColumnMap.Fields"/>.</param>
/// <param name="Column">The index of the column, from 0.</param>
/// <param name="Kind">How its values are written.</param>
/// <param name="Field">The field's name.</param>
/// <param name="Name">The same as JSON, with the colon.</param>
readonly record struct ColumnField(int Index, int Column, FieldKind Kind, string Field, ReadOnlyMemory<byte> Name)
{
    /// <summary>The specified type of its values, if any; <see cref="RecordBuilder"/> converts what is written.</summary>
    public ImportColumnType? Type { get; init; }

    /// <summary>Whether the members of an object are properties of the record.</summary>
    public bool HoldsProperties { get; init; }
}

enum FieldKind
{
    /// <summary>As the value's type determines.</summary>
    Value,

    /// <summary>Text, whatever it looks like: names and ids.</summary>
    Text,

    /// <summary>The event's time.</summary>
    Time,
}

/// <summary>
/// Maps columns to the fields of a record: <c>{"event":…,"properties":{…}}</c> or <c>{"$distinct_id":…,"$properties":{…}}</c>; a group has <c>$group_id</c>.
/// </summary>
sealed class ColumnMap
{
    readonly List<ColumnField> _fields = [];
    readonly List<ColumnField> _properties = [];

    /// <param name="columns">The names of the columns.</param>
    /// <param name="request">The options of the import.</param>
    /// <param name="mayLackNames">Whether columns without a name are skipped; otherwise they are rejected.</param>
    /// <exception cref="InputException">The columns do not make up a record.</exception>
    public ColumnMap(IReadOnlyList<string> columns, ImportRequest request, bool mayLackNames = false)
    {
        AreMapped = request.Mapping is not null;
        var rows = mayLackNames ? request.Mapping?.Rows : null;
        (Type, Names) = (request.Type, columns);
        var (root, plain) = RecordFields.Root(Type);
        var (properties, alias) = RecordFields.Properties(Type);
        if (!mayLackNames && columns.Any(string.IsNullOrWhiteSpace)) throw new InputException("has a column without a name. Name it in the header");
        var known = columns.ToHashSet(StringComparer.Ordinal);
        foreach (var (field, column) in request.Columns)
            if (!known.Contains(column))
                throw new InputException($"has no column {RecordFields.Shown(column)}, which is mapped to {RecordFields.Shown(field)}. {Listed(columns)}")
                {
                    Option = "map",
                };
        if (request.ColumnTypes.Keys.FirstOrDefault(column => !known.Contains(column)) is { } untyped)
            throw new InputException($"has no column {RecordFields.Shown(untyped)}, whose type was given. {Listed(columns)}") { Option = "column_type" };

        var mapped = request.Columns.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToLookup(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);
        var sources = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < columns.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(columns[i])) continue;
            foreach (var name in mapped.Contains(columns[i]) ? mapped[columns[i]] : [columns[i]])
            {
                var field = name == plain && !AreMapped ? root : name;
                if (!sources.TryAdd(field, columns[i]))
                    throw new InputException($"has two columns for {(sources[field] == columns[i] ? $"{RecordFields.Shown(field)}, both called {RecordFields.Shown(columns[i])}. Rename one{(mayLackNames ? $"; {request.InWords[Setting.ColumnNames]} names the columns in place of the header" : "")}" : $"{RecordFields.Shown(field)}: {RecordFields.Shown(sources[field])} and {RecordFields.Shown(columns[i])}. Rename one, or map it to another field")}")
                    {
                        Option = mapped.Contains(columns[i]) || mapped.Contains(sources[field]) ? "map" : null,
                    };
                var entry = new ColumnField(_fields.Count, i,
                    rows is not null && (rows.AreText || rows.TextColumns.Contains(columns[i])) ? FieldKind.Text
                        : AreMapped ? FieldKind.Value
                        : KindOf(field, Type),
                    field, NameOf(field))
                {
                    Type = request.ColumnTypes.TryGetValue(columns[i], out var type) ? type : null,
                    HoldsProperties = !AreMapped && (field == properties || field == alias),
                };
                _fields.Add(entry);
                if (field == root && !AreMapped) Root = entry;
                else _properties.Add(entry);
            }
        }

        if (request.Event is { } constant) EventName = NameOf(constant)[..^1];
    }

    public ImportType Type { get; }

    /// <summary>Whether a mapping follows: then a record is an object of all columns under their own names.</summary>
    public bool AreMapped { get; }

    /// <summary>The names of the columns.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>All fields, in the order of their columns.</summary>
    public IReadOnlyList<ColumnField> Fields => _fields;

    /// <summary>The field next to the properties; null when no column supplies it.</summary>
    public ColumnField? Root { get; }

    /// <summary>The name of events that have no column for it, as JSON; empty for none.</summary>
    public ReadOnlyMemory<byte> EventName { get; }

    public IReadOnlyList<ColumnField> Properties => _properties;

    /// <summary>How the values of a field are written.</summary>
    public static FieldKind KindOf(string field, ImportType type) => (type, field) switch
    {
        (ImportType.Events, "event" or "distinct_id" or "$insert_id" or "$user_id" or "$device_id") or (ImportType.Profiles, "$distinct_id")
            or (ImportType.Groups, "$group_id") => FieldKind.Text,
        (ImportType.Events, "time") => FieldKind.Time,
        _ => FieldKind.Value,
    };

    /// <summary>Lists the available columns.</summary>
    static string Listed(IReadOnlyList<string> columns)
    {
        const int Most = 30;
        var named = columns.Where(column => !string.IsNullOrWhiteSpace(column)).ToList();
        return $"It has {string.Join(", ", named.Take(Most).Select(RecordFields.Shown))}{(named.Count > Most ? $" and {named.Count - Most} more" : "")}";
    }

    /// <summary>A name as JSON, with the colon.</summary>
    public static ReadOnlyMemory<byte> NameOf(string field)
    {
        var json = new JsonText(MessageWords.Default);
        json.AppendString(Encoding.UTF8.GetBytes(field));
        json.AppendByte((byte)':');
        return json.Written.ToArray();
    }
}
