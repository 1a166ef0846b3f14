namespace MixpanelConnector.Aspire;

/// <summary>How an Aspire application's program comes to Mixpanel, and what it tells of it. The settings of the tracker itself, those of <see cref="MixpanelSettings"/>, stand beside these in the configuration.</summary>
public sealed class AspireMixpanelSettings
{
    /// <summary>
    /// Settings of <see cref="MixpanelSettings"/> as <c>Name=Value;Name=Value</c>, such as <c>Token=…;Region=Eu</c>; or an address alone, which is
    /// the <see cref="MixpanelSettings.Endpoint"/>. What it says goes before what the configuration says elsewhere. Default: none.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>Whether there is no health check of the tracker. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether OpenTelemetry hears nothing of the requests to Mixpanel. Default: false.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>Whether OpenTelemetry hears nothing of the tracker's numbers. Default: false.</summary>
    public bool DisableMetrics { get; set; }
}
