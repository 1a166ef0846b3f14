using MixpanelConnector;
using MixpanelConnector.Emulator;

[TestClass]
public sealed class MixpanelFixture
{
    public static EmulatedMixpanel Mixpanel { get; private set; } = null!;

    [AssemblyInitialize]
    public static async Task StartAsync(TestContext context) => Mixpanel = await EmulatedMixpanel.StartAsync();

    [AssemblyCleanup]
    public static async Task StopAsync() => await Mixpanel.DisposeAsync();
}

[TestClass]
public sealed class OrderTests
{
    [TestMethod]
    public async Task An_order_is_tracked()
    {
        var project = await MixpanelFixture.Mixpanel.CreateProjectAsync();
        await using (var tracker = new MixpanelTracker(new MixpanelOptions { Token = project.Token, Endpoint = MixpanelFixture.Mixpanel.Address }))
            tracker.Track("Order placed", "user-1", new { Total = 12.5m });

        await project.Received.Event("Order placed").By("user-1").With("Total", 12.5m);
    }
}
