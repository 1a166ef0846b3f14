namespace MixpanelConnector.Emulator.Selectors;

/// <summary>Evaluates one expression on one record.</summary>
ref struct Evaluation(ISelectorRecord record, SelectorContext context)
{
    /// <summary>The number of steps between checks whether the caller is still connected: about 50 µs.</summary>
    const int StepsBetweenLooks = 4096;

    int _steps;
    int _nextLook;

    public readonly int Steps => _steps;

    /// <summary>A variable of <c>any</c> with its current element.</summary>
    public sealed record Scope(string Variable, SelectorValue Element, Scope? Outer);

    public SelectorValue Evaluate(Expression expression, Scope? scope)
    {
        Spend(1, expression);
        return expression switch
        {
            Comparison comparison => Compare(comparison, scope),
            PropertyRead property => record.Get(property.Reference.Root, property.Reference.Name),
            Literal literal => literal.Value,
            Logical logical => Decide(logical, scope),
            Call call => Apply(call, scope),
            Not not => Invert(Evaluate(not.Operand, scope)),
            Arithmetic arithmetic => Compute(arithmetic, scope),
            Negation negation => Negate(Evaluate(negation.Operand, scope)),
            Now => SelectorValue.FromNumber(context.Now.ToUnixTimeSeconds()),
            ListOf list => Build(list, scope),
            AnyElement any => Search(any, scope),
            Variable variable => Find(variable, scope),
            _ => throw new InvalidOperationException($"no evaluation for {expression.GetType().Name}"),
        };
    }

    /// <summary>Counts the work, so that a few nested <c>any</c>, or comparisons of long strings, cannot run forever.</summary>
    void Spend(long steps, Expression expression)
    {
        if (_steps + steps > SelectorLimits.Steps) throw new SelectorException($"more than {SelectorLimits.Steps} steps for one record", expression.Position);
        _steps += (int)steps;
        if (_steps < _nextLook) return;
        _nextLook = _steps + StepsBetweenLooks;
        context.Budget?.CheckCaller();
    }

    /// <summary>Counts the work on two strings: the number of characters of the shorter one.</summary>
    void Spend(in SelectorValue left, in SelectorValue right, Expression expression)
    {
        if (left.Kind == SelectorKind.Text && right.Kind == SelectorKind.Text)
            Spend(Math.Min(left.Text.Length, right.Text.Length) / SelectorLimits.CharactersPerStep, expression);
    }

    /// <summary>Short-circuits: operands after the deciding one are not evaluated, and so cannot fail.</summary>
    SelectorValue Decide(Logical logical, Scope? scope)
    {
        var (deciding, name) = logical.Operator == LogicalOperator.Or ? (true, "'or'") : (false, "'and'");
        foreach (var operand in logical.Operands.Items)
        {
            if (Truth(Evaluate(operand, scope), name, operand) == deciding) return SelectorValue.FromBoolean(deciding);
        }
        return SelectorValue.FromBoolean(!deciding);
    }

    static bool Truth(SelectorValue value, string where, Expression operand) => value.Kind switch
    {
        SelectorKind.Boolean => value.IsTrue,
        SelectorKind.Undefined => false,
        _ => throw new SelectorException($"{where} takes booleans, not {Name(value.Kind)}", operand.Position),
    };

    static string Name(SelectorKind kind) => kind switch
    {
        SelectorKind.Number => "a number",
        SelectorKind.Text => "a string",
        SelectorKind.DateTime => "a datetime",
        SelectorKind.List => "a list",
        SelectorKind.Object => "an object",
        _ => "null",
    };

    static SelectorValue Invert(SelectorValue value) => value.Kind switch
    {
        SelectorKind.Boolean => SelectorValue.FromBoolean(!value.IsTrue),
        SelectorKind.Undefined => SelectorValue.True,
        _ => SelectorValue.Undefined,
    };

    static SelectorValue Negate(SelectorValue value) =>
        value.Kind == SelectorKind.Number ? SelectorValue.FromNumber(-value.Number) : SelectorValue.Undefined;

    SelectorValue Compute(Arithmetic arithmetic, Scope? scope)
    {
        var value = Evaluate(arithmetic.First, scope);
        foreach (var step in arithmetic.Steps.Items)
        {
            var operand = Evaluate(step.Operand, scope);
            value = (value.Kind, operand.Kind) switch
            {
                (SelectorKind.Number, SelectorKind.Number) => Compute(value.Number, step.Operator, operand.Number),
                (SelectorKind.Text, SelectorKind.Text) when step.Operator == ArithmeticOperator.Add =>
                    Concatenate(value.Text, operand.Text, step.Operand),
                _ => SelectorValue.Undefined,
            };
        }
        return value;
    }

    // Division by zero is documented as undefined. The remainder by zero is undocumented; here it is NaN, and therefore undefined as well.
    static SelectorValue Compute(double left, ArithmeticOperator kind, double right) => kind switch
    {
        ArithmeticOperator.Add => SelectorValue.FromNumber(left + right),
        ArithmeticOperator.Subtract => SelectorValue.FromNumber(left - right),
        ArithmeticOperator.Multiply => SelectorValue.FromNumber(left * right),
        ArithmeticOperator.Divide => SelectorValue.FromNumber(left / right),
        _ => SelectorValue.FromNumber(left % right),
    };

    SelectorValue Concatenate(string left, string right, Expression operand)
    {
        if (left.Length + right.Length > SelectorLimits.TextLength)
            throw new SelectorException($"'+' builds a string longer than {SelectorLimits.TextLength} characters", operand.Position);
        Spend((left.Length + right.Length) / SelectorLimits.CharactersPerStep, operand);
        return SelectorValue.FromText(left + right);
    }

    SelectorValue Compare(Comparison comparison, Scope? scope)
    {
        var left = Evaluate(comparison.Left, scope);
        var right = Evaluate(comparison.Right, scope);
        return comparison.Operator switch
        {
            ComparisonOperator.Equal => SelectorValue.FromBoolean(AreEqual(left, right, comparison)),
            ComparisonOperator.NotEqual => SelectorValue.FromBoolean(!AreEqual(left, right, comparison)),
            ComparisonOperator.In => Contains(right, left, comparison),
            _ => Order(left, comparison, right),
        };
    }

    /// <summary>Like <see cref="SelectorValue.Equals(SelectorValue)"/>, but counts elements: lists of lists can be vast although small in memory.</summary>
    bool AreEqual(in SelectorValue left, in SelectorValue right, Comparison comparison)
    {
        Spend(left, right, comparison);
        if (left.Kind != SelectorKind.List || right.Kind != SelectorKind.List) return left.Equals(right);
        if (left.List.Length != right.List.Length) return false;
        Spend(left.List.Length, comparison);
        for (var index = 0; index < left.List.Length; index++)
        {
            if (!AreEqual(left.List[index], right.List[index], comparison)) return false;
        }
        return true;
    }

    // According to Mixpanel's example, a value is in a list or is not, whatever its type; all pairs other than these two are undefined.
    SelectorValue Contains(SelectorValue container, SelectorValue item, Comparison comparison)
    {
        if (container.Kind == SelectorKind.Text && item.Kind == SelectorKind.Text)
        {
            // In the worst case, the whole item is compared at each position of the container, 16 characters at a time.
            var places = Math.Max(0L, container.Text.Length - item.Text.Length + 1);
            Spend((container.Text.Length + (places * item.Text.Length / 16)) / SelectorLimits.CharactersPerStep, comparison);
            return SelectorValue.FromBoolean(container.Text.Contains(item.Text, StringComparison.Ordinal));
        }
        if (container.Kind != SelectorKind.List) return SelectorValue.Undefined;
        Spend(container.List.Length, comparison);
        foreach (ref readonly var element in container.List)
        {
            if (AreEqual(element, item, comparison)) return SelectorValue.True;
        }
        return SelectorValue.False;
    }

    // Mixpanel documents the order of numbers, and undefined for different types. The order of strings is not documented: clients use properties["$last_seen"]
    // > "2026-09-01T00:00:00", so strings are ordered, by code unit. All other pairs of equal types are undefined.
    SelectorValue Order(in SelectorValue left, Comparison comparison, in SelectorValue right)
    {
        if (left.Kind != right.Kind) return SelectorValue.Undefined;
        Spend(left, right, comparison);
        int order;
        if (left.Kind is SelectorKind.Number or SelectorKind.DateTime) order = left.Number.CompareTo(right.Number);
        else if (left.Kind == SelectorKind.Text) order = string.CompareOrdinal(left.Text, right.Text);
        else return SelectorValue.Undefined;
        return SelectorValue.FromBoolean(comparison.Operator switch
        {
            ComparisonOperator.Greater => order > 0,
            ComparisonOperator.GreaterOrEqual => order >= 0,
            ComparisonOperator.Less => order < 0,
            _ => order <= 0,
        });
    }

    SelectorValue Apply(Call call, Scope? scope)
    {
        var argument = Evaluate(call.Arguments[0], scope);
        Spend(argument, argument, call);
        return call.Function switch
        {
            Function.Floor => Round(argument, MidpointRounding.ToNegativeInfinity),
            Function.Ceil => Round(argument, MidpointRounding.ToPositiveInfinity),
            // Mixpanel does not document the rounding of halves: here it is away from zero, as in C.
            Function.Round => Round(argument, MidpointRounding.AwayFromZero),
            Function.Boolean => Casts.ToBoolean(argument),
            Function.Number => Casts.ToNumber(argument),
            Function.String => ToText(argument, call, scope),
            Function.List => Casts.ToList(argument),
            Function.DateTime => Casts.ToDateTime(argument, context.TimeZone),
            // "Has any value": null does not count, because Mixpanel's page on data types does not list it among the set values.
            Function.Defined => SelectorValue.FromBoolean(argument.Kind is not (SelectorKind.Undefined or SelectorKind.Null)),
            _ => HasPrefix(argument, Evaluate(call.Arguments[1], scope), call),
        };
    }

    static SelectorValue Round(SelectorValue value, MidpointRounding rounding) =>
        value.Kind == SelectorKind.Number ? SelectorValue.FromNumber(Math.Round(value.Number, rounding)) : SelectorValue.Undefined;

    // The second argument is known from one sample only: it is the default if the cast results in undefined, and is cast itself.
    SelectorValue ToText(SelectorValue argument, Call call, Scope? scope)
    {
        var text = Casts.ToText(argument);
        return text.IsUndefined && call.Arguments.Count == 2 ? Casts.ToText(Evaluate(call.Arguments[1], scope)) : text;
    }

    SelectorValue HasPrefix(in SelectorValue text, in SelectorValue prefix, Call call)
    {
        Spend(text, prefix, call);
        return text.Kind == SelectorKind.Text && prefix.Kind == SelectorKind.Text
            ? SelectorValue.FromBoolean(text.Text.StartsWith(prefix.Text, StringComparison.Ordinal))
            : SelectorValue.Undefined;
    }

    SelectorValue Build(ListOf list, Scope? scope)
    {
        var items = new SelectorValue[list.Items.Count];
        for (var index = 0; index < items.Length; index++)
            items[index] = Evaluate(list.Items[index], scope);
        return SelectorValue.FromList(items);
    }

    // Undocumented: the condition's value is treated like an operand of 'or', and a value that is not a list results in undefined.
    SelectorValue Search(AnyElement any, Scope? scope)
    {
        var list = Evaluate(any.List, scope);
        if (list.Kind != SelectorKind.List) return SelectorValue.Undefined;
        foreach (var element in list.List)
        {
            if (Truth(Evaluate(any.Condition, new Scope(any.Variable, element, scope)), "the condition of any()", any.Condition)) return SelectorValue.True;
        }
        return SelectorValue.False;
    }

    static SelectorValue Find(Variable variable, Scope? scope)
    {
        while (scope!.Variable != variable.Name)
            scope = scope.Outer;
        return scope.Element;
    }
}
