using System.Text.Json;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The imports of the command line, for a console: those that run, and the latest that ended.</summary>
/// <param name="states">The folder that contains all states.</param>
/// <param name="time">The clock.</param>
sealed class ImportsOfTerminals(string states, TimeProvider time)
{
    const int MostEnded = 20;

    /// <summary>Consoles ask several times a second, and imports write every few seconds.</summary>
    static readonly TimeSpan Kept = TimeSpan.FromSeconds(2);

    readonly Lock _lock = new();
    IReadOnlyList<JsonElement> _imports = [];
    long? _readAt;

    public IReadOnlyList<JsonElement> Read()
    {
        lock (_lock)
        {
            if (_readAt is { } at && time.GetElapsedTime(at) < Kept) return _imports;
            _readAt = time.GetTimestamp();
            var now = time.GetUtcNow();
            return _imports = [.. ImportProgressFile.ReadRunning(states, now), .. ImportProgressFile.ReadEnded(states, now, MostEnded)];
        }
    }
}
