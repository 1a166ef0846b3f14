using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Live;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Operations;

/// <summary>
/// What the SDKs for browsers and apps request in order to record sessions. No API returns a recording, so none is stored; there are no remote settings.
/// </summary>
sealed class SessionReplay(Accounts accounts)
{
    /// <summary><c>GET /settings</c>: whether recording is enabled, and the settings that override those in the app's code.</summary>
    public Task SettingsAsync(HttpContext context)
    {
        Authenticate(context);
        return context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            if (context.Request.Query["recording"] == "1")
            {
                json.WriteStartObject("recording");
                json.WriteBoolean("is_enabled", true);
                json.WriteEndObject();
            }
            if (context.Request.Query["sdk_config"] == "1")
            {
                json.WriteStartObject("sdk_config");
                json.WriteNull("config");
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    /// <summary><c>POST /record</c>: a part of a recording.</summary>
    public async Task RecordAsync(HttpContext context)
    {
        Authenticate(context);
        using (await RequestBody.ReadAsync(context.Request, EventLimits.RequestBytes, gzipAllowed: true, context.RequestAborted).ConfigureAwait(false)) { }
        await context.Response.JsonAsync(200, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("code", 200);
            json.WriteString("status", "OK");
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    /// <summary>The credential is the project's token, as the user name.</summary>
    void Authenticate(HttpContext context)
    {
        if (Credentials.Of(context.Request) is not { Secret: "" } sent || accounts.ProjectOfToken(sent.Username, context.Region()) is not { } project)
            throw RefusedException.BadCredentials();
        Journal.MarkProject(context, project.Id);
    }
}
