using MixpanelConnector;
using MixpanelConnector.Emulator;
using NUnit.Framework;

[SetUpFixture]
public sealed class MixpanelFixture
{
    public static EmulatedMixpanel Mixpanel { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => Mixpanel = await EmulatedMixpanel.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await Mixpanel.DisposeAsync();
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
