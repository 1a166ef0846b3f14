namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// One line on standard error that changes, below the lines that are printed. It is cut to the terminal's width, so that it can be taken
/// away whole, and changes in one write together with what is printed above it. Without a terminal, or on one that cannot move its
/// cursor, there are only the printed lines.
/// </summary>
sealed class LiveLine(HostEnvironment host, bool isWanted) : IDisposable
{
    const string Clear = "\r\e[2K";

    readonly Lock _lock = new();
    readonly long _started = host.TimeProvider.GetTimestamp();
    string _shown = "";

    /// <summary>Whether there is such a line.</summary>
    public bool IsShown { get; } = isWanted && host is { ErrorIsTerminal: true, IsQuiet: false } && CanMove(host.Environment("TERM"));

    public bool HasColour { get; } = host.WantsColour;

    /// <summary>Prints a line that stays.</summary>
    public void Print(string text)
    {
        lock (_lock)
        {
            if (_shown.Length == 0) host.Notes.WriteLine(text);
            else Write($"{Clear}{text}{Environment.NewLine}{_shown}");
        }
    }

    /// <summary>Puts another text into the line, made for the time that has passed and for a width.</summary>
    public void Show(Func<TimeSpan, int, string> text)
    {
        if (!IsShown) return;
        lock (_lock)
        {
            // The last column stays free: some terminals wrap as soon as it is written.
            _shown = text(host.TimeProvider.GetElapsedTime(_started), host.TerminalWidth() - 1);
            Write(Clear + _shown);
        }
    }

    /// <summary>Takes the line away, so that what follows starts on one of its own.</summary>
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
        host.Notes.Write(text);
        host.Notes.Flush();
    }
}
