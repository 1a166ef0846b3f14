using System.Globalization;

namespace MixpanelConnector.Emulator.Rules;

enum FieldKind : byte
{
    /// <summary>Not there, or null.</summary>
    Missing,
    Text,

    /// <summary>A number without fraction or exponent.</summary>
    Integer,
    Fraction,

    /// <summary>A boolean, list or object.</summary>
    Other,
    TextNotUtf8,
}

static class FieldKinds
{
    /// <summary>A kind in the words of a message.</summary>
    public static string Shown(this FieldKind kind) => kind switch
    {
        FieldKind.Missing => "missing",
        FieldKind.Text => "text",
        FieldKind.TextNotUtf8 => "text that is no valid utf8",
        FieldKind.Other => "a boolean, a list or an object",
        _ => "a number",
    };
}

/// <summary>A field that has rules of its own. Of a name that occurs twice the last one counts.</summary>
readonly record struct Field(FieldKind Kind, string? Written = null, long Integer = 0, int Start = 0, int End = 0)
{
    /// <summary>The text, or a fraction as it was written; else empty.</summary>
    public string Text => Written ?? "";

    /// <summary>Text and numbers as text; else empty.</summary>
    public string AsText() => Kind == FieldKind.Integer ? Integer.ToString(CultureInfo.InvariantCulture) : Text;
}

/// <summary>A broken rule and the field that breaks it.</summary>
sealed record Fault(string Where, string Message);

/// <summary>What one pass over an event's bytes found. Positions are within the bytes that were read.</summary>
struct EventFields
{
    public int Start;
    public int End;

    /// <summary>Where the object under <c>properties</c> lies; empty without one.</summary>
    public int PropertiesStart;
    public int PropertiesEnd;
    public int PropertyCount;

    public Field Name;
    public Field Time;
    public Field DistinctId;
    public Field UserId;
    public Field DeviceId;
    public Field InsertId;
    public Field Token;

    /// <summary>The property <c>$ignore</c> is there: the event is to be dropped without a word.</summary>
    public bool Ignored;

    /// <summary>Something must be cut or left out, so the properties cannot be stored as they came.</summary>
    public bool NeedsRewriting;

    /// <summary>What is wrong with the record's own shape.</summary>
    public Fault? ShapeFault;

    /// <summary>A member beside <c>event</c> and <c>properties</c>, which only an import minds.</summary>
    public Fault? ExtraMember;

    /// <summary>The first thing wrong with a property's value.</summary>
    public Fault? PropertyFault;

    public readonly bool HasProperties => PropertiesEnd > PropertiesStart;
}
