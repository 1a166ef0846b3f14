using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>A line of a dead-letter file as the oracle reads it.</summary>
sealed record DeadLine(string Source, long Line, long Offset, byte[] Raw, string Code, string Message, int Attempts, bool MaybeDelivered)
{
    public static IReadOnlyList<DeadLine> ReadAll(string file) => File.Exists(file) ? [.. Read(file)] : [];

    /// <summary>Reads line by line, without storing them.</summary>
    public static IEnumerable<DeadLine> Read(string file) => File.ReadLines(file).Select(Parse);

    public static DeadLine Parse(string line)
    {
        var json = JsonElement.Parse(line);
        var raw = json.TryGetProperty("raw", out _) ? Encoding.UTF8.GetBytes(json.Raw()) : json.GetProperty("raw_base64").GetBytesFromBase64();
        return new DeadLine(
            json.GetProperty("source").GetString()!,
            json.GetProperty("line").GetInt64(),
            json.GetProperty("offset").GetInt64(),
            raw,
            json.GetProperty("code").GetString()!,
            json.GetProperty("message").GetString()!,
            json.GetProperty("attempts").GetInt32(),
            json.GetProperty("maybe_delivered").GetBoolean());
    }
}
