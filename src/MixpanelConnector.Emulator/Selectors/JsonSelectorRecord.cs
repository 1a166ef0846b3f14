using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Selectors;

/// <summary>
/// Stored properties, one record after the other: each <see cref="Load(ReadOnlySpan{byte})"/> reads the JSON once, and builds only
/// the values that the expression asks for. One instance serves one scan on one thread.
/// </summary>
sealed class JsonSelectorRecord : ISelectorRecord
{
    readonly PropertyRoot _root;
    readonly byte[][] _names;
    readonly SelectorValue[] _values;
    readonly Dictionary<string, int> _indexes = [];
    byte[] _utf8 = [];

    /// <param name="selector">The expression, whose properties are read.</param>
    /// <param name="root">The root that the JSON stands for; a property of another root is undefined.</param>
    public JsonSelectorRecord(Selector selector, PropertyRoot root = PropertyRoot.Properties)
        : this(selector.Properties, root)
    {
    }

    /// <param name="properties">What will be asked for, each once; those of another root are left out.</param>
    /// <param name="root">The root that the JSON stands for; a property of another root is undefined.</param>
    public JsonSelectorRecord(IReadOnlyList<PropertyReference> properties, PropertyRoot root = PropertyRoot.Properties)
    {
        _root = root;
        var names = properties.Where(property => property.Root == root).Select(property => property.Name).ToArray();
        foreach (var name in names)
            _indexes.Add(name, _indexes.Count);
        _names = Array.ConvertAll(names, Encoding.UTF8.GetBytes);
        _values = new SelectorValue[names.Length];
    }

    public SelectorValue Get(PropertyRoot root, string name) =>
        root == _root && _indexes.TryGetValue(name, out var index) ? _values[index] : SelectorValue.Undefined;

    /// <inheritdoc cref="Load(ReadOnlySpan{byte})"/>
    public void Load(string json)
    {
        var longest = Encoding.UTF8.GetMaxByteCount(json.Length);
        if (_utf8.Length < longest)
            _utf8 = new byte[longest];
        Load(_utf8.AsSpan(0, Encoding.UTF8.GetBytes(json, _utf8)));
    }

    /// <summary>Replaces the record by the next one. Of a name that comes twice, the last value counts.</summary>
    /// <exception cref="JsonException">The text is not a JSON object, or nests deeper than 64 levels.</exception>
    public void Load(ReadOnlySpan<byte> json)
    {
        Array.Clear(_values);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("The properties of a record are a JSON object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var index = IndexOfName(ref reader);
            reader.Read();
            if (index < 0)
                reader.Skip();
            else
                _values[index] = ReadValue(ref reader);
        }
    }

    int IndexOfName(ref Utf8JsonReader reader)
    {
        for (var index = 0; index < _names.Length; index++)
        {
            if (reader.ValueTextEquals(_names[index]))
                return index;
        }
        return -1;
    }

    static SelectorValue ReadValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return SelectorValue.FromText(reader.GetString()!);
            case JsonTokenType.Number:
                return SelectorValue.FromNumber(reader.GetDouble());
            case JsonTokenType.True:
                return SelectorValue.True;
            case JsonTokenType.False:
                return SelectorValue.False;
            case JsonTokenType.Null:
                return SelectorValue.Null;
            default:
                return SelectorValue.FromJson(JsonElement.ParseValue(ref reader));
        }
    }
}
