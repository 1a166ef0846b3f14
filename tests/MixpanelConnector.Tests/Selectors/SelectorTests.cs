namespace MixpanelConnector.Tests.Selectors;

public sealed class SelectorTests
{
    public static TheoryData<string, string> Selectors => new()
    {
        { MixpanelSelector.Property("plan") == "pro" & MixpanelSelector.Defined("$email"),
            """(properties["plan"] == "pro") and defined(properties["$email"])""" },
        { MixpanelSelector.Property("a") != 1 | MixpanelSelector.Property("b") > 2.5, """(properties["a"] != 1) or (properties["b"] > 2.5)""" },
        { MixpanelSelector.Defined("a") & MixpanelSelector.Defined("b") & (MixpanelSelector.Defined("c") | MixpanelSelector.Defined("d")),
            """defined(properties["a"]) and defined(properties["b"]) and (defined(properties["c"]) or defined(properties["d"]))""" },
        { !(MixpanelSelector.Property("$email").Contains("gmail")), """not ("gmail" in properties["$email"])""" },
        { !!MixpanelSelector.Defined("a"), """not (not defined(properties["a"]))""" },
        { MixpanelSelector.Property("id").In(1, 2, -3), """properties["id"] in [1, 2, (-3)]""" },
        { MixpanelSelector.Property("a\"b\\c") == "x\"y\\", """properties["a\"b\\c"] == "x\"y\\" """.TrimEnd() },
        { MixpanelSelector.Property("age").AsNumber() >= 18, """number(properties["age"]) >= 18""" },
        { MixpanelSelector.Property("ok").AsBoolean() == true, """boolean(properties["ok"]) == true""" },
        { MixpanelSelector.Property("$last_seen").AsTime() >= (SelectorTerm.Now - 604800).AsTime(),
            """datetime(properties["$last_seen"]) >= datetime((NOW - 604800))""" },
        { MixpanelSelector.Property("$last_seen").AsTime() < SelectorTerm.Time(DateTimeOffset.FromUnixTimeSeconds(1790000000)),
            """datetime(properties["$last_seen"]) < datetime(1790000000)""" },
        { MixpanelSelector.Property("$created").AsTime() <= SelectorTerm.Day(new DateOnly(2026, 9, 1)),
            """datetime(properties["$created"]) <= datetime("2026-09-01T00:00:00")""" },
        { MixpanelSelector.UserProperty("age") > 1e20, """user["age"] > 100000000000000000000""" },
        { MixpanelSelector.Property("p") == 0.00001, """properties["p"] == 0.00001""" },
        { MixpanelSelector.Property("p") == 12.50m, """properties["p"] == 12.50""" },
    };

    [Theory]
    [MemberData(nameof(Selectors))]
    public void A_selector_has_exactly_this_text(string text, string expected) => Assert.Equal(expected, text);

    [Fact]
    public void What_the_language_cannot_say_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => MixpanelSelector.Property("a") == double.PositiveInfinity);
        Assert.Throws<ArgumentOutOfRangeException>(() => MixpanelSelector.Property("a") == 1e300);
        Assert.Throws<ArgumentNullException>(() => MixpanelSelector.Property("a") == (string)null!);
        Assert.Throws<ArgumentException>(() => MixpanelSelector.Property(""));
    }
}
