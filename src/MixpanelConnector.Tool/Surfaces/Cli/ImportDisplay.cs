using System.Globalization;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>What a person sees of a running import, on standard error: a line per bad record, and below them one line of progress.</summary>
sealed class ImportDisplay(HostEnvironment host, bool showProgress) : IProgress<ImportDiagnostic>, IProgress<ImportProgress>, IDisposable
{
    /// <summary>So many records are named, and so many warnings given: who has more of them wants to know what they have in common.</summary>
    const int MostLines = 50;

    readonly LiveLine _live = new(host, showProgress);
    int _records;
    int _warnings;

    /// <summary>Whether there is a line of progress to report to.</summary>
    public bool ShowsProgress => _live.IsShown;

    public void Report(ImportDiagnostic value)
    {
        var count = value.Line is null ? Interlocked.Increment(ref _warnings) : Interlocked.Increment(ref _records);
        if (count > MostLines)
        {
            if (count == MostLines + 1) _live.Print(value.Line is null ? "mixpanel: more warnings follow, and are not shown." : "mixpanel: more records are not accepted. They are named in the dead letters alone, where these are kept; the report counts them by reason.");
            return;
        }

        var place = value.Line is { } line ? string.Create(CultureInfo.InvariantCulture, $"{value.Source}:{line}") : value.Source;
        var field = value.Field is { } name ? $" [{name}]" : "";
        _live.Print(Printer.Clean($"{place}: {value.Code}: {value.Reason}{field}".ReplaceLineEndings(" ")));
    }

    public void Report(ImportProgress value) => _live.Show((elapsed, width) => new ProgressLine(_live.HasColour).Of(value, elapsed, width));

    /// <summary>Takes the bar away, so that what follows starts on a line of its own.</summary>
    public void Finish() => _live.Finish();

    public void Dispose() => _live.Dispose();
}
