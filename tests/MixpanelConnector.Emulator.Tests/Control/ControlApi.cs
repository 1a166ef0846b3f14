using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests.Control;

/// <summary>The API under <c>/emulator</c>, called as its owner.</summary>
static class ControlApi
{
    static readonly AuthenticationHeaderValue Owner = LocalMixpanel.Basic("local", "local");

    public static async Task<JsonElement> ControlAsync(this LocalMixpanel mixpanel, string request, string? json = null, int status = 200)
    {
        var words = request.Split(' ');
        var answer = await mixpanel.SendAsync(new HttpMethod(words[0]), words[1],
            json is null ? null : new StringContent(json, Encoding.UTF8, "application/json"), Owner);
        Assert.True(answer.Status == status, $"{request}: {answer.Status} {answer.Text}");
        return status >= 300 ? answer.Json.GetProperty("error") : answer.Json.TryGetProperty("results", out var results) ? results : default;
    }

    public static Task<Answer> TrackAsync(this LocalMixpanel mixpanel, string name, string token = "local", string distinctId = "ada", string query = "") =>
        mixpanel.PostAsync("/track" + query, $$$"""[{"event":"{{{name}}}","properties":{"token":"{{{token}}}","distinct_id":"{{{distinctId}}}"}}]""");

    public static async Task<string> NamesAsync(this LocalMixpanel mixpanel) =>
        string.Join(' ', (await mixpanel.Server.EventsAsync()).Select(stored => $"{stored.ProjectId}:{stored.Name}"));
}
