using System.Globalization;
using CsCheck;
using MixpanelConnector.Emulator.Selectors;
using Language = MixpanelConnector.Emulator.Selectors.Selector;

namespace MixpanelConnector.EndToEnd;

/// <summary>The library's selectors, parsed by the embedded Mixpanel, whose parser is independent of the library.</summary>
public sealed class SelectorTests
{
    /// <summary>A selector of the library, and its fully parenthesized meaning, by construction. Chains of one operator have no grouping.</summary>
    sealed record Condition(MixpanelSelector Selector, string Operator, IReadOnlyList<string> Operands)
    {
        public Condition(MixpanelSelector selector, string meaning)
            : this(selector, "", [meaning]) { }

        public string Meaning => Operands.Count == 1 ? Operands[0] : $"({string.Join($" {Operator} ", Operands)})";

        public IReadOnlyList<string> In(string chain) => Operator == chain ? Operands : [Meaning];
    }

    sealed record Term(SelectorTerm Value, string Meaning);

    static readonly string[] Words = ["and", "or", "not", "NOW", "\\\"", "\\\\", "properties[\"x\"]"];

    static readonly Gen<string> Text =
        Gen.OneOf(Gen.Char["abc \"\\'[]()漢🙂é$_\n\t=<&"].Array[0, 8].Select(chars => new string(chars)), Gen.Int[0, Words.Length - 1].Select(i => Words[i]));

    static readonly Gen<Term> Property = Gen.Select(Text.Where(name => name.Length > 0), Gen.Bool, (name, user) =>
        user ? new Term(MixpanelSelector.UserProperty(name), $"user[{Quote(name)}]") : new Term(MixpanelSelector.Property(name), $"properties[{Quote(name)}]"));

    static readonly Gen<Term> Literal = Gen.OneOf(
        Text.Select(text => new Term(text, Quote(text))),
        Gen.Long[0, 1L << 53].Select(number => new Term(number, number.ToString(CultureInfo.InvariantCulture))),
        Gen.Int[1, 1_000_000].Select(number => new Term(-number, string.Create(CultureInfo.InvariantCulture, $"(-{number})"))),
        Gen.Int[1, 999_999].Select(number => new Term(number / 8.0, (number / 8m).ToString("0.###", CultureInfo.InvariantCulture))),
        Gen.Bool.Select(flag => new Term(flag, flag ? "true" : "false")),
        Gen.Const(new Term(SelectorTerm.Now, "NOW")),
        Gen.Long[1, uint.MaxValue].Select(time => new Term(SelectorTerm.Time(DateTimeOffset.FromUnixTimeSeconds(time)),
            string.Create(CultureInfo.InvariantCulture, $"datetime({time})"))));

    static readonly Gen<Term> AnyTerm = Gen.Recursive<Term>((depth, inner) => depth > 3 ? Gen.OneOf(Property, Literal) : Gen.OneOf(
        Property,
        Literal,
        Gen.Select(inner, inner, (left, right) => new Term(left.Value + right.Value, $"({left.Meaning} + {right.Meaning})")),
        Gen.Select(inner, inner, (left, right) => new Term(left.Value - right.Value, $"({left.Meaning} - {right.Meaning})")),
        inner.Select(term => new Term(term.Value.AsNumber(), $"number({term.Meaning})")),
        inner.Select(term => new Term(term.Value.AsText(), $"string({term.Meaning})")),
        inner.Select(term => new Term(term.Value.AsBoolean(), $"boolean({term.Meaning})")),
        inner.Select(term => new Term(term.Value.AsTime(), $"datetime({term.Meaning})"))));

    static readonly Gen<Condition> Comparison = Gen.OneOf(
        Gen.Select(AnyTerm, AnyTerm, Gen.Int[0, 6], (left, right, which) => which switch
        {
            0 => new Condition(left.Value == right.Value, $"({left.Meaning} == {right.Meaning})"),
            1 => new Condition(left.Value != right.Value, $"({left.Meaning} != {right.Meaning})"),
            2 => new Condition(left.Value > right.Value, $"({left.Meaning} > {right.Meaning})"),
            3 => new Condition(left.Value < right.Value, $"({left.Meaning} < {right.Meaning})"),
            4 => new Condition(left.Value >= right.Value, $"({left.Meaning} >= {right.Meaning})"),
            5 => new Condition(left.Value <= right.Value, $"({left.Meaning} <= {right.Meaning})"),
            _ => new Condition(left.Value.Contains(right.Value), $"({right.Meaning} in {left.Meaning})"),
        }),
        Gen.Select(Property, AnyTerm.Array[1, 4],
            (term, items) => new Condition(term.Value.In([.. items.Select(item => item.Value)]),
                $"({term.Meaning} in [{string.Join(", ", items.Select(item => item.Meaning))}])")),
        Text.Where(name => name.Length > 0).Select(name => new Condition(MixpanelSelector.Defined(name), $"defined(properties[{Quote(name)}])")));

    static readonly Gen<Condition> AnyCondition = Gen.Recursive<Condition>((depth, inner) => depth > 4 ? Comparison : Gen.OneOf(
        Comparison,
        Gen.Select(inner, inner, (left, right) => new Condition(left.Selector & right.Selector, "and", [.. left.In("and"), .. right.In("and")])),
        Gen.Select(inner, inner, (left, right) => new Condition(left.Selector | right.Selector, "or", [.. left.In("or"), .. right.In("or")])),
        inner.Select(condition => new Condition(!condition.Selector, $"(not {condition.Meaning})"))));

    [Fact]
    public void Every_selector_is_read_as_what_it_was_built_to_mean() => AnyCondition.Sample(
        condition => Assert.Equal(Canonical(condition.Meaning), Canonical(condition.Selector)),
        iter: 20_000,
        seed: "0000KOIKe3n0");

    static string Canonical(string text) => Language.Parse(text, SelectorDialect.Events).ToCanonicalString();

    static string Quote(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
