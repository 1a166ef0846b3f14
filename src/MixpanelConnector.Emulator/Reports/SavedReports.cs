using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Reports;

/// <summary>A step of a funnel: an event, and an expression that it must match.</summary>
sealed record FunnelStep(string Event, Selector? Where, string Label);

/// <summary>A saved funnel.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Steps">Its steps, in order.</param>
/// <param name="Length">The number of units within which they must be completed.</param>
/// <param name="Unit">The unit: second, minute, hour or day.</param>
sealed record Funnel(string Name, IReadOnlyList<FunnelStep> Steps, int Length, string Unit)
{
    public const string Kind = "funnel";
    const int MostSteps = 64;

    public static readonly string[] Units = ["day", "hour", "minute", "second"];

    public static Funnel Read(JsonBody body)
    {
        body.AllowOnly("name", "steps", "length", "length_unit");
        var steps = body.Objects("steps");
        if (steps.Count is 0 or > MostSteps) throw body.Invalid("steps", $"must have 1 to {MostSteps} steps");
        var length = body.Integer("length") ?? 14;
        return new Funnel(body.RequiredText("name"), [.. steps.Select(ReadStep)], length, body.OneOf("length_unit", "day", Units));
    }

    static FunnelStep ReadStep(JsonBody step)
    {
        step.AllowOnly("event", "where", "label");
        var name = step.RequiredText("event");
        return new FunnelStep(name, Saved.Where(step, SelectorDialect.Events), step.Text("label") ?? name);
    }
}

/// <summary>A saved report of insights.</summary>
sealed record InsightsReport(string Name, IReadOnlyList<string> Events, Selector? Where, Selector? On, string? OnText, CountType Type, TimeUnit Unit,
    DateOnly? From, DateOnly? To, int Last)
{
    public const string Kind = "report";

    public static InsightsReport Read(JsonBody body)
    {
        body.AllowOnly("name", "events", "where", "on", "type", "unit", "from_date", "to_date", "last");
        var (from, to) = (DateOf(body, "from_date"), DateOf(body, "to_date"));
        if (from is null != to is null || to < from) throw body.Invalid("to_date", "must be there with from_date, and not before it");
        var events = body.Texts("events");
        var on = body.Text("on");
        return new InsightsReport(
            body.RequiredText("name"), events.Count > 0 ? events : throw body.Invalid("events", "must not be empty"), Saved.Where(body, SelectorDialect.Events),
            on is null ? null : Store.Where.Parse(on, SelectorDialect.Events, "on"), on, body.Choice("type", CountType.General),
            body.Choice("unit", TimeUnit.Day), from, to,
            body.Integer("last") is { } last ? (last > 0 ? last : throw body.Invalid("last", "must be positive")) : 30);
    }

    static DateOnly? DateOf(JsonBody body, string name) =>
        body.Text(name) is not { } text ? null
        : DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date
        : throw body.Invalid(name, "must be a date like 2026-01-31");
}

/// <summary>A saved cohort: users who are listed, or who match an expression, which may use behaviors.</summary>
sealed record Cohort(string Name, string Description, bool IsVisible, IReadOnlyList<string>? DistinctIds, Selector? Where, IReadOnlyList<Behavior> Behaviors)
{
    public const string Kind = "cohort";

    /// <param name="body">The definition.</param>
    /// <param name="isNamed">Whether a name is required, as for a saved cohort.</param>
    public static Cohort Read(JsonBody body, bool isNamed = true)
    {
        body.AllowOnly("name", "description", "is_visible", "distinct_ids", "where", "behaviors", "created");
        return new Cohort(
            isNamed ? body.RequiredText("name") : body.Text("name") ?? "", body.Text("description") ?? "", body.Boolean("is_visible") ?? true,
            body.Has("distinct_ids") ? body.Texts("distinct_ids") : null, Saved.Where(body, SelectorDialect.Engage),
            body.Has("behaviors") ? [.. body.Objects("behaviors").Select(Behavior.Read)] : []);
    }
}

/// <summary>The number of times a user triggered one of several events, in a time window that ends now.</summary>
sealed record Behavior(string Name, TimeSpan Window, IReadOnlyList<FunnelStep> Events)
{
    const int MostDays = 3650;

    public static Behavior Read(JsonBody body)
    {
        body.AllowOnly("name", "window", "event_selectors");
        var window = body.RequiredText("window");
        if (!int.TryParse(window.AsSpan(0, window.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is 0 or > MostDays)
            throw InvalidWindow(body);
        return new Behavior(
            body.RequiredText("name"),
            window[^1] switch
            {
                'h' => TimeSpan.FromHours(count),
                'd' => TimeSpan.FromDays(count),
                'w' => TimeSpan.FromDays(7 * count),
                _ => throw InvalidWindow(body),
            },
            [.. body.Objects("event_selectors").Select(ReadEvent)]);
    }

    /// <summary>Parses the field of a request, which is a JSON array.</summary>
    public static IReadOnlyList<Behavior> Parse(string text)
    {
        try
        {
            var array = JsonElement.Parse(text);
            if (array.ValueKind == JsonValueKind.Array && array.EnumerateArray().All(element => element.ValueKind == JsonValueKind.Object))
                return [.. array.EnumerateArray().Select(element => Read(new JsonBody(element, "behaviors.")))];
        }
        catch (JsonException)
        {
            // Reported by the refusal below.
        }
        throw new RefusedException(400, "invalid behaviors: must be a JSON array of objects");
    }

    static FunnelStep ReadEvent(JsonBody body)
    {
        body.AllowOnly("event", "selector");
        var name = body.RequiredText("event");
        return new FunnelStep(name, body.Text("selector") is { } selector ? Store.Where.Parse(selector, SelectorDialect.Events, "selector") : null, name);
    }

    static RefusedException InvalidWindow(JsonBody body) => body.Invalid("window", "must be a number of hours, days or weeks like 30d");
}

static class Saved
{
    public static Selector? Where(JsonBody body, SelectorDialect dialect) =>
        body.Text("where") is { } where ? Store.Where.Parse(where, dialect) : null;

    /// <summary>A document that was validated when it was saved.</summary>
    public static JsonBody Body(JsonObject content) => new(JsonElement.Parse(content.ToJsonString()));
}
