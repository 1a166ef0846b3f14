using System.Globalization;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Reports;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/api/query/cohorts/list</c>: the saved cohorts, with the current number of users of each.</summary>
sealed class Cohorts(ProfileQuery profiles, DocumentStore documents)
{
    public Task ListAsync(HttpContext context, Project project) => context.Response.JsonAsync(200, json =>
    {
        json.WriteStartArray();
        foreach (var document in documents.List(project.Id, Cohort.Kind))
        {
            var cohort = Cohort.Read(Saved.Body(document.Content));
            json.WriteStartObject();
            json.WriteNumber("count", profiles.MembersOf(project, cohort).Count);
            json.WriteNumber("is_visible", cohort.IsVisible ? 1 : 0);
            json.WriteString("description", cohort.Description);
            json.WriteString("created", (string)document.Content["created"]!);
            json.WriteNumber("project_id", project.Id);
            json.WriteNumber("id", int.Parse(document.Id, CultureInfo.InvariantCulture));
            json.WriteString("name", cohort.Name);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}
