using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DuckDB.NET.Data;
using MixpanelConnector.Emulator;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

/// <summary>
/// Runs the examples in the pages on imports, section by section: a block after <c>`NAME`:</c> is a file, or <c>sql</c> that writes it; <c>sh</c> contains the
/// commands, <c>text</c> their standard error, <c>json</c> the events stored afterwards.
/// </summary>
public sealed partial class ImportPageTests
{
    [Theory]
    [InlineData("docs/csv.md", 7)]
    [InlineData("docs/parquet.md", 4)]
    [InlineData("docs/times.md", 4)]
    [InlineData("docs/vendors/README.md", 1)]
    [InlineData("docs/vendors/amplitude.md", 1)]
    [InlineData("docs/vendors/ga4.md", 2)]
    [InlineData("docs/vendors/segment.md", 1)]
    [InlineData("docs/vendors/rudderstack.md", 1)]
    [InlineData("docs/vendors/posthog.md", 2)]
    [InlineData("docs/vendors/heap.md", 1)]
    [InlineData("docs/vendors/mparticle.md", 1)]
    [InlineData("docs/vendors/snowplow.md", 1)]
    [InlineData("docs/vendors/matomo.md", 1)]
    [InlineData("docs/vendors/adobe.md", 1)]
    public async Task The_runs_of_a_page_do_what_it_says(string page, int runs)
    {
        foreach (var section in (await File.ReadAllTextAsync(Repository.File(page), TestContext.Current.CancellationToken)).Split("\n## ").Skip(1))
            runs -= await RunAsync(section);
        Assert.Equal(0, runs);
    }

    static async Task<int> RunAsync(string section)
    {
        if (!section.Contains("```sh", StringComparison.Ordinal)) return 0;
        var cancel = TestContext.Current.CancellationToken;
        await using var mixpanel = await EmulatedMixpanel.StartAsync(cancellationToken: cancel);
        using var tool = ImportCaseTests.ToolOf(mixpanel);
        var said = "";
        JsonArray? expected = null;
        foreach (Match block in Block().Matches(section))
        {
            var text = block.Groups["text"].Value;
            if (block.Groups["language"].Value == "sql") Query(text, tool);
            else if (block.Groups["file"] is { Success: true } file) await File.WriteAllTextAsync(tool.Folder.File(file.Value), text, cancel);
            else if (block.Groups["language"].Value == "sh")
                foreach (var line in text.TrimEnd().Split('\n')) said += await RunAsync(line, tool);
            else if (block.Groups["language"].Value == "text")
                Assert.All(text.TrimEnd().Split('\n'), line => Assert.Contains(line, said, StringComparison.Ordinal));
            else expected = new JsonArray([.. text.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line))]);
        }

        ImportCaseTests.AssertStored(expected,
            (await mixpanel.EventsAsync(cancellationToken: cancel)).Select(e =>
                new JsonObject { ["event"] = e.Name, ["properties"] = JsonNode.Parse(e.Properties) }));
        return 1;
    }

    static void Query(string sql, Tool tool)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = ParquetName().Replace(sql, name => $"'{tool.Folder.File(name.Groups["name"].Value)}'");
        command.ExecuteNonQuery();
    }

    static async Task<string> RunAsync(string line, Tool tool)
    {
        if (Iconv().Match(line) is { Success: true } iconv)
        {
            var encoding = CodePagesEncodingProvider.Instance.GetEncoding(iconv.Groups["to"].Value)!;
            await File.WriteAllBytesAsync(tool.Folder.File(iconv.Groups["output"].Value),
                encoding.GetBytes(await File.ReadAllTextAsync(tool.Folder.File(iconv.Groups["input"].Value))));
            return "";
        }

        var parts = line["mixpanel ".Length..].Split(" # exit ");
        var arguments = Words()
            .Matches(parts[0])
            .Select(match => match.Groups["word"].Value)
            .Select(word => File.Exists(tool.Folder.File(word)) || word == "old" || word.EndsWith(".parquet", StringComparison.Ordinal)
                ? tool.Folder.File(word)
                : word).ToList();
        if (!line.StartsWith("mixpanel emulator export ", StringComparison.Ordinal))
        {
            Assert.StartsWith("mixpanel import ", line, StringComparison.Ordinal);
            if (!arguments.Contains("--state")) arguments.AddRange(["--state", $"{arguments[1]}.state"]); // each input has its own, as by default
            arguments.AddRange(["--no-progress", "--output", "json"]);
        }

        var run = await tool.RunAsync([.. arguments]);
        Assert.True(run.Exit == (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0), $"{line}\n{run.Exit}\n{run.Out}\n{run.Err}");
        return run.Err;
    }

    [GeneratedRegex("(`(?<file>[\\w.]+)`:\n\n)?^```(?<language>\\w+)\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Block();

    [GeneratedRegex("'(?<word>[^']*)'|\"(?<word>[^\"]*)\"|(?<word>[^ ]+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Words();

    [GeneratedRegex("'(?<name>\\w+\\.parquet)'", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex ParquetName();

    [GeneratedRegex("^iconv -f UTF-8 -t (?<to>\\S+) (?<input>\\S+) > (?<output>\\S+)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: Hang.Milliseconds)]
    private static partial Regex Iconv();
}
