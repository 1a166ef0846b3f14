using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MixpanelConnector.Testing;

/// <summary>Records what is logged.</summary>
public sealed class RecordedLog : ILoggerFactory, ILogger
{
    readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    /// <summary>The lines at a level and above.</summary>
    public IReadOnlyList<string> From(LogLevel level) => [.. _lines.Where(line => line.Level >= level).Select(line => $"{line.Level}: {line.Text}")];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) { }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue((logLevel, formatter(state, exception)));

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose() { }
}
