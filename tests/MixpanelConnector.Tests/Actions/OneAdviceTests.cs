using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

/// <summary>What a caller is told to do when Mixpanel answers that it is not available: one thing.</summary>
public class OneAdviceTests
{
    const string Again = "Try again later", Check = "heck ";

    public static TheoryData<string, string, string> Calls => new()
    {
        { "set_user_properties", """{"distinct_id":"u","properties":{"a":1}}""", Again },
        { "update_user_profiles", """{"updates":[{"$distinct_id":"u","$set":{"a":1}}]}""", Again },
        { "get_event_names", "{}", Again },
        { "increment_user_properties", """{"distinct_id":"u","properties":{"a":1}}""", Check },
        { "update_user_profiles", """{"updates":[{"$distinct_id":"u","$add":{"a":1}}]}""", Check },
        { "create_annotation", """{"date":"2026-01-31 13:00:00","description":"x"}""", Check },
        { "create_service_account", """{"username":"bot"}""", Check },
    };

    [Theory, MemberData(nameof(Calls))]
    public async Task A_call_is_either_repeated_or_checked(string action, string input, string advice)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json("{}", 503));
        using var client = new MixpanelClient(Given.Account().At(server) with { Token = Given.TokenText });

        var message = (await Assert.ThrowsAsync<MixpanelException>(() => client.CallAsync(action, input))).Error.Message;

        Assert.Equal((advice == Again, advice == Check),
            (message.Contains(Again, StringComparison.Ordinal), message.Contains(Check, StringComparison.Ordinal)));
        Assert.Equal(advice == Check, message.Contains("unknown", StringComparison.Ordinal));
    }
}
