namespace MixpanelConnector.Formats.Avro;

enum AvroKind
{
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed,
    Enum,
    Array,
    Map,
    Union,
    Record,
}

/// <summary>The meaning of values beyond their encoding.</summary>
enum AvroMeaning
{
    None,
    Decimal,
    Uuid,
    Date,
    Time,
    Timestamp,
    Interval,

    /// <summary>JSON cannot represent it.</summary>
    Unknown,
}

/// <summary>A type of a schema: https://avro.apache.org/docs/1.12.0/specification/. A named type may contain itself.</summary>
sealed class AvroType(AvroKind kind)
{
    public AvroKind Kind => kind;

    public AvroMeaning Meaning { get; init; }

    /// <summary>The number of digits after the decimal point.</summary>
    public int Scale { get; init; }

    /// <summary>The number of time units per second.</summary>
    public long UnitsPerSecond { get; init; }

    /// <summary>The size of a fixed value in bytes.</summary>
    public int Size { get; init; }

    /// <summary>The symbols of an enumeration.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Symbols { get; init; } = [];

    /// <summary>The element type of an array or a map, the branches of a union, or the types of a record's fields.</summary>
    public IReadOnlyList<AvroType> Parts { get; set; } = [];

    /// <summary>The names of a record's fields.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    /// <summary>These names as JSON, with the colon.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> NamesAsJson { get; set; } = [];

    /// <summary>Whether its values are plain text or null.</summary>
    public bool IsText =>
        (Kind is AvroKind.Text && Meaning is AvroMeaning.None)
            || (Kind is AvroKind.Union && Parts.Any(part => part.IsText) && Parts.All(part => part.IsText || part.Kind is AvroKind.Null));

    /// <summary>Whether its values are quoted in JSON.</summary>
    public bool IsQuoted =>
        Meaning is not AvroMeaning.Decimal && (Kind is AvroKind.Bytes or AvroKind.Text or AvroKind.Fixed or AvroKind.Enum || Meaning is not AvroMeaning.None);
}
