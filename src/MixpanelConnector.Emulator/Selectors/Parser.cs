using System.Collections.Frozen;

namespace MixpanelConnector.Emulator.Selectors;

/// <summary>
/// Parses an expression by precedence climbing. From loosest to tightest: <c>or</c>, <c>and</c>, <c>not</c>, one comparison, <c>+ -</c>, <c>* / %</c>, unary
/// <c>-</c>. Mixpanel publishes no precedence except for <c>not "x" in y</c>, which this order produces.
/// </summary>
sealed class Parser
{
    static readonly FrozenDictionary<string, PropertyRoot> Roots = new Dictionary<string, PropertyRoot>(StringComparer.Ordinal)
    {
        ["properties"] = PropertyRoot.Properties,
        ["user"] = PropertyRoot.User,
        ["event"] = PropertyRoot.Event,
        ["behaviors"] = PropertyRoot.Behaviors,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    static readonly FrozenDictionary<string, Function> Functions =
        Enum.GetValues<Function>().ToFrozenDictionary(CanonicalText.NameOf, StringComparer.Ordinal);

    readonly string _text;
    readonly SelectorDialect _dialect;
    readonly Lexer _lexer;
    readonly List<PropertyReference> _properties = [];
    readonly HashSet<PropertyReference> _seen = [];
    readonly Stack<string> _variables = new();
    Token _current;
    int _nesting;

    public Parser(string text, SelectorDialect dialect)
    {
        if (text.Length > SelectorLimits.ExpressionLength)
            throw new SelectorException($"expression longer than {SelectorLimits.ExpressionLength} characters", SelectorLimits.ExpressionLength);
        _text = text;
        _dialect = dialect;
        _lexer = new Lexer(text);
        _current = _lexer.Next();
    }

    /// <summary>The properties that the expression reads, without duplicates, in the order of the text.</summary>
    public IReadOnlyList<PropertyReference> Properties => _properties;

    public Expression ParseWhole()
    {
        var expression = Parse(Precedence.Or);
        if (_current.Kind != TokenKind.End) throw Unexpected("expected an operator or the end of the expression");
        return expression;
    }

    enum Precedence
    {
        None,
        Or,
        And,
        Not,
        Comparison,
        Sum,
        Product,
    }

    static Precedence PrecedenceOf(TokenKind kind) => kind switch
    {
        TokenKind.Or => Precedence.Or,
        TokenKind.And => Precedence.And,
        TokenKind.Plus or TokenKind.Minus => Precedence.Sum,
        TokenKind.Star or TokenKind.Slash or TokenKind.Percent => Precedence.Product,
        TokenKind.In or (>= TokenKind.Equal and <= TokenKind.LessOrEqual) => Precedence.Comparison,
        _ => Precedence.None,
    };

    Expression Parse(Precedence loosest)
    {
        var left = ParseOperand(loosest);
        while (PrecedenceOf(_current.Kind) is var precedence && precedence >= loosest)
        {
            left = precedence switch
            {
                Precedence.Or => ParseLogical(left, TokenKind.Or, LogicalOperator.Or, Precedence.And),
                Precedence.And => ParseLogical(left, TokenKind.And, LogicalOperator.And, Precedence.Not),
                Precedence.Comparison => ParseComparison(left),
                _ => ParseArithmetic(left, precedence),
            };
        }
        return left;
    }

    Logical ParseLogical(Expression first, TokenKind token, LogicalOperator kind, Precedence operand)
    {
        List<Expression> operands = [first];
        while (_current.Kind == token)
        {
            Take();
            operands.Add(Parse(operand));
        }
        return new Logical(first.Position, kind, new([.. operands]));
    }

    Comparison ParseComparison(Expression left)
    {
        var kind = Take().Kind switch
        {
            TokenKind.Equal => ComparisonOperator.Equal,
            TokenKind.NotEqual => ComparisonOperator.NotEqual,
            TokenKind.Greater => ComparisonOperator.Greater,
            TokenKind.GreaterOrEqual => ComparisonOperator.GreaterOrEqual,
            TokenKind.Less => ComparisonOperator.Less,
            TokenKind.LessOrEqual => ComparisonOperator.LessOrEqual,
            _ => ComparisonOperator.In,
        };
        var right = Parse(Precedence.Sum);
        if (PrecedenceOf(_current.Kind) == Precedence.Comparison) throw Unexpected("comparisons do not chain: join them with 'and', or use parentheses");
        return new Comparison(left.Position, kind, left, right);
    }

    Arithmetic ParseArithmetic(Expression first, Precedence precedence)
    {
        List<ArithmeticStep> steps = [];
        while (PrecedenceOf(_current.Kind) == precedence)
        {
            var kind = Take().Kind switch
            {
                TokenKind.Plus => ArithmeticOperator.Add,
                TokenKind.Minus => ArithmeticOperator.Subtract,
                TokenKind.Star => ArithmeticOperator.Multiply,
                TokenKind.Slash => ArithmeticOperator.Divide,
                _ => ArithmeticOperator.Remainder,
            };
            steps.Add(new ArithmeticStep(kind, precedence == Precedence.Sum ? Parse(Precedence.Product) : ParseOperand(Precedence.Product)));
        }
        return new Arithmetic(first.Position, first, new([.. steps]));
    }

    /// <summary>Parses a value with preceding <c>not</c> and <c>-</c>. <c>not</c> is allowed only where an operator of its precedence is.</summary>
    Expression ParseOperand(Precedence loosest)
    {
        switch (_current.Kind)
        {
            case TokenKind.Not when loosest > Precedence.Not:
                throw Unexpected("expected a value: here 'not' needs parentheses around it");
            case TokenKind.Not:
                return Nested(not => new Not(not.Position, Parse(Precedence.Not)));
            case TokenKind.Minus:
                return Nested(minus => new Negation(minus.Position, ParseOperand(Precedence.Product)));
            case TokenKind.OpenParenthesis:
                return Nested(_ =>
                {
                    var inner = Parse(Precedence.Or);
                    Take(TokenKind.CloseParenthesis, "expected ')'");
                    return inner;
                });
            case TokenKind.OpenBracket:
                return Nested(bracket => ListOf(bracket, ParseList(TokenKind.CloseBracket, "expected ',' or ']'")));
            case TokenKind.Number:
                return new Literal(_current.Position, SelectorValue.FromNumber(Take().Number));
            case TokenKind.Text:
                return new Literal(_current.Position, SelectorValue.FromText(Take().Text));
            case TokenKind.Name:
                return ParseName();
            default:
                throw Unexpected("expected a value");
        }
    }

    Expression ParseName()
    {
        var name = Take();
        switch (name.Text)
        {
            case "true": return new Literal(name.Position, SelectorValue.True);
            case "false": return new Literal(name.Position, SelectorValue.False);
            case "NOW": return ParseNow(name);
            case "any": return ParseAny(name);
        }
        if (Roots.TryGetValue(name.Text, out var root)) return ParseProperty(name, root);
        if (Functions.TryGetValue(name.Text, out var function)) return ParseCall(name, function);
        if (_variables.Contains(name.Text)) return new Variable(name.Position, name.Text);
        var kind = _current.Kind switch
        {
            TokenKind.OpenBracket => "root",
            TokenKind.OpenParenthesis => "function",
            _ => "name",
        };
        throw new SelectorException($"unknown {kind} '{name.Text}'", name.Position);
    }

    Now ParseNow(Token now)
    {
        // Mixpanel rejects "NOW -604800" as a syntax error. That the cause is a signed number, so that "NOW-604800" fails too, is inferred.
        if (_current.Kind == TokenKind.Minus && !(IsWhiteSpace(_current.Position - 1) && IsWhiteSpace(_current.Position + 1)))
            throw Unexpected("after NOW, '-' needs a space on each side");
        return new Now(now.Position);
    }

    bool IsWhiteSpace(int index) => index >= _text.Length || char.IsWhiteSpace(_text[index]);

    PropertyRead ParseProperty(Token name, PropertyRoot root)
    {
        var where = root switch
        {
            PropertyRoot.User when _dialect != SelectorDialect.Events => "event reports",
            PropertyRoot.Event when _dialect != SelectorDialect.Export => "raw export",
            PropertyRoot.Behaviors when _dialect != SelectorDialect.Engage => "profile queries",
            _ => null,
        };
        if (where is not null) throw new SelectorException($"{name.Text}[...] is available only in {where}", name.Position);

        Take(TokenKind.OpenBracket, "expected '['");
        var property = Take(TokenKind.Text, "expected a property name in double quotes");
        Take(TokenKind.CloseBracket, "expected ']'");
        var reference = new PropertyReference(root, property.Text);
        if (_seen.Add(reference)) _properties.Add(reference);
        return new PropertyRead(name.Position, reference);
    }

    Call ParseCall(Token name, Function function)
    {
        if (function == Function.HasPrefix) RefuseInProfileQueries(name);
        RequireOpenParenthesis();
        var arguments = Nested(_ => ParseList(TokenKind.CloseParenthesis, "expected ',' or ')'"));
        var (least, most) = function switch
        {
            Function.String => (1, 2),
            Function.HasPrefix => (2, 2),
            _ => (1, 1),
        };
        if (arguments.Count < least || arguments.Count > most)
        {
            var takes = least == most ? $"{least}" : $"{least} or {most}";
            throw new SelectorException($"{name.Text}() takes {takes} argument{(most == 1 ? "" : "s")}, not {arguments.Count}", name.Position);
        }
        return new Call(name.Position, function, arguments);
    }

    AnyElement ParseAny(Token name)
    {
        RefuseInProfileQueries(name);
        RequireOpenParenthesis();
        return Nested(_ =>
        {
            var variable = Take(TokenKind.Name, "expected the name of a variable");
            if (variable.Text is "true" or "false" or "NOW" or "any" || Roots.ContainsKey(variable.Text) || Functions.ContainsKey(variable.Text))
                throw new SelectorException($"'{variable.Text}' cannot name a variable", variable.Position);
            Take(TokenKind.Comma, "expected ','");
            var list = Parse(Precedence.Or);
            Take(TokenKind.Comma, "expected ','");
            _variables.Push(variable.Text);
            var condition = Parse(Precedence.Or);
            _variables.Pop();
            Take(TokenKind.CloseParenthesis, "expected ')'");
            return new AnyElement(name.Position, variable.Text, list, condition);
        });
    }

    // Profile queries support neither; all other functions are accepted there, including those known only from event queries.
    void RefuseInProfileQueries(Token name)
    {
        if (_dialect == SelectorDialect.Engage) throw new SelectorException($"{name.Text}() is not available in profile queries", name.Position);
    }

    void RequireOpenParenthesis()
    {
        if (_current.Kind != TokenKind.OpenParenthesis)
            throw Unexpected("expected '('");
    }

    /// <summary>Parses the items after an opening bracket or parenthesis, up to the end of the list.</summary>
    Sequence<Expression> ParseList(TokenKind close, string expected)
    {
        List<Expression> items = [];
        if (_current.Kind != close)
        {
            items.Add(Parse(Precedence.Or));
            while (_current.Kind == TokenKind.Comma)
            {
                Take();
                items.Add(Parse(Precedence.Or));
            }
        }
        Take(close, expected);
        return new([.. items]);
    }

    /// <summary>A list of literals is itself a literal, created once and not for each record: <c>in [1,2,3]</c> may contain thousands.</summary>
    static Expression ListOf(Token bracket, Sequence<Expression> items)
    {
        var values = new SelectorValue[items.Count];
        for (var index = 0; index < values.Length; index++)
        {
            if (items[index] is not Literal literal) return new ListOf(bracket.Position, items);
            values[index] = literal.Value;
        }
        return new Literal(bracket.Position, SelectorValue.FromList(values));
    }

    /// <summary>Consumes the current token and parses what it opens, one level deeper.</summary>
    T Nested<T>(Func<Token, T> parse)
    {
        if (++_nesting > SelectorLimits.Nesting) throw Unexpected($"nested more than {SelectorLimits.Nesting} levels deep");
        var result = parse(Take());
        _nesting--;
        return result;
    }

    Token Take()
    {
        var taken = _current;
        _current = _lexer.Next();
        return taken;
    }

    Token Take(TokenKind kind, string otherwise) => _current.Kind == kind ? Take() : throw Unexpected(otherwise);

    SelectorException Unexpected(string reason) => new(reason, _current.Position);
}
