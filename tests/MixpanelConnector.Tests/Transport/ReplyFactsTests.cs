using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Transport;

/// <summary>The facts of Mixpanel's replies: in errors, in the callback of the application, and in the log.</summary>
public class ReplyFactsTests
{
    const string NoAccounts = """{"results":[],"status":"ok"}""";
    static readonly GetAllServiceAccountsInput Organization = new() { OrganizationId = 7 };

    /// <summary>Calls by different ways through the library, each of which Mixpanel refuses.</summary>
    public static TheoryData<string> Calls =>
        [
            "declared", "executed", "report", "create", "import", "track", "update", "pages", "stream", "streamed", "flags", "check", "rotate", "organization",
            "tracker",
        ];

    [Theory, MemberData(nameof(Calls))]
    public async Task An_error_has_the_facts_of_the_reply_it_is_about(string call)
    {
        await using var server = await RecordingServer.StartAsync(request => call == "rotate" && request.Path.EndsWith("/7", StringComparison.Ordinal)
            ? Answer.Json("""{"results":{"id":7,"username":"old"},"status":"ok"}""")
            : Answer.Json("""{"error":"no"}""", 403).With("X-Request-Id", "req-1"));
        using var client = new MixpanelClient(Given.Account().At(server) with { Token = Given.TokenText, OrganizationId = call == "organization" ? null : 77 });

        var error = await ErrorOfAsync(client, call);

        Assert.Equal((403, "req-1", 1), (error.HttpStatus, error.RequestId, error.Attempts));
    }

    /// <summary>Calls whose replies are cut off after the headers.</summary>
    [Theory]
    [InlineData("declared")]
    [InlineData("executed")]
    [InlineData("create")]
    [InlineData("import")]
    [InlineData("stream")]
    [InlineData("streamed")]
    [InlineData("check")]
    public async Task An_error_about_a_reply_that_is_cut_off_has_the_id_that_arrived(string call)
    {
        await using var server = await RecordingServer.StartAsync(_ =>
            Answer.RawText("HTTP/1.1 200 OK\r\nx-request-id: req-1\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{\"results\":"));
        using var client = new MixpanelClient(Given.Account().At(server) with { Token = Given.TokenText });

        var error = await ErrorOfAsync(client, call);

        Assert.Equal((ErrorKind.Unavailable, 200, "req-1"), (error.Kind, error.HttpStatus, error.RequestId));
    }

    [Fact]
    public async Task An_error_about_a_reply_that_is_too_large_has_its_id()
    {
        await using var server = await RecordingServer.StartAsync(_ =>
            Answer.RawText("HTTP/1.1 200 OK\r\nx-request-id: req-1\r\nContent-Length: 500000000\r\nConnection: close\r\n\r\n{\"results\":"));
        using var client = new MixpanelClient(Given.Account().At(server));

        var error = (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error;

        Assert.Equal((ErrorKind.Protocol, "req-1"), (error.Kind, error.RequestId));
    }

    [Theory]
    [InlineData("11", 1)]
    [InlineData("10", 4)]
    [InlineData(null, 4)]
    public async Task A_call_does_not_wait_longer_than_its_options_allow(string? retryAfter, int requests)
    {
        await using var server =
            await RecordingServer.StartAsync(_ => retryAfter is null ? Answer.Json("{}", 429) : Answer.Json("{}", 429).With("Retry-After", retryAfter));
        using var client = new MixpanelClient(Given.Account().At(server) with { MaxRetryAfter = TimeSpan.FromSeconds(10) });

        var error = (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error;

        Assert.Equal((ErrorKind.RateLimited, requests, requests), (error.Kind, error.Attempts, server.Requests.Count));
        Assert.Equal(retryAfter, error.RetryAfter?.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("x-request-id", "a-1", "a-1")]
    [InlineData("X-Mp-Request-Id", "a-2", "a-2")]
    [InlineData("x-request-id", "", null)]
    [InlineData("x-amzn-trace-id", "a-3", null)]
    [InlineData("x-request-id", $"for {Given.TokenText}", "for ***")]
    public async Task The_id_is_shown_only_as_any_text_of_others_is(string header, string value, string? shown)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("{}", 404).With(header, value));
        using var client = new MixpanelClient(Given.Account().At(server) with { Token = Given.TokenText });

        Assert.Equal(shown, (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error.RequestId);
    }

    [Fact]
    public async Task Of_several_ids_the_first_is_shown()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("{}", 404).With("x-request-id", "first").With("x-request-id", "second"));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal("first", (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error.RequestId);
    }

    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", 0)]
    [InlineData("0", 0)]
    [InlineData("7", 7)]
    [InlineData("9999", 9999)]
    [InlineData("604801", 604800)]
    [InlineData("2147483647", 604800)]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", 604800)]
    public async Task A_wait_is_never_negative_nor_longer_than_7_days(string header, int seconds)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("{}", 429).With("Retry-After", header));
        using var client = new MixpanelClient(Given.Account().At(server) with { MaxRetries = 0 });

        Assert.Equal(TimeSpan.FromSeconds(seconds), (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error.RetryAfter);
    }

    [Fact]
    public async Task What_the_ledger_holds_back_after_an_attempt_was_sent_before()
    {
        using var folder = new TemporaryFolder();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("{}", 503));
        using var client = new MixpanelClient(Given.Account().At(server) with { Ledger = new(folder.Path) { CallsPerHour = 2 } });

        var error = (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error;

        Assert.Equal((ErrorKind.RateLimited, 2, 2), (error.Kind, error.Attempts, server.Requests.Count));
        Assert.Contains("it was not sent again", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ledger_that_another_process_keeps_locked_ends_a_call()
    {
        using var folder = new TemporaryFolder();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":[],"page":0,"status":"ok"}"""));
        var ledger = new CallLedger(folder.Path) { LockTimeout = TimeSpan.Zero };
        using var client = new MixpanelClient(Given.Account().At(server) with { Ledger = ledger });
        await client.QueryUserProfilesAsync(new());
        using (MixpanelConnector.Files.FileLock.TryTake(Assert.Single(Directory.GetFiles(folder.Path))))
        {
            var error = (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error;
            Assert.Equal(ErrorKind.Unavailable, error.Kind);
            Assert.Contains("locked", error.Message, StringComparison.Ordinal);
        }

        await client.QueryUserProfilesAsync(new());
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task A_ledger_counts_more_calls_than_it_keeps_at_first()
    {
        using var folder = new TemporaryFolder();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":[],"page":0,"status":"ok"}"""));
        using var client = new MixpanelClient(Given.Account().At(server) with { Ledger = new(folder.Path) { CallsPerHour = 5000 } });
        await client.QueryUserProfilesAsync(new());
        var list = Assert.Single(Directory.GetFiles(folder.Path));
        var entry = File.ReadAllText(list);
        File.WriteAllText(list, string.Concat(Enumerable.Repeat(entry, 5000)));

        Assert.Equal(ErrorKind.RateLimited, (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error.Kind);
    }

    [Fact]
    public async Task An_id_is_one_short_line()
    {
        await using var server = await RecordingServer.StartAsync(_ =>
            Answer.RawText($"HTTP/1.1 404 Not Found\r\nx-request-id: \u001b[31m{new string('a', 5000)}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"));
        using var client = new MixpanelClient(Given.Account().At(server));

        Assert.Equal($"[31m{new string('a', 95)}…", (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error.RequestId);
    }

    [Fact]
    public async Task Attempts_are_counted_and_each_reply_is_reported()
    {
        var replies = new ConcurrentQueue<MixpanelReply>();
        await using var server = await RecordingServer.StartAsync(
            Answer.Plain("", 503).With("x-request-id", "first"),
            Answer.Reset,
            Answer.Plain("", 429).With("x-request-id", "third").With("Retry-After", "7"),
            Answer.Json(NoAccounts).With("x-request-id", "fourth"));
        using var client = new MixpanelClient(Given.Account().At(server) with { OnReply = replies.Enqueue });

        await client.GetAllServiceAccountsAsync(Organization);

        Assert.Equal(
            [(503, "first", 1, null), (429, "third", 3, TimeSpan.FromSeconds(7)), (200, "fourth", 4, null)],
            replies.Select(reply => (reply.HttpStatus, reply.RequestId, reply.Attempts, reply.RetryAfter)));
        Assert.All(replies, reply => Assert.Equal(("GET", "/api/app/organizations/7/service-accounts"), (reply.Method, reply.Path)));
    }

    [Fact]
    public async Task Without_a_reply_the_attempts_are_told_all_the_same()
    {
        var replies = new ConcurrentQueue<MixpanelReply>();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Reset);
        using var client = new MixpanelClient(Given.Account().At(server) with { OnReply = replies.Enqueue });

        var error = (await Given.FailsAsync(client.GetAllServiceAccountsAsync(Organization))).Error;

        Assert.Equal((null, null, 4), (error.HttpStatus, error.RequestId, error.Attempts));
        Assert.Empty(replies);
    }

    [Fact]
    public async Task An_error_without_a_request_has_no_attempts()
    {
        using var folder = new TemporaryFolder();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"results":[],"page":0,"status":"ok"}""").With("x-request-id", "req-1"));
        using var client = new MixpanelClient(Given.Account().At(server) with { Ledger = new(folder.Path) { CallsPerHour = 1 } });
        await client.QueryUserProfilesAsync(new());

        var usedUp = (await Given.FailsAsync(client.QueryUserProfilesAsync(new()))).Error;
        var invalid = (await Given.FailsAsync(client.QueryUserProfilesAsync(new() { Page = -1 }))).Error;

        Assert.Equal((ErrorKind.RateLimited, 0, null), (usedUp.Kind, usedUp.Attempts, usedUp.RequestId));
        Assert.Equal((ErrorKind.InvalidInput, 0, null), (invalid.Kind, invalid.Attempts, invalid.RequestId));
    }

    [Fact]
    public async Task A_stream_reports_its_reply_when_it_begins()
    {
        var replies = new ConcurrentQueue<MixpanelReply>();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("""{"event":"A","properties":{}}""").With("x-request-id", "req-1"));
        using var client = new MixpanelClient(Given.Account().At(server) with { OnReply = replies.Enqueue });

        await foreach (var each in client.ExportAllEventsAsync(new() { FromDate = new(2026, 10, 1), ToDate = new(2026, 10, 1) }))
            Assert.Equal("req-1", Assert.Single(replies).RequestId);

        Assert.Single(replies);
    }

    [Fact]
    public async Task A_callback_that_throws_harms_nothing_and_is_logged_without_its_message()
    {
        using var log = new RecordedLog();
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(NoAccounts));
        using var client =
            new MixpanelClient(Given.Account().At(server) with { LoggerFactory = log, OnReply = _ => throw new InvalidOperationException("confidential") });

        Assert.Equal(0, (await client.GetAllServiceAccountsAsync(Organization)).Total);

        Assert.Single(server.Requests);
        Assert.Equal("Warning: The application's OnReply failed, which is ignored", Assert.Single(log.From(LogLevel.Warning)));
    }

    [Fact]
    public async Task The_log_names_the_request()
    {
        using var log = new RecordedLog();
        await using var server =
            await RecordingServer.StartAsync(Answer.Plain("", 503).With("x-request-id", "req-1"), Answer.Json(NoAccounts).With("x-request-id", "req-2"));
        using var client = new MixpanelClient(Given.Account().At(server) with { LoggerFactory = log });

        await client.GetAllServiceAccountsAsync(Organization);

        Assert.Equal("Warning: Attempt 1 failed with status 503, request id req-1; retrying in 2.0 s", Assert.Single(log.From(LogLevel.Warning)));
        Assert.Matches(@"answered 200 in \d+ ms, request id req-2$", log.From(LogLevel.Debug)[^1]);
    }

    static async Task<MixpanelError> ErrorOfAsync(MixpanelClient client, string call)
    {
        if (call == "check") return (await client.CheckAsync())[0].Error!;
        return (await Given.FailsAsync(() => CallAsync(client, call))).Error;
    }

    static async Task CallAsync(MixpanelClient client, string call)
    {
        switch (call)
        {
            case "declared":
                await client.GetAllServiceAccountsAsync(Organization);
                break;
            case "executed":
                await client.QueryUserProfilesAsync(new());
                break;
            case "report":
                await client.QueryEventCountsAsync(new() { Events = ["A"], Interval = 1 });
                break;
            case "create":
                await client.CreateServiceAccountAsync(new() { Username = "bot" });
                break;
            case "import":
                await client.ImportEventsAsync(Given.Import(Given.Event("x")));
                break;
            case "track":
                await client.TrackEventAsync(Given.Track());
                break;
            case "update":
                await client.UpdateUserProfilesAsync(new() { Updates = [new() { ["$distinct_id"] = "u", ["$set"] = new JsonObject() }] });
                break;
            case "pages":
                await foreach (var profile in client.QueryAllUserProfilesAsync(new())) Assert.Fail(profile.DistinctId);
                break;
            case "stream":
                await foreach (var each in client.ExportAllEventsAsync(new() { FromDate = new(2026, 10, 1), ToDate = new(2026, 10, 1) }))
                    Assert.Fail(each.Event);
                break;
            case "streamed":
                await client.ExportEventsAsync(new() { FromDate = new(2026, 10, 1), ToDate = new(2026, 10, 1) });
                break;
            case "flags":
                await client.FetchFlagsAsync();
                break;
            case "rotate":
                await client.RotateServiceAccountAsync(new() { Id = 7 }, (_, _) => Task.CompletedTask);
                break;
            case "organization":
                await client.CreateServiceAccountAsync(new() { Username = "bot" });
                break;
            case "tracker":
                await using (var tracker = new MixpanelTracker(client, new() { StopTimeout = TimeSpan.Zero }))
                {
                    tracker.Track("E", "u");
                    await tracker.FlushAsync();
                }

                break;
        }
    }
}
