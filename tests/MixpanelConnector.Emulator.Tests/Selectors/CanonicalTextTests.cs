using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Tests.Selectors;

public sealed class CanonicalTextTests
{
    [Theory]
    [InlineData("true", "true")]
    [InlineData("((true))", "true")]
    [InlineData("1 = 2", "(1 == 2)")]
    [InlineData("1+2*3-4", "(1 + (2 * 3) - 4)")]
    [InlineData("1-(2-3)", "(1 - (2 - 3))")]
    [InlineData("- - 1 % 2", "((-(-1)) % 2)")]
    [InlineData("NOT not true", "(not (not true))")]
    [InlineData("not \"x\" in properties[ \"$a \\\"b\\\\\" ]", """(not ("x" in properties["$a \"b\\"]))""")]
    [InlineData("true or false and NOW>1 OR false", "(true or (false and (NOW > 1)) or false)")]
    [InlineData("true or (false or true)", "(true or (false or true))")]
    [InlineData("1 in [ 1,2 , \"a\" ,[true]]", "(1 in [1, 2, \"a\", [true]])")]
    [InlineData("1 in [1, NOW]", "(1 in [1, NOW])")]
    [InlineData("string ( behaviors [\"b\"] , \"none\" )", "string(behaviors[\"b\"], \"none\")")]
    [InlineData("100000000000000000000000 > 0.0000001", "(100000000000000000000000 > 0.0000001)")]
    public void An_expression_is_written_with_every_parenthesis(string text, string canonical) =>
        Assert.Equal(canonical, Selector.Parse(text, SelectorDialect.Engage).ToCanonicalString());

    [Theory]
    [InlineData("any( x ,user[\"tags\"], x==\"a\" )", "any(x, user[\"tags\"], (x == \"a\"))")]
    [InlineData("has_prefix(user[\"e\"],\"a\")", "has_prefix(user[\"e\"], \"a\")")]
    public void So_are_the_functions_of_event_reports(string text, string canonical) =>
        Assert.Equal(canonical, Selector.Parse(text, SelectorDialect.Events).ToCanonicalString());

    [Theory]
    [InlineData("1 + 2 + 3", "1 + (2 + 3)")]
    [InlineData("1 + 2", "1 - 2")]
    [InlineData("1 > 2", "1 < 2")]
    [InlineData("true and false", "true or false")]
    [InlineData("[1, 2]", "[2, 1]")]
    [InlineData("[1, NOW]", "[1, NOW, NOW]")]
    [InlineData("floor(1)", "ceil(1)")]
    [InlineData("properties[\"a\"]", "properties[\"A\"]")]
    [InlineData("properties[\"a\"]", "behaviors[\"a\"]")]
    [InlineData("1", "\"1\"")]
    [InlineData("not true", "-true")]
    public void Different_expressions_are_not_equal(string one, string other) => Assert.NotEqual(
        Selector.Parse(one, SelectorDialect.Engage).Expression,
        Selector.Parse(other, SelectorDialect.Engage).Expression);
}
