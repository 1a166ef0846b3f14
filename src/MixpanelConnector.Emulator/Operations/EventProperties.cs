using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/events/properties</c> and the paths below it: an event's properties, and their values.</summary>
sealed class EventProperties(ReportSource source)
{
    static readonly (DateTimeOffset From, DateTimeOffset End) AllTime = (DateTimeOffset.MinValue, DateTimeOffset.MaxValue);

    public Task CountAsync(HttpContext context, QueryFields fields, Project project)
    {
        var (name, property) = (fields.Required("event"), Property(fields));
        var (type, buckets) = (CountEvents.TypeOf(fields), CountEvents.BucketsOf(fields, project, source.Now));
        var values = fields.Texts("values")?.ToHashSet(StringComparer.Ordinal);
        var format = fields.Choice("format", SeriesFormat.Json, SeriesFormat.Json, SeriesFormat.Csv);
        var limit = fields.Integer("limit", otherwise: 255, least: 1, most: int.MaxValue);
        var tallies = new Tallies(type, buckets);
        source.ForEach(project, new ReportRange(buckets.Start, buckets.End, [name]), cursor =>
        {
            var value = cursor.Evaluate(property);
            if (!value.IsUndefined && Segments.LabelOf(value) is var label && values?.Contains(label) != false) tallies.Add(label, cursor);
        }, property);
        return SeriesAnswer.WriteAsync(context, format == SeriesFormat.Csv, buckets, tallies.Top(limit));
    }

    public Task TopNamesAsync(HttpContext context, QueryFields fields, Project project)
    {
        var name = fields.Text("event"); // without it, those of all events, as clients request that discover a project
        var limit = fields.Integer("limit", otherwise: 10, least: 1, most: int.MaxValue);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        source.ForEach(project, new ReportRange(AllTime.From, AllTime.End, name is null ? null : [name]), withProperties: true, cursor =>
        {
            foreach (var property in NamesIn(cursor.Properties))
                counts[property] = counts.GetValueOrDefault(property) + 1;
        });
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            foreach (var (property, count) in Top(counts, limit))
            {
                json.WriteStartObject(property);
                json.WriteNumber("count", count);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    public Task TopValuesAsync(HttpContext context, QueryFields fields, Project project)
    {
        var (name, property) = (fields.Required("event"), Property(fields));
        var limit = fields.Integer("limit", otherwise: 255, least: 1, most: int.MaxValue);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        source.ForEach(project, new ReportRange(AllTime.From, AllTime.End, [name]), cursor =>
        {
            if (cursor.Evaluate(property) is { IsUndefined: false } value)
            {
                var label = Segments.LabelOf(value);
                counts[label] = counts.GetValueOrDefault(label) + 1;
            }
        }, property);
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var (value, _) in Top(counts, limit))
                json.WriteStringValue(value);
            json.WriteEndArray();
        });
    }

    static IEnumerable<KeyValuePair<string, long>> Top(Dictionary<string, long> counts, int limit) =>
        counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key, StringComparer.Ordinal).Take(limit);

    static Selector Property(QueryFields fields) =>
        Selector.Parse($"properties[{CanonicalText.OfText(fields.Required("name"))}]", SelectorDialect.Events);

    /// <summary>The distinct names of the properties.</summary>
    static HashSet<string> NamesIn(string properties)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(properties));
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            names.Add(reader.GetString()!);
            reader.Read();
            reader.Skip();
        }
        return names;
    }
}
