using System.CommandLine;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// Writes what the library logs at a level and above to standard error; at the lowest level, each request with its response. It contains no secret and no
/// property value.
/// </summary>
/// <param name="host">The environment of the program.</param>
/// <param name="from">The lowest level.</param>
/// <param name="only">The category to write; null for all.</param>
sealed class VerboseLog(HostEnvironment host, LogLevel from = LogLevel.Trace, string? only = null) : ILoggerFactory, ILogger
{
    /// <summary>Adds the log to options: everything with --verbose, otherwise only what a user must know although the command continues.</summary>
    public static MixpanelOptions AddTo(MixpanelOptions options, ParseResult parsed, HostEnvironment host) =>
        options with { LoggerFactory = parsed.GetValue(CommonOptions.Verbose) ? new VerboseLog(host) : new VerboseLog(host, LogLevel.Warning, "MixpanelConnector.CallLedger") };

    public ILogger CreateLogger(string categoryName) => only is null || categoryName == only ? this : NullLogger.Instance;

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
