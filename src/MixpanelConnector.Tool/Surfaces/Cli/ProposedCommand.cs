using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;

namespace MixpanelConnector.Tool.Surfaces.Cli;

/// <summary>The given command line with the proposed options added, ready to be pasted into a shell.</summary>
static class ProposedCommand
{
    /// <summary>The proposed command line; null if nothing is proposed.</summary>
    /// <param name="parsed">The given command line.</param>
    /// <param name="inspection">The result of the inspection.</param>
    /// <param name="without">An option to omit.</param>
    public static string? Of(ParseResult parsed, ImportInspection inspection, Option without)
    {
        if (inspection.Proposal is not { } proposal) return null;
        var words = parsed.Tokens.Where(token => token.Type is not TokenType.Option || token.Value != without.Name).ToList();
        var rest = words.FindIndex(token => token.Type is TokenType.DoubleDash);
        if (rest < 0) rest = words.Count;
        IEnumerable<string> all =
        [
            "mixpanel",
            .. words.Take(rest).Select(token => token.Value),
            .. Joined(OptionsOf(proposal)),
            .. words.Skip(rest).Select(token => token.Value),
        ];
        return string.Join(' ', all.Select(Quoted));
    }

    static IReadOnlyList<string> OptionsOf(ImportProposal proposal) =>
    [
        .. proposal.Type is { } type ? (string[])["--type", type] : [],
        .. proposal.Format is { } format ? (string[])["--format", format] : [],
        .. proposal.Map.SelectMany(pair => (string[])["--map", $"{pair.Key}={pair.Value}"]),
        .. proposal.Rename.SelectMany(pair => (string[])["--rename", $"{pair.Key}={pair.Value}"]),
        .. proposal.Event is { } name ? (string[])["--event", name] : [],
        .. proposal.Fix.Count == 0 ? [] : (string[])["--fix", string.Join(',', proposal.Fix)],
    ];

    /// <summary>Joins an option and its value into one word if the value looks like an option.</summary>
    static IEnumerable<string> Joined(IReadOnlyList<string> options)
    {
        for (var i = 0; i + 1 < options.Count; i += 2)
        {
            if (options[i + 1].StartsWith('-'))
            {
                yield return $"{options[i]}={options[i + 1]}";
                continue;
            }

            yield return options[i];
            yield return options[i + 1];
        }
    }

    /// <summary>Quotes a word for a shell: characters that a terminal would act on become numeric escapes, in the syntax of bash, zsh and ksh.</summary>
    static string Quoted(string word)
    {
        if (word.Length > 0 && word.All(character => char.IsAsciiLetterOrDigit(character) || "-_./:=,@%+".Contains(character, StringComparison.Ordinal)))
            return word;
        if (OperatingSystem.IsWindows()) return $"\"{word.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        if (Printer.Clean(word) == word && !word.Contains('\n', StringComparison.Ordinal)) return $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
        var quoted = new StringBuilder("$'");
        foreach (var rune in word.EnumerateRunes())
        {
            var text = rune.ToString();
            if (text is "'" or "\\") quoted.Append('\\').Append(text);
            else if (text != "\n" && Printer.Clean(text) == text) quoted.Append(text);
            else foreach (var octet in Encoding.UTF8.GetBytes(text)) quoted.Append(CultureInfo.InvariantCulture, $"\\x{octet:x2}");
        }

        return quoted.Append('\'').ToString();
    }
}
