using System.Globalization;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/insights</c>: computes a saved report.</summary>
sealed class Insights(ReportSource source, DocumentStore documents)
{
    const string Moment = "yyyy-MM-dd'T'HH:mm:ss";

    public Task QueryAsync(HttpContext context, QueryFields fields, Project project)
    {
        var id = fields.RequiredInteger("bookmark_id").ToString(CultureInfo.InvariantCulture);
        var report = documents.Find(project.Id, InsightsReport.Kind, id) is { } saved
            ? InsightsReport.Read(Saved.Body(saved.Content))
            : throw new RefusedException(404, $"no report {id} in this project: POST /emulator/projects/{project.Id}/reports makes one");
        var buckets = report is { From: { } from, To: { } to }
            ? Buckets.Of(project.Calendar, from, to, report.Unit)
            : Buckets.Latest(project.Calendar, source.Now, report.Unit, report.Last);
        var tallies = report.Events.ToDictionary(name => name, _ => new Tallies(report.Type, buckets), StringComparer.Ordinal);
        if (report.On is null)
        {
            foreach (var (name, tally) in tallies)
                tally.Ensure(name);
        }
        source.ForEach(project, new ReportRange(buckets.Start, buckets.End, report.Events), cursor =>
        {
            if (cursor.Holds(report.Where)) tallies[cursor.Name].Add(report.On is null ? cursor.Name : Segments.LabelOf(cursor.Evaluate(report.On)), cursor);
        }, report.Where, report.On);

        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteComputedAt(source.Now);
            json.WriteStartObject("date_range");
            json.WriteString("from_date", Written(project, buckets.Start, Moment));
            json.WriteString("to_date", Written(project, buckets.End.AddMilliseconds(-1), Moment + ".ffffff"));
            json.WriteEndObject();
            json.WriteStartArray("headers");
            json.WriteStringValue("$event");
            if (report.OnText is not null) json.WriteStringValue(report.OnText);
            json.WriteEndArray();
            json.WriteStartObject("series");
            foreach (var name in report.Events)
            {
                if (report.On is not null) json.WriteStartObject(name);
                foreach (var (segment, tally) in tallies[name].Top())
                {
                    json.WriteStartObject(segment);
                    for (var i = 0; i < buckets.Count; i++)
                        json.WriteNumber(Written(project, buckets.StartOf(i), Moment), tally.ValueOf(i));
                    json.WriteEndObject();
                }
                if (report.On is not null) json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    static string Written(Project project, DateTimeOffset moment, string format) =>
        TimeZoneInfo.ConvertTime(moment, project.Calendar.Zone).ToString(format + "zzz", CultureInfo.InvariantCulture);
}
