namespace MixpanelConnector.Tool;

/// <summary>All external dependencies of the program, so that a test can run it in its own process.</summary>
sealed record HostEnvironment
{
    public required Func<string, string?> Environment { get; init; }

    public required Stream Input { get; init; }

    /// <summary>Takes standard input, which can be read for one purpose only.</summary>
    /// <exception cref="MixpanelException">It was already taken.</exception>
    public Stream TakeInput(string name) =>
        Interlocked.Exchange(ref _inputTaken, true) ? throw Configuration.Invalid(name, $"{name}: standard input is already used for something else.") : Input;

    bool _inputTaken;

    public required Stream Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Whether only errors are printed.</summary>
    public bool IsQuiet { get; init; }

    /// <summary>The writer for notes that are not errors.</summary>
    public TextWriter Notes => IsQuiet ? TextWriter.Null : Error;

    public bool InputIsTerminal { get; init; }

    /// <summary>Disables the echo of the terminal until the result is disposed.</summary>
    public Func<IDisposable> HideInput { get; init; } = HiddenInput.Begin;

    public bool OutputIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    /// <summary>The width below which the terminal wraps lines instead of the program, since no table or help fits.</summary>
    public const int Narrowest = 20;

    /// <summary>The width of the terminal in columns, which may change at any time.</summary>
    public Func<int> TerminalWidth { get; init; } = () => 80;

    /// <summary>The width of help texts in columns.</summary>
    public int HelpWidth => OutputWidth(80);

    /// <summary>The width of the output in columns: COLUMNS if set, otherwise that of the terminal.</summary>
    /// <param name="elsewhere">The width if there is no terminal.</param>
    public int OutputWidth(int elsewhere)
    {
        var isSet =
            int.TryParse(Environment("COLUMNS"), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var columns)
            && columns > 0;
        return Math.Max(Narrowest, isSet ? columns : OutputIsTerminal ? TerminalWidth() : elsewhere);
    }

    /// <summary>Whether to use colours: not with NO_COLOR, nor on a terminal without colours.</summary>
    public bool WantsColour => string.IsNullOrEmpty(Environment("NO_COLOR")) && Environment("TERM") != "dumb";

    /// <summary>Why the arguments cannot be the ones the user typed; null if they are.</summary>
    public string? CommandLineFault { get; init; }

    /// <summary>Cancelled when the program is stopping.</summary>
    public CancellationToken Stopping { get; init; }

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public static HostEnvironment OfThisProcess(CancellationToken stopping) => new()
    {
        Environment = System.Environment.GetEnvironmentVariable,
        Input = StandardInput(),
        Output = OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new StandardOutput(stopping),
        Error = OperatingSystem.IsWindows() ? Console.Error : StandardError.NewWriter(),
        Stopping = stopping,
        InputIsTerminal = !Console.IsInputRedirected,
        OutputIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        TerminalWidth = Width,
    };

    /// <summary>
    /// The console's own stream handles line editing of a terminal, and echoes input even with the echo disabled. On a terminal, input is therefore read
    /// directly from the system.
    /// </summary>
    static Stream StandardInput() =>
        OperatingSystem.IsWindows() ? Console.OpenStandardInput()
        : !StandardDescriptor.IsOpen(0) ? Stream.Null
        : Console.IsInputRedirected ? Console.OpenStandardInput()
        : new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    static int Width()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? Math.Max(width, Narrowest) : 80;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return 80;
        }
    }
}
