using System.CommandLine;
using System.CommandLine.Parsing;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The command line: every action of the catalogue as a command, and the other commands. Only the invoked command is built.</summary>
static class CommandLine
{
    static readonly (string Name, Func<HostEnvironment, Stop, Command> Of)[] Others =
    [
        ("check", (host, _) => CheckCommand.Of(host)),
        ("completion", (host, _) => CompletionCommand.Of(host)),
        ("config", (host, _) => ConfigCommand.Of(host)),
        ("consume", ConsumeCommand.Of),
        ("docs", (_, _) => DocsCommand.Of()),
        ("emulator", (host, _) => EmulatorCommand.Of(host)),
        ("evaluate-flag", (host, _) => EvaluateFlagCommand.Of(host)),
        ("export", ExportCommand.Of),
        ("generate", (host, _) => GenerateCommand.Of(host)),
        ("help", HelpCommand.Of),
        ("import", ImportCommand.Of),
        ("login", (host, _) => LoginCommand.Of(host)),
        ("migrate", MigrateCommand.Of),
        ("mcp", (host, _) => McpCommand.Of(host)),
        ("profile", (host, _) => ProfileCommand.Of(host)),
        ("rotate-service-account", (host, _) => RotateCommand.Of(host)),
        ("serve", (host, _) => ServeCommand.Of(host)),
    ];

    /// <summary>The names of the listed commands.</summary>
    public static IEnumerable<string> Names =>
        Others.Select(other => other.Name).Where(name => name != "docs").Concat(ActionCatalogue.Actions.Select(ActionCommand.NameOf));

    /// <summary>Whether there is a command of the name that is not an action.</summary>
    public static bool IsOther(string name) => Array.Exists(Others, other => other.Name == name);

    /// <summary>The whole command line.</summary>
    public static RootCommand Build(HostEnvironment host, Stop stop) =>
        Root([.. Names.Append("docs").Select(name => Find(name, host, stop)!)], host);

    public static async Task<int> RunAsync(string[] args, HostEnvironment host, Stop stop)
    {
        if (Says(args, CommonOptions.Quiet.Name)) host = host with { IsQuiet = true };
        var printer = new Printer(host, AsksForTable(args));
        try
        {
            if (host.CommandLineFault is { } fault) throw Configuration.Invalid("argument", fault);
            switch (args)
            {
                case [] or ["--help" or "-h" or "-?"]:
                    return await HelpCommand.ShowAsync([], host, stop);
                case ["help", .. var topics] when !topics.Any(topic => topic.StartsWith('-')):
                    return await HelpCommand.ShowAsync(topics, host, stop);
            }

            if (InvokedBy(args) is null && Says(args, "--version"))
            {
                printer.Text(Version + "\n");
                return ExitCode.Success;
            }

            var isDirective = args is [['[', ..], ..]; // with a directive, shells ask for completions; it is followed by the whole command line
            var invoked = isDirective
                ? InvokedBy(args is [_, var line, ..] ? line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1..] : [])
                : InvokedBy(args);
            if (!isDirective && invoked is not null && AsksForHelp(args) && ActionCommand.Find(invoked) is { } action)
            {
                ActionCommand.ShowHelp(action, host);
                return ExitCode.Success;
            }

            var root = invoked is not null && Find(invoked, host, stop) is { } command
                ? Root([command], host)
                : Root(isDirective ? Names.Select(name => new Command(name)) : [], host);
            return await RunAsync(root, args, isDirective, host, stop);
        }
        catch (MixpanelException e)
        {
            printer.Problem(e.Error);
            return ErrorTable.Row(e.Error.Kind).ExitCode;
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return stop.Code;
        }
        catch (LocalFolderException e)
        {
            host.Error.WriteLine($"mixpanel: {Printer.Clean(e.Message)}");
            return ExitCode.DiskFailed;
        }
        catch (ReaderIsGoneException)
        {
            return ExitCode.DiskFailed; // the reader closed it on purpose; the exit code still reports that the result is incomplete
        }
        catch (IOException e) when (!IsMissingPart(e))
        {
            host.Error.WriteLine($"mixpanel: the result could not be written: {Printer.Clean(e.Message)}");
            return ExitCode.DiskFailed;
        }
        catch (Exception e) when (!IsMissingPart(e))
        {
            // A bug of ours. Its message could contain confidential data; its type and stack trace are enough to find it.
            host.Error.WriteLine($"mixpanel: internal error, please report it: {e.GetType().FullName}{System.Environment.NewLine}{e.StackTrace}");
            return ExitCode.InternalError;
        }
    }

    /// <summary>Prints the help of a command that is not an action.</summary>
    /// <param name="path">The command with its parent commands, such as <c>import status</c>.</param>
    /// <param name="host">The environment of the program.</param>
    /// <param name="stop">Stops the program.</param>
    public static Task<int> ShowHelpAsync(string[] path, HostEnvironment host, Stop stop) =>
        RunAsync(Root([Find(path[0], host, stop)!], host), [.. path, "--help"], isDirective: false, host, stop);

    static async Task<int> RunAsync(RootCommand root, string[] args, bool isDirective, HostEnvironment host, Stop stop)
    {
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null }); // we handle @file ourselves
        if (!isDirective)
        {
            if (AsksForHelp(args) && parsed.CommandResult.Command is { Subcommands.Count: 0 } and not RootCommand)
                parsed = root.Parse([.. Path(parsed).Skip(1), "--help"]);
            if (UnknownWord.Find(parsed, args, Usage(parsed)) is { } unknown) throw unknown;
        }

        if (parsed.Errors.Count > 0 && parsed.Action is not DetailedHelp)
        {
            var error = parsed.Errors.FirstOrDefault(e => e.SymbolResult is OptionResult) ?? parsed.Errors[0];
            throw new MixpanelException(new(ErrorKind.InvalidInput, $"{UnknownWord.WithoutValues(error)} See: {Usage(parsed)} --help")
            {
                Field = Field(error),
            });
        }

        if (!isDirective && parsed is { CommandResult.Command: RootCommand, Action: null })
            throw Configuration.Invalid(UnknownWord.Argument, "Specify a command. See: mixpanel --help");
        if (EmptyPath(parsed) is { } empty) throw empty;
        return await parsed.InvokeAsync(
            new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = new StreamWriter(host.Output) { AutoFlush = true },
                Error = host.Error,
            },
            stop.Token);
    }

    static RootCommand Root(IEnumerable<Command> commands, HostEnvironment host)
    {
        var root = new RootCommand();
        foreach (var command in commands) root.Add(command);
        CommonOptions.AddTo(root);
        DetailedHelp.AddTo(root, host);
        return root;
    }

    /// <summary>The command of a name; null if there is none.</summary>
    static Command? Find(string name, HostEnvironment host, Stop stop) =>
        Array.Find(Others, other => other.Name == name) is { Of: { } of } ? of(host, stop)
            : ActionCommand.Find(name) is { } action ? ActionCommand.Of(action, host)
            : null;

    /// <summary>The first word that is neither an option nor its value: only options of every command may precede a command.</summary>
    static string? InvokedBy(string[] words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] is "--") return null;
            if (!words[i].StartsWith('-')) return words[i];
            if (CommonOptions.TakesValue(words[i])) i++;
        }

        return null;
    }

    /// <summary>Parses the raw words, because it is also called for invalid command lines.</summary>
    static bool AsksForTable(string[] args)
    {
        var last = Array.FindLastIndex(args,
            word => word == "--output" || word.StartsWith("--output=", StringComparison.Ordinal) || word.StartsWith("--output:", StringComparison.Ordinal));
        return last >= 0 && (args[last].Length > "--output".Length ? args[last]["--output=".Length..] : args.ElementAtOrDefault(last + 1)) == "table";
    }

    static bool AsksForHelp(string[] args) => Says(args, "--help");

    static bool Says(string[] args, string option) => args.TakeWhile(word => word != "--").Contains(option, StringComparer.Ordinal);

    static string Version =>
        System.Reflection.CustomAttributeExtensions.GetCustomAttribute<System.Reflection.AssemblyInformationalVersionAttribute>(typeof(CommandLine).Assembly)!
            .InformationalVersion;

    /// <summary>The error for an empty argument, or an empty option that names a file or a folder, such as <c>--state "$UNSET"</c>.</summary>
    static MixpanelException? EmptyPath(ParseResult parsed)
    {
        foreach (var argument in parsed.CommandResult.Command.Arguments)
            if (parsed.GetResult(argument)?.Tokens.Any(token => token.Value.Length == 0) == true)
                return Configuration.Invalid(argument.Name.ToLowerInvariant(), $"{argument.Name} is empty: specify one, or omit it.");
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult { Command: var command }; result = result.Parent)
            foreach (var option in command.Options)
                if (option.HelpName is "FILE" or "DIR" && parsed.GetResult(option) is { Tokens: [{ Value: "" }] })
                    return Configuration.Invalid(CommonOptions.Name(option),
                        $"{option.Name} is empty: specify a {(option.HelpName is "DIR" ? "folder" : "file")}, or omit it.");
        return null;
    }

    /// <summary>
    /// Whether an assembly or a native library could not be loaded, or memory or a thread could not be allocated, possibly in a type initializer. The exception
    /// can be wrapped, for instance by a sort.
    /// </summary>
    public static bool IsMissingPart(Exception e) => e is FileLoadException or DllNotFoundException or BadImageFormatException
        || e.GetBaseException() is OutOfMemoryException
        || (e is FileNotFoundException { FileName: { } name } && name.Contains(", Version=", StringComparison.Ordinal))
        || (e is TypeInitializationException or TypeLoadException or System.Reflection.TargetInvocationException or TaskSchedulerException or AggregateException
            && e.InnerException is { } inner && IsMissingPart(inner));

    static string Usage(ParseResult parsed) => string.Join(' ', Path(parsed));

    /// <summary>The names of the command and its parent commands, starting with the program's.</summary>
    static List<string> Path(ParseResult parsed)
    {
        var names = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is not null; result = result.Parent)
            if (result is CommandResult { Command: var command }) names.Insert(0, command is RootCommand ? "mixpanel" : command.Name);
        return names;
    }

    static string? Field(ParseError error) => error.SymbolResult is OptionResult option ? CommonOptions.Name(option.Option) : null;
}
