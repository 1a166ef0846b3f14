using System.Text;
using System.Text.Json.Nodes;

namespace MixpanelConnector;

/// <summary>
/// The input schemas of all actions, generated in advance from their types: at run time that takes longer than the rest of a command's start. A test fails
/// on a stale one.
/// </summary>
static class InputSchemas
{
    /// <summary>The file, with a schema a line. Only the requested ones are parsed.</summary>
    static readonly Lazy<byte[]> File = new(() =>
    {
        using var stream = typeof(InputSchemas).Assembly.GetManifestResourceStream("input-schemas.json")!;
        var json = new byte[stream.Length];
        stream.ReadExactly(json);
        return json;
    });

    /// <summary>Returns a new copy of the schema of an action; null if the file lacks it, as it does while an action is being written.</summary>
    public static JsonObject? Find(string action)
    {
        ReadOnlySpan<byte> file = File.Value, start = Encoding.UTF8.GetBytes($"\n\"{action}\":");
        var begin = file.IndexOf(start);
        if (begin < 0) return null;
        var line = file[(begin + start.Length)..];
        return JsonNode.Parse(line[..line.IndexOf((byte)'\n')].TrimEnd((byte)','))!.AsObject();
    }
}
