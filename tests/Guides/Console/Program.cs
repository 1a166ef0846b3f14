using System.Text.Json.Serialization;
using MixpanelConnector;

await using var mixpanel = new MixpanelTracker(new MixpanelOptions
{
    Token = Environment.GetEnvironmentVariable("MIXPANEL_TOKEN"),
    Endpoint = Environment.GetEnvironmentVariable("MIXPANEL_ENDPOINT") is { Length: > 0 } address ? new Uri(address) : null,
});

mixpanel.Track("Order placed", "user-1", new { Total = 12.5m, Currency = "EUR" });
mixpanel.Track("user-1", new OrderShipped("o-17", Parcels: 2), Events.Default.OrderShipped);
mixpanel.Profile("user-1").Set(new { Plan = "pro" });
mixpanel.Profile("user-1").Add("Orders", 1);
mixpanel.Group("company", "acme").Set("Seats", 25);

await mixpanel.FlushAsync();
Console.WriteLine($"All sent; {mixpanel.Pending} left.");

[MixpanelEvent("Order shipped")]
sealed record OrderShipped(string Order, int Parcels);

[JsonSerializable(typeof(OrderShipped))]
sealed partial class Events : JsonSerializerContext;
