using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/track</c>: events sent by apps and browsers. The response states whether an event was well formed, not whether it was stored.</summary>
sealed class TrackEvents(EventStore events, Feed feed, Accounts accounts, Quota quota, EmulatorOptions options)
{
    /// <summary>The parameters of <c>/track</c>, <c>/engage</c> and <c>/groups</c>; <c>_</c> is what browsers add to prevent caching.</summary>
    public static readonly string[] Parameters = ["data", "ip", "verbose", "img", "callback", "redirect", "test", "strict", "project_id", "_"];

    public async Task HandleAsync(HttpContext context)
    {
        using var body =
            await RequestBody.ReadAsync(context.Request, EventLimits.RequestBytes, gzipAllowed: true, context.RequestAborted).ConfigureAwait(false);
        var payload = Payload.Of(context.Request, body.Memory);
        TrackReply.CheckCallback(payload);
        if (options.StrictUnknown) payload.AllowOnly(Parameters);
        using var batch = new EventBatch(options.TimeProvider.GetUtcNow(), imported: false);
        var rejections = new List<Rejection>();
        var error = Judge(payload, batch, rejections, context.Region(), context.Connection.RemoteIpAddress);
        foreach (var project in batch.Rows.CountBy(row => row.ProjectId))
        {
            if (!quota.TakeIngestion(project.Key, project.Value, body.Memory.Length)) throw Quota.Exceeded();
        }
        await events.AppendAsync(batch, context.RequestAborted).ConfigureAwait(false);
        feed.Stored(batch);
        // The response covers all of them: it reports an error only if none was well formed.
        var told = rejections.ConvertAll(rejection => rejection with { IsTold = error is not null });
        feed.Rejected(told);
        if (error is not null) Journal.MarkRefused(context, error);
        if (batch.Rows.Count + told.Count > 0) Journal.MarkJudged(context, batch.Rows.Count + told.Count, batch.Rows.Select(row => row.ProjectId), told);
        await TrackReply.WriteAsync(context.Response, payload, error).ConfigureAwait(false);
    }

    /// <summary>Why no event was well formed; null if at least one was.</summary>
    string? Judge(Payload payload, EventBatch batch, List<Rejection> rejections, string? region, IPAddress? sender)
    {
        var (index, wellFormed) = (-1, 0);
        var anonymous = payload.Field("ip") == "1" && sender is not null
            ? Convert.ToHexStringLower(SHA256.HashData(sender.GetAddressBytes()))[..32]
            : "";
        try
        {
            EventReader.ForEach(payload, (body, in fields) =>
            {
                index++;
                if (TrackRules.Check(fields, options.StrictUnknown) is { } fault)
                {
                    Reject(body, fields, fault);
                    return;
                }
                if (accounts.ProjectOfToken(fields.Token.Text, region) is not { } project)
                {
                    wellFormed++;
                    Reject(body, fields, new Fault("properties.token", "no project has this token"));
                    return;
                }
                if (TrackRules.TimeToStore(fields, batch.ReceivedAt, out var reason) is not { } moment)
                {
                    wellFormed++;
                    Reject(body, fields, reason!);
                    return;
                }
                if (project.Identity == IdentityManagement.Original && IdentityRules.IsIdentityEvent(fields))
                {
                    var (link, missing) = IdentityRules.Read(project.Id, body, fields, imported: false);
                    if (missing is not null)
                    {
                        Reject(body, fields, missing);
                        return;
                    }
                    if (link is not null) batch.Add(link.Value);
                }
                wellFormed++;
                batch.Add(project, body, fields, moment, anonymous);
            });
        }
        catch (RefusedException e) when (e.Status == StatusCodes.Status400BadRequest)
        {
            // Nothing of it is stored, and verdicts before the error do not count.
            batch.Clear();
            rejections.Clear();
            return e.Message;
        }
        return wellFormed > 0 ? null : rejections.FirstOrDefault()?.Fault.Message ?? "request must have at least one event";

        void Reject(ReadOnlySpan<byte> body, in EventFields fields, Fault fault) => rejections.Add(new Rejection(
            index, accounts.ProjectOfToken(fields.Token.Text, region)?.Id, batch.ReceivedAt, "/track", fault, IsTold: false,
            Rejection.Shown(body[fields.Start..fields.End])));
    }
}
