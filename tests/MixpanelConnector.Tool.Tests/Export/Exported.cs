using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Export;

/// <summary>The result of an export in a folder.</summary>
sealed class Exported(string folder)
{
    public string Folder => folder;

    public JsonObject Manifest => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "manifest.json")))!.AsObject();

    /// <summary>The sorted names of all files.</summary>
    public string Names => string.Join(' ', Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

    public IEnumerable<JsonObject> Files => Manifest["files"]!.AsArray().Select(file => file!.AsObject());

    /// <summary>The text of a file, decompressed.</summary>
    public string Text(string name)
    {
        using var file = File.OpenRead(Path.Combine(folder, name));
        using Stream plain = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress)
            : name.EndsWith(".zst", StringComparison.Ordinal) ? new ZstdSharp.DecompressionStream(file)
            : file;
        using var reader = new StreamReader(plain, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        return reader.ReadToEnd();
    }

    /// <summary>All NDJSON records, in the order of the manifest.</summary>
    public string Records => string.Concat(Files.Select(file => (string?)file["name"]).OfType<string>().Select(Text));

    /// <summary>An event as Mixpanel exports it.</summary>
    public static string Event(string name, int day, int second = 0, string more = "") =>
        $$$"""{"event":"{{{name}}}","properties":{"time":{{{new DateTimeOffset(2026, 10, day, 0, 0, second, TimeSpan.Zero).ToUnixTimeMilliseconds()}}},"distinct_id":"u1","$insert_id":"{{{name}}}-{{{second}}}"{{{more}}}}}""";

    /// <summary>An answer to an export.</summary>
    public static Answer Lines(params string[] lines) => Answer.Plain(string.Concat(lines.Select(line => line + "\n")));

    /// <summary>The requested day.</summary>
    public static int DayOf(RecordedRequest request) =>
        int.Parse(request.Query.Split("from_date=2026-10-")[1][..2], System.Globalization.CultureInfo.InvariantCulture);
}
