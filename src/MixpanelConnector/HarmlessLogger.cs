using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MixpanelConnector;

/// <summary>Wraps the user's logger: when it throws, only that log line is lost.</summary>
sealed class HarmlessLogger : ILogger
{
    readonly ILogger _inner;

    HarmlessLogger(ILogger inner) => _inner = inner;

    public static ILogger Create(MixpanelOptions options, string category)
    {
        try
        {
            return new HarmlessLogger(options.LoggerFactory.CreateLogger(category));
        }
        catch (Exception)
        {
            return NullLogger.Instance;
        }
    }

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return _inner.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            _inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // A failing logger cannot be reported anywhere.
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null; // the library uses no log scopes
}
