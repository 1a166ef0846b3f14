using System.Text;
using System.Text.Json;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Avro;

/// <summary>Parses a schema. A name defined earlier resolves to the same type object, so that references do not make the schema grow.</summary>
sealed class AvroSchema
{
    /// <summary>The maximum nesting depth of types and values.</summary>
    public const int Deepest = 64;

    /// <summary>The maximum length of a name, since a single byte of a value may stand for one.</summary>
    const int LongestName = 1024;

    static readonly Dictionary<AvroKind, AvroType> Plain = Enum.GetValues<AvroKind>().ToDictionary(kind => kind, kind => new AvroType(kind));

    readonly Dictionary<string, AvroType> _named = new(StringComparer.Ordinal);

    AvroSchema() { }

    /// <exception cref="InputException">It is not a schema of records.</exception>
    public static AvroType Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            // Each type uses at most three levels: the object, the list of its fields, the field.
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 4 * Deepest });
            var type = new AvroSchema().Of(document.RootElement, space: "", depth: 0);
            return type.Kind is AvroKind.Record && type.Parts.Count > 0 ? type : throw new InputException("is an Avro file whose records have no fields");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw Damaged("it is not JSON, or is nested too deeply", e);
        }
    }

    AvroType Of(JsonElement json, string space, int depth)
    {
        if (depth > Deepest) throw Damaged($"its types are nested more than {Deepest} deep");
        return json.ValueKind switch
        {
            JsonValueKind.String => Named(json.GetString()!, space),
            JsonValueKind.Array => new AvroType(AvroKind.Union) { Parts = [.. json.EnumerateArray().Select(branch => Of(branch, space, depth + 1))] },
            JsonValueKind.Object => OfObject(json, space, depth),
            _ => throw Damaged("a type is neither a name, an object nor a list"),
        };
    }

    AvroType Named(string name, string space) => Primitive(name) is { } kind ? Plain[kind]
        : _named.GetValueOrDefault(Full(name, space)) ?? _named.GetValueOrDefault(name) ?? throw Damaged("it refers to a type that it does not define");

    AvroType OfObject(JsonElement json, string space, int depth)
    {
        var type = Member(json, "type");
        if (type.ValueKind is not JsonValueKind.String) return Of(type, space, depth + 1);
        var name = type.GetString()!;
        switch (name)
        {
            case "array": return new AvroType(AvroKind.Array) { Parts = [Of(Member(json, "items"), space, depth + 1)] };
            case "map": return new AvroType(AvroKind.Map) { Parts = [Of(Member(json, "values"), space, depth + 1)] };
            case "record" or "error": return Record(json, space, depth);
            case "enum":
                return Kept(json, space,
                    new AvroType(AvroKind.Enum)
                    {
                        Symbols = [.. Member(json, "symbols").EnumerateArray().Select(symbol => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(NameIn(symbol)))],
                    });
            case "fixed":
                var size = Member(json, "size").GetInt32();
                if (size < 0) throw Damaged("a size is negative");
                return Kept(json, space, Meant(json, AvroKind.Fixed, size));
            default: return Primitive(name) is { } kind ? Meant(json, kind, size: 0) : Named(name, space);
        }
    }

    AvroType Record(JsonElement json, string space, int depth)
    {
        var record = Kept(json, space, new AvroType(AvroKind.Record));
        var own = SpaceOf(json, space);
        var (names, parts) = (new List<string>(), new List<AvroType>());
        foreach (var field in Member(json, "fields").EnumerateArray())
        {
            names.Add(NameIn(Member(field, "name")));
            parts.Add(Of(Member(field, "type"), own, depth + 1));
        }

        (record.Names, record.Parts, record.NamesAsJson) = (names, parts, names.ConvertAll(ColumnMap.NameOf));
        return record;
    }

    /// <summary>Registers a named type, which the name refers to from here on.</summary>
    AvroType Kept(JsonElement json, string space, AvroType type)
    {
        var name = NameIn(Member(json, "name"));
        _named[name.Contains('.', StringComparison.Ordinal) ? name : Full(name, SpaceOf(json, space))] = type;
        return type;
    }

    static string NameIn(JsonElement json) =>
        json.GetString() is { Length: <= LongestName } name ? name : throw Damaged($"a name has more than {LongestName} characters");

    static string SpaceOf(JsonElement json, string space)
    {
        var name = NameIn(Member(json, "name"));
        if (name.LastIndexOf('.') is var point and >= 0) return name[..point];
        return json.TryGetProperty("namespace", out var said) && said.ValueKind is JsonValueKind.String ? said.GetString()! : space;
    }

    static string Full(string name, string space) => space.Length == 0 || name.Contains('.', StringComparison.Ordinal) ? name : $"{space}.{name}";

    /// <summary>Creates a type with its logical type. One that is unknown or does not apply is ignored, as the specification requires.</summary>
    static AvroType Meant(JsonElement json, AvroKind kind, int size)
    {
        var meaning = json.TryGetProperty("logicalType", out var logical) && logical.ValueKind is JsonValueKind.String ? logical.GetString() : null;
        var scale = json.TryGetProperty("scale", out _) ? Digits("scale") : 0;
        return (meaning, kind) switch
        {
            ("decimal", AvroKind.Bytes or AvroKind.Fixed) when scale < 0 || Digits("precision") is var precision && (precision < 1 || precision < scale) =>
                new(kind) { Size = size },
            ("decimal", AvroKind.Bytes or AvroKind.Fixed) when scale <= ValueText.MostScale =>
                new(kind) { Meaning = AvroMeaning.Decimal, Scale = scale, Size = size },
            ("decimal", AvroKind.Bytes or AvroKind.Fixed) or ("big-decimal", AvroKind.Bytes) => new(kind) { Meaning = AvroMeaning.Unknown, Size = size },
            ("uuid", AvroKind.Fixed) when size == 16 => new(kind) { Meaning = AvroMeaning.Uuid, Size = size },
            ("date", AvroKind.Int) => new(kind) { Meaning = AvroMeaning.Date },
            ("time-millis", AvroKind.Int) => new(kind) { Meaning = AvroMeaning.Time, UnitsPerSecond = 1_000 },
            ("time-micros", AvroKind.Long) => new(kind) { Meaning = AvroMeaning.Time, UnitsPerSecond = 1_000_000 },
            ("timestamp-millis" or "local-timestamp-millis", AvroKind.Long) => new(kind) { Meaning = AvroMeaning.Timestamp, UnitsPerSecond = 1_000 },
            ("timestamp-micros" or "local-timestamp-micros", AvroKind.Long) => new(kind) { Meaning = AvroMeaning.Timestamp, UnitsPerSecond = 1_000_000 },
            ("timestamp-nanos" or "local-timestamp-nanos", AvroKind.Long) => new(kind) { Meaning = AvroMeaning.Timestamp, UnitsPerSecond = 1_000_000_000 },
            ("duration", AvroKind.Fixed) when size == ValueText.IntervalBytes => new(kind) { Meaning = AvroMeaning.Interval, Size = size },
            _ => kind is AvroKind.Fixed ? new(kind) { Size = size } : Plain[kind],
        };

        int Digits(string member) =>
            json.TryGetProperty(member, out var digits) && digits.ValueKind is JsonValueKind.Number && digits.TryGetInt32(out var given) ? given : -1;
    }

    static AvroKind? Primitive(string name) => name switch
    {
        "null" => AvroKind.Null,
        "boolean" => AvroKind.Boolean,
        "int" => AvroKind.Int,
        "long" => AvroKind.Long,
        "float" => AvroKind.Float,
        "double" => AvroKind.Double,
        "bytes" => AvroKind.Bytes,
        "string" => AvroKind.Text,
        _ => null,
    };

    static JsonElement Member(JsonElement json, string name) => json.TryGetProperty(name, out var member) ? member : throw Damaged($"it lacks {name}");

    static InputException Damaged(string why, Exception? cause = null) => new($"is an Avro file whose schema cannot be read: {why}", cause);
}
