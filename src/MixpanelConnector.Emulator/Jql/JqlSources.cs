using System.Globalization;
using System.Text.Json;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Jql;

/// <summary>The arguments of <c>Events()</c>, <c>People()</c> or <c>join()</c>.</summary>
abstract record JqlSource;

/// <summary>Selects events, or pairs of an event and its user, by the name of the event (null for any) and an expression.</summary>
/// <param name="Event">The name.</param>
/// <param name="Where">The expression.</param>
/// <param name="Label">The label that replaces the name of the events.</param>
sealed record EventSelection(string? Event, Selector? Where, string? Label)
{
    public static IReadOnlyList<EventSelection> Read(JsonBody options, string name) =>
        !options.Has(name) ? [] : [.. options.Objects(name).Select(Read)];

    static EventSelection Read(JsonBody selection)
    {
        selection.AllowOnly("event", "selector", "label");
        return new EventSelection(selection.Text("event"), Expression(selection), selection.Text("label"));
    }

    public static Selector? Expression(JsonBody selection) =>
        selection.Text("selector") is { } text ? Store.Where.Parse(text, SelectorDialect.Events, "selector") : null;
}

sealed record EventsSource(DateOnly From, DateOnly To, IReadOnlyList<EventSelection> Selections) : JqlSource
{
    public static EventsSource Read(JsonElement options)
    {
        var body = new JsonBody(options, "Events: ");
        body.AllowOnly("from_date", "to_date", "event_selectors");
        var (from, to) = (Date(body, "from_date"), Date(body, "to_date"));
        return to >= from
            ? new EventsSource(from, to, EventSelection.Read(body, "event_selectors"))
            : throw body.Invalid("to_date", "must not be before from_date");
    }

    public ReportRange RangeIn(Project project) => new(
        project.Calendar.StartOf(From), project.Calendar.EndOf(To),
        Selections.Count == 0 || Selections.Any(selection => selection.Event is null)
            ? null
            : [.. Selections.Select(selection => selection.Event!).Distinct(StringComparer.Ordinal)]);

    /// <summary>A date. A JavaScript <c>Date</c>, which is a timestamp in JSON, stands for its day.</summary>
    static DateOnly Date(JsonBody body, string name) =>
        DateOnly.TryParseExact(body.RequiredText(name).Split('T')[0], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date
            : throw body.Invalid(name, "must be a date like 2026-01-31");
}

sealed record PeopleSource(IReadOnlyList<Selector> Selectors) : JqlSource
{
    public static PeopleSource Read(JsonElement options)
    {
        var body = new JsonBody(options, "People: ");
        body.AllowOnly("user_selectors");
        if (!body.Has("user_selectors")) return new PeopleSource([]);
        var selections = body.Objects("user_selectors");
        foreach (var selection in selections)
            selection.AllowOnly("selector", "label");
        var expressions = selections.Select(EventSelection.Expression).ToList();
        // A record is included if any of them is true; an empty one includes all.
        return new PeopleSource(expressions.Contains(null) ? [] : [.. expressions.OfType<Selector>()]);
    }
}

/// <param name="Events">The events.</param>
/// <param name="People">The users.</param>
/// <param name="AllEvents">Whether the pairs include events without a user.</param>
/// <param name="AllUsers">Whether the pairs include users without an event.</param>
/// <param name="Selections">Selects pairs.</param>
sealed record JoinSource(EventsSource Events, PeopleSource People, bool AllEvents, bool AllUsers, IReadOnlyList<EventSelection> Selections) : JqlSource
{
    public static JoinSource Read(JqlSource left, JqlSource right, JsonElement options)
    {
        var body = new JsonBody(options, "join: ");
        body.AllowOnly("type", "selectors");
        var type = body.OneOf("type", "full", "full", "left", "right", "inner");
        var (allLeft, allRight) = (type is "full" or "left", type is "full" or "right");
        var selections = EventSelection.Read(body, "selectors");
        return (left, right) switch
        {
            (EventsSource events, PeopleSource people) => new JoinSource(events, people, allLeft, allRight, selections),
            (PeopleSource people, EventsSource events) => new JoinSource(events, people, allRight, allLeft, selections),
            _ => throw new RefusedException(JqlScript.Failed, "join takes Events() and People()"),
        };
    }
}
