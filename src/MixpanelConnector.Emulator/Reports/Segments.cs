using System.Text.Json;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Emulator.Selectors;

namespace MixpanelConnector.Emulator.Reports;

/// <summary>The segments of a report that breaks its numbers down by the values of an expression.</summary>
static class Segments
{
    const string All = "$overall";
    const int DefaultLimit = 255;
    const int LargestLimit = 10_000;

    public static int LimitOf(QueryFields fields) => fields.Integer("limit", DefaultLimit, least: 1, LargestLimit);

    /// <summary>A value as the name of a segment.</summary>
    public static string LabelOf(in SelectorValue value) => value.Kind == SelectorKind.Text ? value.Text : value.ToString();

    /// <summary>The largest segments, largest first.</summary>
    public static IReadOnlyList<string> Largest(IEnumerable<KeyValuePair<string, int>> sizes, int limit) =>
        [
            .. sizes.OrderByDescending(segment => segment.Value)
                .ThenBy(segment => segment.Key, StringComparer.Ordinal)
                .Take(limit)
                .Select(segment => segment.Key),
        ];

    /// <summary>Writes an object with the numbers of all segments combined, and of each one.</summary>
    /// <param name="json">The writer.</param>
    /// <param name="segments">The segments to show.</param>
    /// <param name="write">Writes the numbers of a segment; of all combined if it is null.</param>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<string> segments, Action<string?> write)
    {
        json.WriteStartObject();
        json.WritePropertyName(All);
        write(null);
        foreach (var segment in segments)
        {
            json.WritePropertyName(segment);
            write(segment);
        }
        json.WriteEndObject();
    }
}
