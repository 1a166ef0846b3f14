using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>The response of most reports: the days, and for each segment a number for each of them.</summary>
static class SeriesAnswer
{
    public static Task WriteAsync(HttpContext context, bool asCsv, Buckets buckets, IReadOnlyList<KeyValuePair<string, Tally>> segments) =>
        asCsv
            ? context.Response.BytesAsync(200, "text/csv; charset=utf-8", Encoding.UTF8.GetBytes(Csv(buckets, segments)))
            : context.Response.JsonAsync(200, json =>
            {
                json.WriteStartObject();
                json.WriteStartObject("data");
                json.WriteStartArray("series");
                foreach (var label in buckets.Labels)
                    json.WriteStringValue(label);
                json.WriteEndArray();
                json.WriteStartObject("values");
                foreach (var (segment, tally) in segments)
                {
                    json.WriteStartObject(segment);
                    for (var i = 0; i < buckets.Count; i++)
                        json.WriteNumber(buckets.Labels[i], tally.ValueOf(i));
                    json.WriteEndObject();
                }
                json.WriteEndObject();
                json.WriteEndObject();
                json.WriteNumber("legend_size", segments.Count);
                json.WriteEndObject();
            });

    static string Csv(Buckets buckets, IReadOnlyList<KeyValuePair<string, Tally>> segments)
    {
        var csv = new StringBuilder("date");
        foreach (var (segment, _) in segments)
            csv.Append(',').Append(Quote(segment));
        csv.Append('\n');
        for (var i = 0; i < buckets.Count; i++)
        {
            csv.Append(buckets.Labels[i]);
            foreach (var (_, tally) in segments)
                csv.Append(',').Append(tally.ValueOf(i).ToString(CultureInfo.InvariantCulture));
            csv.Append('\n');
        }
        return csv.ToString();
    }

    static string Quote(string text) =>
        text.AsSpan().ContainsAny("\",\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}

enum SeriesFormat { Json, Csv }
