using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using CsCheck;
using MixpanelConnector.Emulator.Selectors;
using static MixpanelConnector.Emulator.Tests.Selectors.NaiveLanguage;

namespace MixpanelConnector.Emulator.Tests.Selectors;

/// <summary>Random expressions on random records: the product and <see cref="NaiveLanguage"/> must agree.</summary>
public sealed class RandomSelectorTests
{
    static readonly string[] Names = ["a", "b", "c", "d e", "q\"\\"];

    static readonly string[] Texts =
    [
        "", "a", "ab", "abc", "B", "true", "false", "0", "5", "-2.5", "1e3", ".5", "5.", " 5", "1e999", "NaN", "q\"\\", "é",
        "2026-09-01", "2026-09-01T10:20:30", "2026-13-01", "2026-09-01T10:20:30Z",
    ];

    static readonly string[] Numbers =
    [
        "0", "1", "2", "3", "5", "0.5", "1.5", "2.50", "7", "1000", "1700000000", "4294967295", "4294967296", "1700000000500",
        "9007199254740993", "1000000000000000000000", "0.0000012345",
    ];

    [Fact]
    public void A_random_expression_has_the_value_that_the_rules_give() =>
        Seeded.Check(Gen.Select(Expressions(4), Records), 40_000, pair => Agree(pair.Item1, pair.Item2), Print);

    [Fact]
    public void A_random_expression_reads_back_from_its_canonical_text() =>
        Seeded.Check(
            Expressions(4),
            5_000,
            node =>
            {
                var selector = Selector.Parse(node.Text, SelectorDialect.Events);
                var canonical = selector.ToCanonicalString();
                var again = Selector.Parse(canonical, SelectorDialect.Events);

                Assert.Equal(selector.Expression, again.Expression);
                Assert.Equal(selector.Expression.GetHashCode(), again.Expression.GetHashCode());
                Assert.Equal(selector.Properties, again.Properties);
                Assert.Equal(canonical, again.ToCanonicalString());
            },
            node => node.Text);

    static void Agree(Node node, string json)
    {
        var selector = Selector.Parse(node.Text, SelectorDialect.Events);
        var record = new JsonSelectorRecord(selector);
        record.Load(json);
        var environment = new NaiveLanguage.Environment(
            JsonElement.Parse(json),
            SelectorTesting.Context.Now.ToUnixTimeSeconds(),
            SelectorTesting.Context.TimeZone.BaseUtcOffset.TotalSeconds,
            ImmutableDictionary<string, object?>.Empty);

        Assert.Equal(Expected(node, environment), Actual(selector, record));
    }

    static string Expected(Node node, NaiveLanguage.Environment environment)
    {
        try
        {
            return Describe(node.ValueIn(environment));
        }
        catch (Refused)
        {
            return "refused";
        }
    }

    static string Actual(Selector selector, JsonSelectorRecord record)
    {
        try
        {
            return Describe(selector.Evaluate(record, SelectorTesting.Context));
        }
        catch (SelectorException)
        {
            return "refused";
        }
    }

    static string Describe(object? value) => value switch
    {
        null => "null",
        bool boolean => boolean ? "true" : "false",
        double number => Describe(number),
        string text => $"text {text}",
        Moment moment => $"moment {Describe(moment.Seconds)}",
        List<object?> list => $"[{string.Join("; ", list.Select(Describe))}]",
        JsonElement json => json.GetRawText(),
        _ => "undefined",
    };

    static string Describe(SelectorValue value) => value.Kind switch
    {
        SelectorKind.Null => "null",
        SelectorKind.Boolean => value.IsTrue ? "true" : "false",
        SelectorKind.Number => Describe(value.Number),
        SelectorKind.Text => $"text {value.Text}",
        SelectorKind.DateTime => $"moment {Describe(value.Number)}",
        SelectorKind.List => $"[{string.Join("; ", value.List.ToArray().Select(Describe))}]",
        SelectorKind.Object => value.ToString(),
        _ => "undefined",
    };

    static string Describe(double number) => (number == 0 ? 0 : number).ToString("R", CultureInfo.InvariantCulture);

    static string Print((Node Node, string Json) pair) => $"{pair.Node.Text}    on    {pair.Json}";

    static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    static readonly Gen<string> Records = Gen.Select(JsonValues(2).Array[Names.Length], Gen.Bool.Array[Names.Length], (values, present) =>
        "{" + string.Join(',', Enumerable.Range(0, Names.Length).Where(index => present[index])
            .Select(index => $"\"{JsonEncodedText.Encode(Names[index])}\":{values[index]}")) + "}");

    static Gen<string> JsonValues(int depth)
    {
        var scalars = Gen.OneOf(
            OneOf(Texts).Select(text => $"\"{JsonEncodedText.Encode(text)}\""),
            OneOf(Numbers),
            OneOf(Numbers).Select(number => "-" + number),
            OneOf("true", "false", "null"));
        if (depth == 0) return scalars;
        var inner = JsonValues(depth - 1);
        return Gen.Frequency(
            (6, scalars),
            (2, inner.Array[0, 3].Select(items => $"[{string.Join(',', items)}]")),
            (1, inner.Select(item => $$"""{"x":{{item}}}""")));
    }

    static Gen<Node> Expressions(int depth) => Gen.Frequency((3, Conditions(depth, 0)), (1, Values(depth, 0)));

    // Mostly boolean, so that logic is tested beyond type errors; sometimes any value, so that those are tested, too.
    static Gen<Node> Conditions(int depth, int variables)
    {
        var values = Values(depth - 1, variables);
        var comparisons = Gen.Select(OneOf("==", "!=", ">", ">=", "<", "<=", "in"), Operands(values), (symbol, pair) => Binary(symbol, pair.Left, pair.Right));
        if (depth <= 1) return comparisons;
        var conditions = Conditions(depth - 1, variables);
        return Gen.Frequency(
            (4, comparisons),
            (2, Gen.Select(conditions, conditions, And)),
            (2, Gen.Select(conditions, conditions, Or)),
            (2, conditions.Select(Not)),
            (1, conditions.Select(Parenthesised)),
            (2, Gen.Select(OneOf("defined", "boolean"), values, (function, value) => Call(function, value))),
            (1, Gen.Select(values, values, (text, prefix) => Call("has_prefix", text, prefix))),
            (1, Gen.Select(values, Conditions(depth - 1, variables + 1), (list, condition) => Any($"v{variables}", list, condition))),
            (1, values));
    }

    // Half of the pairs have the same type, because most operators return undefined otherwise.
    static Gen<(Node Left, Node Right)> Operands(Gen<Node> values)
    {
        var numbers =
            Gen.OneOf(OneOf(Numbers).Select(Number), OneOf(Numbers).Select(digits => Minus(Number(digits))), values.Select(value => Call("number", value)));
        var texts = Gen.OneOf(OneOf(Texts).Select(Text), values.Select(value => Call("string", value)));
        var moments = Gen.OneOf(OneOf(Numbers).Select(Number), OneOf(Texts).Select(Text), values).Select(value => Call("datetime", value));
        var lists = Gen.OneOf(values.Array[0, 3].Select(List), values.Select(value => Call("list", value)));
        return Gen.Frequency(
            (4, Gen.Select(values, values)),
            (2, Gen.Select(numbers, numbers)),
            (1, Gen.Select(texts, texts)),
            (1, Gen.Select(moments, moments)),
            (1, Gen.Select(values, lists)))
            .Select(pair => (pair.Item1, pair.Item2));
    }

    static Gen<Node> Values(int depth, int variables)
    {
        var leaves = Gen.Frequency(
            (5, OneOf(Names).Select(Property)),
            (3, OneOf(Numbers).Select(Number)),
            (3, OneOf(Texts).Select(Text)),
            (1, Gen.Bool.Select(Boolean)),
            (1, Gen.Const(0).Select(_ => Now())),
            (variables, Gen.Int[0, Math.Max(variables - 1, 0)].Select(level => Variable($"v{level}"))));
        if (depth <= 0) return leaves;
        var values = Values(depth - 1, variables);
        return Gen.Frequency(
            (5, leaves),
            (4, Gen.Select(OneOf("+", "-", "*", "/", "%"), Operands(values), (symbol, pair) => Binary(symbol, pair.Left, pair.Right))),
            (1, values.Select(Minus)),
            (1, values.Select(Parenthesised)),
            (2, values.Array[0, 3].Select(List)),
            (4, Gen.Select(
                OneOf("floor", "round", "ceil", "number", "string", "list", "datetime", "defined", "boolean"),
                values,
                (function, value) => Call(function, value))),
            (1, Gen.Select(values, values, (value, otherwise) => Call("string", value, otherwise))),
            (1, Conditions(depth, variables)));
    }
}
