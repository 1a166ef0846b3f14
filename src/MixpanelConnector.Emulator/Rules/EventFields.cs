using System.Globalization;

namespace MixpanelConnector.Emulator.Rules;

enum FieldKind : byte
{
    /// <summary>Absent, or null.</summary>
    Missing,
    Text,

    /// <summary>A number without a fraction or exponent.</summary>
    Integer,
    Fraction,

    /// <summary>A boolean, list or object.</summary>
    Other,
    TextNotUtf8,
}

static class FieldKinds
{
    /// <summary>The name of a kind in messages.</summary>
    public static string Shown(this FieldKind kind) => kind switch
    {
        FieldKind.Missing => "missing",
        FieldKind.Text => "text",
        FieldKind.TextNotUtf8 => "text that is no valid utf8",
        FieldKind.Other => "a boolean, a list or an object",
        _ => "a number",
    };
}

/// <summary>A field with specific rules. If a name occurs twice, the last value is used.</summary>
readonly record struct Field(FieldKind Kind, string? Written = null, long Integer = 0, int Start = 0, int End = 0)
{
    /// <summary>The string, or a fraction as it was written; otherwise empty.</summary>
    public string Text => Written ?? "";

    /// <summary>Strings and numbers as text; otherwise empty.</summary>
    public string AsText() => Kind == FieldKind.Integer ? Integer.ToString(CultureInfo.InvariantCulture) : Text;
}

/// <summary>A violated rule and the field that violates it.</summary>
sealed record Fault(string Where, string Message);

/// <summary>The result of scanning an event once. Positions refer to the scanned bytes.</summary>
struct EventFields
{
    public int Start;
    public int End;

    /// <summary>The position of the object <c>properties</c>; empty if there is none.</summary>
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

    /// <summary>Whether the property <c>$ignore</c> is present: the event is dropped silently.</summary>
    public bool Ignored;

    /// <summary>Whether something must be truncated or removed, so that the properties cannot be stored unchanged.</summary>
    public bool NeedsRewriting;

    /// <summary>An error in the structure of the record itself.</summary>
    public Fault? ShapeFault;

    /// <summary>A member other than <c>event</c> and <c>properties</c>, which only an import rejects.</summary>
    public Fault? ExtraMember;

    /// <summary>The first error in a property's value.</summary>
    public Fault? PropertyFault;

    public readonly bool HasProperties => PropertiesEnd > PropertiesStart;
}
