using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.AspNetCore;

/// <summary>
/// What is read from a request for its events and flags. A callback that throws does not fail the request: that is logged once, and the request goes on
/// without its result.
/// </summary>
public sealed class MixpanelRequestOptions
{
    /// <summary>The claim that contains the id of the signed-in user. Default: the name identifier.</summary>
    public string UserIdClaim { get; set; } = ClaimTypes.NameIdentifier;

    /// <summary>
    /// The cookie that contains the device id; null for none. It is read, never written: writing it requires the person's consent in many places. Default:
    /// <c>device_id</c>.
    /// </summary>
    public string? DeviceCookie { get; set; } = "device_id";

    /// <summary>Returns the groups that the request belongs to, by group key, such as <c>company</c> with <c>acme</c>. Default: none.</summary>
    public Func<HttpContext, IEnumerable<KeyValuePair<string, string>>>? Groups { get; set; }

    /// <summary>
    /// Whether events get the campaign tags of the query string: <c>utm_source</c>, <c>utm_medium</c>, <c>utm_campaign</c>, <c>utm_content</c>,
    /// <c>utm_term</c>. Default: true.
    /// </summary>
    public bool CampaignTags { get; set; } = true;

    /// <summary>
    /// Whether events get the address of the client as <c>ip</c>, from which Mixpanel derives city and country. Behind a proxy, add the forwarded headers
    /// middleware first. Default: false, so that events have no location.
    /// </summary>
    public bool ClientAddress { get; set; }

    /// <summary>Returns further properties for the events of the request, such as <c>$current_url</c>. Default: none.</summary>
    public Func<HttpContext, IEnumerable<KeyValuePair<string, object?>>>? Properties { get; set; }

    /// <summary>Whether a request with <c>Sec-GPC: 1</c> (Global Privacy Control) is not tracked. Default: false.</summary>
    public bool GlobalPrivacyControl { get; set; }

    /// <summary>Whether a request with <c>DNT: 1</c> (Do Not Track) is not tracked. Default: false.</summary>
    public bool DoNotTrack { get; set; }

    /// <summary>
    /// The cookie in which the value <c>0</c> means that the person has opted out of tracking. Mixpanel's browser SDK, when set to use cookies, names it
    /// <c>__mp_opt_in_out_</c> followed by the project's token. Default: none.
    /// </summary>
    public string? OptOutCookie { get; set; }

    /// <summary>
    /// Returns whether the person of a request has opted out of tracking, for instance according to the application's own consent. When it throws, nothing is
    /// tracked in the request. Default: nobody has.
    /// </summary>
    public Func<HttpContext, bool>? IsOptedOut { get; set; }

    /// <summary>Returns the properties that flag rules compare. Default: none.</summary>
    public Func<HttpContext, IReadOnlyDictionary<string, object?>>? FlagProperties { get; set; }
}
