using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>What is advised over HTTP, or to an agent, is possible there, or is a whole command.</summary>
[Collection(nameof(Alone))]
public sealed class FieldWordsTests
{
    const string Records = """
        {"event":"A","properties":{"time":"2026-10-03T08:15:30Z","distinct_id":"--fix ids"}}
        {"event":"A","properties":{"time":1790000000,"distinct_id":5}}
        {"event":"A","properties":{"time":1790000000.5,"distinct_id":"u"}}
        {"event":"A","properties":{"time":1790000000}}

        """;

    static Answer TooManyEvents { get; } = Answer.Plain(string.Concat(
        Enumerable.Repeat($$$"""{"event":"A","properties":{"time":1790000000,"p":"{{{new string('x', 3 << 20)}}}"}}""" + "\n", 7)));

    [Theory]
    [InlineData(nameof(ImportRequest.Fix), "ids", "--fix ids", "fix=ids")]
    [InlineData(nameof(ImportRequest.Fix), "time,ids", "--fix time,ids", "fix=time,ids")]
    [InlineData(nameof(ImportRequest.TimeFormat), null, "--time-format", "time_format")]
    [InlineData(nameof(ImportRequest.ColumnTypes), "a b=text", "--column-type 'a b=text'", "column_type=a b=text")]
    [InlineData(nameof(ImportRequest.Delimiter), "tab", "--delimiter 'tab'", "delimiter=tab")]
    [InlineData(nameof(ImportRequest.Columns), "distinct_id=COLUMN", "--map distinct_id=COLUMN", "map=distinct_id=COLUMN")]
    [InlineData(nameof(ImportRequest.Rename), "PROPERTY=distinct_id", "--rename PROPERTY=distinct_id", "rename=PROPERTY=distinct_id")]
    [InlineData(nameof(ImportRequest.ColumnNames), null, "--column-names", "column_names")]
    [InlineData(nameof(ImportRequest.Encoding), null, "--encoding", "encoding")]
    [InlineData(nameof(ImportRequest.Restart), null, "--restart", "mixpanel import --restart")]
    public void A_setting_is_an_option_of_the_command_and_a_parameter_over_HTTP(string property, string? value, string option, string parameter)
    {
        Assert.Equal(option, CommandWords.Instance.NameOf(nameof(ImportRequest), property, value));
        Assert.Equal(parameter, FieldWords.Instance.NameOf(nameof(ImportRequest), property, value));
    }

    [Theory]
    [InlineData(nameof(ExportRequest), nameof(ExportRequest.Format), "mixpanel export --format")]
    [InlineData(nameof(MigrationRequest), nameof(MigrationRequest.Groups), "mixpanel migrate --group")]
    [InlineData(nameof(ConsumeRequest), nameof(ConsumeRequest.DeadLetterPath), "mixpanel consume --dead-letter")]
    [InlineData(nameof(MixpanelClient), nameof(MixpanelClient.ShowMappingAsync), "mixpanel import --show-mapping N")]
    [InlineData(nameof(MixpanelClient), nameof(MixpanelClient.ExportAllEventsAsync), "mixpanel export-events --all")]
    public void What_is_no_setting_of_an_import_is_an_option_of_its_own_command(string type, string property, string command) =>
        Assert.Equal(command, FieldWords.Instance.NameOf(type, property));

    [Fact]
    public void Advice_is_in_the_words_of_its_interface()
    {
        Assert.Equal("run the same command again", CommandWords.Instance.RunAgain);
        Assert.Equal("fix a copy and import it with --replay", CommandWords.Instance.ImportRejected);
        Assert.Equal("resume the import", FieldWords.Instance.RunAgain);
        Assert.Equal("fix the records and import them as a new body", FieldWords.Instance.ImportRejected);
    }

    [Fact]
    public async Task An_answer_of_an_action_names_parameters_and_whole_commands()
    {
        await using var mixpanel = await RecordingServer.StartAsync(_ => TooManyEvents);
        using var output = new ServingOutput();
        using var tool = Tool.At(mixpanel, clock: new(ImpatientClock.Noon, TimeSpan.Zero), output: output);
        await using var serving = await ServeCommandRun.StartAsync(tool, output);

        using var export = await serving.CallAsync("export_events", """{"from_date":"2026-10-01","to_date":"2026-10-01"}""");
        Assert.Contains("stream the events (mixpanel export-events --all)", await DetailAsync(export), StringComparison.Ordinal);
        using var table = await serving.CallAsync("replace_lookup_table",
            """{"table_id":"0f8fad5b-d9cb-469f-a165-70867728950e","csv":"id,name\n","confirm":true}""");
        Assert.EndsWith("Importing the file with allow_empty empties the table.", await DetailAsync(table), StringComparison.Ordinal);

        static async Task<string> DetailAsync(HttpResponseMessage answer) =>
            JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["detail"]!.ToString();
    }

    [Fact]
    public async Task An_answer_to_an_agent_names_whole_commands()
    {
        await using var mixpanel = await RecordingServer.StartAsync(_ => TooManyEvents);
        using var tool = Tool.At(mixpanel);
        tool.Input = """
            {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"run_action","arguments":{"action":"export_events","input":{"from_date":"2026-10-01","to_date":"2026-10-01"}}}}

            """;
        Assert.Contains("stream the events (mixpanel export-events --all)", (await tool.RunAsync("mcp")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_report_of_an_import_names_parameters()
    {
        await using var served = await Served.StartAsync();
        var taken = await served.PostAsync("/v1/imports", Records, ("Content-Type", "application/x-ndjson"));
        var job = (await ImportJobTests.EndAsync(served, taken.Headers.Location!.ToString())).GetRawText();

        Assert.DoesNotContain("--", job, StringComparison.Ordinal);
        foreach (var advice in (string[])["fix=time", "fix=ids", "time_format"]) Assert.Contains(advice, job, StringComparison.Ordinal);
        Assert.Empty(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task Dead_letters_name_parameters_and_leave_the_record_as_it_is()
    {
        await using var served = await Served.StartAsync();
        var taken = await served.PostAsync("/v1/imports", Records, ("Content-Type", "application/x-ndjson"));
        var report = await ImportJobTests.EndAsync(served, taken.Headers.Location!.ToString());
        var letters = (await (await served.SendAsync(HttpMethod.Get, report.GetProperty("report").GetProperty("dead_letter").GetString()!,
            (string?)null)).TextAsync())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonElement.Parse(line)).ToList();

        Assert.Equal(report.GetProperty("report").GetProperty("rejected").GetInt32(), letters.Count);
        Assert.All(letters, letter => Assert.DoesNotContain("--", letter.GetProperty("message").GetString(), StringComparison.Ordinal));
        Assert.Contains(letters, letter => letter.GetProperty("message").GetString()!.Contains("fix=time", StringComparison.Ordinal));
        Assert.Contains(letters, letter => letter.GetProperty("raw").GetRawText() == Records.Split('\n')[0]);
    }

    /// <summary>Its message may quote the record.</summary>
    [Fact]
    public async Task A_message_of_Mixpanel_stays_as_it_is()
    {
        await using var served = await Served.StartAsync(Answer.Json(
            """{"code":400,"error":"some data points in the request failed validation","failed_records":[{"index":0,"insert_id":"","field":"properties.a","message":"the value --fix time is odd"}],"num_records_imported":0,"status":"Bad Request"}""",
            400));
        var taken = await served.PostAsync("/v1/imports", """{"event":"A","properties":{"time":1790000000,"distinct_id":"u","a":"--fix time"}}""" + "\n",
            ("Content-Type", "application/x-ndjson"));
        var report = await ImportJobTests.EndAsync(served, taken.Headers.Location!.ToString());
        var letter =
            await (await served.SendAsync(HttpMethod.Get, report.GetProperty("report").GetProperty("dead_letter").GetString()!, (string?)null)).TextAsync();
        Assert.Contains("\"message\":\"the value --fix time is odd\"", letter, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_inspection_names_parameters_and_leaves_the_data_as_they_are()
    {
        await using var served = await Served.StartAsync();
        var found = await (await served.PostAsync("/v1/imports/inspect", Records, ("Content-Type", "application/x-ndjson"))).JsonAsync();

        Assert.Contains("fix=time", found.GetProperty("reasons").GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("--", found.GetProperty("reasons").GetRawText(), StringComparison.Ordinal);
        Assert.Contains("--fix ids", found.GetProperty("columns").GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no_header=true", "column_names A,B")]
    [InlineData("vendor=segment&event=A", "rename")]
    public async Task A_parameter_that_is_refused_is_told_with_the_names_of_others(string query, string says)
    {
        await using var served = await Served.StartAsync();
        foreach (var path in (string[])["/v1/imports", "/v1/imports/inspect"])
        {
            var detail =
                (await (await served.PostAsync($"{path}?{query}", "a,b\n1,2\n", ("Content-Type", "text/csv"))).JsonAsync()).GetProperty("detail").GetString();
            Assert.Contains(says, detail, StringComparison.Ordinal);
            Assert.DoesNotContain("--", detail, StringComparison.Ordinal);
        }
    }
}
