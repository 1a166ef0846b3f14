using System.CommandLine;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>Help for a group of actions, an action by any of its names, or any other command.</summary>
static class HelpCommand
{
    const string OfSettings = "options";
    const int MostNames = 6;

    public static Command Of(HostEnvironment host, Stop stop)
    {
        var words = new Argument<string[]>("TOPIC")
        {
            Description = "A group, an action by its name or Mixpanel's operationId, a command, or options.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        words.CompletionSources.Add(_ => [.. Topics().Select(topic => new System.CommandLine.Completions.CompletionItem(topic))]);
        var command = new Command("help", "Show help about a group of actions, an action, or a command.") { words };
        command.SetAction((parsed, _) => ShowAsync(parsed.GetValue(words) ?? [], host, stop));
        return command;
    }

    /// <summary>Prints the help for what the words name; without words, that of the program.</summary>
    public static async Task<int> ShowAsync(string[] words, HostEnvironment host, Stop stop)
    {
        var printer = new Printer(host, asTable: false);
        if (words is [])
        {
            printer.Text(RootHelp.Text());
            return ExitCode.Success;
        }

        string[] path = [.. words.Select(word => word.Replace('_', '-').ToLowerInvariant())];
        if (CommandLine.IsOther(path[0])) return await CommandLine.ShowHelpAsync(path, host, stop);
        if (path is [var topic])
        {
            if ((ActionCommand.Find(topic) ?? ActionCatalogue.Actions.FirstOrDefault(action => action.OperationId == topic)) is { } named)
            {
                ActionCommand.ShowHelp(named, host);
                return ExitCode.Success;
            }

            if (topic == OfSettings)
            {
                printer.Text(SettingsHelp(host.HelpWidth));
                return ExitCode.Success;
            }

            if (ActionCatalogue.Groups.FirstOrDefault(group => group.Name == topic) is { } about)
            {
                printer.Text(GroupHelp(about, host.HelpWidth));
                return ExitCode.Success;
            }
        }

        var near = Near(path[0], Topics().Concat(ActionCatalogue.Actions.Select(action => action.OperationId)));
        throw Configuration.Invalid("topic",
            $"There is no such help topic.{(near is [] ? "" : $" Did you mean {string.Join(", ", near)}?")} See: mixpanel help");
    }

    /// <summary>Suggestions for a mistyped word: the names most similar in spelling, and those that contain it.</summary>
    public static IReadOnlyList<string> Near(string word, IEnumerable<string> names)
    {
        var known = names.Distinct(StringComparer.Ordinal).ToList();
        var name = word.Replace('_', '-').ToLowerInvariant();
        var nearest = MixpanelSpelling.Nearest(name, known);
        if (name.Length < 3) return nearest is null ? [] : [nearest];
        return
        [
            .. (nearest is null ? [] : (string[])[nearest])
                .Union(known.Where(each => each.Contains(name, StringComparison.Ordinal)).OrderBy(each => each.Length), StringComparer.Ordinal)
                .Take(MostNames),
        ];
    }

    static IEnumerable<string> Topics() => ActionCatalogue.Groups.Select(group => group.Name).Concat(CommandLine.Names).Append(OfSettings);

    static string GroupHelp(ActionGroup group, int width)
    {
        var text = new HelpText(width);
        text.Paragraph($"{group.Title}: {group.About}");
        text.Line();
        var longest = group.Actions.Max(action => action.Name.Length);
        text.Rows([.. group.Actions.Select(action => new HelpRow($"{ActionCommand.NameOf(action).PadRight(longest)}  {Mark(action)}",
            XmlDocs.Summary(action)!))]);
        text.Line();
        if (group.Actions.Any(action => action.NeedsConfirmation))
            text.Paragraph("delete: cannot be undone; asks for confirmation, or needs --yes without a terminal.");
        if (group.Actions.Any(action => Mark(action)[^1] == '!')) text.Paragraph("update!: no other action undoes it.");
        text.Paragraph("More: mixpanel help ACTION, or mixpanel ACTION --help.");
        return text.ToString();
    }

    static string Mark(ActionDescriptor action) =>
        action.Effect.ToString().ToLowerInvariant() + (action.Effect is not ActionEffect.Delete && !action.CanBeUndone ? "!" : "");

    static string SettingsHelp(int width)
    {
        var text = new HelpText(width);
        text.Paragraph(
            "Options of every command. A setting is taken from its option, otherwise from the environment, otherwise from the profile file; "
            + "mixpanel config shows the source.");
        text.Line();
        text.Rows([.. CommonOptions.All.Select(option => new HelpRow($"{option.Name}{(option.HelpName is { } value ? " " + value : "")}",
            option.Description!))]);
        text.Line();
        text.Paragraph(
            "Secrets are never options, since every process can read the command line. Use MIXPANEL_SERVICE_ACCOUNT_SECRET, MIXPANEL_OAUTH_TOKEN, "
            + "a private file, or a profile that only you can read.");
        return text.ToString();
    }
}
