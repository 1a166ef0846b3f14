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

/// <summary>What values mean beyond how they are kept.</summary>
enum AvroMeaning
{
    None,
    Decimal,
    Uuid,
    Date,
    Time,
    Timestamp,
    Interval,

    /// <summary>What no JSON stands for.</summary>
    Unknown,
}

/// <summary>A type of a schema: https://avro.apache.org/docs/1.12.0/specification/. A named one may hold itself.</summary>
sealed class AvroType(AvroKind kind)
{
    public AvroKind Kind => kind;

    public AvroMeaning Meaning { get; init; }

    /// <summary>The digits behind a decimal's point.</summary>
    public int Scale { get; init; }

    /// <summary>How many units of a time make a second.</summary>
    public long UnitsPerSecond { get; init; }

    /// <summary>The bytes of a fixed value.</summary>
    public int Size { get; init; }

    /// <summary>The names of an enumeration.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Symbols { get; init; } = [];

    /// <summary>What an array or a map holds; the branches of a union; the types of a record's fields.</summary>
    public IReadOnlyList<AvroType> Parts { get; set; } = [];

    /// <summary>The names of a record's fields.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    /// <summary>The same as JSON, with the colon.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> NamesAsJson { get; set; } = [];

    /// <summary>Whether its values are texts of which nothing more is said, or null.</summary>
    public bool IsText => (Kind is AvroKind.Text && Meaning is AvroMeaning.None) || (Kind is AvroKind.Union && Parts.Any(part => part.IsText) && Parts.All(part => part.IsText || part.Kind is AvroKind.Null));

    /// <summary>Whether its values stand in quotes as JSON.</summary>
    public bool IsQuoted => Meaning is not AvroMeaning.Decimal && (Kind is AvroKind.Bytes or AvroKind.Text or AvroKind.Fixed or AvroKind.Enum || Meaning is not AvroMeaning.None);
}
