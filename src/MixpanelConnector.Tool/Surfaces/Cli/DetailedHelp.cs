using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// A command with a longer description than the line in the list of commands: paragraphs, separated by empty lines, which are wrapped to the width of the
/// terminal, and indented lines, which are kept as they are.
/// </summary>
sealed class DetailedCommand(string name, string summary, string details) : Command(name, summary)
{
    public string Details { get; } = details;
}

/// <summary>The usual help, followed by the command's long description.</summary>
sealed class DetailedHelp(HelpAction usual, HostEnvironment host) : SynchronousCommandLineAction
{
    public static void AddTo(RootCommand root, HostEnvironment host)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        var usual = (HelpAction)option.Action!;
        usual.MaxWidth = host.OutputWidth(elsewhere: usual.MaxWidth); // never too few columns, in which the library does not end, or throws
        option.Action = new DetailedHelp(usual, host);
    }

    public override bool ClearsParseErrors => usual.ClearsParseErrors;

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        switch (parseResult.CommandResult.Command)
        {
            case RootCommand:
                output.Write(RootHelp.Text());
                return ExitCode.Success;
            case ActionCommand command:
                command.ShowHelp();
                return ExitCode.Success;
        }

        var code = usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is DetailedCommand { Details: var details }) output.WriteLine(Wrapped(details, host.HelpWidth));
        return code;
    }

    static string Wrapped(string details, int width)
    {
        var text = new HelpText(width);
        var paragraph = new List<string>();
        foreach (var line in details.Split('\n'))
        {
            if (line.Length > 0 && line[0] != ' ')
            {
                paragraph.Add(line);
                continue;
            }

            End();
            text.Line(line);
        }

        End();
        return text.ToString();

        void End()
        {
            if (paragraph.Count > 0) text.Paragraph(string.Join(' ', paragraph));
            paragraph.Clear();
        }
    }
}
