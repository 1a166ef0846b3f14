using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>A command with a longer description than the line in the list of commands.</summary>
sealed class DetailedCommand(string name, string summary, string details) : Command(name, summary)
{
    public string Details { get; } = details;
}

/// <summary>The usual help, followed by the command's long description.</summary>
sealed class DetailedHelp(HelpAction usual) : SynchronousCommandLineAction
{
    public static void AddTo(RootCommand root, HostEnvironment host)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        var usual = (HelpAction)option.Action!;
        usual.MaxWidth = host.OutputWidth(elsewhere: usual.MaxWidth); // never too few columns, in which the library does not end, or throws
        option.Action = new DetailedHelp(usual);
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
        if (parseResult.CommandResult.Command is DetailedCommand { Details: var details }) output.WriteLine(details);
        return code;
    }
}
