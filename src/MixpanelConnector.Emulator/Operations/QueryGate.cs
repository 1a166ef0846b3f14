using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Selectors;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

delegate Task QueryHandler(HttpContext context, QueryFields fields, Project project);

/// <summary>The common steps of all queries: reads their fields, and checks access to the project and its quota.</summary>
sealed class QueryGate(Access access, Quota quota)
{
    /// <param name="handler">Handles the query.</param>
    /// <param name="parameters">The parameters of the query, in addition to those of every query.</param>
    public RequestDelegate Before(QueryHandler handler, params string[] parameters) => async context =>
    {
        var fields = await QueryFields.ReadAsync(context, parameters).ConfigureAwait(false);
        var project = await access.ReadableProjectAsync(context, fields.Text("project_id")).ConfigureAwait(false);
        fields.CheckWorkspace(project);
        using var running = quota.BeginQuery(project.Id);
        QueryBudget.Begin(context.RequestAborted);
        await handler(context, fields, project).ConfigureAwait(false);
    };
}
