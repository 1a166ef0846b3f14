using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

enum RetentionType { Birth, Compounded }

/// <summary>
/// <c>/api/query/retention</c>: of the users who started on a day, the number who returned after each interval; by the values of an expression on the event of
/// the return.
/// </summary>
sealed class Retention(ReportSource source)
{
    const int LongestDays = 90;
    const int MostIntervals = 1000;

    public Task HandleAsync(HttpContext context, QueryFields fields, Project project)
    {
        var (from, to) = fields.Dates();
        var type = fields.Choice("retention_type", RetentionType.Birth, RetentionType.Birth, RetentionType.Compounded);
        var unit = fields.Choice("unit", TimeUnit.Day, TimeUnit.Day, TimeUnit.Week, TimeUnit.Month);
        var interval = fields.Integer("interval", otherwise: 1, least: 1, most: unit == TimeUnit.Day ? LongestDays : 1000);
        var intervals = fields.Integer("interval_count", otherwise: 1, least: 0, MostIntervals) + 1;
        var unbounded = fields.Boolean("unbounded_retention");
        var returning = fields.Text("event");
        var where = Where.Parse(fields, "where", SelectorDialect.Events);
        var (born, bornWhere) = type == RetentionType.Birth
            ? (fields.Required("born_event"), Where.Parse(fields, "born_where", SelectorDialect.Events))
            : (returning, where);
        var on = Where.Parse(fields, "on", SelectorDialect.Events);
        var limit = Segments.LimitOf(fields);

        var buckets = Buckets.Of(project.Calendar, from, to, unit, interval);
        var end = unbounded ? DateTimeOffset.MaxValue : StartOfInterval(buckets.End, unit, interval, intervals);
        var names = born is null || returning is null ? null : new[] { born, returning };
        var first = new int[buckets.Count];
        // Only values other than 0: there may be as many segments as events.
        var counts = new Dictionary<(string? Segment, int Bucket, int Interval), int>();
        var sizes = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var visits in VisitsOf(project, new ReportRange(buckets.Start, end, names), born, bornWhere, returning, where, on))
        {
            foreach (var (bucket, begin) in BeginningsOf(visits, buckets, type))
            {
                first[bucket]++;
                var returns = ReturnsOf(visits, begin, unit, interval, intervals, unbounded);
                foreach (var (segment, index) in returns)
                    counts[(segment, bucket, index)] = counts.GetValueOrDefault((segment, bucket, index)) + 1;
                foreach (var segment in returns.Select(found => found.Segment).OfType<string>().Distinct(StringComparer.Ordinal))
                    sizes[segment] = sizes.GetValueOrDefault(segment) + 1;
            }
        }
        var segments = Segments.Largest(sizes, limit);
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            for (var bucket = 0; bucket < buckets.Count; bucket++)
            {
                json.WritePropertyName(buckets.Labels[bucket]);
                if (on is null) WriteRow(json, null, bucket);
                else Segments.Write(json, segments, segment => WriteRow(json, segment, bucket));
            }
            json.WriteEndObject();
        });

        void WriteRow(Utf8JsonWriter json, string? segment, int bucket)
        {
            json.WriteStartObject();
            json.WriteStartArray("counts");
            for (var index = 0; index < intervals; index++)
                json.WriteNumberValue(counts.GetValueOrDefault((segment, bucket, index)));
            json.WriteEndArray();
            json.WriteNumber("first", first[bucket]);
            json.WriteEndObject();
        }
    }

    static DateTimeOffset StartOfInterval(DateTimeOffset begin, TimeUnit unit, int interval, int index)
    {
        try
        {
            return unit switch
            {
                TimeUnit.Day => begin.AddDays((double)interval * index),
                TimeUnit.Week => begin.AddDays(7d * interval * index),
                _ => begin.AddMonths(interval * index),
            };
        }
        catch (ArgumentOutOfRangeException)
        {
            return DateTimeOffset.MaxValue;
        }
    }

    /// <summary>The times at which a user starts: once ever, or once in each bucket.</summary>
    static IEnumerable<(int Bucket, int Visit)> BeginningsOf(List<Visit> visits, Buckets buckets, RetentionType type)
    {
        var last = -1;
        for (var i = 0; i < visits.Count; i++)
        {
            if (!visits[i].Begins || buckets.IndexOf(visits[i].Time) is not (>= 0 and var bucket) || bucket == last) continue;
            yield return (bucket, i);
            if (type == RetentionType.Birth) yield break;
            last = bucket;
        }
    }

    /// <summary>The distinct intervals after a start in which the user returned, and the same for each segment.</summary>
    static HashSet<(string? Segment, int Interval)> ReturnsOf(List<Visit> visits, int begin, TimeUnit unit, int interval, int intervals, bool unbounded)
    {
        var found = new HashSet<(string? Segment, int Interval)>();
        var index = 0;
        for (var i = begin + 1; i < visits.Count; i++)
        {
            if (!visits[i].Returns) continue;
            while (index < intervals && visits[i].Time >= StartOfInterval(visits[begin].Time, unit, interval, index + 1))
                index++;
            for (var k = unbounded ? 0 : index; k <= Math.Min(index, intervals - 1); k++)
            {
                found.Add((null, k));
                if (visits[i].Segment is { } segment) found.Add((segment, k));
            }
        }
        return found;
    }

    Dictionary<string, List<Visit>>.ValueCollection VisitsOf(Project project, ReportRange range, string? born, Selector? bornWhere, string? returning,
        Selector? where, Selector? on)
    {
        var users = new Dictionary<string, List<Visit>>(StringComparer.Ordinal);
        using var cursor = source.InOrder(project, range, withProperties: false, bornWhere, where, on);
        while (cursor.Read())
        {
            var begins = (born is null || cursor.Name == born) && cursor.Holds(bornWhere);
            var returns = (returning is null || cursor.Name == returning) && cursor.Holds(where);
            if (cursor.DistinctId == "" || !(begins || returns)) continue;
            if (!users.TryGetValue(cursor.DistinctId, out var visits)) users.Add(cursor.DistinctId, visits = []);
            visits.Add(new Visit(cursor.Time, begins, returns, returns && on is not null ? Segments.LabelOf(cursor.Evaluate(on)) : null));
        }
        return users.Values;
    }

    readonly record struct Visit(DateTimeOffset Time, bool Begins, bool Returns, string? Segment);
}
