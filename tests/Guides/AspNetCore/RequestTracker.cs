using System.Security.Claims;
using System.Text.Json;
using MixpanelConnector;

/// <summary>Tracks for the user of the current request, with what the request says.</summary>
public sealed class RequestTracker(IMixpanelTracker mixpanel, IHttpContextAccessor accessor)
{
    public bool Track<T>(string name, T properties)
    {
        var http = accessor.HttpContext!;
        var all = JsonSerializer.SerializeToNode(properties)!.AsObject();
        all["$current_url"] = $"{http.Request.Scheme}://{http.Request.Host}{http.Request.Path}";
        all["$user_agent"] = http.Request.Headers.UserAgent.ToString();
        all["ip"] = http.Connection.RemoteIpAddress?.ToString(); // Mixpanel makes city and country of it and does not keep it
        return mixpanel.Track(name, UserOf(http), all);
    }

    static MixpanelUser UserOf(HttpContext http)
    {
        var device = http.Request.Cookies["device_id"];
        return http.User.FindFirstValue(ClaimTypes.NameIdentifier) is { Length: > 0 } user ? MixpanelUser.Identified(user, device)
            : device is { Length: > 0 } ? MixpanelUser.Anonymous(device)
            : MixpanelUser.None;
    }
}
