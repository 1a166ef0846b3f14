using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Tests.Selectors;

static class SelectorTesting
{
    /// <summary>2026-09-08T12:00:00Z, in a project whose time zone is five and a half hours ahead.</summary>
    public static SelectorContext Context { get; } = new(
        new DateTimeOffset(2026, 9, 8, 12, 0, 0, TimeSpan.Zero),
        TimeZoneInfo.CreateCustomTimeZone("project", new TimeSpan(5, 30, 0), "project", "project"));

    public static SelectorValue Evaluate(string expression, string properties = "{}", SelectorDialect dialect = SelectorDialect.Engage)
    {
        var selector = Selector.Parse(expression, dialect);
        var record = new JsonSelectorRecord(selector);
        record.Load(properties);
        return selector.Evaluate(record, Context);
    }

    public static bool Matches(string expression, string properties, SelectorDialect dialect = SelectorDialect.Engage)
    {
        var selector = Selector.Parse(expression, dialect);
        var record = new JsonSelectorRecord(selector);
        record.Load(properties);
        return selector.Matches(record, Context);
    }

    public static SelectorException FailsToParse(string expression, SelectorDialect dialect = SelectorDialect.Engage) =>
        Assert.Throws<SelectorException>(() => Selector.Parse(expression, dialect));
}

/// <summary>A record built from individual values, of any root.</summary>
sealed class FixedRecord(params (PropertyRoot Root, string Name, SelectorValue Value)[] values) : ISelectorRecord
{
    public SelectorValue Get(PropertyRoot root, string name) =>
        values.FirstOrDefault(value => value.Root == root && value.Name == name).Value;
}
