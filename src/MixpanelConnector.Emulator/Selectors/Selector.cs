namespace MixpanelConnector.Emulator.Selectors;

/// <summary>
/// A segmentation expression, the language of <c>where</c>, read once and then evaluated on any number of records, from any number
/// of threads. Where Mixpanel's documentation leaves its meaning open, the code that decides says so beside the decision.
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

    /// <summary>The tree; equal for texts that differ only in how they are written.</summary>
    public Expression Expression { get; }

    /// <summary>What the expression reads, each once, so that a caller can extract only these from a stored record.</summary>
    public IReadOnlyList<PropertyReference> Properties { get; }

    /// <exception cref="SelectorException">The text is not an expression of the dialect, or passes a limit.</exception>
    public static Selector Parse(string text, SelectorDialect dialect)
    {
        var parser = new Parser(text, dialect);
        var expression = parser.ParseWhole();
        return new Selector(text, expression, parser.Properties);
    }

    /// <exception cref="SelectorException">An operand of <c>and</c>, <c>or</c> or <c>any</c> is neither boolean nor undefined, or a limit is passed.</exception>
    /// <exception cref="OperationCanceledException">The caller of the query has left.</exception>
    public SelectorValue Evaluate(ISelectorRecord record, SelectorContext context)
    {
        var evaluation = new Evaluation(record, context);
        var value = evaluation.Evaluate(Expression, null);
        context.Budget?.Spend(evaluation.Steps);
        return value;
    }

    /// <summary>Whether the record is kept: the expression is true. Undefined, and values that are not booleans, keep nothing.</summary>
    /// <inheritdoc cref="Evaluate" path="/exception"/>
    public bool Matches(ISelectorRecord record, SelectorContext context) => Evaluate(record, context).IsTrue;

    /// <summary>
    /// The expression with every parenthesis, which reads back as an equal one. It is longer and deeper than the original, so near
    /// the limits it can pass them.
    /// </summary>
    public string ToCanonicalString() => CanonicalText.Of(Expression);
}
