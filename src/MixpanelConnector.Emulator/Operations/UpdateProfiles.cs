using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/engage</c> and <c>/groups</c>: updates of user and group profiles. The status is always 200; the body contains the result.</summary>
sealed class UpdateProfiles(ProfileStore profiles, Feed feed, IdentityStore identities, Accounts accounts, EmulatorOptions options, bool ofGroups)
{
    static readonly Fault NoSuchToken = new("$token", "no project has this token");

    static readonly JsonDocumentOptions Bounded = new() { MaxDepth = EventLimits.JsonDepth };

    public async Task HandleAsync(HttpContext context)
    {
        using var body =
            await RequestBody.ReadAsync(context.Request, EventLimits.RequestBytes, gzipAllowed: true, context.RequestAborted).ConfigureAwait(false);
        var payload = Payload.Of(context.Request, body.Memory);
        TrackReply.CheckCallback(payload);
        if (options.StrictUnknown) payload.AllowOnly(TrackEvents.Parameters);
        using var document = Parse(payload, out var error);
        var verdict = error is null ? Judge(document!.RootElement, context.Region()) : new Verdict(0, [], [], []);
        error ??= verdict.Records == 0 ? "request must have at least one record" : null;

        var faults =
            await profiles.UpdateAsync([.. verdict.Updates.Select(update => (update.ProjectId, update.Update))], context.RequestAborted).ConfigureAwait(false);
        for (var i = 0; i < faults.Length; i++)
        {
            if (faults[i] is { } fault) verdict.Failed.Add(new FailedRecord(verdict.Updates[i].Index, fault));
        }
        Show(context, document?.RootElement ?? default, verdict, isTold: payload.Field("strict") == "1" || verdict.Good == 0);
        if (error is not null) Journal.MarkRefused(context, error);
        if (payload.Field("strict") == "1")
            await TrackReply.WriteAsync(context.Response, payload, json => WriteStrictly(json, verdict, error)).ConfigureAwait(false);
        else
            await TrackReply.WriteAsync(context.Response, payload, error ?? (verdict.Good > 0 ? null : verdict.Failed[0].Fault.Message)).ConfigureAwait(false);
    }

    /// <summary>Shows watchers the records that were not stored, including those that are never reported because no project has their token.</summary>
    void Show(HttpContext context, JsonElement root, Verdict verdict, bool isTold)
    {
        List<Rejection> rejections =
        [
            .. verdict.Failed.Select(failed => RejectionOf(failed, isTold)),
            .. verdict.Nowhere.Select(index => RejectionOf(new FailedRecord(index, NoSuchToken), isTold: false)),
        ];
        feed.Rejected(rejections);
        if (verdict.Records > 0) Journal.MarkJudged(context, verdict.Records, verdict.Updates.Select(update => update.ProjectId), rejections);

        Rejection RejectionOf(FailedRecord failed, bool isTold)
        {
            var record = root.ValueKind == JsonValueKind.Array ? root[failed.Index] : root;
            var token = record.ValueKind == JsonValueKind.Object && record.TryGetProperty("$token", out var given) && given.ValueKind == JsonValueKind.String
                ? given.GetString()
                : null;
            return new Rejection(failed.Index, accounts.ProjectOfToken(token ?? "", context.Region())?.Id, options.TimeProvider.GetUtcNow(),
                context.Request.Path, failed.Fault, isTold, Rejection.Shown(JsonMarshal.GetRawUtf8Value(record)));
        }
    }

    static JsonDocument? Parse(Payload payload, out string? error)
    {
        error = "request must have records as JSON";
        if (payload.Records is not { } records) return null;
        try
        {
            if (HasTooMany(records.Span))
            {
                error = $"request must have at most {EventLimits.RecordsPerRequest} records";
                return null;
            }

            error = null;
            return JsonDocument.Parse(records, Bounded);
        }
        catch (JsonException e)
        {
            error = $"request body is not valid JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
            return null;
        }
    }

    /// <summary>Whether a list has too many records, counted before they take memory.</summary>
    static bool HasTooMany(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Bounded.MaxDepth });
        if (!reader.Read() || reader.TokenType is not JsonTokenType.StartArray) return false;
        for (var count = 0; reader.Read() && reader.TokenType is not JsonTokenType.EndArray; reader.Skip())
            if (++count > EventLimits.RecordsPerRequest) return true;
        return false;
    }

    Verdict Judge(JsonElement root, string? region)
    {
        var now = options.TimeProvider.GetUtcNow();
        List<Accepted> updates = [];
        List<FailedRecord> failed = [];
        List<int> nowhere = [];
        var index = 0;
        foreach (var record in root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().ToArray() : [root])
        {
            var (update, fault) = ProfileUpdate.Read(record, ofGroups, now, options.StrictUnknown);
            if (fault is not null)
                failed.Add(new FailedRecord(index, fault));
            else if (accounts.ProjectOfToken(update!.Token, region) is { } project)
                updates.Add(new Accepted(index, project.Id,
                    ofGroups || update.IgnoresAlias ? update : update with { Id = identities.Resolve(project.Id, update.Id) }));
            else
                nowhere.Add(index);
            index++;
        }
        return new Verdict(index, updates, failed, nowhere);
    }

    /// <summary>
    /// Mixpanel documents that there are errors per record here, but not their format: this uses the format of an import, in addition to the fields of a
    /// response without errors.
    /// </summary>
    static void WriteStrictly(Utf8JsonWriter json, Verdict verdict, string? error)
    {
        var failed = error is not null || verdict.Failed.Count > 0;
        json.WriteStartObject();
        json.WriteString("error", error ?? (failed ? "some data points in the request failed validation" : null));
        json.WriteStartObject("errors");
        foreach (var record in verdict.Failed.OrderBy(record => record.Index))
            json.WriteString(record.Index.ToString(CultureInfo.InvariantCulture), record.Fault.Message);
        json.WriteEndObject();
        if (verdict.Failed.Count > 0)
        {
            json.WriteStartArray("failed_records");
            foreach (var record in verdict.Failed.OrderBy(record => record.Index))
            {
                json.WriteStartObject();
                json.WriteNumber("index", record.Index);
                json.WriteString("field", record.Fault.Where);
                json.WriteString("message", record.Fault.Message);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteNumber("num_good_events", verdict.Good);
        json.WriteNumber("status", failed ? 0 : 1);
        json.WriteEndObject();
    }

    readonly record struct Accepted(int Index, int ProjectId, ProfileUpdate Update);

    readonly record struct FailedRecord(int Index, Fault Fault);

    /// <summary>The outcome of each record. A record with an unknown token is valid, but is stored nowhere.</summary>
    sealed record Verdict(int Records, List<Accepted> Updates, List<FailedRecord> Failed, List<int> Nowhere)
    {
        public int Good => Records - Failed.Count;
    }
}
