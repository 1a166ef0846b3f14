using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/events</c> and the paths below it: counts by name, the most common names, today's counts compared with yesterday's.</summary>
sealed class CountEvents(ReportSource source)
{
    const int DaysOfNames = 31;

    public Task CountAsync(HttpContext context, QueryFields fields, Project project)
    {
        fields.Required("event");
        var names = fields.Texts("event")!;
        var (type, buckets) = (TypeOf(fields), BucketsOf(fields, project));
        var format = fields.Choice("format", SeriesFormat.Json, SeriesFormat.Json, SeriesFormat.Csv);
        var tallies = new Tallies(type, buckets);
        source.ForEach(project, new ReportRange(buckets.Start, buckets.End, names), cursor =>
        {
            tallies.Add(cursor.Name, cursor);
        });
        return SeriesAnswer.WriteAsync(context, format == SeriesFormat.Csv, buckets, tallies.Top());
    }

    public Task NamesAsync(HttpContext context, QueryFields fields, Project project)
    {
        var type = TypeOf(fields);
        var limit = fields.Integer("limit", otherwise: 255, least: 1, most: int.MaxValue);
        var days = Buckets.Latest(project.Calendar, source.Now, TimeUnit.Day, DaysOfNames);
        var names = TallyAll(project, type, days).Top(limit);
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var (name, _) in names)
                json.WriteStringValue(name);
            json.WriteEndArray();
        });
    }

    public Task TopAsync(HttpContext context, QueryFields fields, Project project)
    {
        const int Yesterday = 0, Today = 1;
        var type = TypeOf(fields);
        var limit = fields.Integer("limit", otherwise: 100, least: 1, most: int.MaxValue);
        var days = Buckets.Latest(project.Calendar, source.Now, TimeUnit.Day, 2);
        var top = TallyAll(project, type, days).Top().Where(segment => segment.Value.ValueOf(Today) > 0)
            .OrderByDescending(segment => segment.Value.ValueOf(Today)).Take(limit);
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("events");
            foreach (var (name, tally) in top)
            {
                var (before, now) = (tally.ValueOf(Yesterday), tally.ValueOf(Today));
                json.WriteStartObject();
                json.WriteNumber("amount", now);
                json.WriteString("event", name);
                json.WriteNumber("percent_change", before == 0 ? 1 : (now - before) / before);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteString("type", type.ToString().ToLowerInvariant());
            json.WriteEndObject();
        });
    }

    /// <summary>What to count, a required field.</summary>
    public static CountType TypeOf(QueryFields fields) =>
        fields.Choice<CountType>("type", null, CountType.General, CountType.Unique, CountType.Average);

    /// <summary>Either a number of units up to now, or the days between two dates in units.</summary>
    public static Buckets BucketsOf(QueryFields fields, Project project, DateTimeOffset now)
    {
        var unit = fields.Choice<TimeUnit>("unit", null, TimeUnit.Minute, TimeUnit.Hour, TimeUnit.Day, TimeUnit.Week, TimeUnit.Month);
        if (TypeOf(fields) == CountType.Unique && unit is TimeUnit.Minute or TimeUnit.Hour)
            throw new RefusedException(400, "invalid unit: uniques are counted by day, week or month");
        if (fields.Text("interval") is not null && fields.Text("from_date") is null && fields.Text("to_date") is null)
            return Buckets.Latest(project.Calendar, now, unit, fields.Integer("interval", otherwise: 1, least: 1, most: 10_000));
        var (from, to) = fields.Dates();
        return Buckets.Of(project.Calendar, from, to, unit);
    }

    Buckets BucketsOf(QueryFields fields, Project project) => BucketsOf(fields, project, source.Now);

    Tallies TallyAll(Project project, CountType type, Buckets days)
    {
        var tallies = new Tallies(type, days);
        source.ForEach(project, new ReportRange(days.Start, days.End, Names: null), cursor =>
        {
            tallies.Add(cursor.Name, cursor);
        });
        return tallies;
    }
}
