using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Asks a person at a terminal. Questions go to standard error; answers are read from standard input, one per line.</summary>
sealed class Questions(HostEnvironment host)
{
    const int LongestAnswer = 4096;

    Stream? _input;

    /// <summary>Whether there is a terminal to ask on.</summary>
    public bool CanBeAsked => host is { InputIsTerminal: true, ErrorIsTerminal: true };

    /// <summary>Returns the answer; if it is empty, the default in brackets; null if there is neither.</summary>
    /// <exception cref="OperationCanceledException">The program is stopping.</exception>
    /// <exception cref="MixpanelException">The input has ended.</exception>
    public string? Ask(string question, string? otherwise = null) =>
        Answer($"{question}{(otherwise is null ? "" : $" [{Printer.Clean(otherwise)}]")}: ") ?? otherwise;

    /// <summary>Returns the answer, which is not echoed; null if it is empty.</summary>
    /// <exception cref="OperationCanceledException">The program is stopping.</exception>
    /// <exception cref="MixpanelException">The input has ended.</exception>
    public string? AskHidden(string question)
    {
        using var hidden = host.HideInput();
        try
        {
            return Answer($"{question}: ");
        }
        finally
        {
            host.Error.WriteLine();
        }
    }

    /// <summary>Asks for confirmation of an irreversible operation. Without a terminal, <c>--yes</c> is required.</summary>
    /// <exception cref="MixpanelException">The answer is not yes.</exception>
    public void Confirm(string what)
    {
        if (!CanBeAsked) throw Configuration.Invalid("yes", $"{what} Use --yes to confirm.");
        if (Answer($"{what} Continue? [y/N] ")?.ToLowerInvariant() is not ("y" or "yes"))
            throw new MixpanelException(new(ErrorKind.InvalidInput, "The answer was not yes. Nothing was changed."));
    }

    string? Answer(string question)
    {
        host.Error.Write(question);
        host.Error.Flush();
        return GivenFile.Input(_input ??= host.TakeInput("input"), Line, host.Stopping)?.Trim() is { Length: > 0 } answer ? answer : null;
    }

    /// <summary>Reads one line, and no byte beyond it.</summary>
    static string? Line(Stream input)
    {
        var bytes = new List<byte>();
        int read;
        while ((read = input.ReadByte()) is not (-1 or '\n'))
        {
            if (bytes.Count == LongestAnswer) throw Configuration.Invalid("input", $"An answer can have at most {LongestAnswer} bytes. Nothing was changed.");
            bytes.Add((byte)read);
        }

        return read == -1 && bytes.Count == 0
            ? throw Configuration.Invalid("input", "Standard input ended before all questions were answered. Nothing was changed.")
            : Encoding.UTF8.GetString([.. bytes]);
    }
}
