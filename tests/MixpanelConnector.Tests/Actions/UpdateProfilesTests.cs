using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Actions;

public sealed class UpdateProfilesTests
{
    [Theory]
    [InlineData(30, 400_000, "24,6")]
    [InlineData(2001, 10, "2000,1")]
    [InlineData(3, 12_000_000, "1,1,1")]
    public async Task Updates_go_in_as_few_requests_as_they_fit_into_in_order(int count, int size, string requests)
    {
        using var mixpanel = new MixpanelDouble();
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Given.Token(), http);
        JsonObject[] updates =
        [
            .. Enumerable.Range(0, count)
                .Select(i => new JsonObject { ["$distinct_id"] = $"u{i}", ["$set"] = new JsonObject { ["p"] = new string('x', size) } }),
        ];

        Assert.Equal(1, (await client.UpdateUserProfilesAsync(new() { Updates = updates }, TestContext.Current.CancellationToken)).Status);

        Assert.Equal(requests, string.Join(',', mixpanel.Requests.Select(request => request.Records.Count)));
        Assert.Equal(updates.Select(update => (string?)update["$distinct_id"]),
            mixpanel.Stored.Select(record => (string?)JsonNode.Parse(record)!["$distinct_id"]), StringComparer.Ordinal);
        Assert.All(mixpanel.Requests, request => Assert.True(request.Body.Length <= 10_000_000 || request.Records.Count == 1));
    }

    [Fact]
    public async Task Only_requests_without_sums_and_appended_values_are_sent_again()
    {
        using var mixpanel = new MixpanelDouble();
        var broken = new HashSet<int>();
        mixpanel.Script = request => broken.Add(mixpanel.Requests.Count) && mixpanel.Requests.Count != 2 ? MixpanelDouble.Answer(500, "") : null;
        using var http = new HttpClient(mixpanel) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(Given.Token(), http);
        JsonObject[] updates =
        [
            .. Enumerable.Range(0, 2001)
                .Select(i => new JsonObject { ["$distinct_id"] = $"u{i}", [i < 2000 ? "$set" : "$add"] = new JsonObject { ["n"] = 1 } }),
        ];

        var error = (await Given.FailsAsync(client.UpdateUserProfilesAsync(new() { Updates = updates }, TestContext.Current.CancellationToken))).Error;

        Assert.Equal("2000,2000,1", string.Join(',', mixpanel.Requests.Select(request => request.Records.Count)));
        Assert.Contains("2000 of 2001 updates had already been accepted. It may have been done", error.Message, StringComparison.Ordinal);
    }
}
