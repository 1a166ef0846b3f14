namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>What a person sees of a running import, on standard error: a line per bad record, and below them one line of progress.</summary>
sealed class ImportDisplay(HostEnvironment host, bool showProgress) : IProgress<ImportDiagnostic>, IProgress<ImportProgress>, IProgress<ConsumeProgress>, IDisposable
{
    readonly LiveLine _live = new(host, showProgress);
    readonly DiagnosticLines _lines = new();

    /// <summary>Whether there is a line of progress to report to.</summary>
    public bool ShowsProgress => _live.IsShown;

    public void Report(ImportDiagnostic value)
    {
        if (_lines.Of(value) is { } line) _live.Print(line);
    }

    public void Report(ImportProgress value) => _live.Show((elapsed, width) => new ProgressLine(_live.HasColour).Of(value, elapsed, width));

    public void Report(ConsumeProgress value) => _live.Show((elapsed, width) => new ProgressLine(_live.HasColour).Of(value, elapsed, width));

    /// <summary>Takes the bar away, so that what follows starts on a line of its own.</summary>
    public void Finish() => _live.Finish();

    public void Dispose() => _live.Dispose();
}
