using MixpanelConnector;
using MixpanelConnector.Emulator;

public static class MixpanelFixture
{
    public static EmulatedMixpanel Mixpanel { get; private set; } = null!;

    [Before(HookType.Assembly)]
    public static async Task StartAsync() => Mixpanel = await EmulatedMixpanel.StartAsync();

    [After(HookType.Assembly)]
    public static async Task StopAsync() => await Mixpanel.DisposeAsync();
}

public sealed class OrderTests
{
    [Test]
    public async Task An_order_is_tracked()
    {
        var project = await MixpanelFixture.Mixpanel.CreateProjectAsync();
        await using (var tracker = new MixpanelTracker(new MixpanelOptions { Token = project.Token, Endpoint = MixpanelFixture.Mixpanel.Address }))
            tracker.Track("Order placed", "user-1", new { Total = 12.5m });

        await project.Received.Event("Order placed").By("user-1").With("Total", 12.5m);
    }
}
