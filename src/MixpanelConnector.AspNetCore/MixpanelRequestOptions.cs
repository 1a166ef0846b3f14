using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace MixpanelConnector.AspNetCore;

/// <summary>What is taken of a request for the events and the flags in it.</summary>
public sealed class MixpanelRequestOptions
{
    /// <summary>The claim that holds the id of who is signed in. Default: the name identifier.</summary>
    public string UserIdClaim { get; set; } = ClaimTypes.NameIdentifier;

    /// <summary>The cookie that holds the id of the device; null for none. It is read, never written: that needs the person's consent in many places. Default: <c>device_id</c>.</summary>
    public string? DeviceCookie { get; set; } = "device_id";

    /// <summary>Gives the groups that the request belongs to, by their keys, such as <c>company</c> with <c>acme</c>. Default: none.</summary>
    public Func<HttpContext, IEnumerable<KeyValuePair<string, string>>>? Groups { get; set; }

    /// <summary>Whether events get the tags of the campaign that the address names: <c>utm_source</c>, <c>utm_medium</c>, <c>utm_campaign</c>, <c>utm_content</c>, <c>utm_term</c>. Default: true.</summary>
    public bool CampaignTags { get; set; } = true;

    /// <summary>Whether events get the address of the client as <c>ip</c>, of which Mixpanel makes city and country; behind a proxy, use forwarded headers before. Default: false, and nobody is placed.</summary>
    public bool ClientAddress { get; set; }

    /// <summary>Gives further properties for the events of the request, such as <c>$current_url</c>. Default: none.</summary>
    public Func<HttpContext, IEnumerable<KeyValuePair<string, object?>>>? Properties { get; set; }

    /// <summary>Whether who sends <c>Sec-GPC: 1</c> (Global Privacy Control) is not tracked. Default: false.</summary>
    public bool GlobalPrivacyControl { get; set; }

    /// <summary>Whether who sends <c>DNT: 1</c> (Do Not Track) is not tracked. Default: false.</summary>
    public bool DoNotTrack { get; set; }

    /// <summary>The cookie by whose value <c>0</c> a person has said not to be tracked; that of Mixpanel's SDK for browsers, kept in a cookie, is <c>__mp_opt_in_out_</c> with the project's token. Default: none.</summary>
    public string? OptOutCookie { get; set; }

    /// <summary>Says of a request that its person does not want to be tracked, such as by the application's own consent. Default: none does.</summary>
    public Func<HttpContext, bool>? IsOptedOut { get; set; }

    /// <summary>Gives the properties that rules of flags compare. Default: none.</summary>
    public Func<HttpContext, IReadOnlyDictionary<string, object?>>? FlagProperties { get; set; }
}
