using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The command of an action, built from its descriptor: an option for each input, the result as JSON.</summary>
sealed class ActionCommand : Command
{
    /// <summary>The longest wait for the next call: the limits are those of an hour and of a day.</summary>
    static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    readonly ActionDescriptor _action;
    readonly HostEnvironment _host;
    readonly JsonObject _schema;
    readonly List<ActionInput> _inputs = [];
    readonly Option<string> _input = new("--input") { Description = ActionHelp.Input, HelpName = "JSON|@FILE|-" };
    readonly Option<bool> _all = new("--all") { Description = ActionHelp.All };
    readonly Option<bool> _wait = new("--wait") { Description = ActionHelp.Wait };
    readonly Option<bool> _yes = new("--yes") { Description = ActionHelp.Yes };
    readonly SecretHandover? _secret;
    bool _hasSaidSo;

    ActionCommand(ActionDescriptor action, HostEnvironment host) : base(NameOf(action))
    {
        _action = action;
        _host = host;
        _schema = action.InputSchema();
        foreach (var (name, schema) in _schema["properties"]!.AsObject())
        {
            if (ActionInput.IsConfidential(schema!)) continue;
            var input = new ActionInput(name, schema!.AsObject());
            _inputs.Add(input);
            Add(input.Option);
        }

        Add(_input);
        if (action.IsPaged) Add(_all);
        if (CanWait(action)) Add(_wait);
        if (action.NeedsConfirmation) Add(_yes);
        if (action.HasSecret) _secret = SecretHandover.AddTo(this);
        SetAction(RunAsync);
    }

    public static Command Of(ActionDescriptor action, HostEnvironment host) => new ActionCommand(action, host);

    public static string NameOf(ActionDescriptor action) => action.Name.Replace('_', '-');

    /// <summary>The action of a command; null if there is none.</summary>
    public static ActionDescriptor? Find(string command) =>
        command.Contains('_', StringComparison.Ordinal) ? null : ActionCatalogue.Find(command.Replace('-', '_'));

    /// <summary>Whether its rate limit is counted per hour, so that waiting is worthwhile.</summary>
    public static bool CanWait(ActionDescriptor action) => action.Cost is RateCost.Query or RateCost.Export;

    public void ShowHelp() => ShowHelp(_action, _host);

    public static void ShowHelp(ActionDescriptor action, HostEnvironment host) => new Printer(host, asTable: false).Text(ActionHelp.Of(action, host.HelpWidth));

    async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var printer = new Printer(_host, CommonOptions.AsTable(parsed));
        var all = _action.IsPaged && parsed.GetValue(_all);
        if (all && CommonOptions.AsTable(parsed))
            throw Configuration.Invalid("output",
                "--all prints each result as a line of JSON while pages are read: omit --output table, or omit --all for a table of one page.");
        using var handover = _secret?.Prepare(parsed);
        await using var session = await Session.OpenAsync(parsed, _host, needsCredential: true, cancellationToken,
            _action.Auth is AuthScheme.OAuthToken ? Configuration.OAuthTokenName : Configuration.SecretName);
        var input = Input(parsed, session.Configuration);

        if (_action.NeedsConfirmation && !parsed.GetValue(_yes)) new Questions(_host).Confirm("This cannot be undone.");
        var wait = CanWait(_action) && parsed.GetValue(_wait);
        using var client = session.NewClient(
            session.Counted(new Folders(_host.Environment).State) with { MaxRetryAfter = wait ? null : Limits.LongestRetryAfter });
        if (all)
        {
            await PrintAllAsync(client, input, printer, wait, cancellationToken);
            return ExitCode.Success;
        }

        while (true)
        {
            try
            {
                var answer = await _action.InvokeAsync(client, input, cancellationToken);
                var result = handover is null ? answer.Json : handover.Deliver(answer);
                var isLost = handover is { IsPrinted: true };
                try
                {
                    printer.Json(result);
                }
                catch (IOException e) when (isLost || (_action.Effect is not ActionEffect.Read && e is not ReaderIsGoneException))
                {
                    throw new IOException(
                        $"{e.Message} The action was executed: check its effect before you "
                        + $"repeat it.{(isLost ? " Its secret is lost: delete what was created." : "")}",
                        e);
                }

                return answer.Refused ? ExitCode.Refused : ExitCode.Success;
            }
            catch (MixpanelException e) when (NextCall.IsKnown(e.Error))
            {
                if (!wait || e.Error.RetryAfter > LongestWait) throw ComeBack(e, wait);
                await WaitAsync(e, cancellationToken);
            }
        }
    }

    /// <summary>Prints all pages. Can start again before the first result; after that, printed results would be printed twice.</summary>
    async Task PrintAllAsync(MixpanelClient client, JsonElement input, Printer printer, bool wait, CancellationToken cancellationToken)
    {
        for (var isAnyPrinted = false; ;)
        {
            try
            {
                await foreach (var result in _action.InvokeAllAsync(client, input, cancellationToken))
                {
                    printer.JsonLine(result);
                    isAnyPrinted = true;
                }

                return;
            }
            catch (MixpanelException e) when (NextCall.IsKnown(e.Error))
            {
                if (!wait || isAnyPrinted || e.Error.RetryAfter > LongestWait) throw ComeBack(e, wait);
                await WaitAsync(e, cancellationToken);
            }
        }
    }

    MixpanelException ComeBack(MixpanelException e, bool waits)
    {
        var error = NextCall.AddTo(e.Error, _host.TimeProvider);
        return new(CanWait(_action) && !waits ? error with { Message = $"{error.Message} --wait waits for that." } : error, e);
    }

    async Task WaitAsync(MixpanelException e, CancellationToken cancellationToken)
    {
        if (!_hasSaidSo)
            await _host.Notes.WriteLineAsync($"mixpanel: Mixpanel's rate limit is exhausted; "
                + $"retrying {NextCall.When(e.Error.RetryAfter!.Value, _host.TimeProvider)}.");
        _hasSaidSo = true;
        await Task.Delay(e.Error.RetryAfter!.Value > TimeSpan.Zero ? e.Error.RetryAfter.Value : TimeSpan.Zero, _host.TimeProvider, cancellationToken);
    }

    JsonElement Input(ParseResult parsed, Configuration configuration)
    {
        var input = parsed.GetValue(_input) is { } text ? Whole(text) : JsonElement.Parse("{}");
        var given = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var option in _inputs)
        {
            if (option.TryRead(parsed, _host, out var value)) given[option.Name] = value;
            else if (IsRequired(option.Name) && CommonOptions.IsSetting(option.Name) && configuration[option.Name] is { } configured
                && JsonMembers.Find(input, option.Name) is null)
                given[option.Name] = JsonArgument.Read(option.Name, configured, (string?)_schema["properties"]![option.Name]!["type"], _host);
        }

        return given.Count == 0 ? input : JsonMembers.With(input, given);
    }

    /// <summary>The input as one JSON object. Confidential values are not allowed on the command line itself, where every process can read them.</summary>
    JsonElement Whole(string text)
    {
        var input = JsonArgument.ReadObject("input", text, _host);
        if (!text.StartsWith('@') && text != "-"
            && _schema["properties"]!.AsObject().FirstOrDefault(field =>
                ActionInput.IsConfidential(field.Value!) && JsonMembers.Find(input, field.Key) is not null) is { Key: { } confidential })
            throw Configuration.Invalid(confidential,
                $"{confidential} is confidential, and every process can read the command line: put the input into a file that only you can read, "
                + $"and use --input @FILE, or --input - for standard input. Nothing was sent.");
        return input;
    }

    /// <summary>
    /// Whether an input is required and has no default. It is then filled from its setting here; an optional input falls back to its setting inside the action.
    /// </summary>
    bool IsRequired(string name) =>
        _schema["required"]?.AsArray().Any(required => (string?)required == name) == true && _schema["properties"]![name]!["default"] is null;
}
