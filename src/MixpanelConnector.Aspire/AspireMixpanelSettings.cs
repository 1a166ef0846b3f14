namespace MixpanelConnector.Aspire;

/// <summary>
/// How a project of an Aspire application connects to Mixpanel, and the telemetry it reports. The tracker's own settings, those of
/// <see cref="MixpanelSettings"/>, are in the same configuration section.
/// </summary>
public sealed class AspireMixpanelSettings
{
    /// <summary>
    /// Settings of <see cref="MixpanelSettings"/> as <c>Name=Value;Name=Value</c>, such as <c>Token=…;Region=Eu</c>; or only an address, which is the
    /// <see cref="MixpanelSettings.Endpoint"/>. These settings take precedence over the rest of the configuration. Default: none.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>Whether the health check of the tracker is disabled. Default: false.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether OpenTelemetry tracing of the requests to Mixpanel is disabled. Default: false.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>Whether OpenTelemetry metrics of the tracker are disabled. Default: false.</summary>
    public bool DisableMetrics { get; set; }
}
