using System.Text.Json;

namespace MixpanelConnector.Emulator.Selectors;

enum SelectorKind : byte
{
    Undefined,
    Null,
    Boolean,
    Number,
    Text,
    DateTime,
    List,
    Object,
}

/// <summary>A value of the expression language.</summary>
readonly struct SelectorValue : IEquatable<SelectorValue>, IComparable<SelectorValue>
{
    readonly double _number;
    readonly object? _reference;

    SelectorValue(SelectorKind kind, double number = 0, object? reference = null)
    {
        Kind = kind;
        _number = number;
        _reference = reference;
    }

    public static SelectorValue Undefined => default;

    public static SelectorValue Null { get; } = new(SelectorKind.Null);

    public static SelectorValue True { get; } = new(SelectorKind.Boolean, 1);

    public static SelectorValue False { get; } = new(SelectorKind.Boolean);

    public SelectorKind Kind { get; }

    public bool IsUndefined => Kind == SelectorKind.Undefined;

    public bool IsTrue => Kind == SelectorKind.Boolean && _number != 0;

    /// <summary>The value of a <see cref="SelectorKind.Number"/>; the whole Unix seconds of a <see cref="SelectorKind.DateTime"/>.</summary>
    public double Number => _number;

    /// <summary>The value of a <see cref="SelectorKind.Text"/>.</summary>
    public string Text => (string)_reference!;

    /// <summary>The elements of a <see cref="SelectorKind.List"/>.</summary>
    public ReadOnlySpan<SelectorValue> List => (SelectorValue[])_reference!;

    public static SelectorValue FromBoolean(bool value) => value ? True : False;

    /// <summary>A number, or undefined if it is not finite: like a division by zero, an overflow has no value.</summary>
    public static SelectorValue FromNumber(double value) =>
        double.IsFinite(value) ? new SelectorValue(SelectorKind.Number, value) : Undefined;

    public static SelectorValue FromText(string value) => new(SelectorKind.Text, reference: value);

    /// <summary>A date and time. They are compared in whole seconds, so only those are stored.</summary>
    public static SelectorValue FromUnixSeconds(double value) => new(SelectorKind.DateTime, Math.Floor(value));

    public static SelectorValue FromDateTime(DateTimeOffset value) => FromUnixSeconds(value.ToUnixTimeSeconds());

    public static SelectorValue FromList(SelectorValue[] value) => new(SelectorKind.List, reference: value);

    /// <summary>A property's value. Integers above 2^53 become the nearest double.</summary>
    public static SelectorValue FromJson(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Null:
                return Null;
            case JsonValueKind.True:
                return True;
            case JsonValueKind.False:
                return False;
            case JsonValueKind.Number:
                return FromNumber(json.GetDouble());
            case JsonValueKind.String:
                return FromText(json.GetString()!);
            case JsonValueKind.Array:
                var items = new SelectorValue[json.GetArrayLength()];
                var count = 0;
                foreach (var item in json.EnumerateArray())
                    items[count++] = FromJson(item);
                return FromList(items);
            case JsonValueKind.Object:
                return new(SelectorKind.Object, reference: json);
            default:
                return Undefined;
        }
    }

    /// <summary>
    /// The meaning of <c>==</c>: the same type and the same value. Null equals null and undefined equals undefined, by a literal reading of Mixpanel's rule for
    /// equal types, although it never mentions these two; lists are compared by element and objects by content.
    /// </summary>
    public bool Equals(SelectorValue other) => Kind == other.Kind && Kind switch
    {
        SelectorKind.Boolean or SelectorKind.Number or SelectorKind.DateTime => _number == other._number,
        SelectorKind.Text => Text == other.Text,
        SelectorKind.List => List.SequenceEqual(other.List),
        SelectorKind.Object => JsonElement.DeepEquals((JsonElement)_reference!, (JsonElement)other._reference!),
        _ => true,
    };

    /// <summary>
    /// An order for lists, which the language itself does not define: by type, then numbers and dates by value and everything else by its text.
    /// </summary>
    public int CompareTo(SelectorValue other) =>
        Kind != other.Kind ? Kind.CompareTo(other.Kind)
        : Kind is SelectorKind.Number or SelectorKind.DateTime or SelectorKind.Boolean ? _number.CompareTo(other._number)
        : Kind == SelectorKind.Text ? string.CompareOrdinal(Text, other.Text)
        : string.CompareOrdinal(ToString(), other.ToString());

    public override bool Equals(object? obj) => obj is SelectorValue other && Equals(other);

    public override int GetHashCode() => Kind switch
    {
        SelectorKind.Text => Text.GetHashCode(StringComparison.Ordinal),
        SelectorKind.List => HashCode.Combine(Kind, List.Length),
        _ => HashCode.Combine(Kind, _number),
    };

    /// <summary>The value in the syntax of expressions; types without a literal are written as calls or words.</summary>
    public override string ToString() => Kind switch
    {
        SelectorKind.Boolean => IsTrue ? "true" : "false",
        SelectorKind.Number => CanonicalText.OfNumber(_number),
        SelectorKind.Text => CanonicalText.OfText(Text),
        SelectorKind.DateTime => $"datetime({CanonicalText.OfNumber(_number)})",
        SelectorKind.List => $"[{string.Join(", ", (SelectorValue[])_reference!)}]",
        SelectorKind.Object => ((JsonElement)_reference!).GetRawText(),
        SelectorKind.Null => "null",
        _ => "undefined",
    };
}
