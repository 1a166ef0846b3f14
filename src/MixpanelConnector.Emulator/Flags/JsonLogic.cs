using System.Globalization;
using System.Text;

namespace MixpanelConnector.Emulator.Flags;

/// <summary>
/// Evaluates a JsonLogic rule, with the results of json-logic-js. It uses its budget, and creates strings and lists of at most <see cref="MostMade"/>
/// characters and items.
/// </summary>
sealed class JsonLogic(RuleBudget budget)
{
    const int MostMade = 1_000_000;
    int _made;

    public object? Evaluate(object? logic, object? data)
    {
        budget.Spend(1);
        if (logic is List<object?> list) return list.Select(element => Evaluate(element, data)).ToList();
        if (logic is not Dictionary<string, object?> { Count: 1 } operation) return logic;
        var (name, given) = operation.Single();
        var arguments = given as List<object?> ?? [given];
        return name switch
        {
            "if" or "?:" => Choose(arguments, data),
            "and" => Last(arguments, data, until: false),
            "or" => Last(arguments, data, until: true),
            "filter" => Filter(arguments, data),
            "map" => Items(arguments, data)?.Select(item => Evaluate(At(arguments, 1), item)).ToList() ?? [],
            "reduce" => Reduce(arguments, data),
            "all" => Items(arguments, data) is { Count: > 0 } items && items.All(item => JavaScript.IsTrue(Evaluate(At(arguments, 1), item))),
            "some" => HasOne(arguments, data),
            "none" => !HasOne(arguments, data),
            _ => Bounded(Applied(name, [.. arguments.Select(argument => Evaluate(argument, data))], data)),
        };
    }

    object? Applied(string name, List<object?> arguments, object? data)
    {
        foreach (var argument in arguments)
            budget.SpendSize(argument);
        if (name == "in" && At(arguments, 1) is string whole)
            budget.Spend((long)JavaScript.ToText(At(arguments, 0)).Length * whole.Length / 16); // the text may be compared at every position
        return Apply(name, arguments, data);
    }

    static object? Apply(string name, List<object?> a, object? data) => name switch
    {
        "==" => JavaScript.AreEqual(At(a, 0), At(a, 1)),
        "!=" => !JavaScript.AreEqual(At(a, 0), At(a, 1)),
        "===" => JavaScript.AreSame(At(a, 0), At(a, 1)),
        "!==" => !JavaScript.AreSame(At(a, 0), At(a, 1)),
        "<" => JavaScript.Compare(At(a, 0), At(a, 1)) < 0 && (At(a, 2) == JavaScript.Undefined || JavaScript.Compare(At(a, 1), At(a, 2)) < 0),
        "<=" => JavaScript.Compare(At(a, 0), At(a, 1)) <= 0 && (At(a, 2) == JavaScript.Undefined || JavaScript.Compare(At(a, 1), At(a, 2)) <= 0),
        ">" => JavaScript.Compare(At(a, 0), At(a, 1)) > 0,
        ">=" => JavaScript.Compare(At(a, 0), At(a, 1)) >= 0,
        "!" => !JavaScript.IsTrue(At(a, 0)),
        "!!" => JavaScript.IsTrue(At(a, 0)),
        "log" => At(a, 0),
        "in" => IsIn(At(a, 0), At(a, 1)),
        "cat" => Concatenated(a),
        "substr" => Substring(JavaScript.ToText(At(a, 0)), At(a, 1), At(a, 2)),
        "+" => a.Aggregate(0.0, (sum, value) => sum + JavaScript.ParseFloat(value)),
        "*" => a.Count == 0
            ? throw new JsonLogicException("* needs an argument")
            : a.Aggregate((product, value) => JavaScript.ParseFloat(product) * JavaScript.ParseFloat(value)),
        "-" => At(a, 1) == JavaScript.Undefined ? -JavaScript.ToNumber(At(a, 0)) : JavaScript.ToNumber(At(a, 0)) - JavaScript.ToNumber(At(a, 1)),
        "/" => JavaScript.ToNumber(At(a, 0)) / JavaScript.ToNumber(At(a, 1)),
        "%" => JavaScript.ToNumber(At(a, 0)) % JavaScript.ToNumber(At(a, 1)),
        "min" => a.Aggregate(double.PositiveInfinity, (least, value) => Math.Min(least, JavaScript.ToNumber(value))),
        "max" => a.Aggregate(double.NegativeInfinity, (most, value) => Math.Max(most, JavaScript.ToNumber(value))),
        "merge" => a.SelectMany(value => value as List<object?> ?? [value]).ToList(),
        "var" => Variable(At(a, 0), At(a, 1), data),
        "missing" => Missing(At(a, 0) as List<object?> ?? a, data),
        "missing_some" => MissingSome(At(a, 0), At(a, 1), data),
        "semver_compare" => Versions.Hold(At(a, 0), At(a, 1), At(a, 2)),
        "datetime_compare" => Moments.Hold(At(a, 0), At(a, 1), At(a, 2)),
        _ => throw new JsonLogicException("the rule has an unknown operator"),
    };

    static object? At(List<object?> arguments, int index) => index < arguments.Count ? arguments[index] : JavaScript.Undefined;

    object? Bounded(object? value)
    {
        _made += value is string text ? text.Length : value is List<object?> list ? list.Count : 0;
        return _made <= MostMade ? value : throw new JsonLogicException("the rule makes values that are too large");
    }

    static string Concatenated(List<object?> values)
    {
        var text = new StringBuilder();
        foreach (var value in values.Where(value => !JavaScript.IsNothing(value)))
        {
            if (text.Append(JavaScript.ToText(value)).Length > MostMade) throw new JsonLogicException("the rule makes a text that is too long");
        }
        return text.ToString();
    }

    object? Choose(List<object?> arguments, object? data)
    {
        var index = 0;
        for (; index < arguments.Count - 1; index += 2)
        {
            if (JavaScript.IsTrue(Evaluate(arguments[index], data))) return Evaluate(arguments[index + 1], data);
        }
        return index < arguments.Count ? Evaluate(arguments[index], data) : null;
    }

    /// <summary>The first value with the requested truthiness, otherwise the last one; further arguments are not evaluated.</summary>
    object? Last(List<object?> arguments, object? data, bool until)
    {
        var value = JavaScript.Undefined;
        foreach (var argument in arguments)
        {
            value = Evaluate(argument, data);
            if (JavaScript.IsTrue(value) == until) break;
        }
        return value;
    }

    List<object?>? Items(List<object?> arguments, object? data) => Evaluate(At(arguments, 0), data) as List<object?>;

    List<object?> Filter(List<object?> arguments, object? data) =>
        Items(arguments, data)?.Where(item => JavaScript.IsTrue(Evaluate(At(arguments, 1), item))).ToList() ?? [];

    /// <summary>Stops at the first matching item.</summary>
    bool HasOne(List<object?> arguments, object? data) => Items(arguments, data)?.Exists(item => JavaScript.IsTrue(Evaluate(At(arguments, 1), item))) == true;

    object? Reduce(List<object?> arguments, object? data)
    {
        var items = Items(arguments, data);
        var value = arguments.Count > 2 ? Evaluate(arguments[2], data) : null;
        foreach (var item in items ?? [])
            value = Evaluate(At(arguments, 1), new Dictionary<string, object?>(StringComparer.Ordinal) { ["current"] = item, ["accumulator"] = value });
        return value;
    }

    static bool IsIn(object? part, object? whole) => whole switch
    {
        string text => text.Length > 0 && text.Contains(JavaScript.ToText(part), StringComparison.Ordinal),
        List<object?> list => list.Exists(item => JavaScript.AreSame(item, part)),
        _ => false,
    };

    static string Substring(string text, object? from, object? length)
    {
        var start = Whole(from, 0);
        start = start < 0 ? Math.Max(0, text.Length + start) : Math.Min(start, text.Length);
        var rest = text[(int)start..];
        var count = Whole(length, rest.Length);
        // A negative number counts from the end; a string is concatenated with the length.
        if (length != JavaScript.Undefined && JavaScript.Compare(length, 0.0) < 0)
            count = length is double less
                ? Math.Truncate(rest.Length + less)
                : Whole(rest.Length.ToString(CultureInfo.InvariantCulture) + JavaScript.ToText(length), 0);
        return rest[..(int)Math.Clamp(count, 0, rest.Length)];
    }

    static double Whole(object? value, double otherwise) =>
        value == JavaScript.Undefined ? otherwise : JavaScript.ToNumber(value) is var number && double.IsNaN(number) ? 0 : Math.Truncate(number);

    static object? Variable(object? path, object? otherwise, object? data)
    {
        if (JavaScript.IsNothing(path) || path is "") return data;
        foreach (var name in JavaScript.ToText(path).Split('.'))
        {
            data = data switch
            {
                Dictionary<string, object?> members => members.TryGetValue(name, out var value) ? value : JavaScript.Undefined,
                List<object?> list => name == "length" ? (double)list.Count : IndexOf(name, list.Count) is { } index ? list[index] : JavaScript.Undefined,
                string text => name == "length" ? (double)text.Length : IndexOf(name, text.Length) is { } index ? text[index].ToString() : JavaScript.Undefined,
                _ => JavaScript.Undefined,
            };
            if (data == JavaScript.Undefined) return otherwise == JavaScript.Undefined ? null : otherwise;
        }
        return data;
    }

    static int? IndexOf(string name, int count) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < count
            && name == index.ToString(CultureInfo.InvariantCulture)
            ? index
            : null;

    /// <summary>A name may be a list, which contains the arguments of var: a path and a default.</summary>
    static List<object?> Missing(List<object?> names, object? data) =>
        [
            .. names.Where(name => (name is List<object?> both ? Variable(At(both, 0), At(both, 1), data) : Variable(name, JavaScript.Undefined, data)) is null
                or ""),
        ];

    static List<object?> MissingSome(object? needed, object? names, object? data)
    {
        if (names is not List<object?> options) throw new JsonLogicException("missing_some needs a list");
        var missing = Missing(At(options, 0) as List<object?> ?? options, data);
        return JavaScript.ToNumber(needed) <= options.Count - missing.Count ? [] : missing;
    }
}
