using System.Text.Json;

namespace MixpanelConnector.Export;

/// <summary>Reads a time in the form that exports contain.</summary>
static class ExportedTime
{
    /// <summary>Reads an integer in any notation; returns false if the reader's current value is not one.</summary>
    public static bool TryGet(ref Utf8JsonReader reader, out long time)
    {
        time = 0;
        if (reader.TokenType is not JsonTokenType.Number) return false;
        if (reader.TryGetInt64(out time)) return true;
        if (!reader.TryGetDecimal(out var number) || decimal.Truncate(number) != number || number is < long.MinValue or > long.MaxValue) return false;
        time = (long)number;
        return true;
    }
}
