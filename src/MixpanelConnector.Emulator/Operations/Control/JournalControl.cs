using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Live;

namespace MixpanelConnector.Emulator.Operations.Control;

/// <summary><c>/emulator/requests</c>: the requests, their responses, and the reason for each record that was not stored.</summary>
sealed class JournalControl(Journal journal, Access access)
{
    const int MostShown = 10_000;

    public static readonly string[] Parameters = ["after", "limit", "path", "project_id"];

    public async Task ShowAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        var query = context.Request.Query;
        var (after, limit) = (Integer("after"), Integer("limit") ?? 1000);
        if (limit is 0 or > MostShown) throw new RefusedException(400, $"limit: must be from 1 to {MostShown}");
        var (path, project) = (query["path"].ToString(), Integer("project_id"));
        var found = journal.All
            .Where(request => (path == "" || request.Path == path) && (project is null || request.ProjectIds.Contains((int)project)));
        found = after is null ? found.TakeLast((int)limit) : found.Where(request => request.Number > after).Take((int)limit);
        await context.Response.ResultsAsync(200, json =>
        {
            json.WriteStartArray();
            foreach (var request in found)
                Write(json, request);
            json.WriteEndArray();
        }).ConfigureAwait(false);

        long? Integer(string name) => query[name].ToString() is not { Length: > 0 } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value
            : throw new RefusedException(400, $"{name}: must be an integer");
    }

    public async Task ForgetAsync(HttpContext context)
    {
        await access.ManagerAsync(context).ConfigureAwait(false);
        journal.Forget();
        await context.Response.OkAsync().ConfigureAwait(false);
    }

    static void Write(Utf8JsonWriter json, ReceivedRequest request)
    {
        json.WriteStartObject();
        json.WriteNumber("number", request.Number);
        json.WriteString("received_at", request.ReceivedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteString("method", request.Method);
        json.WriteString("host", request.Host);
        json.WriteString("path", request.Path);
        json.WriteString("query", request.Query);
        if (request.Status is { } status) json.WriteNumber("status", status);
        else json.WriteNull("status");
        json.WriteString("error", request.Error);
        json.WriteStartArray("project_ids");
        foreach (var id in request.ProjectIds)
            json.WriteNumberValue(id);
        json.WriteEndArray();
        if (request.Records is { } records) Write(json, records);
        else json.WriteNull("records");
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, ReceivedRecords records)
    {
        json.WriteStartObject("records");
        json.WriteNumber("received", records.Received);
        json.WriteNumber("kept", records.Kept);
        json.WriteStartArray("not_kept");
        foreach (var record in records.NotKept)
        {
            json.WriteStartObject();
            json.WriteNumber("index", record.Index);
            json.WriteString("field", record.Field);
            json.WriteString("reason", record.Reason);
            json.WriteBoolean("told", record.IsTold);
            json.WriteString("record", record.Record);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("not_shown", records.Received - records.Kept - records.NotKept.Count);
        json.WriteEndObject();
    }
}
