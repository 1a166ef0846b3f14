using System.Globalization;
using System.Text.RegularExpressions;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>FIDELITY.md covers every endpoint, and is correct.</summary>
public sealed partial class FidelityTests
{
    [Fact]
    public async Task Every_endpoint_that_answers_has_a_row()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var rows = Rows().Where(row => row.Here == "served").Select(row => $"{row.Method} {row.Path}").ToList();

        var served = mixpanel.Server.Endpoints.Select(endpoint => $"{endpoint.Method} {endpoint.Path}").ToList();

        Assert.Equal(served.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_row_has_the_status_that_the_server_answers_with()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        List<string> wrong = [];
        foreach (var row in Rows())
        {
            var path = Placeholder().Replace(row.Path, "1");
            var answer = await mixpanel.SendAsync(new HttpMethod(row.Method), path);
            if (answer.Status != row.Bare || (row.Here == "501") != (answer.Status == 501)) wrong.Add($"{row.Method} {row.Path}: {answer.Status}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void All_documented_operations_have_a_row()
    {
        // Of the 105 operations, those on /engage (9), /groups (7), /track (3) and /import (2) share a path.
        const int Documented = 105 - 8 - 6 - 2 - 1;

        var bySpecification = Rows().Where(row => row.Source == "spec").ToList();
        var older = bySpecification.Count(row => row.Path.StartsWith("/api/2.0/", StringComparison.Ordinal) && row.Path != "/api/2.0/export"
            && !row.Path.Contains("/nessie/", StringComparison.Ordinal));

        Assert.Equal(Documented, bySpecification.Count - older);
    }

    [Fact]
    public void A_row_is_no_longer_than_five_cells_and_doubts_nothing_twice()
    {
        var rows = Text().Split("## Faults on purpose")[0].Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).ToList();

        Assert.All(rows, row => Assert.Equal(7, row.Replace("\\|", "", StringComparison.Ordinal).Split('|').Length));
        Assert.Empty(rows.GroupBy(row => row, StringComparer.Ordinal)
            .Where(same => same.Count() > 1 && !same.Key.StartsWith("| behaviour", StringComparison.Ordinal))
            .Select(same => same.Key));
    }

    [Fact]
    public void The_example_of_faults_can_be_read()
    {
        var faults = EmulatorFaults.Parse(Text().Split("```json")[1].Split("```")[0]);

        Assert.Equal(5, faults.Rules.Count);
        Assert.Equal(faults.ToJson(), EmulatorFaults.Parse(faults.ToJson()).ToJson());
    }

    static List<(string Method, string Path, string Here, int Bare, string Source)> Rows()
    {
        var table = Text().Split("## Endpoints", 2)[1].Split("\n## ", 2)[0];
        List<(string, string, string, int, string)> rows = [];
        foreach (var line in table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)))
        {
            var cells = line.Split('|', StringSplitOptions.TrimEntries);
            var paths = Quoted().Matches(cells[1]).Select(match => match.Groups["text"].Value).ToList();
            var method = paths[0].Split(' ')[0];
            foreach (var path in paths)
                rows.Add((method, path.Split(' ')[^1], cells[2], int.Parse(cells[3], CultureInfo.InvariantCulture), cells[4]));
        }
        return rows;
    }

    static string Text() => File.ReadAllText(Path.Combine(Root(), "src", "MixpanelConnector.Emulator", "FIDELITY.md"));

    static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MixpanelConnector.slnx"))) return folder.FullName;
        }
        throw new InvalidOperationException("The tests must run from a checkout.");
    }

    [GeneratedRegex("`(?<text>[^`]+)`", RegexOptions.NonBacktracking)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\{\w+\}", RegexOptions.NonBacktracking)]
    private static partial Regex Placeholder();
}
