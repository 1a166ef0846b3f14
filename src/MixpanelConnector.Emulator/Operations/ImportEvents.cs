using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/import</c>: stores valid events, and reports each of the others with the rule that it violates.</summary>
sealed class ImportEvents(EventStore events, Feed feed, Access access, Quota quota, EmulatorOptions options)
{
    const string IdentityEventsRefused = "identity events are not allowed when project is using simplified identity management";

    static readonly Fault AskedToBeIgnored = new("properties.$ignore", "asked to be ignored");

    public async Task HandleAsync(HttpContext context)
    {
        var project = await access.ImportProjectAsync(context).ConfigureAwait(false);
        using var body =
            await RequestBody.ReadAsync(context.Request, EventLimits.RequestBytes, gzipAllowed: true, context.RequestAborted).ConfigureAwait(false);
        var payload = Payload.Of(context.Request, body.Memory);
        TrackReply.CheckCallback(payload);
        if (options.StrictUnknown) payload.AllowOnly([.. TrackEvents.Parameters, "api_key"]);
        // The form is older than strict mode; a client that sends one without specifying it expects the old behaviour.
        var strict = payload.Field("strict") is { } asked ? asked != "0" : !payload.IsForm;

        using var batch = new EventBatch(options.TimeProvider.GetUtcNow(), imported: true, capacity: body.Length + (body.Length / 4) + 1024);
        var verdict = Judge(payload, batch, project, strict);
        if (!quota.TakeIngestion(project.Id, batch.Rows.Count, body.Memory.Length)) throw Quota.Exceeded();
        if (verdict.HasIdentityEvents && project.Identity == IdentityManagement.Simplified)
        {
            await RefuseIdentityEventsAsync(context.Response).ConfigureAwait(false);
            return;
        }
        await events.AppendAsync(batch, context.RequestAborted).ConfigureAwait(false);
        Show(context, batch, project, verdict, isTold: payload.IsForm ? verdict.Valid == 0 : strict);
        await AnswerAsync(context.Response, payload, strict, verdict, verdict.Valid).ConfigureAwait(false);
    }

    static Verdict Judge(Payload payload, EventBatch batch, Project project, bool strict)
    {
        var verdict = new Verdict();
        var rules = new ImportRules(batch.ReceivedAt, project.Identity, strict);
        EventReader.ForEach(payload, (body, in fields) =>
        {
            var fault = rules.Check(fields, out var moment);
            var isIdentityEvent = IdentityRules.IsIdentityEvent(fields);
            verdict.HasIdentityEvents |= isIdentityEvent;
            if (isIdentityEvent && fault is null && project.Identity == IdentityManagement.Original)
            {
                (var link, fault) = IdentityRules.Read(project.Id, body, fields, imported: true);
                if (link is not null) batch.Add(link.Value);
            }
            if (fault is not null)
                verdict.Failed.Add(new FailedRecord(verdict.Records, fields.InsertId.AsText(), fault, Rejection.Shown(body[fields.Start..fields.End])));
            else if (fields.Ignored)
                verdict.Ignored.Add(new FailedRecord(verdict.Records, fields.InsertId.AsText(), AskedToBeIgnored,
                    Rejection.Shown(body[fields.Start..fields.End])));
            else
                batch.Add(project, body, fields, moment);
            verdict.Records++;
        });
        if (verdict.Records == 0) throw new RefusedException(400, "request must have at least one event");
        return verdict;
    }

    void Show(HttpContext context, EventBatch batch, Project project, Verdict verdict, bool isTold)
    {
        feed.Stored(batch);
        List<Rejection> rejections =
        [
            .. verdict.Failed.Select(record => new Rejection(record.Index, project.Id, batch.ReceivedAt, "/import", record.Fault, isTold, record.Text)),
            .. verdict.Ignored.Select(record => new Rejection(record.Index, project.Id, batch.ReceivedAt, "/import", record.Fault, IsTold: false, record.Text)),
        ];
        feed.Rejected(rejections);
        Journal.MarkJudged(context, verdict.Records, [project.Id], rejections);
    }

    static Task RefuseIdentityEventsAsync(HttpResponse response) => response.JsonAsync(400, json =>
    {
        json.WriteStartObject();
        json.WriteNumber("code", 400);
        json.WriteString("error", "some data points in the request failed validation");
        json.WriteStartArray("failed_records");
        json.WriteStringValue(IdentityEventsRefused);
        json.WriteEndArray();
        json.WriteNumber("num_records_imported", 0);
        json.WriteString("status", "Bad Request");
        json.WriteEndObject();
    });

    static Task AnswerAsync(HttpResponse response, Payload payload, bool strict, Verdict verdict, int imported)
    {
        if (payload.IsForm) return TrackReply.WriteAsync(response, payload, verdict.Failed.Count == 0 || imported > 0 ? null : verdict.Failed[0].Fault.Message);
        if (!strict && payload.Field("verbose") is not null) return AnswerLenientlyAsync(response, payload, imported);
        var failed = strict && verdict.Failed.Count > 0;
        return response.JsonAsync(failed ? 400 : 200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("code", failed ? 400 : 200);
            if (failed)
            {
                json.WriteString("error", "some data points in the request failed validation");
                json.WriteStartArray("failed_records");
                foreach (var record in verdict.Failed)
                    WriteFailed(json, record);
                json.WriteEndArray();
            }
            json.WriteNumber("num_records_imported", imported);
            json.WriteString("status", failed ? "Bad Request" : "OK");
            json.WriteEndObject();
        });
    }

    /// <summary>
    /// Without strict mode, <c>verbose</c> selects the response, as it does for <c>/track</c>: 1, or an object that suits both kinds of clients.
    /// </summary>
    static Task AnswerLenientlyAsync(HttpResponse response, Payload payload, int imported) => !TrackReply.Asks(payload, "verbose")
        ? TrackReply.WriteAsync(response, payload, error: null)
        : TrackReply.WriteAsync(response, payload, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("code", 200);
            json.WriteNull("error");
            json.WriteNumber("num_records_imported", imported);
            json.WriteNumber("status", 1);
            json.WriteEndObject();
        });

    static void WriteFailed(Utf8JsonWriter json, FailedRecord record)
    {
        json.WriteStartObject();
        json.WriteNumber("index", record.Index);
        json.WriteString("insert_id", record.InsertId);
        json.WriteString("field", record.Fault.Where);
        json.WriteString("message", record.Fault.Message);
        json.WriteEndObject();
    }

    readonly record struct FailedRecord(int Index, string InsertId, Fault Fault, string Text);

    sealed class Verdict
    {
        public int Records { get; set; }

        public bool HasIdentityEvents { get; set; }

        public List<FailedRecord> Failed { get; } = [];

        /// <summary>Records that count as imported, but are dropped.</summary>
        public List<FailedRecord> Ignored { get; } = [];

        public int Valid => Records - Failed.Count;
    }
}
