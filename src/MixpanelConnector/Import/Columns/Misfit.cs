using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Import.Columns;

/// <summary>What a binary format stores in a column of dates or times.</summary>
enum Temporal
{
    Timestamp,
    Date,
    TimeOfDay,
}

/// <summary>
/// A field of a row whose value does not match its column, with what is needed to read it again once it was corrected, as stored in the row's dead letter.
/// </summary>
/// <param name="Field">The field's name in the record.</param>
/// <param name="Column">The column's name, for messages.</param>
sealed record Misfit(string Field, string Column)
{
    /// <summary>The specified or inferred type of the column; null for none.</summary>
    public ImportColumnType? Type { get; init; }

    /// <summary>Whether the type was inferred from the column's first values.</summary>
    public bool IsInferred { get; init; }

    /// <summary>What the column stores according to the file, if the value is out of its range; otherwise null.</summary>
    public Temporal? Temporal { get; init; }

    /// <summary>Whether the value must contain the record's properties.</summary>
    public bool HoldsProperties { get; init; }

    /// <summary>Serializes fields to a JSON array.</summary>
    public static byte[] ToJson(IEnumerable<Misfit> fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartArray();
            foreach (var misfit in fields)
            {
                json.WriteStartObject();
                json.WriteString("field", misfit.Field);
                json.WriteString("column", misfit.Column);
                if (misfit.Type is { } type) json.WriteString("type", type.ToString().ToLowerInvariant());
                if (misfit.IsInferred) json.WriteBoolean("inferred", true);
                if (misfit.Temporal is { } temporal) json.WriteString("stored", temporal.ToString().ToLowerInvariant());
                if (misfit.HoldsProperties) json.WriteBoolean("holds_properties", true);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="FormatException">It is not such an array.</exception>
    public static IReadOnlyList<Misfit> Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            List<Misfit> fields = [.. document.RootElement.EnumerateArray().Select(Of).DistinctBy(misfit => misfit.Field, StringComparer.Ordinal)];
            if (fields.Exists(misfit => misfit is { Type: null, Temporal: null, HoldsProperties: false })) throw new FormatException("type");
            return fields;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("The fields of a row are damaged.", e);
        }
    }

    static Misfit Of(JsonElement json) =>
        new(json.GetProperty("field").GetString() ?? throw new FormatException("field"),
            json.GetProperty("column").GetString() ?? throw new FormatException("column"))
        {
            Type = ValueOf<ImportColumnType>(json, "type"),
            IsInferred = json.TryGetProperty("inferred", out var inferred) && inferred.GetBoolean(),
            Temporal = ValueOf<Temporal>(json, "stored"),
            HoldsProperties = json.TryGetProperty("holds_properties", out var holds) && holds.GetBoolean(),
        };

    static T? ValueOf<T>(JsonElement json, string name) where T : struct, Enum =>
        !json.TryGetProperty(name, out var text) ? null
        : Enum.TryParse<T>(text.GetString(), ignoreCase: true, out var value) && Enum.IsDefined(value) ? value
        : throw new FormatException(name);
}
