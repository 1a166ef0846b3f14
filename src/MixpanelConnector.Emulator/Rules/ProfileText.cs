using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>Profiles as JSON text: names and strings unescaped, numbers as they were written.</summary>
static class ProfileText
{
    public static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static readonly JsonSerializerOptions Options = new() { Encoder = Encoder };

    public static JsonObject Read(string properties) => JsonNode.Parse(properties)!.AsObject();

    public static string Write(JsonObject properties) => properties.ToJsonString(Options);
}
