using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary><c>/track</c>: events as apps and browsers send them. The answer says whether one was well formed, not whether it was stored.</summary>
sealed class TrackEvents(EventStore events, Accounts accounts, Quota quota, TimeProvider time)
{
    public async Task HandleAsync(HttpContext context)
    {
        using var body = await RequestBody.ReadAsync(context.Request, EventLimits.RequestBytes, gzipAllowed: true, context.RequestAborted).ConfigureAwait(false);
        var payload = Payload.Of(context.Request, body.Memory);
        using var batch = new EventBatch(time.GetUtcNow(), imported: false);
        var error = Judge(payload, batch, context.Connection.RemoteIpAddress);
        foreach (var project in batch.Rows.CountBy(row => row.ProjectId))
        {
            if (!quota.TakeIngestion(project.Key, project.Value, body.Memory.Length))
                throw Quota.Exceeded();
        }
        await events.AppendAsync(batch, context.RequestAborted).ConfigureAwait(false);
        await TrackReply.WriteAsync(context.Response, payload, error).ConfigureAwait(false);
    }

    /// <summary>Why no event was well formed; null when at least one was.</summary>
    string? Judge(Payload payload, EventBatch batch, IPAddress? sender)
    {
        var wellFormed = 0;
        Fault? first = null;
        var anonymous = payload.Field("ip") == "1" && sender is not null
            ? Convert.ToHexStringLower(SHA256.HashData(sender.GetAddressBytes()))[..32]
            : "";
        try
        {
            EventReader.ForEach(payload, (body, in fields) =>
            {
                if (TrackRules.Check(fields) is { } fault)
                {
                    first ??= fault;
                    return;
                }
                if (accounts.ProjectOfToken(fields.Token.Text) is not { } project || TrackRules.TimeToStore(fields, batch.ReceivedAt) is not { } moment)
                {
                    wellFormed++;
                    return;
                }
                if (project.Identity == IdentityManagement.Original && IdentityRules.IsIdentityEvent(fields))
                {
                    var (link, missing) = IdentityRules.Read(project.Id, body, fields, imported: false);
                    if (missing is not null)
                    {
                        first ??= missing;
                        return;
                    }
                    if (link is not null)
                        batch.Add(link.Value);
                }
                wellFormed++;
                batch.Add(project, body, fields, moment, anonymous);
            });
        }
        catch (RefusedException e) when (e.Status == StatusCodes.Status400BadRequest)
        {
            batch.Clear();
            return e.Message;
        }
        return wellFormed > 0 ? null : first?.Message ?? "request must have at least one event";
    }
}
