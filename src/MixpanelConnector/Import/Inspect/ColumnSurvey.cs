using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Values;

namespace MixpanelConnector.Import.Inspect;

/// <summary>A column of the input, or a member of its records.</summary>
/// <param name="name">The name.</param>
/// <param name="isProperty">Whether it is in the properties of a JSON record, where columns cannot be mapped.</param>
sealed class SurveyedColumn(string name, bool isProperty)
{
    public const string Time = "time";
    public const string Text = "text";
    public const string Number = "number";

    const int MostSamples = 3;

    readonly Dictionary<string, long> _types = [];
    readonly List<string> _samples = [];

    public string Name => name;

    public bool IsProperty => isProperty;

    /// <summary>Whether it has a value in MongoDB's extended JSON, which Mixpanel takes for an object.</summary>
    public bool IsExtended { get; set; }

    public string Type =>
        _types.Count == 0
            ? "empty"
            : string.Join(" or ", _types.OrderByDescending(type => type.Value).ThenBy(type => type.Key, StringComparer.Ordinal).Select(type => type.Key));

    /// <summary>Whether there are values, and all of them have one of these types.</summary>
    public bool IsOneOf(params ReadOnlySpan<string> types)
    {
        foreach (var type in _types.Keys)
            if (!types.Contains(type)) return false;
        return _types.Count > 0;
    }

    public void Add(string type, string sample)
    {
        _types[type] = _types.GetValueOrDefault(type) + 1;
        if (_samples.Count < MostSamples && !_samples.Contains(sample, StringComparer.Ordinal)) _samples.Add(sample);
    }

    public ImportColumn ToColumn() => new(isProperty ? $"properties.{name}" : name, Type, _samples);
}

/// <summary>Lists the columns of records, with the types of their values and samples.</summary>
/// <param name="request">The options of the import.</param>
sealed class ColumnSurvey(ImportRequest request)
{
    const int MostColumns = 5000;

    readonly Dictionary<(string Name, bool IsProperty), SurveyedColumn> _columns = [];
    readonly List<SurveyedColumn> _inOrder = [];
    readonly ColumnValue _value = new(request);
    readonly ImportType _type = request.Type;

    public IReadOnlyList<SurveyedColumn> Columns => _inOrder;

    /// <summary>Whether a JSON record has properties, so that it is not read as a row.</summary>
    public bool HasProperties { get; private set; }

    /// <summary>Adds columns by name, even if empty. A column that holds all properties is skipped, since its members are the columns.</summary>
    public void Add(IEnumerable<string> names)
    {
        var (field, alias) = RecordFields.Properties(_type);
        foreach (var name in names)
            if (name != field && name != alias) Column(name, isProperty: false);
    }

    public void Add(scoped in Record record)
    {
        if (record is not { Kind: RecordKind.Json, Rejection: null, Oversized: null }) return;
        try
        {
            var reader = new Utf8JsonReader(record.Bytes);
            reader.Read();
            if (reader.TokenType is JsonTokenType.StartObject) AddMembers(ref reader, record.Bytes, record.IsBuilt, isProperty: false);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // For invalid JSON or an unpaired surrogate, the members before it are kept.
        }
    }

    void AddMembers(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, bool isBuilt, bool isProperty)
    {
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            var (field, alias) = RecordFields.Properties(_type);
            if (!isProperty && reader.TokenType is JsonTokenType.StartObject && (name == field || name == alias))
            {
                HasProperties |= !isBuilt;
                AddMembers(ref reader, record, isBuilt, isProperty: true);
                continue;
            }

            var start = (int)reader.TokenStartIndex;
            var token = reader.TokenType;
            reader.Skip();
            if (Column(name, isProperty && !isBuilt) is not { } column || token is JsonTokenType.Null) continue;
            var value = record[start..(int)reader.BytesConsumed];
            if (token is JsonTokenType.StartObject && ExtendedJson.Read(value, out _) is not ExtendedKind.None) column.IsExtended = true;
            column.Add(TypeOf(token, value), RecordFields.Shown(token is JsonTokenType.String ? reader.GetString()! : Encoding.UTF8.GetString(value)));
        }
    }

    string TypeOf(JsonTokenType token, ReadOnlySpan<byte> value) => token switch
    {
        JsonTokenType.Number => SurveyedColumn.Number,
        JsonTokenType.True or JsonTokenType.False => "boolean",
        JsonTokenType.StartObject => ExtendedJson.Read(value, out _) switch
        {
            ExtendedKind.Moment or ExtendedKind.Milliseconds => SurveyedColumn.Time,
            ExtendedKind.Text => SurveyedColumn.Text,
            ExtendedKind.Number => SurveyedColumn.Number,
            _ => "json",
        },
        JsonTokenType.StartArray => "json",
        _ => !NumberText.IsLiteral(value[1..^1], exponents: true) && _value.IsTime(value) ? SurveyedColumn.Time : SurveyedColumn.Text,
    };

    SurveyedColumn? Column(string name, bool isProperty)
    {
        if (_columns.TryGetValue((name, isProperty), out var column)) return column;
        if (_inOrder.Count == MostColumns) return null;
        column = new SurveyedColumn(name, isProperty);
        _columns.Add((name, isProperty), column);
        _inOrder.Add(column);
        return column;
    }
}
