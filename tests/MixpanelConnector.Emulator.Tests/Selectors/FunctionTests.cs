using MixpanelConnector.Emulator.Selectors;
using static MixpanelConnector.Emulator.Tests.Selectors.SelectorTesting;

namespace MixpanelConnector.Emulator.Tests.Selectors;

public sealed class FunctionTests
{
    [Theory]
    [InlineData("string(\"a\")", "\"a\"")]
    [InlineData("string(5)", "\"5\"")]
    [InlineData("string(-2.50)", "\"-2.5\"")]
    [InlineData("string(-0)", "\"0\"")]
    [InlineData("string(1000000000000000000000)", "\"1000000000000000000000\"")]
    [InlineData("string(-12345678901234567890)", "\"-12345678901234567000\"")]
    [InlineData("string(0.00000012)", "\"0.00000012\"")]
    [InlineData("string(true)", "\"true\"")]
    [InlineData("string(properties[\"missing\"], \"undefined\")", "\"undefined\"")]
    [InlineData("string(properties[\"missing\"], 7)", "\"7\"")]
    [InlineData("string(properties[\"null\"], \"undefined\")", "null")]
    [InlineData("string(5, \"undefined\")", "\"5\"")]
    [InlineData("number(\"12\")", "12")]
    [InlineData("number(\"-1.25\")", "-1.25")]
    [InlineData("number(\"+3\")", "3")]
    [InlineData("number(\"1e3\")", "1000")]
    [InlineData("number(\"\")", "undefined")]
    [InlineData("number(\" 12\")", "undefined")]
    [InlineData("number(\"1,000\")", "undefined")]
    [InlineData("number(\"0x10\")", "undefined")]
    [InlineData("number(\"NaN\")", "undefined")]
    [InlineData("number(\"Infinity\")", "undefined")]
    [InlineData("number(\"1e400\")", "undefined")]
    [InlineData("number(true)", "1")]
    [InlineData("number(false)", "0")]
    [InlineData("boolean(\"false\")", "false")]
    [InlineData("boolean(\"False\")", "true")]
    [InlineData("boolean(\"0\")", "true")]
    [InlineData("boolean(\"\")", "false")]
    [InlineData("boolean(0)", "false")]
    [InlineData("boolean(0.1)", "true")]
    [InlineData("boolean([])", "true")]
    [InlineData("boolean(false)", "false")]
    [InlineData("defined(properties[\"missing\"])", "false")]
    [InlineData("defined(properties[\"null\"])", "false")]
    [InlineData("defined(properties[\"empty\"])", "true")]
    [InlineData("list(5)", "[5]")]
    [InlineData("list([5, 6])", "[5, 6]")]
    [InlineData("\"a\" in list(\"abc\")", "false")]
    public void A_cast_gives(string expression, string expected) =>
        Assert.Equal(expected, Evaluate(expression, """{"null":null,"empty":""}""").ToString());

    [Theory]
    [InlineData("datetime(1)", 1)]
    [InlineData("datetime(1700000000.9)", 1_700_000_000)]
    [InlineData("datetime(4294967295)", 4_294_967_295)]
    [InlineData("datetime(4294967296)", 4_294_967)]
    [InlineData("datetime(1700000000999)", 1_700_000_000)]
    [InlineData("datetime(datetime(5))", 5)]
    [InlineData("datetime(NOW)", 1_788_868_800)]
    [InlineData("datetime(\"1970-01-01T05:30:00\")", 0)]
    [InlineData("datetime(\"1970-01-02\")", 66_600)]
    [InlineData("datetime(\"0001-01-01T00:00:00\")", -62_135_616_600)]
    [InlineData("datetime(\"9999-12-31T23:59:59\")", 253_402_280_999)]
    public void A_datetime_is_read_in_the_time_zone_of_the_project(string expression, long unixSeconds) =>
        Assert.Equal(SelectorValue.FromUnixSeconds(unixSeconds), Evaluate(expression));

    [Theory]
    [InlineData("datetime(0)")]
    [InlineData("datetime(0.5)")]
    [InlineData("datetime(-5)")]
    [InlineData("datetime(\"\")")]
    [InlineData("datetime(\"yesterday\")")]
    [InlineData("datetime(\"2026-02-29\")")]
    [InlineData("datetime(\"2026-09-01T24:00:00\")")]
    [InlineData("datetime(\"2026-09-01T00:00:00Z\")")]
    [InlineData("datetime(\"2026-09-01 00:00:00\")")]
    [InlineData("datetime(true)")]
    public void A_datetime_from_anything_else_is_undefined(string expression) => Assert.True(Evaluate(expression).IsUndefined);

    [Theory]
    [InlineData("2026-03-29T01:59:59", 1_774_745_999)]
    [InlineData("2026-03-29T02:30:00", 1_774_746_000)]
    [InlineData("2026-03-29T03:00:00", 1_774_746_000)]
    [InlineData("2026-10-25T01:59:59", 1_792_886_399)]
    [InlineData("2026-10-25T02:30:00", 1_792_888_200)]
    public void A_time_that_summer_time_skips_or_repeats_is_the_end_of_the_gap_or_the_first_of_both(string text, long unixSeconds)
    {
        var lastSundayOfMarch = TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday);
        var lastSundayOfOctober = TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday);
        var summerTime = TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
            DateTime.MinValue, DateTime.MaxValue.Date, TimeSpan.FromHours(1), lastSundayOfMarch, lastSundayOfOctober);
        var berlin = TimeZoneInfo.CreateCustomTimeZone("berlin", TimeSpan.FromHours(1), "berlin", "berlin", "berlin", [summerTime]);
        var selector = Selector.Parse($"datetime(\"{text}\")", SelectorDialect.Engage);

        Assert.Equal(
            SelectorValue.FromUnixSeconds(unixSeconds),
            selector.Evaluate(new FixedRecord(), Context with { TimeZone = berlin }));
    }

    [Theory]
    [InlineData("has_prefix(\"abc\", \"ab\")", "true")]
    [InlineData("has_prefix(\"abc\", \"bc\")", "false")]
    [InlineData("has_prefix(\"abc\", \"AB\")", "false")]
    [InlineData("has_prefix(properties[\"missing\"], \"a\")", "undefined")]
    [InlineData("has_prefix(5, \"5\")", "undefined")]
    [InlineData("any(x, [1, 2, 3], x > 2)", "true")]
    [InlineData("any(x, [1, 2, 3], x > 3)", "false")]
    [InlineData("any(x, [], true)", "false")]
    [InlineData("any(x, 5, true)", "undefined")]
    [InlineData("any(x, properties[\"tags\"], has_prefix(x, \"vip\"))", "true")]
    [InlineData("any(x, [1, \"a\"], x > 0)", "true")]
    [InlineData("any(x, [\"a\", \"b\"], x > 0)", "false")]
    [InlineData("any(x, [1, 2], any(y, [2, 3], x == y))", "true")]
    [InlineData("any(x, [1], any(x, [2], x == 2) and x == 1)", "true")]
    public void The_functions_of_event_queries_give(string expression, string expected) =>
        Assert.Equal(expected, Evaluate(expression, """{"tags":["new","vip-1"]}""", SelectorDialect.Events).ToString());

    [Fact]
    public void A_condition_of_any_that_is_not_boolean_fails()
    {
        var failure = Assert.Throws<SelectorException>(() => Evaluate("any(x, [1], x)", dialect: SelectorDialect.Export));

        Assert.Equal((12, "the condition of any() takes booleans, not a number"), (failure.Position, failure.Reason));
    }
}
