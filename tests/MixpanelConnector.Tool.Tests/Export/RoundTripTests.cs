using System.Text.Json.Nodes;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.Tool.Tests.Export;

/// <summary>An export from one project imported into another results in the same records, whatever the file format.</summary>
public sealed class RoundTripTests
{
    static readonly string[] Events =
    [
        """{"event":"plain","properties":{"time":1790812800123,"distinct_id":"u1","$insert_id":"a1","n":1,"x":"1","f":1.50,"big":12345678901234567890,"b":true,"z":null}}""",
        """{"event":"nobody","properties":{"time":1790812801000,"distinct_id":"","$insert_id":"a2"}}""",
        """{"event":"=1+1","properties":{"time":1790812802000,"distinct_id":"-2","$insert_id":"a3","cell":"=cmd|' /C calc'!A0"}}""",
        """{"event":"a,\"b\"\nc\rd","properties":{"time":1790812803000,"distinct_id":" u ","$insert_id":"a4","t":"\u2028\u0085,\"\";\t"}}""",
        """{"event":"007","properties":{"time":1790812804000,"distinct_id":"12E5","$insert_id":"a-5","l":[1,"1",{"a":[true]}],"o":{"e":{}}}}""",
        """{"event":"\ufeffmark ä😀","properties":{"time":1790985600000,"distinct_id":"True ","$insert_id":"a6","$device_id":"d1"}}""",
        """{"event":"linked","properties":{"time":1790985600001,"$device_id":"d1","$user_id":"u1","$insert_id":"a7","distinct_id":"u1"}}""",
        """{"event":"null","properties":{"time":1790985600002,"distinct_id":"NULL.","$insert_id":"a8","event":"inner","properties":{"time":1}}}""",
    ];

    [Theory]
    [InlineData("ndjson", "gzip")]
    [InlineData("ndjson", "zstd")]
    [InlineData("ndjson", "none")]
    [InlineData("csv", "gzip")]
    [InlineData("csv", "zstd")]
    [InlineData("csv", "none")]
    [InlineData("parquet", "zstd")]
    [InlineData("parquet", "gzip")]
    [InlineData("parquet", "none")]
    public async Task Events_that_were_exported_import_as_the_same(string format, string compression)
    {
        await using var first = await EmulatedMixpanel.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var second = await EmulatedMixpanel.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        using var tool = ImportCaseTests.ToolOf(first);
        await ImportAsync(tool, tool.Folder.Write("in.ndjson", string.Join('\n', Events)));
        string[] range = ["--from-date", "2026-10-01", "--to-date", "2026-10-03"];
        var (files, lines, again) = (new Exported(tool.Folder.File("files")), new Exported(tool.Folder.File("lines")), new Exported(tool.Folder.File("again")));
        Assert.Equal(0, (await ExportTests.ExportAsync(tool, files, [.. range, "--format", format, "--compression", compression])).Exit);
        Assert.Equal(0, (await ExportTests.ExportAsync(tool, lines, range)).Exit);

        tool.Environment["MIXPANEL_ENDPOINT"] = second.Address.AbsoluteUri.TrimEnd('/');
        var run = await ImportAsync(tool, files.Folder);
        Assert.Equal((Events.Length, 2), (run.Json.GetProperty("accepted").GetInt32(), files.Files.Count(file => file["name"] is not null)));
        Assert.Equal(0, (await ExportTests.ExportAsync(tool, again, range)).Exit);

        Assert.Equal(Comparable(lines), Comparable(again));
        Assert.Equal(Events.Length, Comparable(again).Split('\n').Length);
        Assert.Equal((0, 0),
            ((await ImportAsync(tool, files.Folder)).Exit,
                (await tool.RunAsync("export", "verify", files.Folder)).Exit)); // a finished import sends nothing again
        Assert.Equal(Events.Length, await second.CountEventsAsync(cancellationToken: TestContext.Current.CancellationToken));
    }

    /// <summary>Values that a column cannot represent stay in the properties: each value round-trips.</summary>
    [Theory]
    [InlineData("csv")]
    [InlineData("parquet")]
    public async Task Columns_change_no_value(string format)
    {
        string[] lines =
        [
            """{"event":"E","properties":{"distinct_id":7,"time":1790812800000.0, "a" : 1 ,"$insert_id":null,"b":[ ]}}""",
            """{"event":"E","properties":{"a":"\ud83d","time":1790812800000,"distinct_id":"\ud83d"}}""",
            """{"event":"E","properties":{"time":1790812800000}}""",
            """{"event":"E","properties":{"time":1790812800000,"distinct_id":"","$insert_id":""}}""",
            """{"properties":{"x":{"distinct_id":"inner"},"time":-1,"time":1790812800000},"event":"E"}""",
        ];
        await using var server = await Testing.RecordingServer.StartAsync(_ => Exported.Lines(lines));
        using var tool = Tool.At(server);
        var to = new Exported(tool.Folder.File("out"));

        var run =
            await ExportTests.ExportAsync(tool, to, ["--from-date", "2026-10-01", "--to-date", "2026-10-01", "--format", format, "--compression", "none"]);

        Assert.Equal((3, 1, 4),
            (run.Exit, run.Json.GetProperty("unreadable").GetInt32(),
                run.Json.GetProperty("records").GetInt32())); // a member that is there twice has no column
        if (format == "csv")
        {
            Assert.Equal(
                "event,time,distinct_id,$insert_id,properties\r\nE,1790812800000,,,\"{\"\"distinct_id\"\":7,\"\"a\"\" : "
                + "1 ,\"\"$insert_id\"\":null,\"\"b\"\":[ "
                    + "]}\"\r\nE,1790812800000,,,\"{\"\"a\"\":\"\"\\ud83d\"\",\"\"distinct_id\"\":\"\"\\ud83d\"\"}\"\r\nE,1790812800000,,,{}\r\nE,1790812800000,\"\",\"\",{}\r\n",
                to.Text("2026-10-01.csv"));
        }

        await tool.RunAsync("import", to.Folder, "--dry-run", "--keep-going", "--dead-letter", tool.Folder.File("letters"));
        var raw = (await File.ReadAllLinesAsync(tool.Folder.File("letters"), TestContext.Current.CancellationToken)).Select(line =>
            JsonNode.Parse(line)!["raw"]!.ToJsonString()).ToList();
        Assert.Contains("""{"event":"E","properties":{"time":1790812800000,"distinct_id":7,"a":1,"$insert_id":null,"b":[]}}""", raw, StringComparer.Ordinal);
        Assert.Contains("""{"event":"E","properties":{"time":1790812800000,"distinct_id":"","$insert_id":""}}""", raw, StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("ndjson")]
    [InlineData("csv")]
    [InlineData("parquet")]
    public async Task Profiles_and_groups_that_were_exported_import_as_the_same(string format)
    {
        await using var first = await EmulatedMixpanel.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        await using var second = await EmulatedMixpanel.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        using var tool = ImportCaseTests.ToolOf(first);
        await ImportAsync(tool,
            tool.Folder.Write("people.ndjson",
                string.Concat(Enumerable.Range(1, 2100)
                    .Select(i => $$$"""{"$distinct_id":"{{{i}}}","$properties":{"n":{{{i}}},"t":"{{{i}}}","o":{"l":[1,"1"]},"e":""}}""" + "\n"))),
            "--type", "profiles");
        await ImportAsync(tool,
            tool.Folder.Write("companies.ndjson",
                """{"$group_id":"a,\"b\"","$properties":{"plan":"pro"}}""" + "\n" + """{"$group_id":"2","$properties":{"plan":2.5}}"""),
            "--type", "groups", "--group-key", "company");
        var (people, companies) = (new Exported(tool.Folder.File("people")), new Exported(tool.Folder.File("companies")));
        Assert.Equal(0, (await tool.RunAsync("export", "profiles", "--output", "json", "--to", people.Folder, "--format", format)).Exit);
        Assert.Equal(0,
            (await tool.RunAsync("export", "groups", "--output", "json", "--to", companies.Folder, "--format", format, "--group-key", "company",
                "--data-group-id", "company")).Exit);

        tool.Environment["MIXPANEL_ENDPOINT"] = second.Address.AbsoluteUri.TrimEnd('/');
        Assert.Equal(2100, (await ImportAsync(tool, people.Folder)).Json.GetProperty("accepted").GetInt32());
        Assert.Equal(2, (await ImportAsync(tool, companies.Folder)).Json.GetProperty("accepted").GetInt32());

        Assert.Equal(await ProfilesOfAsync(first), await ProfilesOfAsync(second));
        Assert.Equal(2, (await tool.RunAsync("import", people.Folder, "--type", "groups", "--group-key", "company")).Exit);
        Assert.Equal(2, (await tool.RunAsync("import", people.Folder, companies.Folder)).Exit);
        Assert.Equal(2, (await tool.RunAsync("import", people.Folder, "--delimiter", ";")).Exit);
    }

    static async Task<string> ProfilesOfAsync(EmulatedMixpanel mixpanel)
    {
        var profiles =
            (await mixpanel.ProfilesAsync(TestContext.Current.CancellationToken)).Select(profile => $"{profile.DistinctId} {Without(profile.Properties)}");
        var groups = (await mixpanel.GroupsAsync(TestContext.Current.CancellationToken)).Select(group =>
            $"{group.GroupKey} {group.GroupId} {Without(group.Properties)}");
        return string.Join('\n', profiles.Concat(groups).Order(StringComparer.Ordinal));

        static string Without(string properties)
        {
            var json = JsonNode.Parse(properties)!.AsObject();
            json.Remove("$last_seen"); // when it was imported
            return json.ToJsonString();
        }
    }

    static async Task<Run> ImportAsync(Tool tool, string input, params string[] options)
    {
        var run = await tool.RunAsync(["import", input, "--output", "json", "--no-progress", .. options]);
        Assert.True(run.Exit == 0, $"{run.Exit}\n{run.Out}\n{run.Err}");
        return run;
    }

    /// <summary>Its records without the properties that Mixpanel adds at each import.</summary>
    static string Comparable(Exported export) => string.Join('\n', export.Records.TrimEnd('\n').Split('\n').Select(line =>
    {
        var json = JsonNode.Parse(line)!.AsObject();
        var properties = json["properties"]!.AsObject();
        Assert.True(properties.Remove("mp_processing_time_ms"));
        return new JsonObject
        {
            ["event"] = json["event"]!.DeepClone(),
            ["properties"] = new JsonObject(properties.OrderBy(member => member.Key, StringComparer.Ordinal)
                .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))),
        }.ToJsonString();
    }).Order(StringComparer.Ordinal));
}
