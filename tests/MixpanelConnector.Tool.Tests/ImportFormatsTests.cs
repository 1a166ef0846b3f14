using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

public class ImportFormatsTests
{
    const string Imported = """{"code":200,"num_records_imported":1,"status":"OK"}""";

    [Theory]
    [InlineData("orders.csv", ",")]
    [InlineData("orders.tsv", "\t")]
    [InlineData("orders", ",", "--format", "csv")]
    public async Task Columns_are_mapped_from_the_command_line(string name, string separator, params string[] options)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        var file = tool.Folder.Write(name, "action,at,customer,price\nbuy,1790000000,ann,1.10\n".Replace(",", separator, StringComparison.Ordinal));

        var run = await tool.RunAsync(["import", file, "--dry-run", "--output", "json", "--map", "event=action", "--map", "time=at", "--map", "distinct_id=customer", .. options]);

        Assert.Equal((0, 1), (run.Exit, run.Json.GetProperty("accepted").GetInt32()));
        Assert.Equal("", run.Err);
    }

    [Theory]
    [InlineData("event")]
    [InlineData("event=")]
    [InlineData("=action")]
    [InlineData("event=a", "--map", "event=b")]
    public async Task A_mapping_that_says_nothing_exits_2(params string[] mapping)
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);

        var run = await tool.RunAsync(["import", tool.Folder.Write("a.csv", "event\n"), "--map", .. mapping]);

        Assert.Equal((2, "map"), (run.Exit, run.Problem.GetProperty("field").GetString()));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_named_format_that_does_not_fit_exits_6()
    {
        await using var server = await RecordingServer.StartAsync();
        using var tool = Tool.At(server);

        var run = await tool.RunAsync("import", tool.Folder.Write("a.csv", "event\n"), "--format", "parquet", "--dry-run");

        Assert.Equal(6, run.Exit);
        Assert.Contains("is not a Parquet file", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_row_is_named_on_standard_error_and_kept()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        var file = tool.Folder.Write("a.csv", "event,time,distinct_id\nbuy,1790000000,ann\nbuy,1790000000\n");
        var dead = tool.Folder.File("dead.ndjson");

        var run = await tool.RunAsync("import", file, "--dead-letter", dead, "--no-progress");

        Assert.Equal(3, run.Exit);
        Assert.Contains("a.csv:3: ragged_row: the row has 2 cells, the header 3", run.Err, StringComparison.Ordinal);
        Assert.Contains("\"raw\":\"buy,1790000000\"", File.ReadAllText(dead), StringComparison.Ordinal);
        Assert.Contains("\"distinct_id\":\"ann\"", server.Request.Text, StringComparison.Ordinal);
    }
}
