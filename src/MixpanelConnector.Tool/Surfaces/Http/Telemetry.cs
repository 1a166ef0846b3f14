using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace MixpanelConnector.Tool.Surfaces.Http;

/// <summary>
/// Metrics and traces by OpenTelemetry, sent to OTEL_EXPORTER_OTLP_ENDPOINT, and not sent if it is not set. No name, key or value of a request becomes a label:
/// a route is identified by its pattern, an unknown one not at all.
/// </summary>
static class Telemetry
{
    public const string Variable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddTo(WebApplicationBuilder builder, ServeOptions options)
    {
        if (options.Telemetry is null) return;
        // OpenTelemetry reads its standard variables from the configuration, which is empty here.
        foreach (var (name, value) in System.Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().Select(
            variable => ((string)variable.Key, (string?)variable.Value)))
        {
            if (name.StartsWith("OTEL_", StringComparison.Ordinal)) builder.Configuration[name] = value;
        }

        builder.Configuration[Variable] = options.Telemetry;
        builder.Services.AddMetrics();
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime")
                .AddView(Labels)
                .AddOtlpExporter())
            .WithTracing(traces => traces.AddAspNetCoreInstrumentation(requests => requests.EnrichWithHttpRequest = Redact).AddSource("System.Net.Http")
                .AddOtlpExporter());
    }

    /// <summary>Sends the metrics of a long-running command; null if they are not requested.</summary>
    public static IDisposable? Start(HostEnvironment host) =>
        host.Environment(Variable) is { Length: > 0 }
            ? Sdk.CreateMeterProviderBuilder().AddMeter("MixpanelConnector", "System.Runtime").AddOtlpExporter().Build()
            : null;

    /// <summary>Drops labels whose values callers control.</summary>
    static MetricStreamConfiguration? Labels(Instrument instrument) => instrument.Name switch
    {
        "http.server.request.duration" =>
            new ExplicitBucketHistogramConfiguration { TagKeys = ["http.request.method", "http.route", "http.response.status_code"] },
        "http.server.active_requests" => new MetricStreamConfiguration { TagKeys = [] },
        _ => null,
    };

    /// <summary>Removes path and query, which can contain anything.</summary>
    static void Redact(Activity activity, Microsoft.AspNetCore.Http.HttpRequest request)
    {
        activity.SetTag("url.path", null);
        activity.SetTag("url.query", null);
        activity.SetTag("user_agent.original", null);
    }
}
