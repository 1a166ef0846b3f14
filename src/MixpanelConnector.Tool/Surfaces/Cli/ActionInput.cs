using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>An input of an action as an option: its help, completion and parsing.</summary>
sealed class ActionInput
{
    /// <summary>Above this number, choices are listed in the description of the option instead.</summary>
    public const int MostChoicesInName = 5;

    static readonly string[] Truths = ["true", "false"];

    readonly JsonObject _schema;

    public ActionInput(string name, JsonObject schema)
    {
        (Name, _schema) = (name, schema);
        var option = CommonOptions.OptionName(name);
        Option = IsPlainList(schema)
            ? new Option<string[]>(option) { Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = true }
            : new Option<string>(option) { Arity = Type(schema) is "boolean" ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne };
        if (Choices(schema) is { } choices) Option.CompletionSources.Add(choices);
    }

    public string Name { get; }

    public Option Option { get; }

    /// <summary>Whether the value is confidential, so that it has no option.</summary>
    public static bool IsConfidential(JsonNode schema) => schema["writeOnly"] is JsonValue confidential && confidential.GetValue<bool>();

    /// <summary>The placeholder of the value in the help.</summary>
    public static string ValueName(JsonObject schema) => Type(schema) switch
    {
        "string" when schema["enum"] is JsonArray { Count: <= MostChoicesInName } choices => string.Join('|', choices.Select(choice => choice!.ToString())),
        "string" => (string?)schema["format"] == "date" ? "DATE" : "TEXT",
        "integer" => "INTEGER",
        "number" => "NUMBER",
        "boolean" => "true|false",
        "array" when IsPlainList(schema) => (Type(schema["items"]!.AsObject()) == "string" ? "TEXT" : "INTEGER") + "...",
        _ => "JSON|@FILE|@-",
    };

    /// <summary>Reads the value from the command line; false if there is none.</summary>
    public bool TryRead(ParseResult parsed, HostEnvironment host, out JsonElement value)
    {
        value = default;
        if (parsed.GetResult(Option) is not { Implicit: false } result) return false;
        string[] texts = [.. result.Tokens.Select(token => token.Value)];
        value = texts switch
        {
            [] => JsonElement.Parse("true"), // a boolean option needs no value
            [var text] when !IsPlainList(_schema) || IsJson(text) => JsonArgument.Read(Name, text, Type(_schema), host),
            _ => List(texts, host),
        };
        return true;
    }

    JsonElement List(string[] texts, HostEnvironment host)
    {
        if (texts.Any(IsJson))
            throw Configuration.Invalid(Name,
                $"{Name}: give one JSON array (or @file, or @-), or repeat {Option.Name} with plain values. "
                + $"Put a value that begins with [ or @ into a JSON array.");
        var type = Type(_schema["items"]!.AsObject());
        return JsonElement.Parse($"[{string.Join(',', texts.Select((text, index) => JsonArgument.Read($"{Name}[{index}]", text, type, host).GetRawText()))}]");
    }

    static bool IsJson(string text) => text is "-" || text.StartsWith('[') || text.StartsWith('@');

    /// <summary>Whether it is a list of scalar values, which can be specified one by one.</summary>
    static bool IsPlainList(JsonObject schema) =>
        Type(schema) is "array" && schema["items"] is JsonObject items && Type(items) is "string" or "integer" or "number";

    static string? Type(JsonObject schema) => schema["type"] is JsonValue type ? (string?)type : null;

    static string[]? Choices(JsonObject schema) =>
        Type(schema) is "boolean" ? Truths
        : (schema["enum"] ?? schema["items"]?["enum"]) is JsonArray choices ? [.. choices.Select(choice => choice!.ToString())]
        : null;
}
