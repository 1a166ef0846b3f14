using System.Text;
using CsCheck;
using MixpanelConnector.Emulator.Selectors;
using static MixpanelConnector.Emulator.Tests.Selectors.SelectorTesting;

namespace MixpanelConnector.Emulator.Tests.Selectors;

public sealed class HostileInputTests
{
    [Theory]
    [InlineData("(", 1)]
    [InlineData("[", 1)]
    [InlineData("not ", 4)]
    [InlineData("-", 1)]
    [InlineData("defined(", 8)]
    [InlineData("1 + (", 5)]
    public void Deep_nesting_is_refused(string opening, int length)
    {
        var failure = FailsToParse(Repeat(opening, 64_000 / length));

        Assert.Equal("nested more than 100 levels deep", failure.Reason);
        Assert.InRange(failure.Position, 100, 101 * length);
    }

    [Fact]
    public void Nesting_is_allowed_to_its_limit()
    {
        Assert.True(Matches(Repeat("(", 100) + "true" + Repeat(")", 100), "{}"));
        Assert.True(Matches(Repeat("not ", 100) + "true", "{}"));
        Assert.Equal("nested more than 100 levels deep", FailsToParse(Repeat("not ", 101) + "true").Reason);
    }

    [Theory]
    [InlineData("false or true and 2 == 2 + 3 * string(", 99, ")")]
    [InlineData("any(x, [1], false or true and 2 == 2 + 3 * (", 49, "))")]
    public void The_deepest_expression_fits_in_a_small_stack(string opening, int levels, string closing)
    {
        Exception? failure = null;
        var thread = new Thread(
            () => failure = Record.Exception(() =>
            {
                var text = Repeat(opening, levels) + "1" + Repeat(closing, levels);
                var selector = Selector.Parse(text, SelectorDialect.Events);
                selector.Evaluate(new FixedRecord(), Context);
                selector.ToCanonicalString();
                Assert.Equal(selector.Expression, Selector.Parse(text, SelectorDialect.Events).Expression);
            }),
            maxStackSize: 1 << 20);
        thread.Start();
        thread.Join();

        Assert.Null(failure);
    }

    [Theory]
    [InlineData("false or ", "true", "true")]
    [InlineData("true and ", "true", "true")]
    [InlineData("1+", "1", "20001")]
    [InlineData("1*", "1", "1")]
    public void A_long_chain_costs_no_depth(string term, string last, string expected)
    {
        var count = Math.Min(20_000, (SelectorLimits.ExpressionLength - last.Length) / term.Length);
        var selector = Selector.Parse(Repeat(term, count) + last, SelectorDialect.Engage);

        Assert.Equal(expected, selector.Evaluate(new FixedRecord(), Context).ToString());
        Assert.NotEmpty(selector.ToCanonicalString());
    }

    [Theory]
    [InlineData("""("b" + properties["p"] + properties["p"]) == "c" or """, 1200)]
    [InlineData("""properties["p"] + properties["p"] == properties["p"] or """, 1100)]
    [InlineData("""(properties["p"] + "c") in properties["p"] + properties["p"] + "b" or """, 900)]
    [InlineData("""properties["q"] in properties["p"] or """, 1600)]
    [InlineData("""properties["p"] + "" < properties["p"] or """, 1500)]
    [InlineData("""has_prefix(properties["p"], properties["p"] + "b") or """, 1200)]
    [InlineData("""number(properties["p"] + "") == 1 or """, 1650)]
    public void Work_on_long_texts_counts(string term, int count)
    {
        var selector = Selector.Parse(Repeat(term, count) + "false", SelectorDialect.Events);
        var record = new FixedRecord((PropertyRoot.Properties, "p", SelectorValue.FromText(new string('a', 30_000))),
            (PropertyRoot.Properties, "q", SelectorValue.FromText(new string('a', 29_000) + "b")));

        Assert.StartsWith("more than 1000000 steps for one record", Assert.Throws<SelectorException>(() => selector.Evaluate(record, Context)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Records_share_what_a_query_may_cost()
    {
        using var left = new CancellationTokenSource();
        var context = Context with { Budget = new QueryBudget(left.Token) };
        var selector = Selector.Parse("""properties["q"] in properties["p"]""", SelectorDialect.Events);
        var record = new FixedRecord((PropertyRoot.Properties, "p", SelectorValue.FromText(new string('a', 60_000))),
            (PropertyRoot.Properties, "q", SelectorValue.FromText(new string('b', 20_000))));

        var failure = Assert.Throws<SelectorException>(() =>
        {
            for (var records = 0; records < 1_000_000; records++) selector.Evaluate(record, context);
        });

        Assert.Equal("more than 500000000 steps for all records", failure.Reason);
    }

    [Fact]
    public void A_query_ends_when_its_caller_has_left()
    {
        using var left = new CancellationTokenSource();
        var context = Context with { Budget = new QueryBudget(left.Token) };
        var selector = Selector.Parse(Repeat("1 == 2 or ", 6000) + "true", SelectorDialect.Events);

        Assert.True(selector.Matches(new FixedRecord(), context));
        left.Cancel();

        Assert.Throws<OperationCanceledException>(() => selector.Matches(new FixedRecord(), context));
    }

    [Fact]
    public void A_text_longer_than_the_limit_is_refused()
    {
        Assert.True(Matches("true".PadRight(SelectorLimits.ExpressionLength), "{}"));
        Assert.Equal(SelectorLimits.ExpressionLength, FailsToParse("true".PadRight(SelectorLimits.ExpressionLength + 1)).Position);
    }

    [Fact]
    public void A_number_beyond_the_range_is_refused()
    {
        var failure = FailsToParse("1 < 1" + Repeat("0", 309));

        Assert.Equal((4, "number out of range"), (failure.Position, failure.Reason));
    }

    [Fact]
    public void Nested_any_cannot_run_for_ever()
    {
        var numbers = $"[{string.Join(',', Enumerable.Range(0, 200))}]";
        var expression = string.Concat(Enumerable.Range(0, 5).Select(level => $"any(x{level}, {numbers}, ")) + "false" + Repeat(")", 5);

        var failure = Assert.Throws<SelectorException>(() => Evaluate(expression, dialect: SelectorDialect.Events));

        Assert.Equal("more than 1000000 steps for one record", failure.Reason);
    }

    [Fact]
    public void Nested_any_cannot_build_endless_strings()
    {
        var expression = "any(x0, [\"a\"], " +
            string.Concat(Enumerable.Range(0, 60).Select(level => $"any(x{level + 1}, [x{level} + x{level}], ")) + "false" + Repeat(")", 61);

        var failure = Assert.Throws<SelectorException>(() => Evaluate(expression, dialect: SelectorDialect.Events));

        Assert.Equal("'+' builds a string longer than 65536 characters", failure.Reason);
    }

    [Fact]
    public void Nested_any_cannot_compare_endless_lists()
    {
        string Doubled(string name, string inner) => $"any({name}0, [[1]], " +
            string.Concat(Enumerable.Range(0, 40).Select(level => $"any({name}{level + 1}, [[{name}{level}, {name}{level}]], ")) +
            inner + Repeat(")", 41);

        var failure = Assert.Throws<SelectorException>(() => Evaluate(Doubled("a", Doubled("b", "a40 == b40")), dialect: SelectorDialect.Events));

        Assert.Equal("more than 1000000 steps for one record", failure.Reason);
    }

    [Fact]
    public void Random_text_either_parses_or_is_refused_inside_the_text()
    {
        string[] pieces =
        [
            "(", ")", "[", "]", ",", "+", "-", "*", "/", "%", "=", "!", ">", "<", " ", "in", " and ", " or ", "not ", "NOW", "any", "x",
            "properties", "[\"a\"]", "\"", "\\", "1", ".", "string", "true", "\u00e9", "\ud800",
        ];
        Seeded.Check(
            Gen.Int[0, pieces.Length - 1].Array[0, 30].Select(chosen => string.Concat(chosen.Select(index => pieces[index]))),
            20_000,
            text =>
            {
                try
                {
                    Selector.Parse(text, SelectorDialect.Events);
                }
                catch (SelectorException failure)
                {
                    Assert.InRange(failure.Position, 0, text.Length);
                }
            },
            text => text);
    }

    static string Repeat(string text, int count) => new StringBuilder().Insert(0, text, count).ToString();
}
