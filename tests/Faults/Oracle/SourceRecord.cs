using System.IO.Compression;
using System.Text.Json;

namespace MixpanelConnector.Faults;

/// <summary>A line of an input as the oracle reads it.</summary>
/// <param name="File">The input.</param>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Offset">Its start, in decompressed bytes.</param>
/// <param name="Raw">Its bytes without the line end.</param>
sealed record SourceRecord(string File, long Line, long Offset, byte[] Raw)
{
    public bool IsBlank => Raw.AsSpan().Trim(" \t\r"u8).IsEmpty;

    /// <summary>The event; null if the line is not JSON.</summary>
    public JsonElement? Json { get; } = Parse(Raw);

    /// <summary>The number that the test gave it; -1 if the line is not JSON.</summary>
    public long Oid => Json?.GetProperty("properties").GetProperty("oid").GetInt64() ?? -1;

    /// <summary>Every line of an NDJSON file, plain or gzip.</summary>
    public static IEnumerable<SourceRecord> ReadAll(string file)
    {
        var bytes = Bytes(file);
        var line = 0L;
        for (var at = 0; at < bytes.Length;)
        {
            var length = bytes.AsSpan(at).IndexOf((byte)'\n');
            var end = length < 0 ? bytes.Length : at + length;
            yield return new SourceRecord(file, ++line, at, bytes[at..end]);
            at = end + 1;
        }
    }

    static byte[] Bytes(string file)
    {
        if (!file.EndsWith(".gz", StringComparison.Ordinal)) return System.IO.File.ReadAllBytes(file);
        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(System.IO.File.OpenRead(file), CompressionMode.Decompress)) gzip.CopyTo(plain);
        return plain.ToArray();
    }

    static JsonElement? Parse(byte[] raw)
    {
        try
        {
            return JsonElement.Parse(raw);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
