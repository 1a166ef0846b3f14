using System.Globalization;

namespace MixpanelConnector;

/// <summary>Formats a count with its noun in the singular or plural: 1 event, 2 events.</summary>
static class Counted
{
    /// <param name="count">The count.</param>
    /// <param name="one">The noun in the singular.</param>
    /// <param name="many">The noun in the plural; null when it is the singular with an s.</param>
    public static string Of(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? $"{one}s")}");
}
