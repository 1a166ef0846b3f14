using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/funnels</c>: the number of users who reached each step of a saved funnel; and the list of saved funnels.</summary>
sealed class Funnels(ReportSource source, DocumentStore documents)
{
    const int LongestDays = 90;

    public Task ListAsync(HttpContext context, Project project) => context.Response.JsonAsync(200, json =>
    {
        json.WriteStartArray();
        foreach (var funnel in documents.List(project.Id, Funnel.Kind))
        {
            json.WriteStartObject();
            json.WriteNumber("funnel_id", int.Parse(funnel.Id, CultureInfo.InvariantCulture));
            json.WriteString("name", (string)funnel.Content["name"]!);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    public Task QueryAsync(HttpContext context, QueryFields fields, Project project)
    {
        var id = fields.RequiredInteger("funnel_id").ToString(CultureInfo.InvariantCulture);
        var funnel = documents.Find(project.Id, Funnel.Kind, id) is { } saved
            ? Funnel.Read(Saved.Body(saved.Content))
            : throw new RefusedException(404, $"no funnel {id} in this project: POST /emulator/projects/{project.Id}/funnels makes one");
        var (from, to) = fields.Dates();
        var unit = fields.Choice("unit", TimeUnit.Day, TimeUnit.Day, TimeUnit.Week, TimeUnit.Month);
        var interval = fields.Text("unit") is null ? fields.Integer("interval", otherwise: 1, least: 1, most: 10_000) : 1;
        var buckets = Buckets.Of(project.Calendar, from, to, unit, interval);
        var (where, on) = (Where.Parse(fields, "where", SelectorDialect.Events), Where.Parse(fields, "on", SelectorDialect.Events));
        var limit = Segments.LimitOf(fields);

        var paths = PathsOf(project, funnel, buckets, WindowOf(fields, funnel), where, on).ToList();
        var segments = on is null ? [] : Segments.Largest(paths.CountBy(path => path.Segment!, StringComparer.Ordinal), limit);
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("meta");
            json.WriteStartArray("dates");
            foreach (var label in buckets.Labels)
                json.WriteStringValue(label);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject("data");
            var byDate = paths.ToLookup(path => buckets.IndexOf(new DateTimeOffset(path.StepTicks[0], TimeSpan.Zero)));
            for (var i = 0; i < buckets.Count; i++)
            {
                json.WritePropertyName(buckets.Labels[i]);
                FunnelPath[] entered = [.. byDate[i]];
                if (on is null)
                    WriteWhole(json, funnel, entered);
                else
                    Segments.Write(json, segments,
                        segment => WriteSteps(json, funnel, segment is null ? entered : Array.FindAll(entered, path => path.Segment == segment)));
            }
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    static TimeSpan WindowOf(QueryFields fields, Funnel funnel)
    {
        var unit = fields.Text("length_unit") ?? funnel.Unit;
        var length = fields.Integer("length", funnel.Length, least: 1, most: int.MaxValue);
        var window = unit switch
        {
            "day" => TimeSpan.FromDays(Math.Min(length, 1_000_000)),
            "hour" => TimeSpan.FromHours(Math.Min(length, 1_000_000)),
            "minute" => TimeSpan.FromMinutes(length),
            "second" => TimeSpan.FromSeconds(length),
            _ => throw new RefusedException(400, "invalid length_unit: must be day, hour, minute, second"),
        };
        return window.TotalDays <= LongestDays ? window : throw new RefusedException(400, $"invalid length: must be at most {LongestDays} days");
    }

    static int CountAt(FunnelPath[] paths, int step) => paths.Count(path => path.StepTicks.Length > step);

    static double Ratio(int part, int whole) => whole == 0 ? 0 : (double)part / whole;

    static long MeanSeconds(IEnumerable<long> ticks) => (long)Math.Round(ticks.DefaultIfEmpty().Average() / TimeSpan.TicksPerSecond);

    static void WriteWhole(Utf8JsonWriter json, Funnel funnel, FunnelPath[] paths)
    {
        json.WriteStartObject();
        json.WritePropertyName("steps");
        WriteSteps(json, funnel, paths);
        WriteAnalysis(json, funnel, paths);
        json.WriteEndObject();
    }

    static void WriteSteps(Utf8JsonWriter json, Funnel funnel, FunnelPath[] paths)
    {
        json.WriteStartArray();
        for (var step = 0; step < funnel.Steps.Count; step++)
        {
            var (count, reached) = (CountAt(paths, step), paths.Where(path => path.StepTicks.Length > step));
            json.WriteStartObject();
            json.WriteNumber("count", count);
            json.WriteString("goal", funnel.Steps[step].Event);
            json.WriteNumber("step_conv_ratio", step == 0 ? 1 : Ratio(count, CountAt(paths, step - 1)));
            json.WriteNumber("overall_conv_ratio", step == 0 ? 1 : Ratio(count, CountAt(paths, 0)));
            if (step == 0) json.WriteNull("avg_time");
            else json.WriteNumber("avg_time", MeanSeconds(reached.Select(path => path.StepTicks[step] - path.StepTicks[step - 1])));
            json.WriteNumber("avg_time_from_start", MeanSeconds(reached.Select(path => path.StepTicks[step] - path.StepTicks[0])));
            json.WriteString("event", funnel.Steps[step].Event);
            json.WriteString("step_label", funnel.Steps[step].Label);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WriteAnalysis(Utf8JsonWriter json, Funnel funnel, FunnelPath[] paths)
    {
        var worst = Enumerable.Range(1, Math.Max(funnel.Steps.Count - 1, 0)).DefaultIfEmpty(0)
            .MinBy(step => step == 0 ? 1 : Ratio(CountAt(paths, step), CountAt(paths, step - 1)));
        json.WriteStartObject("analysis");
        json.WriteNumber("completion", CountAt(paths, funnel.Steps.Count - 1));
        json.WriteNumber("starting_amount", CountAt(paths, 0));
        json.WriteNumber("steps", funnel.Steps.Count);
        json.WriteNumber("worst", worst);
        json.WriteEndObject();
    }

    IEnumerable<FunnelPath> PathsOf(Project project, Funnel funnel, Buckets buckets, TimeSpan window, Selector? where, Selector? on)
    {
        var end = DateTimeOffset.MaxValue - buckets.End > window ? buckets.End + window : DateTimeOffset.MaxValue;
        var names = funnel.Steps.Select(step => step.Event).Distinct(StringComparer.Ordinal).ToArray();
        var paths = new FunnelPaths(funnel.Steps.Count, window);
        // The last step may occur up to the end of its window.
        using var cursor = source.InOrder(
            project, new ReportRange(buckets.Start, end.AddTicks(end == DateTimeOffset.MaxValue ? 0 : TimeSpan.TicksPerMillisecond), names),
            withProperties: false,
            [where, on, .. funnel.Steps.Select(step => step.Where)]);
        while (cursor.Read())
        {
            if (cursor.DistinctId == "" || !cursor.Holds(where)) continue;
            var matches = 0UL;
            for (var step = 0; step < funnel.Steps.Count; step++)
            {
                if (funnel.Steps[step].Event == cursor.Name && cursor.Holds(funnel.Steps[step].Where)) matches |= 1UL << step;
            }
            if (matches != 0)
                paths.Add(cursor.DistinctId, cursor.Time, matches, on is null || (matches & 1) == 0 ? null : Segments.LabelOf(cursor.Evaluate(on)));
        }
        return paths.Find(buckets.End);
    }
}
