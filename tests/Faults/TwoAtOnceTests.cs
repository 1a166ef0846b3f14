using System.Text.Json.Nodes;

namespace MixpanelConnector.Faults;

/// <summary>Two concurrent processes that export to the same destination, or migrate between the same projects.</summary>
public sealed class TwoAtOnceTests
{
    [Theory]
    [InlineData("folder")]
    [InlineData("s3://b/x/")]
    public async Task A_second_export_into_the_same_place_ends_with_8_and_the_first_goes_on(string place)
    {
        var (asked, gate) = (Signalled(), Signalled());
        await using var mixpanel = await RecordingServer.StartAsync(request =>
        {
            asked.TrySetResult();
            gate.Task.Wait();
            return Exports.AnswerTo(request);
        });
        await using var bucket = await Bucket.StartAsync();
        using var folder = new TemporaryFolder();
        var exports = new Exports(mixpanel, bucket, folder);
        var to = place == "folder" ? folder.File("out") : place;
        using var first = exports.Start(to);
        await Task.WhenAny(asked.Task, first.Exit);

        var second = await exports.RunAsync(to);
        Assert.True(second.ExitCode == 8, second.ToString());
        Assert.Contains("Another export", second.Said, StringComparison.Ordinal);
        Assert.Single(mixpanel.Requests);

        gate.SetResult();
        var done = await first.EndAsync();
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal(Exports.Days,
            Exports.Entries(place == "folder"
                ? await File.ReadAllBytesAsync(Path.Combine(to, "manifest.json"), TestContext.Current.CancellationToken)
                : bucket.Of("x/manifest.json")!).Count());
    }

    /// <summary>They share no folder for locks: the manifest in the bucket stops the one that lags behind.</summary>
    [Fact]
    public async Task Of_two_machines_that_export_into_one_prefix_the_one_that_lags_behind_ends_with_8()
    {
        var (asked, stopped) = (Signalled(), Signalled());
        await using var mixpanel = await RecordingServer.StartAsync(request =>
        {
            asked.TrySetResult();
            stopped.Task.Wait();
            return Exports.AnswerTo(request);
        });
        await using var bucket = await Bucket.StartAsync();
        using var folder = new TemporaryFolder();
        var exports = new Exports(mixpanel, bucket, folder);
        using var first = exports.Start("s3://b/x/", "state-of-one-machine");
        await Task.WhenAny(asked.Task, first.Exit);
        first.Send(Signal.Stop);
        await first.UntilStateAsync('T');
        stopped.SetResult();

        var second = await exports.RunAsync("s3://b/x/", "state-of-another-machine");
        Assert.True(second.ExitCode == 0, second.ToString());
        var manifest = bucket.Of("x/manifest.json")!;

        first.Send(Signal.Cont);
        var lagging = await first.EndAsync();
        Assert.True(lagging.ExitCode == 8, lagging.ToString());
        Assert.Equal(manifest, bucket.Of("x/manifest.json")!);
        Assert.All(Exports.Entries(manifest),
            entry => Assert.Equal((long)entry["bytes"]!, entry["name"] is { } name ? bucket.Of("x/" + (string)name!)!.Length : 0));
    }

    [Fact]
    public async Task A_second_migration_between_the_same_projects_ends_with_8_and_the_first_goes_on()
    {
        var (asked, gate) = (Signalled(), Signalled());
        await using var mixpanel = await RecordingServer.StartAsync(request =>
        {
            asked.TrySetResult();
            gate.Task.Wait();
            return request.Path == "/import"
                ? Answer.Json($$"""{"code":200,"num_records_imported":{{request.Json.GetArrayLength()}},"status":"OK"}""")
                : Exports.AnswerTo(request);
        });
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("config/mixpanel"));
        var profiles = folder.Write("config/mixpanel/profiles.json", $$"""{"old":{{ProfileOf(1)}},"new":{{ProfileOf(2)}}}""");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(profiles, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var first = Start();
        await Task.WhenAny(asked.Task, first.Exit);

        using var other = Start();
        var second = await other.EndAsync();
        Assert.True(second.ExitCode == 8, second.ToString());
        Assert.Single(mixpanel.Requests);

        gate.SetResult();
        var done = await first.EndAsync();
        Assert.True(done.ExitCode == 0, done.ToString());
        Assert.Equal(8505, (int)JsonNode.Parse(done.Output)!["events"]!["accepted"]!);

        string ProfileOf(int project) =>
            $$"""{"endpoint":"{{mixpanel.Url}}","project_id":{{project}},"token":"token-{{project}}","service_account_username":"robot","service_account_secret":"s3cret-of-the-account"}""";

        Importer Start() => Importer.Start(
            ["migrate", "--from", "old", "--to", "new", "--only", "events", "--from-date", "2026-10-01", "--to-date", "2026-10-03", "--output", "json",
                "--calls-per-hour", "0", "--calls-per-second", "0", "--parallel", "1"],
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["HOME"] = folder.Path,
                ["XDG_CONFIG_HOME"] = folder.File("config"),
                ["XDG_STATE_HOME"] = folder.File("state"),
            });
    }

    static TaskCompletionSource Signalled() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
