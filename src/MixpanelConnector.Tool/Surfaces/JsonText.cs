using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces;

/// <summary>JSON as these interfaces write it: escaped only where JSON requires it.</summary>
static class JsonText
{
    static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonWriterOptions Pretty = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    public static byte[] Utf8(JsonNode node, bool indented = false)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, indented ? Pretty : Plain)) node.WriteTo(writer);
        return stream.ToArray();
    }

    public static string Indented(JsonNode node) => Encoding.UTF8.GetString(Utf8(node, indented: true));
}
