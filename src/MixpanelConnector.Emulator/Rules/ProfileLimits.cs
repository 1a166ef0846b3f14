using System.Text;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Emulator.Rules;

/// <summary>Mixpanel's documented limits of user and group profiles.</summary>
static class ProfileLimits
{
    public const int UpdateBytes = 1024 * 1024;
    public const int Properties = 2000;

    /// <summary>The maximum size of a list or object in one property, as JSON text.</summary>
    public const int ContainerBytes = 256 * 1024;

    public static bool IsTooLarge(JsonNode? value) =>
        value is JsonArray or JsonObject && Encoding.UTF8.GetByteCount(value.ToJsonString(ProfileText.Options)) > ContainerBytes;
}
