namespace MixpanelConnector.Faults;

/// <summary>Many events through a server that often fails.</summary>
public sealed class SoakTests
{
    [Fact]
    public async Task Memory_stays_flat_and_every_event_is_accounted_for()
    {
        var events = Campaign.Number("EVENTS", 200_000);
        await new SoakCampaign(events, Campaign.Number("SEED", 20261123), batchEvents: events > 1_000_000 ? 2000 : 200, Campaign.Show).RunAsync();
    }
}
