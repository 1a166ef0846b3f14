using MixpanelConnector.Emulator.Selectors;
using static MixpanelConnector.Emulator.Tests.Selectors.SelectorTesting;

namespace MixpanelConnector.Emulator.Tests.Selectors;

/// <summary>The expressions in Mixpanel's documentation and clients, each with a record that it matches and records that it does not.</summary>
public sealed class DocumentedExamplesTests
{
    [Theory]
    [InlineData("""properties["$city"] == "Chicago" """, """{"$city":"Chicago"}""", true)]
    [InlineData("""properties["$city"] == "Chicago" """, """{"$city":"chicago"}""", false)]
    [InlineData("""properties["$city"] == "Chicago" """, "{}", false)]
    [InlineData("""properties["$city"] = "Chicago" """, """{"$city":"Chicago"}""", true)]
    [InlineData("""properties["plan"] != "free" """, """{"plan":"paid"}""", true)]
    [InlineData("""properties["plan"] != "free" """, "{}", true)]
    [InlineData("""properties["plan"] != "free" """, """{"plan":"free"}""", false)]
    [InlineData("""defined(properties["plan"]) and properties["plan"] != "free" """, """{"plan":"paid"}""", true)]
    [InlineData("""defined(properties["plan"]) and properties["plan"] != "free" """, "{}", false)]
    [InlineData("""defined (properties["$device"])""", """{"$device":"phone"}""", true)]
    [InlineData("""defined (properties["$device"])""", "{}", false)]
    [InlineData("""(not defined (properties["$device"]))""", "{}", true)]
    [InlineData("""(not defined (properties["$device"]))""", """{"$device":"phone"}""", false)]
    [InlineData("""("gmail" in properties["$email"])""", """{"$email":"ada@gmail.com"}""", true)]
    [InlineData("""("gmail" in properties["$email"])""", """{"$email":"ada@GMAIL.com"}""", false)]
    [InlineData("""("gmail" in properties["$email"])""", "{}", false)]
    [InlineData("""(not "gmail" in properties["$email"])""", """{"$email":"ada@example.com"}""", true)]
    [InlineData("""(not "gmail" in properties["$email"])""", """{"$email":"ada@gmail.com"}""", false)]
    [InlineData("""(not "gmail" in properties["$email"])""", "{}", true)]
    [InlineData("""properties["account_id"] in [1,2,3,4]""", """{"account_id":3}""", true)]
    [InlineData("""properties["account_id"] in [1,2,3,4]""", """{"account_id":5}""", false)]
    [InlineData("""properties["account_id"] in [1,2,3,4]""", """{"account_id":"3"}""", false)]
    [InlineData("""properties["account_id"] in [1,2,3,4]""", "{}", false)]
    [InlineData("""number(properties["age"]) >= 18 and number(properties["age"]) <= 65""", """{"age":"18"}""", true)]
    [InlineData("""number(properties["age"]) >= 18 and number(properties["age"]) <= 65""", """{"age":65}""", true)]
    [InlineData("""number(properties["age"]) >= 18 and number(properties["age"]) <= 65""", """{"age":"66"}""", false)]
    [InlineData("""number(properties["age"]) >= 18 and number(properties["age"]) <= 65""", """{"age":"old"}""", false)]
    [InlineData("""boolean(properties["$email"]) == true""", """{"$email":"ada@example.com"}""", true)]
    [InlineData("""boolean(properties["$email"]) == true""", """{"$email":""}""", false)]
    [InlineData("""boolean(properties["$email"]) == true""", "{}", false)]
    [InlineData("""datetime(properties["$last_seen"]) >= datetime("2026-09-01T00:00:00")""", """{"$last_seen":"2026-09-01T00:00:00"}""", true)]
    [InlineData("""datetime(properties["$last_seen"]) >= datetime("2026-09-01T00:00:00")""", """{"$last_seen":"2026-08-31T23:59:59"}""", false)]
    [InlineData("""datetime(properties["$last_seen"]) >= datetime("2026-09-01T00:00:00")""", "{}", false)]
    [InlineData("""properties["$last_seen"] > "2026-09-01T00:00:00" """, """{"$last_seen":"2026-09-01T00:00:01"}""", true)]
    [InlineData("""properties["$last_seen"] > "2026-09-01T00:00:00" """, """{"$last_seen":"2026-08-31T23:59:59"}""", false)]
    [InlineData("""(properties["a"] == "x\"y")""", """{"a":"x\"y"}""", true)]
    [InlineData("""(properties["a"] == "x\"y")""", """{"a":"xy"}""", false)]
    [InlineData("""properties["C:\\\"x\""] == 1""", """{"C:\\\"x\"":1}""", true)]
    public void An_example_keeps_what_it_describes(string expression, string profile, bool kept) =>
        Assert.Equal(kept, Matches(expression, profile));

    // 12:00 UTC is 17:30 in the project, whose time zone applies to the text of a datetime.
    [Theory]
    [InlineData("2026-09-01T17:29:59", false)]
    [InlineData("2026-09-01T17:30:00", true)]
    [InlineData("2026-09-08T17:29:59", true)]
    [InlineData("2026-09-08T17:30:00", false)]
    public void The_last_seven_days_end_at_the_time_of_the_query(string lastSeen, bool kept) => Assert.Equal(kept, Matches(
        """datetime(properties["$last_seen"]) >= datetime(NOW - 604800) and datetime(properties["$last_seen"]) < datetime(NOW)""",
        $$"""{"$last_seen":"{{lastSeen}}"}"""));

    [Theory]
    [InlineData("2026-01-09T18:30:00Z", true)]
    [InlineData("2026-01-09T18:29:59Z", false)]
    public void Raw_export_selects_by_the_time_of_the_event(string time, bool kept)
    {
        var selector = Selector.Parse("""event["$time"] >= datetime("2026-01-10T00:00:00")""", SelectorDialect.Export);
        var record = new FixedRecord((PropertyRoot.Event, "$time", SelectorValue.FromDateTime(DateTimeOffset.Parse(time, null))));

        Assert.Equal(kept, selector.Matches(record, Context));
    }

    [Theory]
    [InlineData("US", 31, true)]
    [InlineData("US", 30, false)]
    [InlineData("DE", 31, false)]
    public void An_event_report_joins_the_event_and_its_user(string country, int age, bool kept)
    {
        var selector = Selector.Parse("""properties["country"] == "US" and user["age"] > 30""", SelectorDialect.Events);
        var record = new FixedRecord(
            (PropertyRoot.Properties, "country", SelectorValue.FromText(country)),
            (PropertyRoot.User, "age", SelectorValue.FromNumber(age)));

        Assert.Equal(kept, selector.Matches(record, Context));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(0, false)]
    public void A_profile_query_selects_by_behaviors(int count, bool kept)
    {
        var selector = Selector.Parse("""behaviors["buyers"] > 0""", SelectorDialect.Engage);
        var record = new FixedRecord((PropertyRoot.Behaviors, "buyers", SelectorValue.FromNumber(count)));

        Assert.Equal(kept, selector.Matches(record, Context));
    }

    [Fact]
    public void A_selector_names_what_it_reads_once_each()
    {
        var selector = Selector.Parse("""properties["b"] == user["a"] or properties["a"] > 1 or properties["b"] in ["x"]""", SelectorDialect.Events);

        Assert.Equal(
            [new(PropertyRoot.Properties, "b"), new(PropertyRoot.User, "a"), new(PropertyRoot.Properties, "a")],
            selector.Properties);
    }
}
