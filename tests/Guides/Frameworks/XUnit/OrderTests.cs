using MixpanelConnector;
using MixpanelConnector.Emulator;
using Xunit;

[assembly: AssemblyFixture(typeof(MixpanelFixture))]

public sealed class MixpanelFixture : IAsyncLifetime
{
    public EmulatedMixpanel Mixpanel { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Mixpanel = await EmulatedMixpanel.StartAsync();

    public ValueTask DisposeAsync() => Mixpanel.DisposeAsync();
}

public sealed class OrderTests(MixpanelFixture fixture)
{
    [Fact]
    public async Task An_order_is_tracked()
    {
        var project = await fixture.Mixpanel.CreateProjectAsync();
        await using (var tracker = new MixpanelTracker(new MixpanelOptions { Token = project.Token, Endpoint = fixture.Mixpanel.Address }))
            tracker.Track("Order placed", "user-1", new { Total = 12.5m });

        await project.Received.Event("Order placed").By("user-1").With("Total", 12.5m);
    }
}
