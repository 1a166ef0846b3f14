using System.IO.Pipelines;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Jql;

/// <summary>Results as CSV: a row for each item, a column for each path to a value, such as <c>key.0</c>.</summary>
static class JqlCsv
{
    public static async Task<byte[]> ReadAsync(PipeReader json, CancellationToken cancellationToken)
    {
        using var items = await JsonDocument.ParseAsync(json.AsStream(), default, cancellationToken).ConfigureAwait(false);
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var item in items.RootElement.EnumerateArray())
        {
            foreach (var (path, _) in Values(item, ""))
                columns.TryAdd(path, columns.Count);
        }
        var csv = new StringBuilder().AppendJoin(',', columns.Keys.Select(Quote)).Append('\n');
        foreach (var item in items.RootElement.EnumerateArray())
        {
            var cells = new string[columns.Count];
            foreach (var (path, value) in Values(item, ""))
                cells[columns[path]] = Quote(value.ToString());
            csv.AppendJoin(',', cells).Append('\n');
        }
        return Encoding.UTF8.GetBytes(csv.ToString());
    }

    static IEnumerable<(string Path, JsonElement Value)> Values(JsonElement of, string path) => of.ValueKind switch
    {
        JsonValueKind.Object => of.EnumerateObject().SelectMany(member => Values(member.Value, Below(path, member.Name))),
        JsonValueKind.Array => of.EnumerateArray().SelectMany((element, index) => Values(element, Below(path, $"{index}"))),
        _ => [(path == "" ? "value" : path, of)],
    };

    static string Below(string path, string name) => path == "" ? name : $"{path}.{name}";

    static string Quote(string text) =>
        text.AsSpan().ContainsAny("\",\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
