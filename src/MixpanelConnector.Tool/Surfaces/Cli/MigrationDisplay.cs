namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Displays a running migration on standard error: messages, a line per bad record, and below them one line of progress.</summary>
sealed class MigrationDisplay(HostEnvironment host,
    bool showProgress) : IProgress<string>, IProgress<ImportDiagnostic>, IProgress<MigrationProgress>, IDisposable
{
    readonly LiveLine _live = new(host, showProgress);
    readonly DiagnosticLines _lines = new();

    /// <summary>Whether a line of progress is displayed.</summary>
    public bool ShowsProgress => _live.IsShown;

    public void Report(string value) => _live.Print($"mixpanel: {Printer.Clean(value.ReplaceLineEndings(" "))}");

    public void Report(ImportDiagnostic value)
    {
        if (_lines.Of(value) is { } line) _live.Print(line);
    }

    public void Report(MigrationProgress value) => _live.Show((elapsed, width) => new ProgressLine(_live.HasColour).Of(value, elapsed, width));

    /// <summary>Removes the line of progress, so that further output starts on a new line.</summary>
    public void Finish() => _live.Finish();

    public void Dispose() => _live.Dispose();
}
