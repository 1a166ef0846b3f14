using System.Globalization;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>What a person sees of a running import, on standard error: a line per bad record, and one line of progress that stays at the bottom.</summary>
sealed class ImportDisplay(Surroundings surroundings, bool showProgress) : IProgress<ImportDiagnostic>, IProgress<ImportProgress>, IDisposable
{
    readonly Lock _lock = new();
    readonly bool _bar = showProgress && surroundings.ErrorIsTerminal;
    readonly long _started = surroundings.TimeProvider.GetTimestamp();
    bool _barIsShown;

    public void Report(ImportDiagnostic value)
    {
        var place = value.Line is { } line ? string.Create(CultureInfo.InvariantCulture, $"{value.Source}:{line}") : value.Source;
        var field = value.Field is { } name ? $" [{name}]" : "";
        lock (_lock)
        {
            ClearBar();
            surroundings.Error.WriteLine(Printer.Clean($"{place}: {value.Code}: {value.Reason}{field}").ReplaceLineEndings(" "));
        }
    }

    public void Report(ImportProgress value)
    {
        if (!_bar) return;
        var seconds = surroundings.TimeProvider.GetElapsedTime(_started).TotalSeconds;
        var share = value.TotalInputBytes is > 0 ? Math.Min(1.0, (double)value.InputBytes / value.TotalInputBytes.Value) : (double?)null;
        var left = share is > 0.01 and < 1 ? $", {Span(seconds / share.Value * (1 - share.Value))} left" : "";
        var text = string.Create(CultureInfo.InvariantCulture, $"{Bar(share)} {value.Read:N0} read, {value.Accepted:N0} accepted, {value.Rejected:N0} rejected, {value.Accepted / Math.Max(seconds, 0.001):N0}/s, {value.InputBytes / 1e6:N1} MB, {value.Retries:N0} retries{left}{(value.Waiting ? ", waiting for Mixpanel" : "")}");
        lock (_lock)
        {
            ClearBar();
            surroundings.Error.Write(text);
            surroundings.Error.Flush();
            _barIsShown = true;
        }
    }

    /// <summary>Takes the bar away, so that what follows starts on a line of its own.</summary>
    public void Finish()
    {
        lock (_lock) ClearBar();
    }

    public void Dispose() => Finish();

    void ClearBar()
    {
        if (!_barIsShown) return;
        surroundings.Error.Write("\r\e[2K");
        _barIsShown = false;
    }

    static string Bar(double? share)
    {
        const int Width = 20;
        if (share is not { } part) return "";
        var full = (int)(part * Width);
        return $"[{new string('=', full)}{new string(' ', Width - full)}] {part.ToString("P0", CultureInfo.InvariantCulture)},";
    }

    static string Span(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, 8.64e6)).ToString(seconds < 86400 ? @"h\:mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);
}
