using System.Buffers;
using System.Globalization;
using System.Text.Json;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// The progress of a running import, in a file next to its state: the state itself is locked while the import runs. Written every few seconds, and of no use
/// once the import has ended.
/// </summary>
sealed class ImportProgressFile(string folder, IReadOnlyList<string> inputs, IProgress<ImportProgress>? next, TimeProvider time) : IProgress<ImportProgress>, IDisposable
{
    const string Name = "progress.json";

    static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>An import that has not written for this long was killed.</summary>
    static readonly TimeSpan LongestSilence = 4 * Interval;

    readonly Lock _lock = new();
    readonly long _began = time.GetTimestamp();
    long _written = time.GetTimestamp();
    bool _isThere;

    /// <summary>The last progress of the import with a state; null if there is none that can be read.</summary>
    public static JsonElement? Read(string folder)
    {
        try
        {
            return JsonElement.Parse(File.ReadAllBytes(Path.Combine(folder, Name))) is { ValueKind: JsonValueKind.Object } progress ? progress : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The last progress of all running imports, regardless of the locks on their states.</summary>
    /// <param name="states">The folder that contains all states.</param>
    /// <param name="now">The current time.</param>
    public static IReadOnlyList<JsonElement> ReadRunning(string states, DateTimeOffset now)
    {
        try
        {
            return
            [
                .. Directory.EnumerateFiles(states, Name, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 }).Order(StringComparer.Ordinal)
                    .Select(file => Read(Path.GetDirectoryName(file)!)).OfType<JsonElement>()
                    .Where(progress => progress.TryGetProperty("last_saved", out var saved) && saved.ValueKind is JsonValueKind.String && saved.TryGetDateTimeOffset(out var at) && now - at < LongestSilence),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // there has been no import yet
        }
    }

    public void Report(ImportProgress value)
    {
        next?.Report(value);
        lock (_lock)
        {
            if (time.GetElapsedTime(_written) < Interval) return;
            _written = time.GetTimestamp();
            try
            {
                using var file = Durable.OpenOwned(Path.Combine(folder, Name), FileMode.Create);
                file.Write(Json(value));
                _isThere = true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The import does not depend on it.
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (!_isThere) return;
            try
            {
                File.Delete(Path.Combine(folder, Name));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It is only read while an import runs.
            }
        }
    }

    ReadOnlySpan<byte> Json(ImportProgress value)
    {
        var seconds = time.GetElapsedTime(_began).TotalSeconds;
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteNumber("process", System.Environment.ProcessId);
        json.WriteString("last_saved", time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        json.WriteString("sources", string.Join(", ", inputs));
        json.WriteNumber("read", value.Read);
        json.WriteNumber("accepted", value.Accepted);
        json.WriteNumber("rejected", value.Rejected);
        if (value.TotalInputBytes is > 0 and var all && value.InputBytes > 0)
        {
            var share = Math.Min(1, (double)value.InputBytes / all);
            json.WriteNumber("percent", Math.Floor(share * 100));
            json.WriteNumber("seconds_left", Math.Ceiling(seconds / share * (1 - share)));
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan;
    }
}
