using System.CommandLine;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Prints the completion script of a shell for this program.</summary>
static class CompletionCommand
{
    public static Command Of(HostEnvironment host)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion", "Print a shell completion script. Bash: eval \"$(mixpanel completion bash)\".") { shell };
        command.SetAction(parsed =>
        {
            new Printer(host, asTable: false).Text(Script(parsed.GetValue(shell)!));
            return ExitCode.Success;
        });
        return command;
    }

    // Each script calls the program itself, with its [suggest:POSITION] directive, and reads one suggestion per line.
    static string Script(string shell) => shell switch
    {
        "bash" => """
            _mixpanel() {
              local IFS=$'\n'
              COMPREPLY=($(mixpanel "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null))
            }
            complete -o default -F _mixpanel mixpanel

            """,
        "zsh" => """
            _mixpanel() {
              local -a suggestions
              suggestions=("${(@f)$(mixpanel "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
              compadd -a suggestions
            }
            compdef _mixpanel mixpanel

            """,
        "fish" => """
            complete -f -c mixpanel -a '(mixpanel "[suggest:"(commandline -C)"]" (commandline -cp) 2>/dev/null)'

            """,
        _ => """
            Register-ArgumentCompleter -Native -CommandName mixpanel -ScriptBlock {
              param($word, $line, $position)
              mixpanel "[suggest:$position]" "$line" 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
            }

            """,
    };
}
