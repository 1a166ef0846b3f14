using MixpanelConnector.Import.Inspect;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Pipeline;

/// <summary>
/// Ends an import before anything is sent if its first records are all rejected for the same reason, and inspects their input for options that would help.
/// </summary>
sealed class FirstRecords : IDisposable
{
    /// <summary>The number of bytes of a stream that are kept, so that it can be inspected again as long as all of its records are rejected.</summary>
    const long MostKeptOfStream = 64 << 20;

    readonly ImportRequest _request;
    readonly Inspector _inspector;
    readonly List<InputFile> _inputs;
    readonly ImportCancellation _cancellation;
    readonly RepeatableInput? _repeatable;

    /// <param name="request">The import.</param>
    /// <param name="inspector">Inspects the input.</param>
    /// <param name="inputs">Its inputs; the first becomes repeatable if it is a stream.</param>
    /// <param name="isAnew">Whether no earlier run has read anything.</param>
    /// <param name="cancellation">The problems.</param>
    public FirstRecords(ImportRequest request, Inspector inspector, List<InputFile> inputs, bool isAnew, ImportCancellation cancellation)
    {
        (_request, _inspector, _inputs, _cancellation) = (request, inspector, inputs, cancellation);
        if (!isAnew || request is not { StopWhenRefusedAlike: true, Replay: null }) return;
        Refusals = new FirstRefusals(() => _repeatable?.Release());
        if (inputs is not [{ CanBeOpenedAgain: false, Fault: null } stream, ..]) return;
        _repeatable = new RepeatableInput(stream, MostKeptOfStream);
        inputs[0] = _repeatable.Input;
    }

    /// <summary>Collects the first records as long as all are rejected; null when that is not needed.</summary>
    public FirstRefusals? Refusals { get; }

    /// <summary>Whether they end the import.</summary>
    public bool EndsImport { get; private set; }

    /// <summary>The inspection of their input; null for none.</summary>
    public ImportInspection? Inspection { get; private set; }

    /// <summary>Decides whether to end the import, because they were rejected for the same reason.</summary>
    public async Task<bool> DecideAsync(FirstRefusals alike)
    {
        if (_cancellation.Stop.IsCancellationRequested || !_cancellation.Problems.IsEmpty) return false;
        _repeatable?.End();
        if (_request.Mapping is not null) return EndsImport = alike.Count >= FirstRefusals.Enough;
        var input = _inputs.Find(input => input.Name == alike.Source) ?? _inputs[0];
        try
        {
            if (input == _inputs[0] ? _repeatable?.CanRepeat != false : input.CanBeOpenedAgain)
                Inspection = await _inspector.LookAsync(input, _inputs.Count, _cancellation.Stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_cancellation.Stop.IsCancellationRequested)
        {
            return false;
        }

        return EndsImport = alike.Count >= FirstRefusals.Enough || (alike.Count > 1 && Inspection?.Proposal is { NamesColumns: true });
    }

    public void Dispose() => _repeatable?.Dispose();
}
