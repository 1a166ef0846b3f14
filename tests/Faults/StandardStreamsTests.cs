namespace MixpanelConnector.Faults;

/// <summary>Nobody reads the output, or there is no space for it.</summary>
public sealed class StandardStreamsTests
{
    [Theory]
    [InlineData(">&-")]
    [InlineData(">/dev/full")]
    [InlineData("| true; exit ${PIPESTATUS[0]}")]
    public async Task A_result_that_cannot_be_printed_ends_with_7_and_the_import_is_done(string redirection)
    {
        await using var scene = Small();
        var ended = await ShellAsync(scene, redirection);
        Assert.True(ended.ExitCode == 7, ended.ToString());

        var again = await scene.RunAsync();
        Assert.True(again.ExitCode == 3, again.ToString());
        Assert.Equal("", scene.Judge(again));
        Assert.Equal(scene.Journal.Count, scene.Journal.Arrivals.Select(arrival => arrival.Oid).Distinct().Count()); // nothing was sent twice
    }

    [Theory]
    [InlineData("2>&-")]
    [InlineData("2>/dev/full")]
    [InlineData("2> >(true)")]
    [InlineData("<&-")]
    public async Task Without_anybody_to_talk_to_the_import_goes_on(string redirection)
    {
        await using var scene = Small();
        var ended = await ShellAsync(scene, redirection);
        Assert.True(ended.ExitCode == 3, ended.ToString());
        Assert.Equal("", scene.Judge(ended with { Error = "unheard"u8.ToArray() }));
    }

    static Scene Small() => new Scene().Given(new Lines { BadEvery = 5 }, 1000).With("--batch-events", "50");

    static async Task<Ended> ShellAsync(Scene scene, string redirection)
    {
        using var shell = Importer.StartOther("bash", ["-c", $"\"$@\" {redirection}", "bash", .. ToolUnderTest.Command, .. scene.Command], scene.Settings());
        return await scene.EndAsync(shell);
    }
}
