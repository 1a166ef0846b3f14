using System.Text.Json;

namespace MixpanelConnector.Testing;

/// <summary>Reads dead letters.</summary>
public static class DeadLetterJson
{
    /// <summary>The record of a dead letter as text: it is an object where it was JSON.</summary>
    public static string Raw(this JsonElement letter) =>
        letter.GetProperty("raw") is { ValueKind: JsonValueKind.Object } record ? record.GetRawText() : letter.GetProperty("raw").GetString()!;
}
