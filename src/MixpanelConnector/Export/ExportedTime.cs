using System.Text.Json;

namespace MixpanelConnector.Export;

/// <summary>Reads a time as exports have them.</summary>
static class ExportedTime
{
    /// <summary>An integer, however it is written; false where the value that the reader stands on is none.</summary>
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
