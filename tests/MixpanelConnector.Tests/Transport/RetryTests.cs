using System.Net;
using System.Net.Sockets;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Transport;

/// <summary>When a request is retried, after which wait, and when it must not be.</summary>
public class RetryTests
{
    const string Created = """{"results":{"id":9,"username":"bot.x","token":"one-time"},"status":"ok"}""";
    static readonly CreateServiceAccountInput NewAccount = new() { Username = "bot" };

    public static readonly Dictionary<string, Answer> Troubles = new(StringComparer.Ordinal)
    {
        ["429"] = Answer.Json("""{"code":429,"error":"Project exceeded rate limits.","status":"Too Many Requests"}""", 429),
        ["408"] = Answer.Plain("", 408),
        ["500"] = Answer.Plain("<html>500</html>", 500, "text/html"),
        ["502"] = Answer.Plain("<html>502</html>", 502, "text/html"),
        ["503"] = Answer.Plain("", 503),
        ["504"] = Answer.Plain("", 504),
        ["400 Timeout Error."] = Answer.Json("""{"request":"/api/query/engage?project_id=1","error":"Timeout Error."}""", 400),
        ["400 Timeout Error in plain text"] = Answer.Plain("Timeout error\n", 400),
        ["422 Timeout Error in a list"] = Answer.Json("""{"error":["Timeout Error."]}""", 422),
        ["reset"] = Answer.Reset,
        ["200 cut without a length"] = Answer.Cut("""{"code":200,"num_reco"""),
        ["200 cut behind a nested object"] = Answer.Cut("""{"results":[{"$distinct_id":"1","$properties":{"a":1}}"""),
        ["200 cut in its length"] = Answer.RawText("HTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\n{\"code\":200"),
        ["200 cut in its chunks"] = Answer.RawText("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n{\"code\":200\r\n"),
    };

    public static TheoryData<string> TroubleNames => [.. Troubles.Keys];

    [Theory, MemberData(nameof(TroubleNames))]
    public async Task A_passing_trouble_is_answered_by_the_same_bytes_again(string trouble)
    {
        await using var server = await RecordingServer.StartAsync(Troubles[trouble], Troubles[trouble], Answer.Json(Given.Imported(50)));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.ImportEventsAsync(Given.Import(Given.Events(50)));

        Assert.Equal(("OK", 50), (output.Status, output.NumRecordsImported));
        Assert.Equal(3, server.Requests.Count);
        Assert.All(server.Requests, request =>
        {
            Assert.Equal(server.Requests[0].Line, request.Line);
            Assert.Equal(server.Requests[0].Body, request.Body);
            Assert.Equal("gzip", request.Header("Content-Encoding"));
        });
        Assert.Equal([TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)], client.Clock().Waits);
    }

    [Theory]
    [InlineData("429", ErrorKind.RateLimited)]
    [InlineData("503", ErrorKind.Unavailable)]
    [InlineData("400 Timeout Error.", ErrorKind.Unavailable)]
    [InlineData("400 Timeout Error in plain text", ErrorKind.Unavailable)]
    [InlineData("reset", ErrorKind.Unavailable)]
    [InlineData("200 cut without a length", ErrorKind.Protocol)]
    public async Task After_three_retries_the_trouble_is_told(string trouble, ErrorKind kind)
    {
        await using var server = await RecordingServer.StartAsync(_ => Troubles[trouble]);
        using var client = new MixpanelClient(Given.Account().At(server));

        var exception = await Given.FailsAsync(client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }));

        Assert.Equal(kind, exception.Error.Kind);
        Assert.Equal(4, server.Requests.Count);
        Assert.Equal([2, 4, 8], client.Clock().Waits.Select(wait => wait.TotalSeconds));
    }

    [Theory]
    [InlineData(0.0, 2.0, 4.0, 8.0)]
    [InlineData(0.5, 2.5, 4.5, 8.5)]
    [InlineData(1.0, 3.0, 5.0, 9.0)]
    public async Task Jitter_adds_up_to_half_the_first_wait(double random, double first, double second, double third)
    {
        await using var server = await RecordingServer.StartAsync(_ => Troubles["503"]);
        using var client = new MixpanelClient(Given.Account().At(server) with { Randomizer = () => random });

        await Given.FailsAsync(client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }));

        Assert.Equal([first, second, third], client.Clock().Waits.Select(wait => wait.TotalSeconds));
    }

    [Theory]
    [InlineData("7", 7.0)]
    [InlineData("0", null)]
    [InlineData("Mon, 23 Nov 2026 12:00:30 GMT", 30.0)]
    [InlineData("Mon, 23 Nov 2026 11:00:00 GMT", null)]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", 300.0)]
    [InlineData("1000000000", 300.0)]
    [InlineData("99999999999999999999", 2.0)]
    [InlineData("-5", 2.0)]
    [InlineData("soon", 2.0)]
    [InlineData("", 2.0)]
    public async Task Retry_after_is_honoured_within_bounds(string header, double? seconds)
    {
        await using var server = await RecordingServer.StartAsync(Troubles["429"].With("Retry-After", header), Answer.Json("""{"results":[],"status":"ok"}"""));
        var clock = new ImpatientClock(ImpatientClock.Noon, TimeSpan.FromSeconds(300));
        using var client = new MixpanelClient(Given.Account().At(server) with { TimeProvider = clock, AttemptTimeout = TimeSpan.FromHours(1) });

        await client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 });

        Assert.Equal(seconds is { } s ? [s] : [], clock.Waits.Select(wait => wait.TotalSeconds));
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task The_error_tells_how_long_Mixpanel_asked_to_wait()
    {
        await using var server = await RecordingServer.StartAsync(Troubles["429"].With("Retry-After", "90"));
        using var client = new MixpanelClient(Given.Account().At(server) with { MaxRetries = 0 });

        var error = (await Given.FailsAsync(client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }))).Error;

        Assert.Equal((ErrorKind.RateLimited, 429, TimeSpan.FromSeconds(90)), (error.Kind, error.HttpStatus, error.RetryAfter));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(402)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(413)]
    public async Task A_refusal_is_never_sent_again(int status)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("""{"error":"no"}""", status));
        using var client = new MixpanelClient(Given.Account().At(server));

        await Given.FailsAsync(client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }));

        Assert.Single(server.Requests);
        Assert.Empty(client.Clock().Waits);
    }

    [Theory]
    [InlineData("500")]
    [InlineData("502")]
    [InlineData("503")]
    [InlineData("504")]
    [InlineData("408")]
    [InlineData("400 Timeout Error.")]
    [InlineData("reset")]
    [InlineData("200 cut without a length")]
    [InlineData("200 cut in its length")]
    [InlineData("200 cut in its chunks")]
    public async Task An_account_whose_creation_is_uncertain_is_not_asked_for_again(string trouble)
    {
        await using var server = await RecordingServer.StartAsync(Troubles[trouble], Answer.Json(Created, 201));
        using var client = new MixpanelClient(Given.Account().At(server));

        var exception = await Given.FailsAsync(client.CreateServiceAccountAsync(NewAccount));

        Assert.Single(server.Requests);
        Assert.Contains("may have been created", exception.Message, StringComparison.Ordinal);
        Assert.Contains("get_all_service_accounts", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_that_was_certainly_not_created_is_asked_for_again()
    {
        await using var server = await RecordingServer.StartAsync(Troubles["429"], Troubles["429"].With("Retry-After", "9"), Answer.Json(Created, 201));
        using var client = new MixpanelClient(Given.Account().At(server));

        var output = await client.CreateServiceAccountAsync(NewAccount);

        Assert.Equal("true", output.ServiceAccountCreated);
        Assert.Equal([2, 9], client.Clock().Waits.Select(wait => wait.TotalSeconds));
        Assert.Single(server.Requests.Select(request => request.Text).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_connection_that_never_opened_is_tried_again_even_to_create()
    {
        using var client = new MixpanelClient(Given.Account() with { Endpoint = ClosedPort() });

        var exception = await Given.FailsAsync(client.CreateServiceAccountAsync(NewAccount));

        Assert.Equal(ErrorKind.Unavailable, exception.Error.Kind);
        Assert.DoesNotContain("may have been created", exception.Message, StringComparison.Ordinal);
        Assert.Equal(3, client.Clock().Waits.Count);
    }

    [Fact]
    public async Task A_deadline_of_the_callers_client_counts_as_uncertain()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Stall, Answer.Json(Created, 201));
        using var http = new HttpClient { Timeout = TimeSpan.FromMilliseconds(300) };
        using var client = new MixpanelClient(Given.Account().At(server), http);

        var exception = await Given.FailsAsync(client.CreateServiceAccountAsync(NewAccount));

        Assert.Equal(ErrorKind.Timeout, exception.Error.Kind);
        Assert.Contains("may have been created", exception.Message, StringComparison.Ordinal);
        Assert.InRange(server.Requests.Count, 0, 1); // a slow machine may not get so far in time; a second request is the mistake
    }

    [Fact]
    public async Task No_retries_means_one_try()
    {
        await using var server = await RecordingServer.StartAsync(_ => Troubles["503"]);
        using var client = new MixpanelClient(Given.Account().At(server) with { MaxRetries = 0 });

        await Given.FailsAsync(client.GetAllServiceAccountsAsync(new() { OrganizationId = 1 }));

        Assert.Single(server.Requests);
    }

    /// <summary>An address at which nobody listens.</summary>
    static Uri ClosedPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound but not listening: a connection is refused
        return new Uri($"http://127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}");
    }
}
