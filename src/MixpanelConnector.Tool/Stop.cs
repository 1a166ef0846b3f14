using System.Runtime.InteropServices;

namespace MixpanelConnector.Tool;

/// <summary>
/// The signals that end the program. The first one shuts it down gracefully; a second one ends the process at once, which is the default behaviour of the
/// system.
/// </summary>
sealed class Stop : IDisposable
{
    readonly CancellationTokenSource _source = new();
    readonly PosixSignalRegistration[] _registrations;
    RunOutcome? _outcome;

    public Stop() =>
        _registrations =
        [
            On(PosixSignal.SIGINT, RunOutcome.Stopped),
            On(PosixSignal.SIGTERM, RunOutcome.Terminated),
            On(PosixSignal.SIGHUP, RunOutcome.HungUp),
        ];

    public CancellationToken Token => _source.Token;

    /// <summary>The exit code of the received signal; 0 if there was none.</summary>
    public int Code => (int)(_outcome ?? RunOutcome.Complete);

    /// <summary>The outcome of a run, with the received signal if that stopped it.</summary>
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

    /// <summary>Stops as a signal does.</summary>
    public void Begin(RunOutcome outcome)
    {
        _outcome = outcome;
        _source.Cancel();
    }
}
