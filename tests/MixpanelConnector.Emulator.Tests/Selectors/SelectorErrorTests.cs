using MixpanelConnector.Emulator.Selectors;
using static MixpanelConnector.Emulator.Tests.Selectors.SelectorTesting;

namespace MixpanelConnector.Emulator.Tests.Selectors;

public sealed class SelectorErrorTests
{
    [Theory]
    // Something is missing.
    [InlineData("", 0, "expected a value")]
    [InlineData("   ", 3, "expected a value")]
    [InlineData("1 ==", 4, "expected a value")]
    [InlineData("1 == == 2", 5, "expected a value")]
    [InlineData("and true", 0, "expected a value")]
    [InlineData("1 <> 2", 3, "expected a value")]
    [InlineData("()", 1, "expected a value")]
    [InlineData("[1,]", 3, "expected a value")]
    [InlineData("not", 3, "expected a value")]
    [InlineData("(1 == 1", 7, "expected ')'")]
    [InlineData("(1 == 1]", 7, "expected ')'")]
    [InlineData("[1, 2", 5, "expected ',' or ']'")]
    [InlineData("defined(1", 9, "expected ',' or ')'")]
    [InlineData("defined 1", 8, "expected '('")]
    [InlineData("properties == 1", 11, "expected '['")]
    [InlineData("properties.name == 1", 10, "unexpected character '.'")]
    [InlineData("properties[name] == 1", 11, "expected a property name in double quotes")]
    [InlineData("properties[\"name\" == 1", 18, "expected ']'")]
    // Something is too much.
    [InlineData("1 2", 2, "expected an operator or the end of the expression")]
    [InlineData("1)", 1, "expected an operator or the end of the expression")]
    [InlineData("1 not in [1]", 2, "expected an operator or the end of the expression")]
    [InlineData("1e5", 1, "expected an operator or the end of the expression")]
    [InlineData("1 IN [1]", 2, "expected an operator or the end of the expression")]
    [InlineData("1 == 1 == true", 7, "comparisons do not chain: join them with 'and', or use parentheses")]
    [InlineData("1 < 2 in [true]", 6, "comparisons do not chain: join them with 'and', or use parentheses")]
    [InlineData("true == not false", 8, "expected a value: here 'not' needs parentheses around it")]
    [InlineData("-not true", 1, "expected a value: here 'not' needs parentheses around it")]
    // Words.
    [InlineData("foo == 1", 0, "unknown name 'foo'")]
    [InlineData("1 == True", 5, "unknown name 'True'")]
    [InlineData("now > 1", 0, "unknown name 'now'")]
    [InlineData("people[\"a\"] == 1", 0, "unknown root 'people'")]
    [InlineData("true and foo(1)", 9, "unknown function 'foo'")]
    [InlineData("Defined(1)", 0, "unknown function 'Defined'")]
    // Arguments.
    [InlineData("defined()", 0, "defined() takes 1 argument, not 0")]
    [InlineData("1 < number(1, 2)", 4, "number() takes 1 argument, not 2")]
    [InlineData("string(1, 2, 3)", 0, "string() takes 1 or 2 arguments, not 3")]
    // Texts, numbers, characters.
    [InlineData("1 == \"abc", 5, "unterminated string")]
    [InlineData("1 == \"abc\\", 5, "unterminated string")]
    [InlineData("1 == \"abc\\\"", 5, "unterminated string")]
    [InlineData("\"a\\n\"", 2, "unknown escape: only \\\" and \\\\ are known")]
    [InlineData("'a' == 1", 0, "strings are written in double quotes")]
    [InlineData("1.", 2, "expected a digit after '.'")]
    [InlineData("1.x", 2, "expected a digit after '.'")]
    [InlineData(".5", 0, "unexpected character '.'")]
    [InlineData("true && false", 5, "unexpected character '&'")]
    [InlineData("1 ! 2", 2, "unexpected character '!'")]
    [InlineData("1 \u0007", 2, "unexpected character U+0007")]
    [InlineData("1 == \ud83d\ude00", 5, "unexpected character U+D83D")]
    // The minus after NOW.
    [InlineData("NOW -604800", 4, "after NOW, '-' needs a space on each side")]
    [InlineData("datetime(NOW-604800)", 12, "after NOW, '-' needs a space on each side")]
    [InlineData("NOW- 604800", 3, "after NOW, '-' needs a space on each side")]
    // Not supported in profile queries.
    [InlineData("has_prefix(\"a\", \"b\")", 0, "has_prefix() is not available in profile queries")]
    [InlineData("not any(x, [1], x == 1)", 4, "any() is not available in profile queries")]
    [InlineData("user[\"a\"] == 1", 0, "user[...] is available only in event reports")]
    [InlineData("1 == event[\"$time\"]", 5, "event[...] is available only in raw export")]
    public void A_mistake_is_told_where_it_stands(string expression, int position, string reason)
    {
        var failure = FailsToParse(expression);

        Assert.Equal((position, reason), (failure.Position, failure.Reason));
        Assert.Equal($"{reason} at position {position + 1}", failure.Message);
    }

    [Theory]
    [InlineData("event[\"$time\"] == 1", 0, "event[...] is available only in raw export")]
    [InlineData("behaviors[\"a\"] == 1", 0, "behaviors[...] is available only in profile queries")]
    [InlineData("has_prefix(\"a\")", 0, "has_prefix() takes 2 arguments, not 1")]
    [InlineData("any(5, [1], true)", 4, "expected the name of a variable")]
    [InlineData("any(list, [1], true)", 4, "'list' cannot name a variable")]
    [InlineData("any(NOW, [1], true)", 4, "'NOW' cannot name a variable")]
    [InlineData("any(x [1], true)", 6, "expected ','")]
    [InlineData("any(x, [1])", 10, "expected ','")]
    [InlineData("any(x, [1], true, 2)", 16, "expected ')'")]
    [InlineData("any(x, [1], true", 16, "expected ')'")]
    [InlineData("any(x, [x], true)", 8, "unknown name 'x'")]
    [InlineData("any(x, [1], true) or x", 21, "unknown name 'x'")]
    [InlineData("any(x, [1], x[\"a\"] == 1)", 13, "expected ')'")]
    public void A_mistake_in_an_event_report_is_told_where_it_stands(string expression, int position, string reason)
    {
        var failure = FailsToParse(expression, SelectorDialect.Events);

        Assert.Equal((position, reason), (failure.Position, failure.Reason));
    }

    [Theory]
    [InlineData("user[\"a\"] == 1", "user[...] is available only in event reports")]
    [InlineData("behaviors[\"a\"] == 1", "behaviors[...] is available only in profile queries")]
    public void Raw_export_has_neither_users_nor_behaviors(string expression, string reason) =>
        Assert.Equal(reason, FailsToParse(expression, SelectorDialect.Export).Reason);

    [Theory]
    [InlineData("NOW - 604800")]
    [InlineData("NOW\n-\t604800")]
    [InlineData("(NOW) -604800")]
    [InlineData("5 -3")]
    public void Other_minuses_need_no_space(string expression) =>
        Assert.Equal(SelectorKind.Number, Evaluate(expression).Kind);
}
