using System.Buffers;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Selectors;

/// <summary>
/// Reads stored properties, one record after the other: each <see cref="Load(ReadOnlySpan{byte})"/> creates only the values that the expression uses. An
/// instance is used by one scan on one thread.
/// </summary>
sealed class JsonSelectorRecord : ISelectorRecord
{
    /// <summary>The characters that start a nested value or an escape.</summary>
    static readonly SearchValues<byte> BeyondFlat = SearchValues.Create("{[\\"u8);

    readonly PropertyRoot _root;
    readonly byte[][] _names;

    /// <summary>The quoted names; null if one of them could also be found outside of names.</summary>
    readonly byte[][]? _quoted;
    readonly SelectorValue[] _values;
    readonly Dictionary<string, int> _indexes = [];
    byte[] _utf8 = [];

    /// <param name="selector">The expression whose properties are read.</param>
    /// <param name="root">The root that the JSON represents; a property of another root is undefined.</param>
    public JsonSelectorRecord(Selector selector, PropertyRoot root = PropertyRoot.Properties)
        : this(selector.Properties, root)
    {
    }

    /// <param name="properties">The properties that will be read, without duplicates; those of another root are skipped.</param>
    /// <param name="root">The root that the JSON represents; a property of another root is undefined.</param>
    public JsonSelectorRecord(IReadOnlyList<PropertyReference> properties, PropertyRoot root = PropertyRoot.Properties)
    {
        _root = root;
        var names = properties.Where(property => property.Root == root).Select(property => property.Name).ToArray();
        foreach (var name in names)
            _indexes.Add(name, _indexes.Count);
        _names = Array.ConvertAll(names, Encoding.UTF8.GetBytes);
        _quoted = Array.TrueForAll(names, IsFoundByItsText) ? Array.ConvertAll(names, name => Encoding.UTF8.GetBytes($"\"{name}\"")) : null;
        _values = new SelectorValue[names.Length];
    }

    public SelectorValue Get(PropertyRoot root, string name) =>
        root == _root && _indexes.TryGetValue(name, out var index) ? _values[index] : SelectorValue.Undefined;

    /// <inheritdoc cref="Load(ReadOnlySpan{byte})"/>
    public void Load(string json)
    {
        var longest = Encoding.UTF8.GetMaxByteCount(json.Length);
        if (_utf8.Length < longest) _utf8 = new byte[longest];
        Load(_utf8.AsSpan(0, Encoding.UTF8.GetBytes(json, _utf8)));
    }

    /// <summary>Replaces the current record. If a name occurs twice, the last value is used.</summary>
    /// <exception cref="JsonException">The text is not a JSON object, or is nested more than 64 levels deep.</exception>
    public void Load(ReadOnlySpan<byte> json)
    {
        Array.Clear(_values);
        if (_quoted is not null && json is [(byte)'{', .. var members, (byte)'}'] && !members.ContainsAny(BeyondFlat))
        {
            for (var index = 0; index < _quoted.Length; index++)
                FindIn(json, index);
            return;
        }
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException("The properties of a record must be a JSON object.");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var index = IndexOfName(ref reader);
            reader.Read();
            if (index < 0) reader.Skip();
            else _values[index] = ReadValue(ref reader);
        }
    }

    /// <summary>
    /// Whether the quoted name followed by a colon can only be a name in JSON without escapes: a quotation mark that ends a string is never followed by a
    /// letter.
    /// </summary>
    static bool IsFoundByItsText(string name) =>
        name != "" && !name.Contains('"', StringComparison.Ordinal) && !" \t\r\n,:]}".Contains(name[0], StringComparison.Ordinal);

    /// <summary>Most records contain neither objects nor escapes: there, a name is found without parsing what precedes it, ten times as fast.</summary>
    void FindIn(ReadOnlySpan<byte> json, int index)
    {
        var name = _quoted![index].AsSpan();
        int at;
        while ((at = json.IndexOf(name)) >= 0)
        {
            json = json[(at + name.Length)..].TrimStart(" \t\r\n"u8);
            if (json is not [(byte)':', ..])
                continue; // a string value equal to the name
            var reader = new Utf8JsonReader(json[1..]);
            reader.Read();
            _values[index] = ReadValue(ref reader);
        }
    }

    int IndexOfName(ref Utf8JsonReader reader)
    {
        for (var index = 0; index < _names.Length; index++)
        {
            if (reader.ValueTextEquals(_names[index])) return index;
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
