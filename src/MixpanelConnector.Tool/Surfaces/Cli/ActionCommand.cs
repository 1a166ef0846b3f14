using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Tool.Surfaces.Docs;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The command of an action, made from its descriptor: an option for each input, the answer as JSON.</summary>
sealed class ActionCommand
{
    readonly ActionDescriptor _action;
    readonly Surroundings _surroundings;
    readonly JsonObject _schema;
    readonly List<(string Name, Option<string> Option)> _inputs = [];
    readonly Option<string> _input = new("--input") { Description = "The whole input as one JSON object; single options win over it.", HelpName = "JSON|@FILE|-" };
    readonly Option<bool> _all = new("--all") { Description = "Read all pages, and print one result a line." };
    readonly Option<bool> _yes = new("--yes") { Description = "Do it without asking: it cannot be undone." };
    readonly SecretHandover? _secret;

    ActionCommand(ActionDescriptor action, Surroundings surroundings)
    {
        _action = action;
        _surroundings = surroundings;
        _schema = action.InputSchema(XmlDocs.Summary);
        var name = action.Name.Replace('_', '-');
        Command = new DetailedCommand(name, XmlDocs.Summary(action)!, $"""
            {XmlDocs.Remarks(action)}

            Example:
              mixpanel {name} --input '{XmlDocs.Example(action)}'
            """);

        foreach (var (input, schema) in _schema["properties"]!.AsObject())
        {
            var option = CommonOptions.Settings.FirstOrDefault(setting => CommonOptions.Name(setting) == input) ?? AddOption(input, schema!.AsObject());
            _inputs.Add((input, option));
        }

        Command.Add(_input);
        if (action.IsPaged) Command.Add(_all);
        if (action.NeedsConfirmation) Command.Add(_yes);
        if (action.HasSecret) _secret = SecretHandover.AddTo(Command);
        Command.SetAction((parsed, cancellationToken) => RunAsync(parsed, cancellationToken));
    }

    Command Command { get; }

    public static Command Of(ActionDescriptor action, Surroundings surroundings) => new ActionCommand(action, surroundings).Command;

    Option<string> AddOption(string name, JsonObject schema)
    {
        var type = (string?)schema["type"];
        var required = _schema["required"]?.AsArray().Any(r => (string?)r == name) == true;
        var option = new Option<string>(CommonOptions.OptionName(name))
        {
            Description = (required && schema["default"] is null ? "(required) " : "") + schema["description"],
            HelpName = schema["enum"] is JsonArray choices ? string.Join('|', choices) : type switch { "string" => (string?)schema["format"] == "date" ? "DATE" : "TEXT", "integer" => "INTEGER", _ => "JSON|@FILE|@-" },
        };
        if (schema["default"] is { } value) option.Description += $" Default: {value}.";
        Command.Add(option);
        return option;
    }

    async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var printer = new Printer(_surroundings, CommonOptions.AsTable(parsed));
        var all = _action.IsPaged && parsed.GetValue(_all);
        using var handover = _secret?.Prepare(parsed);
        await using var session = await Session.OpenAsync(parsed, _surroundings, needsCredential: true, cancellationToken);
        var input = Input(parsed, session.Configuration);

        if (_action.NeedsConfirmation && !parsed.GetValue(_yes)) Confirm();
        if (all)
        {
            await foreach (var result in _action.InvokeAllAsync(session.Client, input, cancellationToken)) printer.JsonLine(result);
            return ExitCode.Success;
        }

        var answer = await _action.InvokeAsync(session.Client, input, cancellationToken);
        printer.Json(handover is null ? answer.Json : handover.Deliver(answer));
        return answer.Refused ? ExitCode.Refused : ExitCode.Success;
    }

    /// <summary>Asks at a terminal; elsewhere nobody would answer.</summary>
    /// <exception cref="MixpanelException">The answer is not yes.</exception>
    void Confirm()
    {
        const string Cannot = "This cannot be undone.";
        if (!_surroundings.InputIsTerminal || !_surroundings.ErrorIsTerminal) throw Configuration.Invalid("yes", $"{Cannot} Say --yes to do it.");
        _surroundings.Error.Write($"{Cannot} Do it? [y/N] ");
        _surroundings.Error.Flush();
        using var answer = new StreamReader(_surroundings.TakeInput("yes"));
        if (answer.ReadLine()?.Trim() is not ("y" or "Y" or "yes" or "Yes" or "YES")) throw Configuration.Invalid("yes", "Nothing was done.");
    }

    JsonElement Input(ParseResult parsed, Configuration configuration)
    {
        var input = parsed.GetValue(_input) is { } whole ? JsonArgument.ReadObject("input", whole, _surroundings) : [];
        foreach (var (name, option) in _inputs)
        {
            if (parsed.GetValue(option) is { } text) input[name] = JsonArgument.Read(name, text, (string?)_schema["properties"]![name]!["type"], _surroundings);
            else if (!input.ContainsKey(name) && CommonOptions.Settings.Contains(option) && IsRequired(name) && configuration[name] is { } configured) input[name] = JsonArgument.Read(name, configured, (string?)_schema["properties"]![name]!["type"], _surroundings);
        }

        return JsonSerializer.SerializeToElement(input, CliJson.Default.JsonObject);
    }

    /// <summary>An optional input falls back to its setting inside the action; a required one without a default is filled here.</summary>
    bool IsRequired(string name) =>
        _schema["required"]?.AsArray().Any(r => (string?)r == name) == true && _schema["properties"]![name]!["default"] is null;
}
