using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MixpanelConnector;

/// <summary>A logger of the user's that throws costs its own line, and nothing else.</summary>
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
            // There is nowhere to say it.
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null; // no line of the library's has a scope
}
