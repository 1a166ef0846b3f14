using System.Globalization;

namespace MixpanelConnector;

/// <summary>A number with what it counts, as people write it: 1 event, 2 events.</summary>
static class Counted
{
    /// <param name="count">How many there are.</param>
    /// <param name="one">What one is called.</param>
    /// <param name="many">What several are called; null where an s makes them of one.</param>
    public static string Of(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? $"{one}s")}");
}
