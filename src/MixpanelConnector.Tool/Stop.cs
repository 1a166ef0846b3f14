using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>The signals that end the program. The first one stops in order; a second one ends the process at once, as the system does.</summary>
sealed class Stop : IDisposable
{
    readonly CancellationTokenSource _source = new();
    readonly PosixSignalRegistration[] _registrations;
    RunOutcome? _outcome;

    public Stop() => _registrations = [On(PosixSignal.SIGINT, RunOutcome.Stopped), On(PosixSignal.SIGTERM, RunOutcome.Terminated), On(PosixSignal.SIGHUP, RunOutcome.HungUp)];

    public CancellationToken Token => _source.Token;

    /// <summary>The exit code of the signal that came; 0 when none came.</summary>
    public int ExitCode => (int)(_outcome ?? RunOutcome.Complete);

    /// <summary>How something ended that a signal may have stopped.</summary>
    public RunOutcome OutcomeOf(RunOutcome outcome) => outcome is RunOutcome.Stopped ? _outcome ?? outcome : outcome;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _source.Dispose();
    }

    PosixSignalRegistration On(PosixSignal signal, RunOutcome outcome) => PosixSignalRegistration.Create(signal, context =>
    {
        if (_source.IsCancellationRequested) return;
        context.Cancel = true;
        Begin(outcome);
    });

    /// <summary>Stops as at a signal.</summary>
    public void Begin(RunOutcome outcome)
    {
        _outcome = outcome;
        _source.Cancel();
    }
}
