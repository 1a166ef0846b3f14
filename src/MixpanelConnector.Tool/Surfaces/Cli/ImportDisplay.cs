namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Displays a running import on standard error: a line per bad record, and below them one line of progress.</summary>
sealed class ImportDisplay(HostEnvironment host,
    bool showProgress) : IProgress<ImportDiagnostic>, IProgress<ImportProgress>, IProgress<ConsumeProgress>, IDisposable
{
    readonly LiveLine _live = new(host, showProgress);
    readonly DiagnosticLines _lines = new();

    /// <summary>Whether a line of progress is displayed.</summary>
    public bool ShowsProgress => _live.IsShown;

    public void Report(ImportDiagnostic value)
    {
        if (_lines.Of(value) is { } line) _live.Print(line);
    }

    public void Report(ImportProgress value) => _live.Show((elapsed, width) => new ProgressLine(_live.HasColour).Of(value, elapsed, width));

    public void Report(ConsumeProgress value) => _live.Show((elapsed, width) => new ProgressLine(_live.HasColour).Of(value, elapsed, width));

    /// <summary>Removes the line of progress, so that further output starts on a new line.</summary>
    public void Finish() => _live.Finish();

    public void Dispose() => _live.Dispose();
}
