using Microsoft.AspNetCore.Http;
using MixpanelConnector.Emulator;
using MixpanelConnector.Emulator.Http;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Surfaces.Console;

/// <summary>
/// The console under the embedded Mixpanel's address. It starts on the first request for it: most tests never need it, and it takes a third of the time and the
/// memory.
/// </summary>
sealed class LateConsole : IAsyncDisposable
{
    readonly EmulatedMixpanel _mixpanel;
    readonly Func<Task<IAsyncDisposable>> _start;
    readonly Lock _lock = new();
    Task<IAsyncDisposable>? _console;

    /// <param name="mixpanel">The embedded Mixpanel under whose address it runs.</param>
    /// <param name="start">Starts it, replacing this placeholder.</param>
    public LateConsole(EmulatedMixpanel mixpanel, Func<Task<IAsyncDisposable>> start)
    {
        (_mixpanel, _start) = (mixpanel, start);
        mixpanel.HostedApplication = new HostedApplication(Gateway.TakesAsHosted, AnswerAsync);
    }

    /// <summary>Starts it; tries again if it failed to start before.</summary>
    public Task StartAsync()
    {
        lock (_lock) return _console = _console is { IsFaulted: false, IsCanceled: false } ? _console : _start();
    }

    public async ValueTask DisposeAsync()
    {
        _mixpanel.HostedApplication = null;
        Task<IAsyncDisposable>? console;
        lock (_lock) console = _console;
        if (console is null) return;
        await Task.WhenAny(console);
        if (console.IsCompletedSuccessfully) await (await console).DisposeAsync();
    }

    async Task AnswerAsync(HttpContext context)
    {
        try
        {
            await StartAsync();
        }
        catch (Exception e) when (e is MixpanelException or IOException or UnauthorizedAccessException)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await context.Response.WriteAsync($"The console cannot start: {e.Message}", context.RequestAborted);
            return;
        }

        if (_mixpanel.HostedApplication is { } console) await console.Answer(context);
        else context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable; // it is shutting down
    }
}
