using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>
/// <c>/api/query/retention/addiction</c>: the number of users who were active in at least a number of hours of a day, or days of a month; by the values of an
/// expression.
/// </summary>
sealed class Frequency(ReportSource source)
{
    public Task HandleAsync(HttpContext context, QueryFields fields, Project project)
    {
        var (from, to) = fields.Dates();
        var unit = fields.Choice<TimeUnit>("unit", null, TimeUnit.Day, TimeUnit.Week, TimeUnit.Month);
        var part = fields.Choice<TimeUnit>("addiction_unit", null, TimeUnit.Hour, TimeUnit.Day);
        var name = fields.Text("event");
        var (where, on) = (Where.Parse(fields, "where", SelectorDialect.Events), Where.Parse(fields, "on", SelectorDialect.Events));
        var limit = Segments.LimitOf(fields);

        var buckets = Buckets.Of(project.Calendar, from, to, unit);
        var parts = Buckets.Of(project.Calendar, from, to, part);
        var all = new Activity();
        var bySegment = new Dictionary<string, Activity>(StringComparer.Ordinal);
        var users = new Users();
        source.ForEach(
            project, new ReportRange(buckets.Start, buckets.End, name is null ? null : [name]),
            cursor =>
            {
                if (cursor.DistinctId == "" || !cursor.Holds(where)) return;
                var active = (buckets.IndexOf(cursor.Time), users.NumberOf(cursor.DistinctId), parts.IndexOf(cursor.Time));
                all.Add(active);
                if (on is null) return;
                var segment = Segments.LabelOf(cursor.Evaluate(on));
                if (!bySegment.TryGetValue(segment, out var ofSegment)) bySegment.Add(segment, ofSegment = new Activity());
                ofSegment.Add(active);
            },
            where, on);

        var length = PartsIn(unit, part);
        var segments = Segments.Largest(bySegment.Select(segment => KeyValuePair.Create(segment.Key, segment.Value.Users)), limit);
        var rows = all.AtLeast(buckets.Count, length);
        var rowsOf = segments.ToDictionary(segment => segment, segment => bySegment[segment].AtLeast(buckets.Count, length), StringComparer.Ordinal);
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("data");
            for (var bucket = 0; bucket < buckets.Count; bucket++)
            {
                json.WritePropertyName(buckets.Labels[bucket]);
                if (on is null) WriteRow(json, rows, bucket);
                else Segments.Write(json, segments, segment => WriteRow(json, segment is null ? rows : rowsOf[segment], bucket));
            }
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    static void WriteRow(Utf8JsonWriter json, int[,] atLeast, int bucket)
    {
        json.WriteStartArray();
        for (var i = 0; i < atLeast.GetLength(1); i++)
            json.WriteNumberValue(atLeast[bucket, i]);
        json.WriteEndArray();
    }

    static int PartsIn(TimeUnit unit, TimeUnit part)
    {
        var days = unit switch { TimeUnit.Day => 1, TimeUnit.Week => 7, _ => 31 };
        return part == TimeUnit.Hour ? 24 * days : days;
    }

    /// <summary>The users who were active in each part of each bucket.</summary>
    sealed class Activity
    {
        readonly HashSet<(int Bucket, int User, int Part)> _active = [];

        public int Users => _active.Select(entry => entry.User).Distinct().Count();

        public void Add((int Bucket, int User, int Part) active) => _active.Add(active);

        /// <summary>For each bucket, the number of users who were active in at least one part of it, in at least two, and so on.</summary>
        public int[,] AtLeast(int buckets, int length)
        {
            var atLeast = new int[buckets, length];
            foreach (var (user, count) in _active.CountBy(entry => (entry.Bucket, entry.User)))
            {
                for (var i = 0; i < Math.Min(count, length); i++)
                    atLeast[user.Bucket, i]++;
            }
            return atLeast;
        }
    }
}
