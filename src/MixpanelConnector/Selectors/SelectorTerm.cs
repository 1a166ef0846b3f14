using System.Globalization;

namespace MixpanelConnector;

#pragma warning disable CA2225 // the named alternates of the operators are the methods below, and conversions read as what they are

/// <summary>
/// A value in a <see cref="MixpanelSelector"/>: a property, text, a number, a boolean, a time, or an expression of these. Strings, numbers and booleans
/// convert to it.
/// </summary>
public sealed class SelectorTerm
{
    readonly string _text;

    SelectorTerm(string text) => _text = text;

    /// <summary>The current time, in seconds since 1970.</summary>
    public static SelectorTerm Now { get; } = new("NOW");

    /// <summary>Creates a time, to the second.</summary>
    /// <param name="time">The time; from 1970 on.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is not after the start of 1970.</exception>
    public static SelectorTerm Time(DateTimeOffset time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time.ToUnixTimeSeconds(), 1, nameof(time));
        return new(string.Create(CultureInfo.InvariantCulture, $"datetime({time.ToUnixTimeSeconds()})"));
    }

    /// <summary>Creates the start of a day in the project's time zone.</summary>
    /// <param name="day">The day.</param>
    public static SelectorTerm Day(DateOnly day) => new(string.Create(CultureInfo.InvariantCulture, $"datetime(\"{day:yyyy-MM-dd}T00:00:00\")"));

    /// <summary>Converts the value to a time.</summary>
    public SelectorTerm AsTime() => Call("datetime");

    /// <summary>Converts the value to a number; undefined when it is not one.</summary>
    public SelectorTerm AsNumber() => Call("number");

    /// <summary>Converts the value to text.</summary>
    public SelectorTerm AsText() => Call("string");

    /// <summary>Converts the value to a boolean.</summary>
    public SelectorTerm AsBoolean() => Call("boolean");

    /// <summary>Is true when the value is one of several.</summary>
    /// <param name="values">The values.</param>
    public MixpanelSelector In(params IReadOnlyList<SelectorTerm> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return MixpanelSelector.Comparison(this, "in", new SelectorTerm($"[{string.Join(", ", values.Select(value => value._text))}]"));
    }

    /// <summary>Is true when the value is text that contains another text, or a list that contains a value.</summary>
    /// <param name="part">The text or the value.</param>
    public MixpanelSelector Contains(SelectorTerm part) => MixpanelSelector.Comparison(part, "in", this);

    /// <summary>Is true when both have the same type and value.</summary>
    public static MixpanelSelector operator ==(SelectorTerm left, SelectorTerm right) => MixpanelSelector.Comparison(left, "==", right);

    /// <summary>Is true when they differ, or one has no value.</summary>
    public static MixpanelSelector operator !=(SelectorTerm left, SelectorTerm right) => MixpanelSelector.Comparison(left, "!=", right);

    /// <summary>Compares numbers or times; undefined for other types.</summary>
    public static MixpanelSelector operator >(SelectorTerm left, SelectorTerm right) => MixpanelSelector.Comparison(left, ">", right);

    /// <summary>Compares numbers or times; undefined for other types.</summary>
    public static MixpanelSelector operator <(SelectorTerm left, SelectorTerm right) => MixpanelSelector.Comparison(left, "<", right);

    /// <summary>Compares numbers or times; undefined for other types.</summary>
    public static MixpanelSelector operator >=(SelectorTerm left, SelectorTerm right) => MixpanelSelector.Comparison(left, ">=", right);

    /// <summary>Compares numbers or times; undefined for other types.</summary>
    public static MixpanelSelector operator <=(SelectorTerm left, SelectorTerm right) => MixpanelSelector.Comparison(left, "<=", right);

    /// <summary>Adds numbers, or concatenates texts.</summary>
    public static SelectorTerm operator +(SelectorTerm left, SelectorTerm right) => Arithmetic(left, "+", right);

    /// <summary>Subtracts numbers.</summary>
    public static SelectorTerm operator -(SelectorTerm left, SelectorTerm right) => Arithmetic(left, "-", right);

    /// <summary>Converts text to a term.</summary>
    public static implicit operator SelectorTerm(string text) => new(Quoted(text ?? throw new ArgumentNullException(nameof(text))));

    /// <summary>Converts a number to a term.</summary>
    public static implicit operator SelectorTerm(long number) => OfNumber(number);

    /// <summary>Converts a number to a term.</summary>
    public static implicit operator SelectorTerm(double number) =>
        double.IsFinite(number) && Math.Abs(number) < 1e28
            ? OfNumber(Math.Abs(number) < 1e-28
                ? 0
                : decimal.Parse(number.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture))
            : throw new ArgumentOutOfRangeException(nameof(number), "The number is outside the range of selectors.");

    /// <summary>Converts a number to a term.</summary>
    public static implicit operator SelectorTerm(decimal number) => OfNumber(number);

    /// <summary>Converts a boolean to a term.</summary>
    public static implicit operator SelectorTerm(bool value) => new(value ? "true" : "false");

    /// <summary>Returns the text, as Mixpanel reads it.</summary>
    public override string ToString() => _text;

    /// <summary>Whether both have the same text. In a selector, write <c>==</c>.</summary>
    public override bool Equals(object? obj) => obj is SelectorTerm other && other._text == _text;

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    internal static SelectorTerm OfProperty(string root, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return new($"{root}[{Quoted(name)}]");
    }

    SelectorTerm Call(string function) => new($"{function}({_text})");

    static SelectorTerm Arithmetic(SelectorTerm left, string symbol, SelectorTerm right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new($"({left} {symbol} {right})");
    }

    // The language has no exponents; a negative number is written as a unary minus, so it needs parentheses.
    static SelectorTerm OfNumber(decimal number) =>
        new(number < 0 ? $"({number.ToString(CultureInfo.InvariantCulture)})" : number.ToString(CultureInfo.InvariantCulture));

    static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
