using System.Globalization;
using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Progress on one line: the most important parts are shown at any width, the rest if there is room.</summary>
sealed class ProgressLine(bool colour)
{
    const int WidestBar = 30;
    const int NarrowestBar = 10;

    readonly record struct Part(string Text, int Rank, string? Colour = null);

    public string Of(ConsumeProgress value, TimeSpan elapsed, int width)
    {
        var parts = new List<Part> { new(value.Lag is { } lag ? Text($"{lag:N0} in the queue") : "the queue does not respond", 2) };
        return Of(value.Records, parts, elapsed, width);
    }

    public string Of(ImportProgress value, TimeSpan elapsed, int width) => Of(value, [], elapsed, width);

    string Of(ImportProgress value, List<Part> more, TimeSpan elapsed, int width)
    {
        var seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        var share = value.TotalInputBytes is > 0 and var all ? Math.Min(1.0, (double)value.InputBytes / all) : (double?)null;
        var parts = new List<Part>();
        if (share is { } part) parts.Add(new(Text($"{part * 100:0} %"), 0));
        if (value.QuotaRate is { } quota) parts.Add(new(Text($"at Mixpanel's quota, about {quota:N0}/s"), 1, "33"));
        else if (value.Waiting) parts.Add(new("waiting for Mixpanel", 1, "33"));
        parts.AddRange(more);
        parts.Add(new(Text($"{value.Read:N0} read"), 5));
        parts.Add(new(Text($"{value.Accepted:N0} accepted"), 1, "32"));
        parts.Add(new(Text($"{value.Rejected:N0} rejected"), value.Rejected > 0 ? 2 : 7, value.Rejected > 0 ? "31" : null));
        parts.Add(new(Text($"{value.Accepted / seconds:N0}/s"), 3));
        parts.Add(new(Text($"{value.InputBytes / 1e6:N1} MB"), 6));
        parts.Add(new(Text($"{value.Retries:N0} {(value.Retries == 1 ? "retry" : "retries")}"), value.Retries > 0 ? 4 : 8, value.Retries > 0 ? "33" : null));
        return Fit(parts, share, seconds, width);
    }

    public string Of(ExportProgress value, TimeSpan elapsed, int width)
    {
        var seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        var share = value.Total is > 0 and var all ? Math.Min(1.0, (double)value.Finished / all) : (double?)null;
        var parts = new List<Part>();
        if (share is { } part) parts.Add(new(Text($"{part * 100:0} %"), 0));
        if (value.Waiting) parts.Add(new("waiting for Mixpanel", 1, "33"));
        parts.Add(new(value.Total is { } total ? Text($"{value.Finished:N0} of {total:N0}") : Text($"{value.Finished:N0} done"), 1, "32"));
        parts.Add(new(Text($"{value.Records:N0} read"), 2));
        parts.Add(new(Text($"{value.Records / seconds:N0}/s"), 3));
        parts.Add(new(Text($"{value.Bytes / 1e6:N1} MB"), 6));
        parts.Add(new(Text($"{value.Retries:N0} {(value.Retries == 1 ? "retry" : "retries")}"), value.Retries > 0 ? 4 : 8, value.Retries > 0 ? "33" : null));
        return Fit(parts, share, seconds, width);
    }

    public string Of(MigrationProgress value, TimeSpan elapsed, int width)
    {
        var seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        var share = value.Total is > 0 and var all ? Math.Min(1.0, (double)value.Finished / all) : (double?)null;
        var parts = new List<Part> { new(value.Total is { } total ? Text($"{value.Part} {value.Finished:N0} of {total:N0}") : value.Part, 0) };
        if (value.Waiting) parts.Add(new("waiting for Mixpanel", 1, "33"));
        parts.Add(new(Text($"{value.Read:N0} read"), 5));
        parts.Add(new(Text($"{value.Accepted:N0} accepted"), 1, "32"));
        parts.Add(new(Text($"{value.Rejected:N0} rejected"), value.Rejected > 0 ? 2 : 7, value.Rejected > 0 ? "31" : null));
        parts.Add(new(Text($"{value.Accepted / seconds:N0}/s"), 3));
        parts.Add(new(Text($"{value.Retries:N0} {(value.Retries == 1 ? "retry" : "retries")}"), value.Retries > 0 ? 4 : 8, value.Retries > 0 ? "33" : null));
        return Fit(parts, share, seconds, width);
    }

    string Fit(List<Part> parts, double? share, double seconds, int width)
    {
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

    static string Span(double seconds) =>
        TimeSpan.FromSeconds(Math.Min(seconds, 8.64e6)).ToString(seconds < 86400 ? @"h\:mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);

    string Paint(Part part) => colour && part.Colour is { } code ? $"\e[{code}m{part.Text}\e[0m" : part.Text;
}
