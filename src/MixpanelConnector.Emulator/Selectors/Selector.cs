namespace MixpanelConnector.Emulator.Selectors;

/// <summary>
/// A segmentation expression, the language of <c>where</c>, parsed once and then evaluated on any number of records. Thread-safe. Where Mixpanel's
/// documentation does not define its meaning, a comment in the code explains the decision.
/// </summary>
sealed class Selector
{
    Selector(string text, Expression expression, IReadOnlyList<PropertyReference> properties)
    {
        Text = text;
        Expression = expression;
        Properties = properties;
    }

    public string Text { get; }

    /// <summary>The syntax tree; equal for texts that differ only in notation.</summary>
    public Expression Expression { get; }

    /// <summary>The properties that the expression reads, without duplicates, so that a caller can extract only these from a stored record.</summary>
    public IReadOnlyList<PropertyReference> Properties { get; }

    /// <exception cref="SelectorException">The text is not an expression of the dialect, or exceeds a limit.</exception>
    public static Selector Parse(string text, SelectorDialect dialect)
    {
        var parser = new Parser(text, dialect);
        var expression = parser.ParseWhole();
        return new Selector(text, expression, parser.Properties);
    }

    /// <exception cref="SelectorException">An operand of <c>and</c>, <c>or</c> or <c>any</c> is neither boolean nor undefined, or a limit is
    /// exceeded.</exception>
    /// <exception cref="OperationCanceledException">The caller of the query has disconnected.</exception>
    public SelectorValue Evaluate(ISelectorRecord record, SelectorContext context)
    {
        var evaluation = new Evaluation(record, context);
        var value = evaluation.Evaluate(Expression, null);
        context.Budget?.Spend(evaluation.Steps);
        return value;
    }

    /// <summary>Whether the record matches: the expression is true. Undefined, and values that are not booleans, do not match.</summary>
    /// <inheritdoc cref="Evaluate" path="/exception"/>
    public bool Matches(ISelectorRecord record, SelectorContext context) => Evaluate(record, context).IsTrue;

    /// <summary>
    /// The expression with all parentheses, which parses to an equal one. It is longer and more deeply nested than the original, so it may exceed the limits if
    /// that is close to them.
    /// </summary>
    public string ToCanonicalString() => CanonicalText.Of(Expression);
}
