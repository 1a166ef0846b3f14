using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Import.Delimited;

/// <summary>What is needed to parse a row without its file, as stored in the dead letters of rows.</summary>
/// <param name="Columns">The names of the columns.</param>
/// <param name="Dialect">How its cells are delimited.</param>
/// <param name="NullValues">The cells that count as empty.</param>
/// <param name="Types">The types of the columns, as stored in checkpoints; null for none.</param>
sealed record RowLayout(IReadOnlyList<string> Columns, Dialect Dialect, IReadOnlyList<string> NullValues, string? Types)
{
    /// <summary>Serializes the layout to a JSON object.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            Write(json, "columns", Columns);
            json.WriteString("delimiter", Text(Dialect.Delimiter));
            if (Dialect.Quote != '"') json.WriteString("quote", Dialect.Quote is { } quote ? Text(quote) : "none");
            if (Dialect.Escape is { } escape) json.WriteString("escape", Text(escape));
            if (NullValues.Count > 0) Write(json, "null_values", NullValues);
            if (Types is not null) json.WriteString("types", Types);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="FormatException">It is not such an object.</exception>
    public static RowLayout Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            var dialect = new Dialect(Sign(root.GetProperty("delimiter").GetString()) ?? throw new FormatException("delimiter"), EndsWithReturn: false)
            {
                Quote = root.TryGetProperty("quote", out var quote) ? quote.ValueEquals("none") ? null : Sign(quote.GetString()) : (byte)'"',
                Escape = root.TryGetProperty("escape", out var escape) ? Sign(escape.GetString()) : null,
            };
            return new([.. Texts(root, "columns")], dialect, [.. Texts(root, "null_values")],
                root.TryGetProperty("types", out var types) ? types.GetString() : null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("The layout of a row is damaged.", e);
        }
    }

    static byte? Sign(string? text) => text is [var one] && Dialect.CanPart(one) ? (byte)one : throw new FormatException("sign");

    static string Text(byte sign) => ((char)sign).ToString();

    static IEnumerable<string> Texts(JsonElement root, string name) =>
        root.TryGetProperty(name, out var items) ? items.EnumerateArray().Select(item => item.GetString() ?? throw new FormatException(name)) : [];

    static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> items)
    {
        json.WriteStartArray(name);
        foreach (var item in items) json.WriteStringValue(item);
        json.WriteEndArray();
    }
}
