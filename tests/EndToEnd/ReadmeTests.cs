using System.Text.RegularExpressions;

namespace MixpanelConnector.EndToEnd;

/// <summary>Every line of shell in the README, run one after the other as a reader would, in a home of its own.</summary>
[Trait("tool", "native")]
public sealed partial class ReadmeTests
{
    [Fact]
    public async Task The_commands_of_the_readme_do_what_it_says()
    {
        using var home = new Home();
        var lines = MarkdownBlocks.Of("README.md", "sh").SelectMany(block => block.Split('\n')).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToList();
        Assert.Equal("bash eng/test.sh", lines[^1]); // what runs this test
        var ran = 0;
        foreach (var line in lines.SkipLast(1).Where(line => !line.StartsWith("alias ", StringComparison.Ordinal)))
        {
            // The program is the one that was built with the tests; everything else is as it is written.
            var command = Program().Replace(line, $"{ToolUnderTest.InShell} ").Replace("bad-events.ndjson", home.File("bad-events.ndjson"), StringComparison.Ordinal);
            using var shell = Run.Start("bash", ["-c", command], home);
            var done = await Run.EndAsync(shell);

            var expected = ExitCode().Match(line) is { Success: true } match ? match.Groups["code"].Value : "0";
            Assert.True(done.ExitCode.ToString(System.Globalization.CultureInfo.InvariantCulture) == expected, $"{line}\n{done}");
            Assert.True((done.Output + done.Error).Length > 0, $"{line} printed nothing");
            ran++;
        }

        Assert.Equal(12, ran);
        var bad = await File.ReadAllLinesAsync(home.File("bad-events.ndjson"));
        Assert.Equal(12, bad.Length);
    }

    [GeneratedRegex("^(dotnet run --project src/MixpanelConnector.Tool -- |mixpanel )", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Program();

    [GeneratedRegex("# exit (?<code>\\d+)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex ExitCode();
}
