namespace MixpanelConnector.Tool;

/// <summary>Everything that the program takes from outside, so that a test can run it in its own process.</summary>
sealed record Surroundings
{
    public required Func<string, string?> Environment { get; init; }

    public required Stream Input { get; init; }

    /// <summary>Standard input, which can be read for one purpose only.</summary>
    /// <exception cref="MixpanelException">It was taken before.</exception>
    public Stream TakeInput(string name) =>
        Interlocked.Exchange(ref _inputTaken, true) ? throw Configuration.Invalid(name, $"{name}: standard input is used for something else already.") : Input;

    bool _inputTaken;

    public required Stream Output { get; init; }

    public required TextWriter Error { get; init; }

    public bool InputIsTerminal { get; init; }

    public bool OutputIsTerminal { get; init; }

    public bool ErrorIsTerminal { get; init; }

    /// <summary>The columns of the terminal, which may change at any time.</summary>
    public Func<int> TerminalWidth { get; init; } = () => 80;

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public static Surroundings OfThisProcess() => new()
    {
        Environment = System.Environment.GetEnvironmentVariable,
        Input = OperatingSystem.IsWindows() || StandardDescriptor.IsOpen(0) ? Console.OpenStandardInput() : Stream.Null,
        Output = OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new StandardOutput(),
        Error = OperatingSystem.IsWindows() ? Console.Error : StandardError.NewWriter(),
        InputIsTerminal = !Console.IsInputRedirected,
        OutputIsTerminal = !Console.IsOutputRedirected,
        ErrorIsTerminal = !Console.IsErrorRedirected,
        TerminalWidth = Width,
    };

    static int Width()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : 80;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return 80;
        }
    }
}
