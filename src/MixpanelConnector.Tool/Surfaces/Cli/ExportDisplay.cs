namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>What a person sees of a running export, on standard error: what is to be known, and below it one line of progress.</summary>
sealed class ExportDisplay(HostEnvironment host, bool showProgress) : IProgress<string>, IProgress<ExportProgress>, IDisposable
{
    readonly LiveLine _live = new(host, showProgress);

    /// <summary>Whether there is a line of progress to report to.</summary>
    public bool ShowsProgress => _live.IsShown;

    public void Report(string value) => _live.Print($"mixpanel: {Printer.Clean(value.ReplaceLineEndings(" "))}");

    public void Report(ExportProgress value) => _live.Show((elapsed, width) => new ProgressLine(_live.HasColour).Of(value, elapsed, width));

    /// <summary>Takes the line of progress away, so that what follows starts on a line of its own.</summary>
    public void Finish() => _live.Finish();

    public void Dispose() => _live.Dispose();
}
