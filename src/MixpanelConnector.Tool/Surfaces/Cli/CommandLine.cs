using System.CommandLine;
using System.CommandLine.Parsing;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The command line: every action of the catalogue as a command, and the commands around them.</summary>
static class CommandLine
{
    const string Introduction = """
        Put Mixpanel to work: import events and profiles, query them, manage service accounts.

        Try it without an account: every command takes --local and then uses the embedded Mixpanel.
          mixpanel import events.ndjson --local
          mixpanel query-user-profiles --local --where 'properties["plan"] == "pro"'
        With an account: set MIXPANEL_SERVICE_ACCOUNT_USERNAME, MIXPANEL_SERVICE_ACCOUNT_SECRET and MIXPANEL_PROJECT_ID, then run mixpanel check.
        """;

    public static RootCommand Build(Surroundings surroundings, Stop stop)
    {
        var root = new RootCommand(Introduction);
        foreach (var action in Catalogue.Actions) root.Add(ActionCommand.Of(action, surroundings));
        root.Add(CheckCommand.Of(surroundings));
        root.Add(CompletionCommand.Of(surroundings));
        root.Add(ConfigCommand.Of(surroundings));
        root.Add(DocsCommand.Of());
        root.Add(EmulatorCommand.Of(surroundings));
        root.Add(ImportCommand.Of(surroundings, stop));
        root.Add(McpCommand.Of(surroundings));
        root.Add(ServeCommand.Of(surroundings));
        CommonOptions.AddTo(root);
        DetailedHelp.AddTo(root);
        return root;
    }

    public static async Task<int> RunAsync(string[] args, Surroundings surroundings, Stop stop)
    {
        var root = Build(surroundings, stop);
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null }); // @file is ours
        var printer = new Printer(surroundings, CommonOptions.AsTable(parsed));
        try
        {
            if (args.Length == 0) parsed = root.Parse(["--help"]);
            if (surroundings.CommandLineFault is { } fault) throw Configuration.Invalid("argument", fault);
            if (args is not [['[', ..], ..] && UnknownWord.Find(parsed, args, Usage(parsed)) is { } unknown) throw unknown; // a directive, with which shells ask for completions, is followed by a whole line
            if (parsed.Errors.Count > 0 && parsed.Action is not DetailedHelp)
            {
                var error = parsed.Errors.FirstOrDefault(e => e.SymbolResult is OptionResult) ?? parsed.Errors[0];
                throw new MixpanelException(new(ErrorKind.InvalidInput, $"{UnknownWord.WithoutValues(error)} See: {Usage(parsed)} --help") { Field = Field(error) });
            }

            if (EmptyPath(parsed) is { } empty) throw empty;
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = new StreamWriter(surroundings.Output) { AutoFlush = true }, Error = surroundings.Error }, stop.Token);
        }
        catch (MixpanelException e)
        {
            printer.Problem(e.Error);
            return ErrorTable.Row(e.Error.Kind).ExitCode;
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            return stop.ExitCode;
        }
        catch (LocalFolderException e)
        {
            surroundings.Error.WriteLine($"mixpanel: {Printer.Clean(e.Message)}");
            return ExitCode.DiskFailed;
        }
        catch (ReaderIsGoneException)
        {
            return ExitCode.DiskFailed; // its reader knows best; the exit code still tells that the result did not arrive whole
        }
        catch (IOException e) when (!IsMissingPart(e))
        {
            surroundings.Error.WriteLine($"mixpanel: the result could not be written: {Printer.Clean(e.Message)}");
            return ExitCode.DiskFailed;
        }
        catch (Exception e) when (!IsMissingPart(e))
        {
            // A defect of ours. Its message could hold what must not be shown; its kind and place help to find it.
            surroundings.Error.WriteLine($"mixpanel: an internal error, please report it: {e.GetType().FullName}{System.Environment.NewLine}{e.StackTrace}");
            return ExitCode.InternalError;
        }
    }

    /// <summary>An input, or an option that names a file or a folder, that is empty, as <c>--state "$UNSET"</c> is.</summary>
    static MixpanelException? EmptyPath(ParseResult parsed)
    {
        foreach (var argument in parsed.CommandResult.Command.Arguments)
            if (parsed.GetResult(argument)?.Tokens.Any(token => token.Value.Length == 0) == true) return Configuration.Invalid(argument.Name.ToLowerInvariant(), $"{argument.Name} is empty: give one, or leave it out.");
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult { Command: var command }; result = result.Parent)
            foreach (var option in command.Options)
                if (option.HelpName is "FILE" or "DIR" && parsed.GetResult(option) is { Tokens: [{ Value: "" }] }) return Configuration.Invalid(CommonOptions.Name(option), $"{option.Name} is empty: name a {(option.HelpName is "DIR" ? "folder" : "file")}, or leave it out.");
        return null;
    }

    /// <summary>Whether an assembly or a native library could not be loaded, or memory or a thread not be had, be it while a type was made ready.</summary>
    public static bool IsMissingPart(Exception e) => e is FileLoadException or DllNotFoundException or BadImageFormatException or OutOfMemoryException
        || (e is FileNotFoundException { FileName: { } name } && name.Contains(", Version=", StringComparison.Ordinal))
        || (e is TypeInitializationException or TypeLoadException or System.Reflection.TargetInvocationException or TaskSchedulerException or AggregateException && e.InnerException is { } inner && IsMissingPart(inner));

    static string Usage(ParseResult parsed)
    {
        var names = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is not null; result = result.Parent)
            if (result is CommandResult { Command: var command }) names.Insert(0, command.Name);
        return string.Join(' ', names);
    }

    static string? Field(ParseError error) => error.SymbolResult is OptionResult option ? CommonOptions.Name(option.Option) : null;
}
