using Microsoft.Extensions.Logging;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// Writes what the library logs at a level and above to standard error; at the lowest level, each request with its response. It contains no secret and no
/// property value.
/// </summary>
sealed class VerboseLog(HostEnvironment host, LogLevel from = LogLevel.Trace) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) { }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= from && logLevel is not LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) host.Error.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{host.TimeProvider.GetUtcNow():HH:mm:ss.fff} {Printer.Clean(formatter(state, exception).ReplaceLineEndings(" "))}"));
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose() { }
}
