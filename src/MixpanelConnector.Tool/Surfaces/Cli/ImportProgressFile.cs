using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Files;
using MixpanelConnector.Sqlite;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// The progress of a running import, in a file next to its state: the state itself is locked while the import runs. Written every few seconds. When the import
/// has ended, another file tells how, so that a watcher need not open the state, which would lock out an import that is just starting.
/// </summary>
sealed class ImportProgressFile(string folder, IReadOnlyList<string> inputs, IProgress<ImportProgress>? next,
    TimeProvider time) : IProgress<ImportProgress>, IDisposable
{
    const string Name = "progress.json", EndName = "ended.json";

    static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>An import that has not written for this long was killed.</summary>
    static readonly TimeSpan LongestSilence = 4 * Interval;

    readonly Lock _lock = new();
    readonly long _began = time.GetTimestamp();
    long _written = time.GetTimestamp();
    bool _isOutdated;

    /// <summary>The last progress of the import with a state; null if there is none that can be read.</summary>
    public static JsonElement? Read(string folder) => ReadFile(Path.Combine(folder, Name));

    /// <summary>
    /// The number of records that were read and have no outcome yet. The state contains only those with one, so this is from what the last run noted; null if
    /// it was killed before it noted what it last saved.
    /// </summary>
    /// <param name="summary">A state that is not in use.</param>
    public static long? ReadPending(ImportStateSummary summary)
    {
        if (summary.Finished) return 0;
        var last = new[] { EndName, Name }
            .Select(name => ReadFile(Path.Combine(summary.Folder, name)))
            .Where(facts => SavedAt(facts) is not null)
            .MaxBy(SavedAt);
        if (summary.LastSaved is { } saved && SavedAt(last) < saved.AddTicks(-(saved.Ticks % TimeSpan.TicksPerSecond))) return null;
        return last is { } facts && facts.TryGetProperty("read", out var read) && read.TryGetInt64(out var count)
            ? Math.Max(0, count - summary.Totals.Read)
            : null;
    }

    static JsonElement? ReadFile(string path)
    {
        try
        {
            return JsonElement.Parse(File.ReadAllBytes(path)) is { ValueKind: JsonValueKind.Object } progress ? progress : null;
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
            return [.. Files(states, Name).Select(ReadFile).OfType<JsonElement>().Where(progress => now - SavedAt(progress) < LongestSilence)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // there has been no import yet
        }
    }

    /// <summary>How the latest imports ended that are not running, the last one first. One that was killed is interrupted.</summary>
    /// <param name="states">The folder that contains all states.</param>
    /// <param name="now">The current time.</param>
    /// <param name="most">The maximum number of imports.</param>
    public static IReadOnlyList<JsonElement> ReadEnded(string states, DateTimeOffset now, int most)
    {
        try
        {
            return
            [
                .. Files(states, EndName).Concat(Files(states, Name)).GroupBy(Path.GetDirectoryName, StringComparer.Ordinal)
                    .Select(files => files.Select(file => (IsEnd: Path.GetFileName(file) == EndName, Facts: ReadFile(file)))
                        .Where(file => SavedAt(file.Facts) is not null)
                        .MaxBy(file => (SavedAt(file.Facts), file.IsEnd)))
                    .Where(last => last.Facts is not null && (last.IsEnd || now - SavedAt(last.Facts) >= LongestSilence))
                    .OrderByDescending(last => SavedAt(last.Facts)).Take(most)
                    .Select(last => last.IsEnd ? last.Facts!.Value : Interrupted(last.Facts!.Value)),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    static IEnumerable<string> Files(string states, string name) =>
        Directory.EnumerateFiles(states, name, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 }).Order(StringComparer.Ordinal);

    static DateTimeOffset? SavedAt(JsonElement? facts) =>
        facts is { } element && element.TryGetProperty("last_saved", out var saved) && saved.ValueKind is JsonValueKind.String
            && saved.TryGetDateTimeOffset(out var at)
            ? at
            : null;

    static JsonElement Interrupted(JsonElement progress)
    {
        var json = JsonObject.Create(progress)!;
        json["status"] = "interrupted";
        return JsonElement.Parse(json.ToJsonString());
    }

    public void Report(ImportProgress value)
    {
        next?.Report(value);
        lock (_lock)
        {
            if (time.GetElapsedTime(_written) < Interval) return;
            _written = time.GetTimestamp();
            _isOutdated |= TryWrite(Name, json => Describe(json, value));
        }
    }

    /// <summary>Notes how the import ended. What an earlier run noted before it was killed is outdated, too.</summary>
    public void Conclude(ImportReport report)
    {
        lock (_lock)
        {
            _isOutdated |= TryWrite(EndName, json =>
            {
                json.WriteString("status", report.Outcome is RunOutcome.Complete or RunOutcome.Rejected ? "finished" : "stopped");
                Describe(json, report.Read, report.Accepted, report.Rejected);
                json.WriteNumber("elapsed_seconds", report.ElapsedSeconds);
            });
        }
    }

    /// <summary>The import does not depend on these files.</summary>
    bool TryWrite(string name, Action<Utf8JsonWriter> describe)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            describe(json);
            json.WriteEndObject();
        }

        try
        {
            using var file = Durable.OpenOwned(Path.Combine(folder, name), FileMode.Create);
            file.Write(buffer.WrittenSpan);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (!_isOutdated) return;
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

    void Describe(Utf8JsonWriter json, ImportProgress value)
    {
        var seconds = time.GetElapsedTime(_began).TotalSeconds;
        json.WriteNumber("process", System.Environment.ProcessId);
        Describe(json, value.Read, value.Accepted, value.Rejected);
        if (value.TotalInputBytes is > 0 and var all && value.InputBytes > 0)
        {
            var share = Math.Min(1, (double)value.InputBytes / all);
            json.WriteNumber("percent", Math.Floor(share * 100));
            json.WriteNumber("seconds_left", Math.Ceiling(seconds / share * (1 - share)));
        }
    }

    void Describe(Utf8JsonWriter json, long read, long accepted, long rejected)
    {
        json.WriteString("last_saved", time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        json.WriteString("sources", string.Join(", ", inputs));
        json.WriteNumber("read", read);
        json.WriteNumber("accepted", accepted);
        json.WriteNumber("rejected", rejected);
    }
}
