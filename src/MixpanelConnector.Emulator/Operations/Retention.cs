using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

enum RetentionType { Birth, Compounded }

/// <summary><c>/api/query/retention</c>: of the users who began on a day, how many came back after how long; and how often users come.</summary>
sealed class Retention(ReportSource source)
{
    const int LongestDays = 90;
    const int MostIntervals = 1000;

    public Task RetentionAsync(HttpContext context, QueryFields fields, Project project)
    {
        var (from, to) = fields.Dates();
        var type = fields.Choice("retention_type", RetentionType.Birth, RetentionType.Birth, RetentionType.Compounded);
        var unit = UnitOf(fields, TimeUnit.Day);
        var interval = fields.Integer("interval", otherwise: 1, least: 1, most: unit == TimeUnit.Day ? LongestDays : 1000);
        var intervals = fields.Integer("interval_count", otherwise: 1, least: 0, MostIntervals) + 1;
        var unbounded = fields.Boolean("unbounded_retention");
        var returning = fields.Text("event");
        var where = Where.Parse(fields, "where", SelectorDialect.Events);
        var (born, bornWhere) = type == RetentionType.Birth
            ? (fields.Required("born_event"), Where.Parse(fields, "born_where", SelectorDialect.Events))
            : (returning, where);
        RefuseSegments(fields);

        var buckets = Buckets.Of(project.Calendar, from, to, unit, interval);
        var end = unbounded ? DateTimeOffset.MaxValue : StartOfInterval(buckets.End, unit, interval, intervals);
        var names = born is null || returning is null ? null : new[] { born, returning };
        var (first, counts) = (new int[buckets.Count], new int[buckets.Count, intervals]);
        foreach (var visits in VisitsOf(project, new ReportRange(buckets.Start, end, names), born, bornWhere, returning, where))
        {
            foreach (var (bucket, begin) in BeginningsOf(visits, buckets, type))
            {
                first[bucket]++;
                foreach (var index in IntervalsOf(visits, begin, unit, interval, intervals, unbounded))
                    counts[bucket, index]++;
            }
        }
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            for (var bucket = 0; bucket < buckets.Count; bucket++)
            {
                json.WriteStartObject(buckets.Labels[bucket]);
                json.WriteStartArray("counts");
                for (var index = 0; index < intervals; index++)
                    json.WriteNumberValue(counts[bucket, index]);
                json.WriteEndArray();
                json.WriteNumber("first", first[bucket]);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    public Task FrequencyAsync(HttpContext context, QueryFields fields, Project project)
    {
        var (from, to) = fields.Dates();
        var unit = UnitOf(fields, null);
        var part = fields.Choice<TimeUnit>("addiction_unit", null, TimeUnit.Hour, TimeUnit.Day);
        var name = fields.Text("event");
        var where = Where.Parse(fields, "where", SelectorDialect.Events);
        RefuseSegments(fields);

        var buckets = Buckets.Of(project.Calendar, from, to, unit);
        var parts = Buckets.Of(project.Calendar, from, to, part);
        var active = new HashSet<(int Bucket, int User, int Part)>();
        var users = new Users();
        source.ForEach(project, new ReportRange(buckets.Start, buckets.End, name is null ? null : [name]), cursor =>
        {
            if (cursor.DistinctId != "" && cursor.Holds(where))
                active.Add((buckets.IndexOf(cursor.Time), users.NumberOf(cursor.DistinctId), parts.IndexOf(cursor.Time)));
        }, where);

        var length = PartsIn(unit, part);
        var atLeast = new int[buckets.Count, length];
        foreach (var (user, count) in active.CountBy(entry => (entry.Bucket, entry.User)))
        {
            for (var i = 0; i < Math.Min(count, length); i++)
                atLeast[user.Bucket, i]++;
        }
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("data");
            for (var bucket = 0; bucket < buckets.Count; bucket++)
            {
                json.WriteStartArray(buckets.Labels[bucket]);
                for (var i = 0; i < length; i++)
                    json.WriteNumberValue(atLeast[bucket, i]);
                json.WriteEndArray();
            }
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    static TimeUnit UnitOf(QueryFields fields, TimeUnit? otherwise) => fields.Choice("unit", otherwise, TimeUnit.Day, TimeUnit.Week, TimeUnit.Month);

    static void RefuseSegments(QueryFields fields)
    {
        if (fields.Text("on") is not null)
            throw new RefusedException(501, "on is not emulated here");
    }

    static int PartsIn(TimeUnit unit, TimeUnit part)
    {
        var days = unit switch { TimeUnit.Day => 1, TimeUnit.Week => 7, _ => 31 };
        return part == TimeUnit.Hour ? 24 * days : days;
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

    /// <summary>When a user begins: once ever, or once in each bucket.</summary>
    static IEnumerable<(int Bucket, int Visit)> BeginningsOf(List<Visit> visits, Buckets buckets, RetentionType type)
    {
        var last = -1;
        for (var i = 0; i < visits.Count; i++)
        {
            if (!visits[i].Begins || buckets.IndexOf(visits[i].Time) is not (>= 0 and var bucket) || bucket == last)
                continue;
            yield return (bucket, i);
            if (type == RetentionType.Birth)
                yield break;
            last = bucket;
        }
    }

    /// <summary>The intervals after a beginning in which the user came back, each once.</summary>
    static HashSet<int> IntervalsOf(List<Visit> visits, int begin, TimeUnit unit, int interval, int intervals, bool unbounded)
    {
        var found = new HashSet<int>();
        var index = 0;
        for (var i = begin + 1; i < visits.Count; i++)
        {
            if (!visits[i].Returns)
                continue;
            while (index < intervals && visits[i].Time >= StartOfInterval(visits[begin].Time, unit, interval, index + 1))
                index++;
            for (var k = unbounded ? 0 : index; k <= Math.Min(index, intervals - 1); k++)
                found.Add(k);
        }
        return found;
    }

    Dictionary<string, List<Visit>>.ValueCollection VisitsOf(Project project, ReportRange range, string? born, Selector? bornWhere, string? returning, Selector? where)
    {
        var users = new Dictionary<string, List<Visit>>(StringComparer.Ordinal);
        using var cursor = source.InOrder(project, range, withProperties: false, bornWhere, where);
        while (cursor.Read())
        {
            var begins = (born is null || cursor.Name == born) && cursor.Holds(bornWhere);
            var returns = (returning is null || cursor.Name == returning) && cursor.Holds(where);
            if (cursor.DistinctId == "" || !(begins || returns))
                continue;
            if (!users.TryGetValue(cursor.DistinctId, out var visits))
                users.Add(cursor.DistinctId, visits = []);
            visits.Add(new Visit(cursor.Time, begins, returns));
        }
        return users.Values;
    }

    readonly record struct Visit(DateTimeOffset Time, bool Begins, bool Returns);
}
