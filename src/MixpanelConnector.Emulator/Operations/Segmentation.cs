using System.Globalization;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/segmentation</c>: one event over time, by the values of an expression; and its three numeric reports.</summary>
sealed class Segmentation(ReportSource source)
{
    const int DefaultLimit = 60;
    const int LargestLimit = 10_000;
    const int MostRanges = 10;

    public Task SegmentAsync(HttpContext context, QueryFields fields, Project project)
    {
        var name = fields.Required("event");
        var type = TypeOf(fields);
        var unit = fields.Choice("unit", TimeUnit.Day, TimeUnit.Minute, TimeUnit.Hour, TimeUnit.Day, TimeUnit.Month);
        var days = type == CountType.General || fields.Text("unit") is not null ? 1 : fields.Integer("interval", otherwise: 1, least: 1, most: 10_000);
        var (from, to) = fields.Dates();
        var buckets = Buckets.Of(project.Calendar, from, to, unit, days);
        var (where, on) = (WhereOf(fields), Where.Parse(fields, "on", SelectorDialect.Events));
        var limit = fields.Integer("limit", DefaultLimit, least: 1, LargestLimit);
        var format = fields.Choice("format", SeriesFormat.Json, SeriesFormat.Json, SeriesFormat.Csv);

        var tallies = new Tallies(type, buckets);
        if (on is null) tallies.Ensure(name);
        source.ForEach(project, new ReportRange(buckets.Start, buckets.End, [name]), cursor =>
        {
            if (cursor.Holds(where)) tallies.Add(on is null ? name : Segments.LabelOf(cursor.Evaluate(on)), cursor);
        }, where, on);
        return SeriesAnswer.WriteAsync(context, format == SeriesFormat.Csv, buckets, tallies.Top(limit));
    }

    /// <summary>Ranges of equal width, which is 1, 2 or 5 times a power of ten, the smallest that results in at most ten ranges.</summary>
    public Task RangesAsync(HttpContext context, QueryFields fields, Project project)
    {
        var type = TypeOf(fields);
        var buckets = BucketsOf(fields, project);
        var values = new List<(double Value, int Bucket, string DistinctId)>();
        ForEachNumber(fields, project, buckets, (value, bucket, distinctId) =>
        {
            if (value is { } number) values.Add((number, bucket, distinctId));
        });
        var tallies = new Tallies(type, buckets);
        var starts = new Dictionary<string, double>(StringComparer.Ordinal);
        if (values.Count > 0)
        {
            var width = WidthFor(values.Min(value => value.Value), values.Max(value => value.Value));
            foreach (var (value, bucket, distinctId) in values)
            {
                var start = Math.Floor(value / width) * width;
                var label = $"{Written(start)} - {Written(start + width)}";
                starts[label] = start;
                tallies.Add(label, bucket, distinctId);
            }
        }
        return SeriesAnswer.WriteAsync(context, asCsv: false, buckets, [.. tallies.Top().OrderBy(segment => starts[segment.Key])]);
    }

    public Task SumAsync(HttpContext context, QueryFields fields, Project project) => ResultsAsync(context, fields, project, isAverage: false);

    public Task AverageAsync(HttpContext context, QueryFields fields, Project project) => ResultsAsync(context, fields, project, isAverage: true);

    static CountType TypeOf(QueryFields fields) =>
        fields.Choice("type", CountType.General, CountType.General, CountType.Unique, CountType.Average);

    static Selector? WhereOf(QueryFields fields) => Where.Parse(fields, "where", SelectorDialect.Events);

    static Buckets BucketsOf(QueryFields fields, Project project)
    {
        var unit = fields.Choice("unit", TimeUnit.Day, TimeUnit.Hour, TimeUnit.Day);
        var (from, to) = fields.Dates();
        return Buckets.Of(project.Calendar, from, to, unit);
    }

    static double WidthFor(double least, double most)
    {
        if (most <= least) return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10((most - least) / MostRanges)));
        foreach (var step in (double[])[1, 2, 5, 10])
        {
            var width = step * power;
            if (Math.Floor(most / width) - Math.Floor(least / width) < MostRanges) return width;
        }
        return 20 * power;
    }

    static string Written(double number) => number.ToString("#,0.##########", CultureInfo.InvariantCulture);

    Task ResultsAsync(HttpContext context, QueryFields fields, Project project, bool isAverage)
    {
        var buckets = BucketsOf(fields, project);
        var (sums, counts) = (new double[buckets.Count], new long[buckets.Count]);
        ForEachNumber(fields, project, buckets, (value, bucket, _) =>
        {
            sums[bucket] += value ?? 0;
            counts[bucket]++;
        });
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "ok");
            if (!isAverage) json.WriteComputedAt(source.Now);
            json.WriteStartObject("results");
            for (var i = 0; i < buckets.Count; i++)
                json.WriteNumber(buckets.Labels[i], isAverage ? sums[i] / Math.Max(counts[i], 1) : sums[i]);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    /// <summary>Calls the action for each matching event with the numeric value of <c>on</c>; null if it is not a number.</summary>
    void ForEachNumber(QueryFields fields, Project project, Buckets buckets, Action<double?, int, string> action)
    {
        var name = fields.Required("event");
        var on = Where.Parse(fields.Required("on"), SelectorDialect.Events, "on");
        var where = WhereOf(fields);
        source.ForEach(project, new ReportRange(buckets.Start, buckets.End, [name]), cursor =>
        {
            if (!cursor.Holds(where)) return;
            var value = cursor.Evaluate(on);
            action(value.Kind == SelectorKind.Number ? value.Number : null, buckets.IndexOf(cursor.Time), cursor.DistinctId);
        }, where, on);
    }
}
