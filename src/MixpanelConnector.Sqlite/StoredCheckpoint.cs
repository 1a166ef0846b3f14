using System.Text.Json;
using System.Text.Json.Serialization;

namespace MixpanelConnector.Sqlite;

/// <summary>The single row of the checkpoint, as JSON. It includes the row counts of the other tables, so that a lost row is detected.</summary>
sealed record StoredCheckpoint([property: JsonPropertyName("shape")] string OptionsFingerprint, ImportTotals Totals, bool Finished, long Sources,
    string? DeadLetterPath)
{
    public static StoredCheckpoint Parse(string json) => JsonSerializer.Deserialize(json, StoredJson.Default.StoredCheckpoint) ?? throw new JsonException();

    public string ToJson() => JsonSerializer.Serialize(this, StoredJson.Default.StoredCheckpoint);

    public static ImportSourceProgress ParseSource(string json) =>
        JsonSerializer.Deserialize(json, StoredJson.Default.ImportSourceProgress) ?? throw new JsonException();

    public static string ToJson(ImportSourceProgress source) => JsonSerializer.Serialize(source, StoredJson.Default.ImportSourceProgress);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(StoredCheckpoint))]
[JsonSerializable(typeof(ImportSourceProgress))]
sealed partial class StoredJson : JsonSerializerContext;
