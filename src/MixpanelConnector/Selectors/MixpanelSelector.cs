namespace MixpanelConnector;

/// <summary>
/// A condition in Mixpanel's segmentation language, for <c>where</c>, built from parts that are escaped and parenthesized:
/// <c>MixpanelSelector.Property("plan") == "pro" &amp; MixpanelSelector.Defined("$email")</c>.
/// </summary>
public sealed class MixpanelSelector
{
    readonly string _text;

    // Whether it needs parentheses among others, and whether it is a chain of and, of or, or neither.
    readonly Form _form;

    MixpanelSelector(string text, Form form) => (_text, _form) = (text, form);

    enum Form
    {
        Closed,
        Comparison,
        And,
        Or,
        Not,
    }

    /// <summary>Refers to a property: of the profile in profile queries, of the event in reports.</summary>
    /// <param name="name">Its name, such as <c>$email</c> or <c>plan</c>.</param>
    public static SelectorTerm Property(string name) => SelectorTerm.OfProperty("properties", name);

    /// <summary>Refers to a profile property of an event's user, in reports.</summary>
    /// <param name="name">Its name.</param>
    public static SelectorTerm UserProperty(string name) => SelectorTerm.OfProperty("user", name);

    /// <summary>Is true when a property has a value.</summary>
    /// <param name="name">Its name.</param>
    public static MixpanelSelector Defined(string name) => new($"defined({Property(name)})", Form.Closed);

    /// <summary>Is true when both conditions are.</summary>
    public static MixpanelSelector operator &(MixpanelSelector left, MixpanelSelector right) => Join(left, right, Form.And, " and ");

    /// <summary>Is true when both conditions are.</summary>
    public static MixpanelSelector BitwiseAnd(MixpanelSelector left, MixpanelSelector right) => left & right;

    /// <summary>Is true when at least one condition is.</summary>
    public static MixpanelSelector operator |(MixpanelSelector left, MixpanelSelector right) => Join(left, right, Form.Or, " or ");

    /// <summary>Is true when at least one condition is.</summary>
    public static MixpanelSelector BitwiseOr(MixpanelSelector left, MixpanelSelector right) => left | right;

    /// <summary>Is true when the condition is false or undefined; a comparison with a property without a value is undefined.</summary>
    public static MixpanelSelector operator !(MixpanelSelector condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return new($"not {condition.Within(Form.Not)}", Form.Not);
    }

    /// <summary>Is true when the condition is false or undefined.</summary>
    public static MixpanelSelector LogicalNot(MixpanelSelector condition) => !condition;

    /// <summary>Converts a condition to its text.</summary>
    public static implicit operator string(MixpanelSelector selector) => (selector ?? throw new ArgumentNullException(nameof(selector)))._text;

    /// <summary>Returns the text, as Mixpanel reads it.</summary>
    public override string ToString() => _text;

    internal static MixpanelSelector Comparison(SelectorTerm left, string symbol, SelectorTerm right)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new($"{left} {symbol} {right}", Form.Comparison);
    }

    static MixpanelSelector Join(MixpanelSelector left, MixpanelSelector right, Form form, string word)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        return new(left.Within(form) + word + right.Within(form), form);
    }

    /// <summary>Adds parentheses, unless the condition needs none by itself or continues a chain of the same kind.</summary>
    string Within(Form outer) => _form is Form.Closed || (_form == outer && outer is not Form.Not) ? _text : $"({_text})";
}
