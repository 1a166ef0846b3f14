using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MixpanelConnector.Emulator;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

/// <summary>
/// Files as users have them; each case is a folder of <c>tests/Cases/import</c> with the expected result: see the README there.
/// A new case is a new folder.
/// </summary>
public sealed class ImportCaseTests
{
    static readonly string Folder = Repository.File("tests/Cases/import");

    public static TheoryData<string> Cases =>
        [
            .. Directory.GetFiles(Folder, "case.json", SearchOption.AllDirectories)
                .Select(file => Path.GetRelativePath(Folder, Path.GetDirectoryName(file)!))
                .Order(StringComparer.Ordinal),
        ];

    [Theory, MemberData(nameof(Cases))]
    public async Task What_is_brought_becomes_what_is_right(string name)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var mixpanel = await EmulatedMixpanel.StartAsync(cancellationToken: cancel);
        using var tool = ToolOf(mixpanel);
        var folder = tool.Folder.File("case");
        Copy(Path.Combine(Folder, name), folder);
        var expected = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "case.json"), cancel))!.AsObject();
        Assert.Empty(expected.Select(member => member.Key).Except(["because", "steps", "events", "profiles", "groups"], StringComparer.Ordinal));

        foreach (var step in expected["steps"]!.AsArray()) await TakeAsync(step!.AsObject(), tool, folder);

        AssertStored(expected["events"],
            (await mixpanel.EventsAsync(cancellationToken: cancel)).Select(e =>
                new JsonObject { ["event"] = e.Name, ["properties"] = JsonNode.Parse(e.Properties) }));
        AssertStored(expected["profiles"],
            (await mixpanel.ProfilesAsync(cancel)).Select(p => new JsonObject
            {
                ["$distinct_id"] = p.DistinctId,
                ["$properties"] = JsonNode.Parse(p.Properties),
            }));
        AssertStored(expected["groups"],
            (await mixpanel.GroupsAsync(cancel)).Select(g => new JsonObject
            {
                ["$group_key"] = g.GroupKey,
                ["$group_id"] = g.GroupId,
                ["$properties"] = JsonNode.Parse(g.Properties),
            }));
    }

    internal static Tool ToolOf(EmulatedMixpanel mixpanel) => new()
    {
        Environment =
        {
            ["MIXPANEL_ENDPOINT"] = mixpanel.Address.AbsoluteUri.TrimEnd('/'),
            ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = DevelopmentCredentials.ServiceAccountUsername,
            ["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = DevelopmentCredentials.ServiceAccountSecret,
            ["MIXPANEL_PROJECT_ID"] = DevelopmentCredentials.ProjectId.ToString(CultureInfo.InvariantCulture),
            ["MIXPANEL_TOKEN"] = DevelopmentCredentials.ProjectToken,
        },
    };

    static async Task TakeAsync(JsonObject step, Tool tool, string folder)
    {
        Assert.Empty(step.Select(member => member.Key).Except(["replace", "stdin", "run", "exit", "report", "stderr", "not_stderr"], StringComparer.Ordinal));
        foreach (var (file, by) in step["replace"]?.AsObject() ?? []) File.Copy(Path.Combine(folder, (string)by!), Path.Combine(folder, file), overwrite: true);
        if ((string?)step["stdin"] is { } input) tool.InputBytes = await File.ReadAllBytesAsync(Path.Combine(folder, input));
        var arguments = Words((string)step["run"]!)
            .Select(word => Path.Exists(Path.Combine(folder, word)) ? Path.Combine(folder, word) : word.Replace("{dir}", folder, StringComparison.Ordinal));

        var run = await tool.RunAsync([.. arguments, "--state", tool.Folder.File("state"), "--no-progress", "--output", "json"]);

        var said = $"exit {run.Exit}\n{run.Out}\n{run.Err}";
        Assert.True(run.Exit == (int)step["exit"]!, said);
        if (step["report"] is { } report) Assert.True(Fits(report, JsonNode.Parse(run.Out)), said);
        foreach (var text in step["stderr"]?.AsArray() ?? []) Assert.Contains((string)text!, run.Err, StringComparison.Ordinal);
        foreach (var text in step["not_stderr"]?.AsArray() ?? []) Assert.DoesNotContain((string)text!, run.Err, StringComparison.Ordinal);
    }

    /// <summary>Asserts that the counts are equal, and that each expected one matches a different actual one.</summary>
    internal static void AssertStored(JsonNode? expected, IEnumerable<JsonObject> stored)
    {
        if (expected is null) return;
        var left = stored.ToList();
        var all = string.Join('\n', left.Select(record => record.ToJsonString()));
        foreach (var record in expected.AsArray())
        {
            var found = left.Find(candidate => Fits(record, candidate));
            Assert.True(found is not null, $"Not stored: {record!.ToJsonString()}\nStored:\n{all}");
            left.Remove(found);
        }

        Assert.True(left.Count == 0, $"Stored beyond what is expected:\n{string.Join('\n', left.Select(record => record.ToJsonString()))}");
    }

    /// <summary>Whether every expected member is present with its value, numbers as written; null means that the member is absent.</summary>
    static bool Fits(JsonNode? expected, JsonNode? actual) => (expected, actual) switch
    {
        (JsonObject members, JsonObject others) => members.All(member => Fits(member.Value, others[member.Key])),
        (JsonArray items, JsonArray others) => items.Count == others.Count && items.Zip(others).All(pair => Fits(pair.First, pair.Second)),
        (JsonValue value, JsonValue other) => value.ToJsonString() == other.ToJsonString(),
        _ => expected is null && actual is null,
    };

    /// <summary>Splits at spaces; single quotes group words.</summary>
    static IEnumerable<string> Words(string line)
    {
        var word = new StringBuilder();
        var (quoted, begun) = (false, false);
        foreach (var c in line + " ")
        {
            if (c == '\'') (quoted, begun) = (!quoted, true);
            else if (c != ' ' || quoted) (_, begun) = (word.Append(c), true);
            else if (begun)
            {
                yield return word.ToString();
                word.Clear();
                begun = false;
            }
        }
    }

    static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

}
