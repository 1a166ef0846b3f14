using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MixpanelConnector.AspNetCore;

/// <summary>
/// Reads from a request the person, the groups and the properties of its events and flags. A callback of the application that fails does not fail the request:
/// it is logged once, and the request goes on without its result.
/// </summary>
sealed partial class RequestReader(MixpanelRequestOptions options, ILogger logger)
{
    const int LongestTag = 255; // the length to which Mixpanel truncates a text

    static readonly string[] Tags = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"];

    readonly ConcurrentDictionary<string, bool> _logged = new(StringComparer.Ordinal);

    /// <summary>Begins the scope of a request.</summary>
    public MixpanelScope Begin(HttpContext http)
    {
        var (user, optedOut, properties) = (UserOf(http), IsOptedOut(http), PropertiesOf(http));
        try
        {
            return MixpanelScope.Begin(user, properties, optedOut);
        }
        catch (ArgumentException)
        {
            // Only those at fault are left out.
            return MixpanelScope.Begin(user, properties.Where(IsAccepted).ToDictionary(StringComparer.Ordinal), optedOut);
        }
    }

    MixpanelUser UserOf(HttpContext http)
    {
        var device = options.DeviceCookie is { } cookie && http.Request.Cookies[cookie] is { Length: > 0 } id ? id : null;
        return http.User.FindFirst(options.UserIdClaim)?.Value is { Length: > 0 } user ? MixpanelUser.Identified(user, device)
            : device is not null ? MixpanelUser.Anonymous(device)
            : MixpanelUser.None;
    }

    Dictionary<string, object?> PropertiesOf(HttpContext http)
    {
        var properties = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var (key, group) in GroupsOf(http)) properties[key] = group;
        if (options.CampaignTags && http.Request.QueryString.HasValue)
            foreach (var tag in Tags)
                if (http.Request.Query[tag] is [{ Length: > 0 } value, ..])
                    properties[tag] = value.Length <= LongestTag ? value : value[..(char.IsHighSurrogate(value[LongestTag - 1]) ? LongestTag - 1 : LongestTag)];
        if (options.ClientAddress && http.Connection.RemoteIpAddress is { } address)
            properties["ip"] = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
        foreach (var (name, value) in Ask<List<KeyValuePair<string, object?>>>(nameof(options.Properties), () => [.. options.Properties?.Invoke(http) ?? []],
            []))
            properties[name ?? ""] = value;
        return properties;
    }

    bool IsAccepted(KeyValuePair<string, object?> property)
    {
        try
        {
            MixpanelScope.Begin(properties: new Dictionary<string, object?>(StringComparer.Ordinal) { [property.Key] = property.Value }).Dispose();
            return true;
        }
        catch (ArgumentException e)
        {
            if (_logged.TryAdd($"property {property.Key}", value: true)) LogLeftOut(property.Key, e.Message);
            return false;
        }
    }

    /// <summary>Whether the person of the request has opted out of tracking. When that cannot be found out, the person is not tracked.</summary>
    bool IsOptedOut(HttpContext http) =>
        (options.GlobalPrivacyControl && Says(http, "Sec-GPC"))
        || (options.DoNotTrack && Says(http, "DNT"))
        || (options.OptOutCookie is { } cookie && http.Request.Cookies[cookie] == "0")
        || (options.IsOptedOut is { } asks && Ask(nameof(options.IsOptedOut), () => asks(http), otherwise: true));

    static bool Says(HttpContext http, string header) => http.Request.Headers[header].Contains("1", StringComparer.Ordinal);

    public EvaluationContext FlagsOf(HttpContext http)
    {
        var context = new EvaluationContext(UserOf(http));
        foreach (var (key, group) in GroupsOf(http)) context = context.With(key, group);
        return options.FlagProperties is { } properties
            ? Ask(nameof(options.FlagProperties), () => context.WithProperties(properties(http)), context)
            : context;
    }

    List<KeyValuePair<string, string>> GroupsOf(HttpContext http) => Ask<List<KeyValuePair<string, string>>>(
        nameof(options.Groups),
        () => [.. (options.Groups?.Invoke(http) ?? []).Where(group => group is { Key.Length: > 0, Value.Length: > 0 })],
        []);

    /// <summary>Calls application code.</summary>
    T Ask<T>(string callback, Func<T> ask, T otherwise)
    {
        try
        {
            return ask();
        }
        catch (Exception e)
        {
            if (_logged.TryAdd(callback, value: true)) LogFailed(callback, e.GetType().Name); // its message may contain a value
            return otherwise;
        }
    }

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The callback {Callback} of AddRequests threw {Exception}. The request goes on without its result; if it is IsOptedOut, "
            + "nothing is tracked in the request. Further failures of this callback are not logged")]
    partial void LogFailed(string callback, string exception);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The property {Property} of AddRequests is left out of all events: {Reason} Further occurrences are not logged")]
    partial void LogLeftOut(string property, string reason);
}
