using System.Globalization;
using System.Text.RegularExpressions;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Tests.Migration;

namespace MixpanelConnector.Tool.Tests.Export;

/// <summary>
/// Runs the examples in the pages on exports and migrations, section by section: a block after <c>`NAME`:</c> is a file, <c>sh</c> contains the commands,
/// each followed by its exit code if that is not 0, <c>text</c> is their output, with … for omitted parts.
/// </summary>
public sealed partial class ExportPageTests
{
    [Theory]
    [InlineData("export", 4)]
    [InlineData("migration", 1)]
    public async Task The_runs_of_the_page_do_what_it_says(string page, int count)
    {
        var runs = 0;
        foreach (var section in (await File.ReadAllTextAsync(Repository.File($"docs/{page}.md"), TestContext.Current.CancellationToken)).Split("\n## ").Skip(1))
        {
            if (!section.Contains("```sh", StringComparison.Ordinal)) continue;
            await using var projects = await TwoProjects.StartAsync();
            using var ofOne = ImportCaseTests.ToolOf(projects.Mixpanel);
            var tool = page is "migration" ? projects.Tool : ofOne;
            var said = "";
            foreach (Match block in Block().Matches(section))
            {
                var text = block.Groups["text"].Value;
                if (block.Groups["file"] is { Success: true } file)
                    await File.WriteAllTextAsync(tool.Folder.File(file.Value), text, TestContext.Current.CancellationToken);
                else if (block.Groups["language"].Value == "sh")
                    foreach (var line in text.TrimEnd().Split('\n')) said += await RunAsync(line, tool);
                else Assert.All(text.TrimEnd().Split('\n'), line => Assert.All(line.Split('…'), part => Assert.Contains(part, said, StringComparison.Ordinal)));
            }

            runs++;
        }

        Assert.Equal(count, runs);
    }

    static async Task<string> RunAsync(string line, Tool tool)
    {
        var parts = line.Split(" # exit ");
        var words = parts[0]
            .Split(' ')
            .Select(word => word is "october" or "columns" or "people" || word.Contains('.', StringComparison.Ordinal)
                ? tool.Folder.File(word)
                : word).ToList();
        if (words[0] is "cat" or "zcat") return new Exported(Path.GetDirectoryName(words[1])!).Text(Path.GetFileName(words[1]));
        Assert.Equal("mixpanel", words[0]);
        var run = await tool.RunAsync([.. words.Skip(1), "--output", "json"]);
        Assert.True(run.Exit == (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0), $"{line}\n{run.Exit}\n{run.Out}\n{run.Err}");
        return run.Out + run.Err;
    }

    [GeneratedRegex("(`(?<file>[\\w.]+)`:\n\n)?^```(?<language>\\w+)\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Block();
}
