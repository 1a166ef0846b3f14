using System.Globalization;

namespace MixpanelConnector.Tracking;

/// <summary>Times as Mixpanel reads them in properties: UTC, to the second.</summary>
static class MixpanelTime
{
    public static string Of(DateTime time) =>
        (time.Kind is DateTimeKind.Local ? time.ToUniversalTime() : time).ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
}
