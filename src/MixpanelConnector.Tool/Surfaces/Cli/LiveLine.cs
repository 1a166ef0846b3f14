namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// One line on standard error that is updated in place, below the lines that are printed. It is truncated to the terminal's width, so that it can be erased
/// completely, and is updated in the same write as the lines printed above it. Without a terminal, or on one that cannot move its cursor, only the printed
/// lines are shown.
/// </summary>
sealed class LiveLine(HostEnvironment host, bool isWanted) : IDisposable
{
    const string Clear = "\r\e[2K";

    readonly Lock _lock = new();
    readonly long _started = host.TimeProvider.GetTimestamp();
    string _shown = "";

    /// <summary>Whether the line is displayed.</summary>
    public bool IsShown { get; } = isWanted && host is { ErrorIsTerminal: true, IsQuiet: false } && CanMove(host.Environment("TERM"));

    public bool HasColour { get; } = host.WantsColour;

    /// <summary>Prints a permanent line.</summary>
    public void Print(string text)
    {
        lock (_lock)
        {
            if (_shown.Length == 0) host.Notes.WriteLine(text);
            else Write($"{Clear}{text}{Environment.NewLine}{_shown}");
        }
    }

    /// <summary>Replaces the text of the line. The text is built from the elapsed time and the available width.</summary>
    public void Show(Func<TimeSpan, int, string> text)
    {
        if (!IsShown) return;
        lock (_lock)
        {
            // The last column stays empty: some terminals wrap as soon as it is written.
            _shown = text(host.TimeProvider.GetElapsedTime(_started), host.TerminalWidth() - 1);
            Write(Clear + _shown);
        }
    }

    /// <summary>Removes the line, so that further output starts on a new line.</summary>
    public void Finish()
    {
        lock (_lock)
        {
            if (_shown.Length > 0) Write(Clear);
            _shown = "";
        }
    }

    public void Dispose() => Finish();

    /// <summary>Whether the terminal can erase a line. The Windows terminal does not set TERM.</summary>
    static bool CanMove(string? terminal) => string.IsNullOrEmpty(terminal) ? OperatingSystem.IsWindows() : terminal != "dumb";

    void Write(string text)
    {
        host.Notes.Write(text);
        host.Notes.Flush();
    }
}
