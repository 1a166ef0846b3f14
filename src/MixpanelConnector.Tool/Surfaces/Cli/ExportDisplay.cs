namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Displays a running export on standard error: messages, and below them one line of progress.</summary>
sealed class ExportDisplay(HostEnvironment host, bool showProgress) : IProgress<string>, IProgress<ExportProgress>, IDisposable
{
    readonly LiveLine _live = new(host, showProgress);

    /// <summary>Whether a line of progress is displayed.</summary>
    public bool ShowsProgress => _live.IsShown;

    public void Report(string value) => _live.Print($"mixpanel: {Printer.Clean(value.ReplaceLineEndings(" "))}");

    public void Report(ExportProgress value) => _live.Show((elapsed, width) => new ProgressLine(_live.HasColour).Of(value, elapsed, width));

    /// <summary>Removes the line of progress, so that further output starts on a new line.</summary>
    public void Finish() => _live.Finish();

    public void Dispose() => _live.Dispose();
}
