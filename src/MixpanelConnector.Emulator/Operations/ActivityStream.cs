using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/stream/query</c>: the events of some users, sorted by time.</summary>
sealed class ActivityStream(ReportSource source)
{
    public Task QueryAsync(HttpContext context, QueryFields fields, Project project)
    {
        fields.Required("distinct_ids");
        var ids = fields.Texts("distinct_ids")!;
        var (from, to) = fields.Dates();
        var range = new ReportRange(project.Calendar.StartOf(from), project.Calendar.EndOf(to), Names: null, source.IdsOf(project, ids));
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteString("status", "ok");
            json.WriteStartObject("results");
            json.WriteStartArray("events");
            using var cursor = source.InOrder(project, range, withProperties: true);
            while (cursor.Read())
                ExportLine.Write(json, new ExportRow(cursor.Name, cursor.Time, cursor.DistinctId, InsertId: null, cursor.Properties),
                    timeInMilliseconds: false);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }
}
