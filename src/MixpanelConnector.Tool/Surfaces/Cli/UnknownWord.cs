using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// Unrecognized words of a command line. Any of them may be a misplaced secret, so only text that looks like a name is repeated, and never a value.
/// </summary>
static class UnknownWord
{
    /// <summary>The fields of errors about words.</summary>
    public const string Argument = "argument", Option = "option";

    const string EndOfOptions = "--";

    static readonly string[] OfSecrets = ["secret", "pass", "pwd", "key", "token", "credential", "auth", "bearer"];

    /// <summary>The error for such a word in a command line; null if there is none.</summary>
    public static MixpanelException? Find(ParseResult parsed, string[] words, string usage)
    {
        var unknown = parsed.UnmatchedTokens.Concat(Arguments(parsed).Where(IsOption)).ToList();
        if (unknown.Exists(word => IsSecretOption(word) && NearestOption(word, parsed) is null))
            return Configuration.Invalid(Configuration.SecretName,
                $"Unknown option. A secret is never taken from the command line, where every process can read it: "
                + $"set MIXPANEL_SERVICE_ACCOUNT_SECRET or MIXPANEL_OAUTH_TOKEN, or name a private file with --secret-file; confidential input of an action must be in --input @FILE. See: {usage} --help");
        if (unknown is [var first, ..])
            return Configuration.Invalid(IsOption(first) ? Option : Argument, $"{Shown(first, Array.IndexOf(words, first) + 1, parsed)} See: {usage} --help");
        return Swallowed(parsed, words) is { } option
            ? Configuration.Invalid(CommonOptions.Name(option),
                $"{option.Name} needs a value: what follows it looks like another option. (A value of that form: {option.Name}=VALUE.) See: {usage} --help")
            : null;
    }

    /// <summary>An error of the parser, without the value that it quotes and without type names.</summary>
    public static string WithoutValues(ParseError error)
    {
        if (error.SymbolResult is OptionResult { Option: var option } && error.Message.Contains(" as expected type ", StringComparison.Ordinal))
        {
            if (option is IRangedOption { Range: var range }) return $"'{option.Name}' must be {range}.";
            var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
            return $"'{option.Name}' must be {(type == typeof(int) || type == typeof(long) ? "a whole number" : type == typeof(double) || type == typeof(decimal) ? "a number" : type == typeof(bool) ? "true or false" : "in the form that its help shows")}.";
        }

        if (error.Message.Contains("Must be one of:", StringComparison.Ordinal) && Allowed(error.SymbolResult) is (var name, { Count: > 0 } allowed))
        {
            var near = error.SymbolResult!.Tokens.Select(token => MixpanelSpelling.Nearest(token.Value.ToLowerInvariant(), allowed))
                .FirstOrDefault(value => value is not null);
            return $"'{name}' must be {string.Join(", ", allowed.SkipLast(1))} or {allowed[^1]}.{(near is null ? "" : $" Did you mean {near}?")}";
        }

        if (error.SymbolResult is CommandResult { Command: { Action: null, Subcommands.Count: > 0 } group })
            return $"Specify what to do: {group.Name} {string.Join(", ", group.Subcommands.Where(command => !command.Hidden).Select(command => command.Name))}.";
        var message = error.Message.ReplaceLineEndings(" ");
        return error.SymbolResult is null
            ? message
            : error.SymbolResult.Tokens.Aggregate(message, (text, token) => text.Replace($"'{token.Value}'", "'…'", StringComparison.Ordinal));
    }

    /// <summary>The name of an option or argument and its allowed values, where there is a list of them.</summary>
    static (string Name, IReadOnlyList<string> Allowed)? Allowed(SymbolResult? result) => result switch
    {
        ArgumentResult { Parent: OptionResult { Option: var option } } =>
            (option.Name, [.. option.GetCompletions(CompletionContext.Empty).Select(value => value.Label)]),
        ArgumentResult { Argument: var argument } => (argument.Name, [.. argument.GetCompletions(CompletionContext.Empty).Select(value => value.Label)]),
        OptionResult { Option: var option } => (option.Name, [.. option.GetCompletions(CompletionContext.Empty).Select(value => value.Label)]),
        _ => null,
    };

    /// <summary>The error for a word that .NET decoded incorrectly; null if there is none.</summary>
    /// <param name="given">The words as bytes, where the system provides them.</param>
    public static string? NotUtf8(IReadOnlyList<byte[]> given)
    {
        for (var i = 0; i < given.Count; i++)
        {
            if (ForeignName.Escaped(given[i]) is not { } escaped) continue;
            var mayBeSecret = IsOption(escaped)
                || (i > 0 && IsSecretOption(ForeignName.Escaped(given[i - 1]) ?? System.Text.Encoding.UTF8.GetString(given[i - 1])));
            return $"Word {i + 1} of the command line{(mayBeSecret ? "" : $", {escaped},")} is not UTF-8, and would be misread. Rename the file, "
                + $"or write the word in UTF-8.";
        }

        return null;
    }

    /// <summary>Why the current folder or the words of this process cannot be used as .NET decoded them; null if they can.</summary>
    public static string? Misread(string[] args)
    {
        try
        {
            var folder = Environment.CurrentDirectory;
            if (ForeignName.MayBe(folder) && !Directory.Exists(folder))
                return $"The current folder, {folder}, has a name that is not UTF-8, so no file in it can be found. Rename it, or start from another folder.";
            if (!OperatingSystem.IsLinux() || !args.Any(ForeignName.MayBe)) return null;
            var words = new List<byte[]>();
            var line = File.ReadAllBytes("/proc/self/cmdline").AsSpan();
            while (line.IndexOf((byte)0) is >= 0 and var end)
            {
                words.Add(line[..end].ToArray());
                line = line[(end + 1)..];
            }

            return NotUtf8(words[^Math.Min(args.Length, words.Count)..]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    static bool IsOption(string word) => word.Length > 1 && word[0] == '-';

    /// <summary>Whether a word is an option that people try for a secret, in any spelling.</summary>
    static bool IsSecretOption(string word) =>
        IsOption(word) && OfSecrets.Any(part => Name(word, cutAtDigits: false).Contains(part, StringComparison.OrdinalIgnoreCase));

    static string Shown(string word, int number, ParseResult parsed)
    {
        var place = number > 0 ? $"Word {number} of the command line" : "A word of the command line";
        if (IsOption(word))
        {
            var name = word.StartsWith("--", StringComparison.Ordinal) ? Name(word, cutAtDigits: true) : word[..2]; // -pVALUE is -p with a value
            return $"'{name}{(name.Length < word.Length ? "…" : "")}' is not "
                + $"known here.{(NearestOption(word, parsed) is { } option ? $" Did you mean {option}?" : "")}";
        }

        var command = parsed.CommandResult.Command;
        var isRoot = command is RootCommand;
        if (isRoot && parsed.Tokens.SkipWhile(token => token.Type is not TokenType.DoubleDash).Any(token => token.Value == word))
            return $"The words after {EndOfOptions} are arguments of a command, which must "
                + $"precede them{(CommandLine.Names.Contains(word, StringComparer.Ordinal) ? $": mixpanel {word}" : "")}.";
        if (isRoot && ActionCatalogue.Groups.FirstOrDefault(group => group.Name == word.Replace('_', '-')) is { } about)
            return $"'{about.Name}' is a group of actions. Its actions: mixpanel help {about.Name}.";
        var near = HelpCommand.Near(word,
            isRoot ? CommandLine.Names.Concat(ActionCatalogue.Groups.Select(group => $"help {group.Name}")) : command.Subcommands.Select(known => known.Name));
        if (near.Count > 0) return $"'{word}' is not known here. Did you mean {string.Join(", ", near)}?";
        return isRoot && number == 1 ? "The first word of the command line is not a command." : $"{place} is not known here.";
    }

    /// <summary>The option that a misspelt one probably stands for; null if none is similar.</summary>
    static string? NearestOption(string word, ParseResult parsed)
    {
        var known = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is not null; result = result.Parent)
            if (result is CommandResult { Command: var command })
                known.AddRange(command.Options.Where(option => !option.Hidden && (command == parsed.CommandResult.Command || option.Recursive))
                    .Select(option => option.Name));
        var name = word.StartsWith("--", StringComparison.Ordinal) ? Name(word, cutAtDigits: true).Replace('_', '-').ToLowerInvariant() : "";
        return MixpanelSpelling.Nearest(name, known);
    }

    /// <summary>The name of an option, without a value that was attached to it.</summary>
    static string Name(string word, bool cutAtDigits)
    {
        var end = 0;
        while (end < word.Length && (word[end] is '-' or '_' || (cutAtDigits ? char.IsAsciiLetter(word[end]) : char.IsAsciiLetterOrDigit(word[end])))) end++;
        return word[..end];
    }

    /// <summary>The words that were parsed as arguments of the command. After --, any word may be an argument, so none are returned.</summary>
    static IEnumerable<string> Arguments(ParseResult parsed) =>
        parsed.Tokens.Any(token => token.Type is TokenType.DoubleDash)
            ? []
            : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(result => result.Tokens).Select(token => token.Value);

    /// <summary>An option that consumed the next option as its value.</summary>
    static Option? Swallowed(ParseResult parsed, string[] words)
    {
        for (SymbolResult? command = parsed.CommandResult; command is not null; command = command.Parent)
        {
            if (command is not CommandResult { Children: var children }) continue;
            if (children.OfType<OptionResult>().FirstOrDefault(option =>
                option.Tokens.Any(token => token.Value.StartsWith("--", StringComparison.Ordinal) && token.Value.Length > 2
                    && words.Contains(token.Value, StringComparer.Ordinal))) is { } found)
                return found.Option;
        }

        return null;
    }
}
