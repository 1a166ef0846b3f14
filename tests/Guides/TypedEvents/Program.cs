using MixpanelConnector;

await using var mixpanel = new MixpanelTracker(new MixpanelOptions
{
    Token = Environment.GetEnvironmentVariable("MIXPANEL_TOKEN"),
    Endpoint = Environment.GetEnvironmentVariable("MIXPANEL_ENDPOINT") is { Length: > 0 } address ? new Uri(address) : null,
});

mixpanel.Track("user-1", new OrderPlaced(12.5m, Currency.EUR) { Items = [new("tea", 2)] });
mixpanel.Track("user-1", new OrderShipped("o-17", DateTimeOffset.UtcNow));

await mixpanel.FlushAsync();
Console.WriteLine($"All sent; {mixpanel.Pending} left.");

/// <summary>Somebody bought something.</summary>
/// <param name="Total">The sum, with taxes.</param>
/// <param name="Currency">What the sum is in.</param>
[MixpanelEvent("Order placed")]
sealed partial record OrderPlaced(decimal Total, Currency Currency)
{
    /// <summary>What was bought.</summary>
    public IReadOnlyList<Item> Items { get; init; } = [];
}

/// <summary>An order left the house.</summary>
[MixpanelEvent("Order shipped")]
sealed partial record OrderShipped(string Order, DateTimeOffset Promised, string? Carrier = null);

sealed record Item(string Name, int Count);

enum Currency
{
    EUR,
    USD,
}
