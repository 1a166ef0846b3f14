using System.Diagnostics.Metrics;

namespace MixpanelConnector.Tests.Tracking;

/// <summary>Separates one test's meters from those of others.</summary>
sealed class OwnMeterFactory : IMeterFactory
{
    readonly List<Meter> _meters = [];

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    public void Dispose() => _meters.ForEach(meter => meter.Dispose());
}
