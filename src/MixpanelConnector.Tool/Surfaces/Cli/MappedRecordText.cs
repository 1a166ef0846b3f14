using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Shows a record before and after a mapping, for a person.</summary>
static class MappedRecordText
{
    /// <summary>The contents are sanitized, because a record may come from anywhere.</summary>
    public static string Of(MappedRecord record)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Printer.Clean(record.Source)}:{record.Line}\n");
        Add(text, "-", record.Before);
        foreach (var outcome in record.After)
        {
            if (outcome.LeftOut is { } reason) text.Append(CultureInfo.InvariantCulture, $"  left out: {Printer.Clean(reason)}\n");
            if (outcome.Record is { } made) Add(text, "+", made);
            if (outcome.Code is { } code)
                text.Append(CultureInfo.InvariantCulture, $"  rejected: {Printer.Clean(code)}: {Printer.Clean(outcome.Message ?? "")}\n");
        }

        return text.Append('\n').ToString();
    }

    static void Add(StringBuilder text, string mark, string json)
    {
        foreach (var line in Indented(json).Split('\n')) text.Append(CultureInfo.InvariantCulture, $"{mark} {Printer.Clean(line.TrimEnd('\r'))}\n");
    }

    static string Indented(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            using var stream = new MemoryStream();
            using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
                document.RootElement.WriteTo(writer);
            return Encoding.UTF8.GetString(stream.ToArray());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return json;
        }
    }
}
