using System.Globalization;
using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// What a person sees of a running import, on standard error: a line per bad record, and below them one line of progress. That
/// line is cut to the terminal's width, so that it can be taken away whole, and changes in one write together with what is printed
/// above it. Without a terminal, or on one that cannot move its cursor, there are only the lines.
/// </summary>
sealed class ImportDisplay : IProgress<ImportDiagnostic>, IProgress<ImportProgress>, IDisposable
{
    const string Clear = "\r\e[2K";

    /// <summary>So many records are named, and so many warnings given: who has more of them wants to know what they have in common.</summary>
    const int MostLines = 50;

    readonly HostEnvironment _host;
    readonly Lock _lock = new();
    readonly bool _bar;
    readonly ProgressLine _line;
    readonly long _started;
    string _shown = "";
    int _records;
    int _warnings;

    public ImportDisplay(HostEnvironment host, bool showProgress)
    {
        _host = host;
        _bar = showProgress && host.ErrorIsTerminal && CanMove(host.Environment("TERM"));
        _line = new ProgressLine(colour: string.IsNullOrEmpty(host.Environment("NO_COLOR")));
        _started = host.TimeProvider.GetTimestamp();
    }

    /// <summary>Whether there is a line of progress to report to.</summary>
    public bool ShowsProgress => _bar;

    public void Report(ImportDiagnostic value)
    {
        var count = value.Line is null ? Interlocked.Increment(ref _warnings) : Interlocked.Increment(ref _records);
        if (count > MostLines)
        {
            if (count == MostLines + 1) Line(value.Line is null ? "mixpanel: more warnings follow, and are not shown." : "mixpanel: more records are not accepted. They are named in the dead letters alone, where these are kept; the report counts them by reason.");
            return;
        }

        var place = value.Line is { } line ? string.Create(CultureInfo.InvariantCulture, $"{value.Source}:{line}") : value.Source;
        var field = value.Field is { } name ? $" [{name}]" : "";
        Line(Printer.Clean($"{place}: {value.Code}: {value.Reason}{field}".ReplaceLineEndings(" ")));
    }

    void Line(string text)
    {
        lock (_lock)
        {
            if (_shown.Length == 0) _host.Error.WriteLine(text);
            else Write($"{Clear}{text}{Environment.NewLine}{_shown}");
        }
    }

    public void Report(ImportProgress value)
    {
        if (!_bar) return;
        lock (_lock)
        {
            // The last column stays free: some terminals wrap as soon as it is written.
            _shown = _line.Of(value, _host.TimeProvider.GetElapsedTime(_started), _host.TerminalWidth() - 1);
            Write(Clear + _shown);
        }
    }

    /// <summary>Takes the bar away, so that what follows starts on a line of its own.</summary>
    public void Finish()
    {
        lock (_lock)
        {
            if (_shown.Length > 0) Write(Clear);
            _shown = "";
        }
    }

    public void Dispose() => Finish();

    /// <summary>Whether the terminal can take a line back. That of Windows has no name.</summary>
    static bool CanMove(string? terminal) => string.IsNullOrEmpty(terminal) ? OperatingSystem.IsWindows() : terminal != "dumb";

    void Write(string text)
    {
        _host.Error.Write(text);
        _host.Error.Flush();
    }
}

/// <summary>Progress in one line: what matters most is there in any width, the rest as far as there is room.</summary>
sealed class ProgressLine(bool colour)
{
    const int WidestBar = 30;
    const int NarrowestBar = 10;

    readonly record struct Part(string Text, int Rank, string? Colour = null);

    public string Of(ImportProgress value, TimeSpan elapsed, int width)
    {
        var seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        var share = value.TotalInputBytes is > 0 and var all ? Math.Min(1.0, (double)value.InputBytes / all) : (double?)null;
        var parts = new List<Part>();
        if (share is { } part) parts.Add(new(Text($"{part * 100:0} %"), 0));
        if (value.QuotaRate is { } quota) parts.Add(new(Text($"at Mixpanel's quota, about {quota:N0}/s"), 1, "33"));
        else if (value.Waiting) parts.Add(new("waiting for Mixpanel", 1, "33"));
        parts.Add(new(Text($"{value.Read:N0} read"), 5));
        parts.Add(new(Text($"{value.Accepted:N0} accepted"), 1, "32"));
        parts.Add(new(Text($"{value.Rejected:N0} rejected"), value.Rejected > 0 ? 2 : 7, value.Rejected > 0 ? "31" : null));
        parts.Add(new(Text($"{value.Accepted / seconds:N0}/s"), 3));
        parts.Add(new(Text($"{value.InputBytes / 1e6:N1} MB"), 6));
        parts.Add(new(Text($"{value.Retries:N0} {(value.Retries == 1 ? "retry" : "retries")}"), value.Retries > 0 ? 4 : 8, value.Retries > 0 ? "33" : null));
        if (share is > 0.01 and < 1 and var done) parts.Add(new($"{Span(seconds / done * (1 - done))} left", 2));

        while (parts.Count > 1 && Length(parts) > width) parts.RemoveAt(parts.FindLastIndex(p => p.Rank == parts.Max(other => other.Rank)));
        var room = width - Length(parts) - 3;
        var line = new StringBuilder();
        if (share is { } progress && room >= NarrowestBar) line.Append(Bar(progress, Math.Min(room, WidestBar))).Append(' ');
        line.AppendJoin(", ", parts.Select(Paint));
        return Length(parts) > width ? "" : line.ToString();
    }

    static int Length(List<Part> parts) => parts.Sum(part => part.Text.Length) + (2 * (parts.Count - 1));

    static string Bar(double share, int width)
    {
        var full = (int)(share * width);
        return $"[{new string('=', full)}{new string(' ', width - full)}]";
    }

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    static string Span(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, 8.64e6)).ToString(seconds < 86400 ? @"h\:mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);

    string Paint(Part part) => colour && part.Colour is { } code ? $"\e[{code}m{part.Text}\e[0m" : part.Text;
}
