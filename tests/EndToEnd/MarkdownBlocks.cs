using System.Text.RegularExpressions;

namespace MixpanelConnector.EndToEnd;

/// <summary>The code blocks of a page.</summary>
static partial class MarkdownBlocks
{
    public static IReadOnlyList<string> Of(string page, string language) =>
        [.. Block().Matches(File.ReadAllText(Repository.File(page))).Where(m => m.Groups["language"].Value == language).Select(m => m.Groups["text"].Value)];

    [GeneratedRegex("^```(?<language>\\w+)\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Block();
}
