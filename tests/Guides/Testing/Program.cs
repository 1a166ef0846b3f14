using System.Text;
using MixpanelConnector;
using MixpanelConnector.Emulator;

// 1. What your code tracks: no network at all.
var recorded = new RecordingTracker();
new Shop(recorded).PlaceOrder("user-1", 12.5m);
Check(recorded.Events is [{ Name: "Order placed", User.DistinctId: "user-1" } placed] && placed.Properties["Total"]!.GetValue<decimal>() == 12.5m);

// 2. What Mixpanel makes of it: an embedded Mixpanel that validates and stores.
await using var emulated = await EmulatedMixpanel.StartAsync();
await using (var tracker = new MixpanelTracker(new MixpanelOptions { Token = "local", Endpoint = emulated.Address }))
    new Shop(tracker).PlaceOrder("user-1", 12.5m);
await emulated.Received.Event("Order placed").By("user-1").With("Total", 12.5m); // throws, and shows what arrived, unless exactly one fits
await emulated.Received.Event("Order shipped").NeverAsync();

// 3. What your code makes of an answer of Mixpanel's: the answer comes from a handler of yours.
using var answers = new HttpClient(new Answers("""["Order placed","Order shipped"]"""));
using var client = new MixpanelClient(new MixpanelOptions { ServiceAccount = new("user", new MixpanelSecret("secret")), ProjectId = 1 }, answers);
Check((await client.GetEventNamesAsync()).Names is ["Order placed", "Order shipped"]);
Console.WriteLine("All three hold.");

static void Check(bool holds)
{
    if (!holds) throw new InvalidOperationException("The test failed.");
}

sealed class Shop(IMixpanelTracker mixpanel)
{
    public void PlaceOrder(string user, decimal total) => mixpanel.Track("Order placed", user, new { Total = total });
}

sealed class Answers(string json) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        Task.FromResult(new HttpResponseMessage { Content = new StringContent(json, Encoding.UTF8, "application/json") });
}
