namespace MixpanelConnector.Emulator.Selectors;

/// <summary>A node of a parsed expression. A chain of operators of the same precedence is one flat node, so that its length uses no stack.</summary>
/// <param name="Position">The position of the node in the text.</param>
abstract record Expression(int Position)
{
    // The position of a node is not part of its meaning: equal trees may come from different texts.
    public virtual bool Equals(Expression? other) => other is not null && EqualityContract == other.EqualityContract;

    public override int GetHashCode() => EqualityContract.GetHashCode();
}

/// <summary>A number, a string, a boolean, or a list of only these.</summary>
sealed record Literal(int Position, SelectorValue Value) : Expression(Position);

sealed record PropertyRead(int Position, PropertyReference Reference) : Expression(Position);

/// <summary>The time of the query.</summary>
sealed record Now(int Position) : Expression(Position);

/// <summary>The current element of an enclosing <see cref="AnyElement"/>.</summary>
sealed record Variable(int Position, string Name) : Expression(Position);

sealed record ListOf(int Position, Sequence<Expression> Items) : Expression(Position);

sealed record Negation(int Position, Expression Operand) : Expression(Position);

sealed record Not(int Position, Expression Operand) : Expression(Position);

/// <summary>Operands joined from left to right by operators of the same precedence: <c>a + b - c</c>.</summary>
sealed record Arithmetic(int Position, Expression First, Sequence<ArithmeticStep> Steps) : Expression(Position);

readonly record struct ArithmeticStep(ArithmeticOperator Operator, Expression Operand);

sealed record Comparison(int Position, ComparisonOperator Operator, Expression Left, Expression Right) : Expression(Position);

/// <summary>Two or more operands joined by <c>and</c>, or by <c>or</c>.</summary>
sealed record Logical(int Position, LogicalOperator Operator, Sequence<Expression> Operands) : Expression(Position);

sealed record Call(int Position, Function Function, Sequence<Expression> Arguments) : Expression(Position);

/// <summary><c>any(variable, list, condition)</c>: whether some element of the list meets the condition.</summary>
sealed record AnyElement(int Position, string Variable, Expression List, Expression Condition) : Expression(Position);

enum ArithmeticOperator
{
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

enum ComparisonOperator
{
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    In,
}

enum LogicalOperator
{
    And,
    Or,
}

enum Function
{
    Floor,
    Round,
    Ceil,
    Boolean,
    Number,
    String,
    Defined,
    List,
    DateTime,
    HasPrefix,
}
