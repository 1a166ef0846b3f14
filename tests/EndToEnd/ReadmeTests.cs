using System.Text.RegularExpressions;

namespace MixpanelConnector.EndToEnd;

/// <summary>Every shell line of the README and of the pages for its audiences, run in order as a reader would, in a separate home.</summary>
[Trait("tool", "native")]
public sealed partial class ReadmeTests
{
    const string TestCommand = "bash eng/test.sh"; // what runs this test

    public static TheoryData<string> Pages =>
        [
            "README.md",
            .. Directory.GetFiles(Repository.File("docs"), "for-*.md").Select(page => $"docs/{Path.GetFileName(page)}").Order(StringComparer.Ordinal),
        ];

    [Theory, MemberData(nameof(Pages))]
    public async Task The_commands_of_a_page_do_what_it_says(string page)
    {
        using var home = new Home();
        var lines = MarkdownBlocks.Of(page, "sh")
            .SelectMany(block => block.Split('\n'))
            .Select(line => line.Trim())
            .Where(line => line.Length > 0 && line[0] != '#' && line != TestCommand).ToList();
        Assert.Matches(@"^(./mixpanel |echo .*\| ./mixpanel )", lines[0]);
        foreach (var line in lines)
        {
            // The program is the one built with the tests; everything else is as written.
            var command = Program()
                .Replace(line, $"${{before}}{ToolUnderTest.InShell} ")
                .Replace("bad-events.ndjson", home.File("bad-events.ndjson"), StringComparison.Ordinal);
            Assert.Contains(ToolUnderTest.InShell, command, StringComparison.Ordinal);
            using var shell = Run.Start("bash", ["-c", command], home);
            var done = await Run.EndAsync(shell);

            var expected = ExitCode().Match(line) is { Success: true } match ? match.Groups["code"].Value : "0";
            Assert.True(done.ExitCode.ToString(System.Globalization.CultureInfo.InvariantCulture) == expected, $"{line}\n{done}");
            Assert.True((done.Output + done.Error).Length > 0, $"{line} printed nothing");
        }
    }

    [Fact]
    public void The_readme_has_its_commands_and_each_reader_a_page()
    {
        Assert.Equal(13,
            MarkdownBlocks.Of("README.md", "sh").SelectMany(block => block.Split('\n')).Count(line => line.Trim() is { Length: > 0 } text && text[0] != '#'));
        Assert.Equal(5, Pages.Count);
    }

    [Fact]
    public async Task The_file_with_errors_leaves_the_dead_letters_that_are_told()
    {
        using var home = new Home();
        await Run.MixpanelAsync(home, ["import", "samples/events-with-errors.ndjson", "--local", "--dead-letter", home.File("bad-events.ndjson")]);
        Assert.Equal(12, (await File.ReadAllLinesAsync(home.File("bad-events.ndjson"), TestContext.Current.CancellationToken)).Length);
    }

    [GeneratedRegex(@"(?<before>^|\| )\./mixpanel ", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Program();

    [GeneratedRegex("# exit (?<code>\\d+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex ExitCode();
}
