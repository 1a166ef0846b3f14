using System.CommandLine;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// Writes what the library logs at a level and above to standard error; at the lowest level, each request with its response. It contains no secret and no
/// property value.
/// </summary>
/// <param name="write">Writes a message.</param>
/// <param name="from">The lowest level.</param>
/// <param name="only">The category to write; null for all.</param>
sealed class VerboseLog(Action<LogLevel, string> write, LogLevel from = LogLevel.Trace, string? only = null) : ILoggerFactory, ILogger
{
    /// <summary>Adds the log to options: everything with --verbose, otherwise only what a user must know although the command continues.</summary>
    public static MixpanelOptions AddTo(MixpanelOptions options, ParseResult parsed, HostEnvironment host) => AddTo(options, parsed, Lines(host));

    /// <summary>The same for a server, whose log is JSON.</summary>
    public static MixpanelOptions AddTo(MixpanelOptions options, ParseResult parsed, AuditLog log) => AddTo(options, parsed, Entries(log));

    /// <summary>Warnings and errors of everything that uses it, in the log of a server.</summary>
    public static VerboseLog Warnings(AuditLog log) => new(Entries(log), LogLevel.Warning);

    static Action<LogLevel, string> Lines(HostEnvironment host) =>
        (_, message) => host.Error.WriteLine(string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"{host.TimeProvider.GetUtcNow():HH:mm:ss.fff} {message}"));

    static Action<LogLevel, string> Entries(AuditLog log) =>
        (level, message) => log.Write("library", ("level", level.ToString().ToLowerInvariant()), ("message", message));

    static MixpanelOptions AddTo(MixpanelOptions options, ParseResult parsed, Action<LogLevel, string> write) =>
        options with
        {
            LoggerFactory = parsed.GetValue(CommonOptions.Verbose)
                ? new VerboseLog(write)
                : new VerboseLog(write, LogLevel.Warning, "MixpanelConnector.CallLedger"),
        };

    public ILogger CreateLogger(string categoryName) => only is null || categoryName == only ? this : NullLogger.Instance;

    public void AddProvider(ILoggerProvider provider) { }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= from && logLevel is not LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) write(logLevel, Printer.Clean(formatter(state, exception).ReplaceLineEndings(" ")));
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Dispose() { }
}
