using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using MixpanelConnector.Import.Decode;

namespace MixpanelConnector.Import.Columns;

/// <summary>
/// Reads JSON records without <c>properties</c> as rows, with each member as a column. An event is such a record if it has no such member but
/// has others in addition to its name. A profile or group update is one if it specifies no operation: its members are set. Properties in the
/// form of text that holds a JSON object are also such a column, whose members become properties.
/// </summary>
sealed class FlatRecords
{
    /// <summary>Members of an update in addition to its operation.</summary>
    static readonly string[] Settings = ["$token", "$group_key", "$ip", "$ignore_time", "$ignore_alias"];

    static readonly string[] Operations = ["$properties", "properties", "$set", "$set_once", "$add", "$union", "$append", "$remove", "$unset", "$delete"];

    static readonly Rejection HasProperties = new("not_flat", null, "the record has its own properties, so column options do not apply to it");

    readonly ImportType _type;
    readonly byte[] _root;
    readonly byte[] _rootPlain;
    readonly byte[] _rootJson;
    readonly byte[] _propertiesJson;
    readonly byte[][] _kept;
    readonly byte[][] _operations;
    readonly byte[][] _holdProperties;
    readonly byte[]? _event;
    readonly List<Column> _columns = [];
    readonly List<Member> _members = [];
    readonly ColumnValue _value;
    readonly ArrayBufferWriter<byte> _json = new();
    readonly bool[] _wasSeen;
    bool _anyRead;

    public FlatRecords(ImportRequest request)
    {
        (_type, _value) = (request.Type, new ColumnValue(request));
        var (root, plain) = RecordFields.Root(_type);
        (_root, _rootPlain, _rootJson) = (Encoding.UTF8.GetBytes(root), Encoding.UTF8.GetBytes(plain), Json(root));
        _propertiesJson = Json(RecordFields.Properties(_type).Field);
        _kept = _type is ImportType.Events ? [] : [.. Settings.Select(Encoding.UTF8.GetBytes)];
        _operations = _type is ImportType.Events ? ["properties"u8.ToArray()] : [.. Operations.Select(Encoding.UTF8.GetBytes)];
        _holdProperties = [.. NamesOfProperties(_type).Select(Encoding.UTF8.GetBytes)];
        _event = request.Event is { } name ? Json(name) : null;
        foreach (var column in request.Columns.Values.Concat(request.ColumnTypes.Keys).Distinct(StringComparer.Ordinal))
        {
            var fields = request.Columns.Where(pair => pair.Value == column).Select(pair => pair.Key).Order(StringComparer.Ordinal).ToArray();
            ImportColumnType? type = request.ColumnTypes.TryGetValue(column, out var asked) ? asked : null;
            var isTime = _type is ImportType.Events && (fields is [] ? column == "time" : fields.Contains("time", StringComparer.Ordinal));
            _columns.Add(new Column(column, Encoding.UTF8.GetBytes(column), [.. fields.Select(field => (PlaceOf(field), Json(field)))], type, isTime));
        }

        _wasSeen = new bool[_columns.Count];
    }

    /// <summary>Whether columns were specified: then every record must have some.</summary>
    public bool AreAsked => _columns.Count > 0;

    /// <summary>Begins an input.</summary>
    public void Begin()
    {
        _anyRead = false;
        _wasSeen.AsSpan().Clear();
    }

    /// <summary>The specified columns that no record of the input had; none if no record was read as a row.</summary>
    public IEnumerable<string> Unseen => _anyRead ? _columns.Where((_, i) => !_wasSeen[i]).Select(column => column.Name) : [];

    /// <summary>Whether the last record has properties of its own.</summary>
    public bool HadProperties { get; private set; }

    /// <summary>Converts a record to its import form, valid until the next call; the original is kept with it. False when it is not such a record.</summary>
    /// <param name="record">The record as read.</param>
    /// <param name="flat">The same record, or the one made from it.</param>
    public bool TryRead(scoped in Record record, out Record flat)
    {
        flat = record;
        if (record is not { Kind: RecordKind.Json, Rejection: null, IsBuilt: false }) return false;
        HadProperties = false;
        _members.Clear();
        _json.ResetWrittenCount();
        try
        {
            if (!IsFlat(record.Bytes)) return false;
            flat = Write(in record);
            _anyRead = true;
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false; // not JSON, or an unpaired surrogate
        }
    }

    /// <summary>Rejects a record without columns although some were specified.</summary>
    public static Record NotFlat(scoped in Record record) => record with { Rejection = HasProperties };

    /// <summary>Whether the first record of a text has properties of its own; null when more text is needed.</summary>
    public static bool? FirstHasProperties(ReadOnlySpan<byte> head, ImportType type)
    {
        try
        {
            var reader = new Utf8JsonReader(head.TrimStart(" \t\r\n"u8), isFinalBlock: false, default);
            if (!reader.Read() || (reader.TokenType is JsonTokenType.StartArray && !reader.Read())) return null;
            if (reader.TokenType is not JsonTokenType.StartObject) return false;
            while (reader.Read())
            {
                if (reader.TokenType is not JsonTokenType.PropertyName) return false;
                var isOperation = type is ImportType.Events ? reader.ValueTextEquals("properties"u8) : IsOneOf(in reader, Operations);
                var mayBeText = IsOneOf(in reader, NamesOfProperties(type));
                if (!reader.Read()) return null;
                if (isOperation && !(mayBeText && reader.TokenType is JsonTokenType.String)) return true;
                if (!reader.TrySkip()) return null;
            }

            return null;
        }
        catch (JsonException)
        {
            return false; // reported when it is read
        }
    }

    /// <summary>Lists the members; false when one of them shows that the record already is in its import form.</summary>
    bool IsFlat(ReadOnlySpan<byte> record)
    {
        var reader = new Utf8JsonReader(record);
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject) return false;
        var others = false;
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var isOperation = IndexOf(_operations, in reader) >= 0;
            var member = new Member { NameStart = (int)reader.TokenStartIndex, Column = IndexOf(in reader) };
            member.Place = reader.ValueTextEquals(_root) || reader.ValueTextEquals(_rootPlain) ? Place.Root
                : IndexOf(_kept, in reader) >= 0 ? Place.BesideRoot
                : IndexOf(_holdProperties, in reader) >= 0 ? Place.AllProperties
                : Place.Property;
            var isReserved = _type is not ImportType.Events && member.Column < 0 && reader.ValueSpan is [(byte)'$', ..];
            member.NameEnd = member.NameStart + reader.ValueSpan.Length + 2;
            reader.Read();
            HadProperties = isOperation && !(member.Place is Place.AllProperties && reader.TokenType is JsonTokenType.String);
            if (HadProperties) return false;
            member.Start = (int)reader.TokenStartIndex;
            // Mixpanel's own properties never hold objects, but a misspelled operation does.
            if (isReserved && reader.TokenType is (JsonTokenType.StartObject or JsonTokenType.StartArray)) return false;
            reader.Skip();
            member.End = (int)reader.BytesConsumed;
            others |= member.Place is Place.Property or Place.AllProperties;
            if (member.Column >= 0) _wasSeen[member.Column] = true;
            _members.Add(member);
        }

        reader.Read(); // text after the record makes it invalid
        return others;
    }

    Record Write(scoped in Record read)
    {
        Rejection? misfit = null;
        _json.Write("{"u8);
        var empty = true;
        foreach (var member in _members) Write(read.Bytes, in member, inProperties: false, ref empty, ref misfit);
        if (empty && _event is not null) Put("\"event\""u8, _event, ref empty);
        if (!empty) _json.Write(","u8);
        _json.Write(_propertiesJson);
        _json.Write(":{"u8);
        empty = true;
        foreach (var member in _members) Write(read.Bytes, in member, inProperties: true, ref empty, ref misfit);
        _json.Write("}}"u8);
        return read with { Bytes = _json.WrittenSpan, Original = read.Bytes, Rejection = misfit };
    }

    void Write(ReadOnlySpan<byte> record, in Member member, bool inProperties, ref bool empty, ref Rejection? misfit)
    {
        var column = member.Column < 0 ? null : _columns[member.Column];
        var value = record[member.Start..member.End];
        if (column?.Type is { } type)
        {
            if (_value.TryConvert(value, type, column.IsTime, out var converted)) value = converted;
            else misfit ??= ColumnValue.Misfit(column.Name, type, told: true);
            if (value.IsEmpty) return;
        }

        if (column is null or { Fields: [] })
        {
            var name = record[member.NameStart..member.NameEnd];
            if (member.Place is Place.AllProperties)
            {
                if (inProperties) PutProperties(name, value, column, ref empty, ref misfit);
            }
            else if (member.Place is Place.Property == inProperties)
            {
                Put(member.Place is Place.Root ? _rootJson : name, value, ref empty);
            }

            return;
        }

        foreach (var (place, name) in column.Fields)
        {
            if (place is Place.Root == inProperties) continue;
            if (place is Place.AllProperties) PutProperties(name, value, column, ref empty, ref misfit);
            else Put(place is Place.Root ? _rootJson : name, value, ref empty);
        }
    }

    /// <summary>Writes the members of an object, which may be text. Anything else becomes a property only if that type was specified.</summary>
    void PutProperties(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, Column? column, ref bool empty, ref Rejection? misfit)
    {
        if (column?.Type is not (null or ImportColumnType.Json))
        {
            Put(name, value, ref empty);
            return;
        }

        var text = value is [(byte)'"', ..] ? _value.Unescape(value) : value;
        if (text.IsEmpty) return;
        if (ColumnValue.TryProperties(text, out var properties))
        {
            if (properties is [(byte)'{', .. var members, (byte)'}']) PutAll(members.Trim(" \t\r\n"u8), ref empty);
            return;
        }

        if (Utf8.IsValid(text)) misfit ??= ColumnValue.NoProperties(column?.Name ?? "properties"); // otherwise invalid UTF-8 is reported
        Put(name, value, ref empty);
    }

    void Put(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref bool empty)
    {
        PutAll(name, ref empty);
        _json.Write(":"u8);
        _json.Write(value);
    }

    void PutAll(ReadOnlySpan<byte> members, ref bool empty)
    {
        if (members.IsEmpty) return;
        if (!empty) _json.Write(","u8);
        _json.Write(members);
        empty = false;
    }

    Place PlaceOf(string field)
    {
        var (root, plain) = RecordFields.Root(_type);
        if (field == root || field == plain) return Place.Root;
        return field == RecordFields.Properties(_type).Field || field == RecordFields.Properties(_type).Plain ? Place.AllProperties : Place.Property;
    }

    int IndexOf(ref readonly Utf8JsonReader name)
    {
        for (var i = 0; i < _columns.Count; i++)
            if (name.ValueTextEquals(_columns[i].Utf8)) return i;
        return -1;
    }

    static int IndexOf(byte[][] names, ref readonly Utf8JsonReader name)
    {
        for (var i = 0; i < names.Length; i++)
            if (name.ValueTextEquals(names[i])) return i;
        return -1;
    }

    static string[] NamesOfProperties(ImportType type) => [RecordFields.Properties(type).Field, RecordFields.Properties(type).Plain];

    static bool IsOneOf(ref readonly Utf8JsonReader name, string[] names)
    {
        foreach (var one in names)
            if (name.ValueTextEquals(one)) return true;
        return false;
    }

    static byte[] Json(string field) => Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(field, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"");

    /// <summary>Where a member is written.</summary>
    enum Place
    {
        Property,
        Root,

        /// <summary>Next to the root's field, under its own name.</summary>
        BesideRoot,

        /// <summary>An object, or the text of one, whose members become properties.</summary>
        AllProperties,
    }

    /// <summary>A specified column.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Utf8">The name in UTF-8.</param>
    /// <param name="Fields">The fields that it supplies, each with its name as JSON; empty for the field of its own name.</param>
    /// <param name="Type">The specified type of its values; null to keep them as they are.</param>
    /// <param name="IsTime">Whether it supplies the time of events.</param>
    sealed record Column(string Name, byte[] Utf8, (Place Place, byte[] Name)[] Fields, ImportColumnType? Type, bool IsTime);

    /// <summary>A member, by its positions in the record.</summary>
    [StructLayout(LayoutKind.Auto)]
    struct Member
    {
        public int NameStart;
        public int NameEnd;
        public int Start;
        public int End;
        public Place Place;

        /// <summary>The index of its specified column; -1 for none.</summary>
        public int Column;
    }
}
