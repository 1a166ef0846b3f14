using System.CommandLine;
using System.CommandLine.Parsing;
using MixpanelConnector.Files;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>
/// Words of a command line that have no meaning here. Any of them may be a secret that came to the wrong place, so only what looks
/// like a name is repeated, and never a value.
/// </summary>
static class UnknownWord
{
    const int MostTypos = 2;

    static readonly string[] OfSecrets = ["secret", "pass", "pwd", "key", "token", "credential", "auth", "bearer"];

    /// <summary>What is wrong with a command line because of such a word; null when nothing is.</summary>
    public static MixpanelException? Find(ParseResult parsed, string[] words, string usage)
    {
        var unknown = parsed.UnmatchedTokens.Concat(Arguments(parsed).Where(IsOption)).ToList();
        if (unknown.Exists(IsSecretOption))
            return Configuration.Invalid(Configuration.SecretName, $"There is an option that is not known here. A secret is never taken from the command line, where every process can read it: set MIXPANEL_SERVICE_ACCOUNT_SECRET, or name a private file with --secret-file. See: {usage} --help");
        if (unknown is [var first, ..])
            return Configuration.Invalid(IsOption(first) ? "option" : "argument", $"{Shown(first, Array.IndexOf(words, first) + 1, parsed)} See: {usage} --help");
        return Swallowed(parsed, words) is { } option
            ? Configuration.Invalid(CommonOptions.Name(option), $"{option.Name} needs a value: what follows it looks like another option. (A value of that form: {option.Name}=VALUE.) See: {usage} --help")
            : null;
    }

    /// <summary>An error of the parser, without the value that it quotes, nor the names of types.</summary>
    public static string WithoutValues(ParseError error)
    {
        if (error.SymbolResult is OptionResult { Option: var option } && error.Message.Contains(" as expected type ", StringComparison.Ordinal))
        {
            var type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
            return $"'{option.Name}' must be {(type == typeof(int) || type == typeof(long) ? "a whole number" : type == typeof(double) || type == typeof(decimal) ? "a number" : type == typeof(bool) ? "true or false" : "given in the form that its help shows")}.";
        }

        var message = error.Message.ReplaceLineEndings(" ");
        return error.SymbolResult is null ? message : error.SymbolResult.Tokens.Aggregate(message, (text, token) => text.Replace($"'{token.Value}'", "'…'", StringComparison.Ordinal));
    }

    /// <summary>What .NET has read as another word than was given; null when nothing is.</summary>
    /// <param name="given">The words as bytes, where the system tells them.</param>
    public static string? NotUtf8(IReadOnlyList<byte[]> given)
    {
        for (var i = 0; i < given.Count; i++)
        {
            if (ForeignName.Escaped(given[i]) is not { } escaped) continue;
            var mayBeSecret = IsOption(escaped) || (i > 0 && IsSecretOption(ForeignName.Escaped(given[i - 1]) ?? System.Text.Encoding.UTF8.GetString(given[i - 1])));
            return $"Word {i + 1} of the command line{(mayBeSecret ? "" : $", {escaped},")} is not UTF-8, and would name something else. Rename the file, or write the word in UTF-8.";
        }

        return null;
    }

    static bool IsOption(string word) => word.Length > 1 && word[0] == '-';

    /// <summary>What people try, in every spelling.</summary>
    static bool IsSecretOption(string word) => IsOption(word) && OfSecrets.Any(part => Name(word, cutAtDigits: false).Contains(part, StringComparison.OrdinalIgnoreCase));

    static string Shown(string word, int number, ParseResult parsed)
    {
        var place = number > 0 ? $"Word {number} of the command line" : "A word of the command line";
        if (IsOption(word))
        {
            var name = word.StartsWith("--", StringComparison.Ordinal) ? Name(word, cutAtDigits: true) : word[..2]; // -pVALUE is -p with a value
            return $"'{name}{(name.Length < word.Length ? "…" : "")}' is not known here.";
        }

        var command = parsed.CommandResult.Command;
        if (command.Subcommands.Where(known => !known.Hidden).MinBy(known => Typos(known.Name, word)) is { } close && Typos(close.Name, word) <= Math.Min(MostTypos, close.Name.Length / 3))
            return $"'{word}' is not known here. Did you mean {close.Name}?";
        return command.Subcommands.Count > 0 && number == 1 ? "The first word of the command line is no command." : $"{place} is not known here.";
    }

    /// <summary>The name of an option, without what was written next to it.</summary>
    static string Name(string word, bool cutAtDigits)
    {
        var end = 0;
        while (end < word.Length && (word[end] is '-' or '_' || (cutAtDigits ? char.IsAsciiLetter(word[end]) : char.IsAsciiLetterOrDigit(word[end])))) end++;
        return word[..end];
    }

    /// <summary>Words that an argument of the command has taken; behind -- everything is one.</summary>
    static IEnumerable<string> Arguments(ParseResult parsed) =>
        parsed.Tokens.Any(token => token.Type is TokenType.DoubleDash) ? [] : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(result => result.Tokens).Select(token => token.Value);

    /// <summary>An option that has taken the next one for its value.</summary>
    static Option? Swallowed(ParseResult parsed, string[] words)
    {
        for (SymbolResult? command = parsed.CommandResult; command is not null; command = command.Parent)
        {
            if (command is not CommandResult { Children: var children }) continue;
            if (children.OfType<OptionResult>().FirstOrDefault(option => option.Tokens.Any(token => token.Value.StartsWith("--", StringComparison.Ordinal) && token.Value.Length > 2 && words.Contains(token.Value, StringComparer.Ordinal))) is { } found) return found.Option;
        }

        return null;
    }

    /// <summary>How many letters were added, left out, exchanged or swapped with the next.</summary>
    static int Typos(string one, string other)
    {
        var cost = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            for (var j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }

                cost[i, j] = Math.Min(Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1, cost[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }

        return cost[one.Length, other.Length];
    }
}
