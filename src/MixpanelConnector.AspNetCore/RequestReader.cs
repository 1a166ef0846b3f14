using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.AspNetCore;

/// <summary>Reads from a request the person, the groups and the properties of its events and flags.</summary>
sealed class RequestReader(MixpanelRequestOptions options)
{
    const int LongestTag = 255; // the length to which Mixpanel truncates a text

    static readonly string[] Tags = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"];

    public MixpanelUser UserOf(HttpContext http)
    {
        var device = options.DeviceCookie is { } cookie && http.Request.Cookies[cookie] is { Length: > 0 } id ? id : null;
        return http.User.FindFirst(options.UserIdClaim)?.Value is { Length: > 0 } user ? MixpanelUser.Identified(user, device)
            : device is not null ? MixpanelUser.Anonymous(device)
            : MixpanelUser.None;
    }

    public Dictionary<string, object?> PropertiesOf(HttpContext http)
    {
        var properties = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, group) in GroupsOf(http)) properties[key] = group;
        if (options.CampaignTags && http.Request.QueryString.HasValue)
            foreach (var tag in Tags)
                if (http.Request.Query[tag] is [{ Length: > 0 } value, ..]) properties[tag] = value.Length <= LongestTag ? value : value[..LongestTag];
        if (options.ClientAddress && http.Connection.RemoteIpAddress is { } address) properties["ip"] = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
        foreach (var (name, value) in options.Properties?.Invoke(http) ?? []) properties[name] = value;
        return properties;
    }

    /// <summary>Whether the person of the request has opted out of tracking.</summary>
    public bool IsOptedOut(HttpContext http) =>
        (options.GlobalPrivacyControl && Says(http, "Sec-GPC"))
        || (options.DoNotTrack && Says(http, "DNT"))
        || (options.OptOutCookie is { } cookie && http.Request.Cookies[cookie] == "0")
        || options.IsOptedOut?.Invoke(http) == true;

    static bool Says(HttpContext http, string header) => http.Request.Headers[header].Contains("1", StringComparer.Ordinal);

    public EvaluationContext FlagsOf(HttpContext http)
    {
        var context = new EvaluationContext(UserOf(http));
        foreach (var (key, group) in GroupsOf(http)) context = context.With(key, group);
        return options.FlagProperties?.Invoke(http) is { } properties ? context.WithProperties(properties) : context;
    }

    IEnumerable<KeyValuePair<string, string>> GroupsOf(HttpContext http) => options.Groups?.Invoke(http) ?? [];
}
