using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests;

public class ImportCommandTests
{
    const string Imported = """{"code":200,"num_records_imported":1,"status":"OK"}""";

    [Fact]
    public async Task Cleaning_is_done_as_the_options_say_and_reported()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        var input = tool.Folder.Write("in.ndjson", """{"event":"e","properties":{"ts":"2026-09-21T13:46:40Z","x":null,"debug":1,"more":2,"user":"u","$insert_id":"i"}}""");

        var run = await tool.RunAsync("import", input, "--fix", "time,nulls", "--rename", "ts=time", "--rename", "user=$user_id", "--fix", "ids", "--drop", "debug", "--drop", "more", "--time-offset", "-0.5", "--output", "json");

        Assert.Equal((0, ""), (run.Exit, run.Err));
        Assert.Equal("""{"time":1,"ids":1,"nulls":1,"renamed":1,"dropped":1,"time_offset":1}""", run.Json.GetProperty("fixed").GetRawText());
        Assert.Equal("""[{"event":"e","properties":{"distinct_id":"u","time":1789996600000,"$user_id":"u","$insert_id":"i"}}]""", server.Request.Text);

        // Other cleaning makes other records: the checkpoint is not for them.
        var other = await tool.RunAsync("import", input, "--fix", "time");
        Assert.Equal((2, "restart"), (other.Exit, other.Problem.GetProperty("field").GetString()));
    }

    [Theory]
    [InlineData("fix", "--fix", "times")]
    [InlineData("rename", "--rename", "a")]
    [InlineData("rename", "--rename", "a=b=c")]
    [InlineData("rename", "--rename", "a=event")]
    [InlineData("time_offset", "--time-offset", "soon")]
    [InlineData("time_offset", "--time-offset", "1e9")]
    [InlineData("rename", "--rename", "a=b", "--rename", "a=c")]
    [InlineData("drop", "--drop", "")]
    public async Task A_cleaning_that_makes_no_sense_is_refused_and_nothing_is_sent(string field, params string[] options)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(Imported));
        using var tool = Tool.At(server);
        var input = tool.Folder.Write("in.ndjson", "{}");

        var run = await tool.RunAsync(["import", input, .. options]);

        Assert.Equal((2, "", field), (run.Exit, run.Out, run.Problem.GetProperty("field").GetString()));
        Assert.Empty(server.Requests);
    }
}
