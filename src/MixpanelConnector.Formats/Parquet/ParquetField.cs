using System.Text;
using ParquetSharp;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>The meaning of a column's values beyond their encoding.</summary>
enum ParquetMeaning
{
    None,
    Text,
    Json,
    Decimal,
    Date,
    Time,
    Timestamp,
    Unsigned,
    Uuid,
    Half,
    Interval,
    List,
    Map,

    /// <summary>Always null.</summary>
    Nothing,

    /// <summary>JSON cannot represent it: BSON, geometries, variants, and later additions.</summary>
    Unknown,
}

/// <summary>A column, or a part of a nested one: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md.</summary>
sealed class ParquetField
{
    static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    readonly List<ParquetField> _children = [];
    int? _type;
    int _repetition;

    /// <summary>The parent; null for the whole record.</summary>
    public ParquetField? Parent { get; private set; }

    public string Name { get; private set; } = "";

    public IReadOnlyList<ParquetField> Children => _children;

    /// <summary>The announced number of children.</summary>
    public int Announced { get; private set; }

    public bool IsLeaf => _type is not null;

    /// <summary>The encoding of a leaf's values.</summary>
    public PhysicalType Type => (PhysicalType)_type!.Value;

    /// <summary>The size of a value in bytes, if fixed.</summary>
    public int TypeLength { get; private set; }

    public ParquetMeaning Meaning { get; private set; }

    /// <summary>The number of digits after the decimal point.</summary>
    public int Scale { get; private set; }

    /// <summary>The number of time units per second.</summary>
    public long UnitsPerSecond { get; private set; }

    /// <summary>Whether it holds plain text.</summary>
    public bool IsText => IsLeaf && !IsRepeated && (Type, Meaning) is (PhysicalType.ByteArray, ParquetMeaning.None or ParquetMeaning.Text);

    public bool IsRepeated => _repetition == 2;

    public bool IsOptional => _repetition == 1;

    /// <summary>The definition level of a value that is present.</summary>
    public short Definition { get; private set; }

    /// <summary>The repetition level of a value that continues the innermost list.</summary>
    public short Repetition { get; private set; }

    /// <summary>The index of the leaf, in file order.</summary>
    public int Leaf { get; set; }

    /// <summary>The nesting depth; a column has depth 1.</summary>
    public int Depth => Parent is { } parent ? parent.Depth + 1 : 0;

    /// <summary>The path from the column to here.</summary>
    public string Path => field ??= Parent is { Parent: not null } parent ? $"{parent.Path}.{Name}" : Name;

    public static ParquetField Read(ref ThriftReader thrift)
    {
        var field = new ParquetField();
        var (converted, scale) = (-1, 0);
        for (var id = 0; thrift.TryReadField(ref id, out var type);)
        {
            switch (id, type)
            {
                case (1, ThriftType.Int32): field._type = thrift.ReadInt32(); break;
                case (2, ThriftType.Int32): field.TypeLength = thrift.ReadInt32(); break;
                case (3, ThriftType.Int32): field._repetition = thrift.ReadInt32(); break;
                case (4, ThriftType.Bytes): field.Name = Utf8.GetString(thrift.ReadBytes()); break;
                case (5, ThriftType.Int32): field.Announced = thrift.ReadInt32(); break;
                case (6, ThriftType.Int32): converted = thrift.ReadInt32(); break;
                case (7, ThriftType.Int32): scale = thrift.ReadInt32(); break;
                case (10, ThriftType.Struct): field.ReadMeaning(ref thrift); break;
                default: thrift.Skip(type); break;
            }
        }

        if (field._type is not null and (< 0 or > (int)PhysicalType.FixedLenByteArray) || field.Announced < 0 || field._repetition is < 0 or > 2)
            throw ThriftReader.Damaged();
        if (field is { _type: not null, Announced: > 0 }) throw ThriftReader.Damaged();
        if (field.Meaning is ParquetMeaning.None) field.SetMeaning(converted);
        if (field.Meaning is ParquetMeaning.Decimal && field.Scale == 0) field.Scale = scale;
        return field;
    }

    public void Add(ParquetField child)
    {
        child.Parent = this;
        child.Definition = (short)(Definition + (child._repetition == 0 ? 0 : 1));
        child.Repetition = (short)(Repetition + (child.IsRepeated ? 1 : 0));
        _children.Add(child);
    }

    void ReadMeaning(ref ThriftReader thrift)
    {
        for (var id = 0; thrift.TryReadField(ref id, out var type);)
        {
            Meaning = id switch
            {
                1 or 4 => ParquetMeaning.Text,
                2 => ParquetMeaning.Map,
                3 => ParquetMeaning.List,
                5 => ParquetMeaning.Decimal,
                6 => ParquetMeaning.Date,
                7 => ParquetMeaning.Time,
                8 => ParquetMeaning.Timestamp,
                10 => ParquetMeaning.None, // unless it is unsigned
                11 => ParquetMeaning.Nothing,
                12 => ParquetMeaning.Json,
                14 => ParquetMeaning.Uuid,
                15 => ParquetMeaning.Half,
                _ => ParquetMeaning.Unknown,
            };
            if (type is not ThriftType.Struct) throw ThriftReader.Damaged();
            for (var part = 0; thrift.TryReadField(ref part, out var partType);)
            {
                switch (Meaning, part, partType)
                {
                    case (ParquetMeaning.Decimal, 1, ThriftType.Int32): Scale = thrift.ReadInt32(); break;
                    case (ParquetMeaning.Time or ParquetMeaning.Timestamp, 2, ThriftType.Struct): ReadUnit(ref thrift); break;
                    case (ParquetMeaning.None, 2, ThriftType.False): Meaning = ParquetMeaning.Unsigned; break;
                    default: thrift.Skip(partType); break;
                }
            }
        }
    }

    void ReadUnit(ref ThriftReader thrift)
    {
        for (var id = 0; thrift.TryReadField(ref id, out var type); thrift.Skip(type))
            UnitsPerSecond = id switch { 1 => 1_000, 2 => 1_000_000, 3 => 1_000_000_000, _ => throw ThriftReader.Damaged() };
    }

    /// <summary>Sets the meaning by the converted type, which files used before 2018 and most still include.</summary>
    void SetMeaning(int converted)
    {
        (Meaning, UnitsPerSecond) = converted switch
        {
            0 or 4 => (ParquetMeaning.Text, 0),
            1 or 2 => (ParquetMeaning.Map, 0),
            3 => (ParquetMeaning.List, 0),
            5 => (ParquetMeaning.Decimal, 0),
            6 => (ParquetMeaning.Date, 0),
            7 => (ParquetMeaning.Time, 1_000),
            8 => (ParquetMeaning.Time, 1_000_000),
            9 => (ParquetMeaning.Timestamp, 1_000),
            10 => (ParquetMeaning.Timestamp, 1_000_000),
            >= 11 and <= 14 => (ParquetMeaning.Unsigned, 0),
            19 => (ParquetMeaning.Json, 0),
            20 => (ParquetMeaning.Unknown, 0),
            21 => (ParquetMeaning.Interval, 0),
            _ => (ParquetMeaning.None, 0L),
        };
    }
}
