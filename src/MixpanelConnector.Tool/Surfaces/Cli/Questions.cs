using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Asks a person at a terminal. Questions go to standard error, answers come from standard input, a line each.</summary>
sealed class Questions(HostEnvironment host)
{
    const int LongestAnswer = 4096;

    Stream? _input;

    /// <summary>Whether there is somebody to ask.</summary>
    public bool CanBeAsked => host is { InputIsTerminal: true, ErrorIsTerminal: true };

    /// <summary>The answer; without one what is in brackets; null for neither.</summary>
    /// <exception cref="OperationCanceledException">The program is told to stop.</exception>
    /// <exception cref="MixpanelException">The input has ended.</exception>
    public string? Ask(string question, string? otherwise = null) => Answer($"{question}{(otherwise is null ? "" : $" [{Printer.Clean(otherwise)}]")}: ") ?? otherwise;

    /// <summary>The answer, which is not shown while it is written; null for none.</summary>
    /// <exception cref="OperationCanceledException">The program is told to stop.</exception>
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

    /// <summary>Asks whether to do what cannot be undone; where nobody would answer, it needs <c>--yes</c>.</summary>
    /// <exception cref="MixpanelException">The answer is not yes.</exception>
    public void Confirm(string what)
    {
        if (!CanBeAsked) throw Configuration.Invalid("yes", $"{what} Say --yes to do it.");
        if (Answer($"{what} Do it? [y/N] ")?.ToLowerInvariant() is not ("y" or "yes")) throw Configuration.Invalid("yes", "Nothing was done.");
    }

    string? Answer(string question)
    {
        host.Error.Write(question);
        host.Error.Flush();
        return GivenFile.Input(_input ??= host.TakeInput("input"), Line, host.Stopping)?.Trim() is { Length: > 0 } answer ? answer : null;
    }

    /// <summary>One line, and no byte of the next one.</summary>
    static string? Line(Stream input)
    {
        var bytes = new List<byte>();
        int read;
        while ((read = input.ReadByte()) is not (-1 or '\n'))
        {
            if (bytes.Count == LongestAnswer) throw Configuration.Invalid("input", $"An answer has at most {LongestAnswer} bytes. Nothing was done.");
            bytes.Add((byte)read);
        }

        return read == -1 && bytes.Count == 0 ? throw Configuration.Invalid("input", "Standard input has ended before all was answered. Nothing was done.") : Encoding.UTF8.GetString([.. bytes]);
    }
}
