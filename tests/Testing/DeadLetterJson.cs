using System.Text.Json;

namespace MixpanelConnector.Testing;

/// <summary>Reads dead letters.</summary>
public static class DeadLetterJson
{
    /// <summary>The record of a dead letter as text: an object if it was JSON, otherwise a string.</summary>
    public static string Raw(this JsonElement letter) =>
        letter.GetProperty("raw") is { ValueKind: JsonValueKind.Object } record ? record.GetRawText() : letter.GetProperty("raw").GetString()!;
}
