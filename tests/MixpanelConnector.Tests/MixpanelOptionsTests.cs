using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests;

/// <summary>Options and inputs that the client refuses before anything is sent, when used from code.</summary>
public class MixpanelOptionsTests
{
    static readonly MixpanelSecret Secret = new("s");

    static readonly Dictionary<string, (MixpanelOptions Options, string Field)> Mistakes = new(StringComparer.Ordinal)
    {
        ["http off loopback"] = (new() { Endpoint = new("http://example.com") }, "endpoint"),
        ["another scheme"] = (new() { Endpoint = new("ftp://127.0.0.1") }, "endpoint"),
        ["a relative address"] = (new() { Endpoint = new("proxy", UriKind.Relative) }, "endpoint"),
        ["a user in the address"] = (new() { Endpoint = new("https://user:password@example.com") }, "endpoint"),
        ["a query in the address"] = (new() { Endpoint = new("https://example.com?a=b") }, "endpoint"),
        ["a fragment in the address"] = (new() { Endpoint = new("https://example.com#a") }, "endpoint"),
        ["a region beyond"] = (new() { Region = (MixpanelRegion)9 }, "region"),
        ["an empty token"] = (new() { Token = "" }, "token"),
        ["a line break in the token"] = (new() { Token = "a\r\nX-Evil: 1" }, "token"),
        ["a colon in the user name"] = (new() { ServiceAccount = new("a:b", Secret) }, "service_account_username"),
        ["a letter beyond ASCII in the user name"] = (new() { ServiceAccount = new("ü", Secret) }, "service_account_username"),
        ["no secret"] = (new() { ServiceAccount = new("a", null!) }, "service_account_secret"),
        ["project 0"] = (new() { ProjectId = 0 }, "project_id"),
        ["organization -1"] = (new() { OrganizationId = -1 }, "organization_id"),
        ["retries below 0"] = (new() { MaxRetries = -1 }, "max_retries"),
        ["no first wait"] = (new() { BackoffMin = TimeSpan.Zero }, "backoff_min"),
        ["waits upside down"] = (new() { BackoffMin = TimeSpan.FromSeconds(61) }, "backoff_min"),
        ["a wait of weeks"] = (new() { BackoffMax = TimeSpan.FromDays(60) }, "backoff_max"),
        ["no deadline"] = (new() { AttemptTimeout = TimeSpan.Zero }, "attempt_timeout"),
        ["an endless deadline"] = (new() { AttemptTimeout = TimeSpan.MaxValue }, "attempt_timeout"),
    };

    public static TheoryData<string> MistakeNames => [.. Mistakes.Keys];

    [Theory, MemberData(nameof(MistakeNames))]
    public void An_option_out_of_range_is_named(string mistake)
    {
        var (options, field) = Mistakes[mistake];
        using var http = new HttpClient { Timeout = Hang.Limit };

        foreach (var make in (Func<MixpanelClient>[])[() => new(options), () => new(options, http)])
        {
            var error = Assert.Throws<MixpanelException>(() => make().Dispose()).Error;
            Assert.Equal((ErrorKind.InvalidInput, field), (error.Kind, error.Field));
            Assert.DoesNotContain("password", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_defaults_are_those_that_Mixpanel_advises()
    {
        using var client = new MixpanelClient(new());

        Assert.Equal(
            (MixpanelRegion.Us, 3, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(60), (TimeSpan?)null),
            (client.Options.Region, client.Options.MaxRetries, client.Options.BackoffMin, client.Options.BackoffMax, client.Options.AttemptTimeout));
    }

    static readonly Dictionary<string, (Func<MixpanelClient, Task> Call, string Field)> Calls = new(StringComparer.Ordinal)
    {
        ["half a character in a filter"] = (client => client.QueryUserProfilesAsync(new() { Where = "\ud800" }).AsTask(), "where"),
        ["half a character in a user name"] = (client => client.CreateServiceAccountAsync(new() { Username = "a\udc00" }).AsTask(), "username"),
        ["half a character in an event's name"] = (client => client.TrackEventAsync(Given.Track("\ud800")).AsTask(), "event"),
        ["no event"] = (client => client.ImportEventsAsync(Given.Import(Given.Event("x"), null!)).AsTask(), "events[1]"),
        ["an event without a name"] = (client => client.ImportEventsAsync(Given.Import(new EventData { Event = null! })).AsTask(), "events[0]"),
        ["a property given twice"] = (
            client => client.TrackEventAsync(new()
            {
                Event = "x",
                Properties = new() { Time = 1, DistinctId = "", InsertId = "a", Other = new JsonObject { ["time"] = 2 } },
            }).AsTask(),
            "properties.time"),
        ["no properties"] = (client => client.TrackEventAsync(new() { Event = "x", Properties = null! }).AsTask(), "properties"),
    };

    public static TheoryData<string> CallNames => [.. Calls.Keys];

    [Theory, MemberData(nameof(CallNames))]
    public async Task What_the_types_let_pass_is_named_too(string mistake)
    {
        using var client = new MixpanelClient(Given.Account());

        var error = (await Given.FailsAsync(() => Calls[mistake].Call(client))).Error;

        Assert.Equal((ErrorKind.InvalidInput, Calls[mistake].Field), (error.Kind, error.Field));
    }
}
