using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Transport;

/// <summary>What is used after it was disposed says so, and does not look like a failure of Mixpanel or of the library.</summary>
public class DisposedTests
{
    /// <summary>Calls of a client, by different ways through the library.</summary>
    public static TheoryData<string> Calls => ["declared", "json", "pages", "stream", "import", "inspect", "export", "check", "rotate", "tracker", "flags"];

    [Theory, MemberData(nameof(Calls))]
    public async Task A_call_of_a_disposed_client_names_the_client(string call)
    {
        using var folder = new TemporaryFolder();
        await using var server = await RecordingServer.StartAsync();
        var client = new MixpanelClient(Given.Account().At(server) with { Token = Given.TokenText });
        client.Dispose();

        var failure = await Assert.ThrowsAsync<ObjectDisposedException>(() => CallAsync(client, call, folder));

        Assert.Equal(typeof(MixpanelClient).FullName, failure.ObjectName);
        Assert.Equal(12345, client.Options.ProjectId);
        Assert.Empty(server.Requests);
        client.Dispose();
    }

    [Fact]
    public async Task A_client_whose_HttpClient_was_disposed_says_what_was()
    {
        await using var server = await RecordingServer.StartAsync();
        var http = new HttpClient { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Given.Account().At(server), http);
        http.Dispose();

        var error = (await Given.FailsAsync(client.GetAllServiceAccountsAsync(new() { OrganizationId = 7 }))).Error;

        Assert.Equal(ErrorKind.Unavailable, error.Kind);
        Assert.StartsWith("The HTTP client was disposed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tracker_that_was_disposed_takes_no_records_and_says_so()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Given.ImportedOne));
        var tracker = new MixpanelTracker(Given.Account().At(server) with { TimeProvider = TimeProvider.System });
        tracker.Track("A", "u");
        await tracker.StopAsync(TestContext.Current.CancellationToken);
        await tracker.DisposeAsync();

        Assert.False(tracker.Track("A", "u"));
        Assert.Equal("The tracker was stopped.", tracker.LastError!.Message);
        Assert.Equal("The tracker was stopped.", (await Given.FailsAsync(() => tracker.TrackAsync("A", "u").AsTask())).Message);
        await tracker.FlushAsync(TestContext.Current.CancellationToken);
        await tracker.StopAsync(TestContext.Current.CancellationToken);
        tracker.Dispose();
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_tracker_whose_client_was_disposed_says_what_was()
    {
        await using var server = await RecordingServer.StartAsync();
        var client = new MixpanelClient(Given.Account().At(server));
        await using var tracker = new MixpanelTracker(client, new() { StopTimeout = TimeSpan.Zero });
        client.Dispose();
        tracker.Track("A", "u");

        await tracker.StopAsync(new CancellationToken(canceled: true));

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Flags_that_were_disposed_keep_what_they_have()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"flags":[]}"""));
        var flags = new MixpanelFlags(Given.Token().At(server) with { TimeProvider = TimeProvider.System });
        Assert.True(await flags.WaitUntilReadyAsync(Hang.Limit, TestContext.Current.CancellationToken));
        await flags.DisposeAsync();
        await flags.DisposeAsync();

        Assert.Empty(flags.Keys);
        Assert.True(await flags.WaitUntilReadyAsync(TimeSpan.Zero, TestContext.Current.CancellationToken));
    }

    static async Task CallAsync(MixpanelClient client, string call, TemporaryFolder folder)
    {
        switch (call)
        {
            case "declared":
                await client.GetAllServiceAccountsAsync(new() { OrganizationId = 7 });
                break;
            case "json":
                await client.CallAsync("query_user_profiles", "{}");
                break;
            case "pages":
                await foreach (var profile in client.QueryAllUserProfilesAsync(new())) Assert.Fail(profile.DistinctId);
                break;
            case "stream":
                await foreach (var each in client.ExportAllEventsAsync(new() { FromDate = new(2026, 10, 1), ToDate = new(2026, 10, 1) }))
                    Assert.Fail(each.Event);
                break;
            case "import":
                await client.ImportAsync(new() { Inputs = [folder.Write("events.ndjson", "{}")], DryRun = true }, state: null);
                break;
            case "inspect":
                await client.InspectAsync(new() { Inputs = [folder.Write("events.ndjson", "{}")] });
                break;
            case "export":
                await client.ExportAsync(new() { Folder = folder.File("export"), Kind = ExportKind.Profiles });
                break;
            case "check":
                await client.CheckAsync();
                break;
            case "rotate":
                await client.RotateServiceAccountAsync(new() { Id = 7 }, (_, _) => Task.CompletedTask);
                break;
            case "tracker":
                await using (new MixpanelTracker(client)) Assert.Fail("It was created.");
                break;
            case "flags":
                await using (new MixpanelFlags(client)) Assert.Fail("It was created.");
                break;
        }
    }
}
