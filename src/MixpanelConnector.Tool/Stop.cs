using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>The signals that end the program. The first one stops in order; a second one ends the process at once, as the system does.</summary>
sealed class Stop : IDisposable
{
    readonly CancellationTokenSource _source = new();
    readonly PosixSignalRegistration[] _registrations;

    public Stop() => _registrations = [On(PosixSignal.SIGINT, 130), On(PosixSignal.SIGTERM, 143), On(PosixSignal.SIGHUP, 129)];

    public CancellationToken Token => _source.Token;

    /// <summary>The exit code of the signal that came; 0 when none came.</summary>
    public int ExitCode { get; private set; }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }

    PosixSignalRegistration On(PosixSignal signal, int code) => PosixSignalRegistration.Create(signal, context =>
    {
        if (_source.IsCancellationRequested) return;
        context.Cancel = true;
        Begin(code);
    });

    /// <summary>Stops as at a signal.</summary>
    public void Begin(int code)
    {
        ExitCode = code;
        _source.Cancel();
    }
}
