using System.Text;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/lookup-tables</c>: lists a project's tables, and replaces a table atomically.</summary>
sealed class LookupTables(LookupTableStore tables, Access access, Quota quota)
{
    const int LargestTable = 100 * 1024 * 1024;

    public async Task ListAsync(HttpContext context)
    {
        await access.AccountAsync(context).ConfigureAwait(false); // a project's secret can replace tables, but not list them
        var project = await access.ReadableProjectAsync(context, context.Request.Query["project_id"]).ConfigureAwait(false);
        var own = tables.ReadAll().Where(table => table.ProjectId == project.Id).ToList();
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("code", 200);
            json.WriteString("status", "OK");
            if (own.Count == 0)
            {
                json.WriteNull("results"); // the service's response here
                json.WriteEndObject();
                return;
            }
            json.WriteStartArray("results");
            foreach (var table in own)
            {
                json.WriteStartObject();
                json.WriteString("id", table.Id);
                json.WriteString("name", table.Name);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    public async Task ReplaceAsync(HttpContext context)
    {
        await access.RequireCallerAsync(context).ConfigureAwait(false); // a token is not sufficient here
        var project = await access.ImportProjectAsync(context).ConfigureAwait(false);
        var id = (string)context.Request.RouteValues["table"]!;
        using var body = await RequestBody.ReadAsync(context.Request, LargestTable, gzipAllowed: true, context.RequestAborted).ConfigureAwait(false);
        if (context.Request.ContentType?.StartsWith("text/csv", StringComparison.OrdinalIgnoreCase) != true)
            throw new RefusedException(415, "Content-Type must be text/csv");
        if (!Guid.TryParse(id, out var table) || !tables.ReadAll().Any(row => row.ProjectId == project.Id && row.Id == table)) throw NotFound(id);
        quota.TakeTableReplacement(project.Id);

        var (error, failed, _) = LookupCsv.Check(body.Memory.Span);
        if (error is not null || failed.Count > 0)
        {
            await RefuseAsync(context.Response, error ?? "some data points in the request failed validation", failed).ConfigureAwait(false);
            return;
        }
        if (!await tables.ReplaceAsync(project.Id, table, Encoding.UTF8.GetString(body.Memory.Span), context.RequestAborted).ConfigureAwait(false))
            throw NotFound(id);
        await context.Response.JsonAsync(200, static json =>
        {
            json.WriteStartObject();
            json.WriteNumber("code", 200);
            json.WriteString("status", "OK");
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    static Task RefuseAsync(HttpResponse response, string error, List<(int Index, string Message)> failed) => response.JsonAsync(400, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("code", 400);
        json.WriteString("error", error);
        json.WriteStartArray("failed_records");
        foreach (var (index, message) in failed)
        {
            json.WriteStartObject();
            json.WriteNumber("index", index);
            json.WriteString("message", message);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("status", "Bad Request");
        json.WriteEndObject();
    });

    static RefusedException NotFound(string id) => new(404, $"Lookup table with id '{id}' was not found.");
}
