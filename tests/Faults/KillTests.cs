namespace MixpanelConnector.Faults;

/// <summary>Killed at a random moment, again and again.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task Nothing_is_lost_doubled_merged_or_altered_by_random_kills()
    {
        var campaign = new KillCampaign(Campaign.Number("SEED", 20261123), Campaign.Number("KILLS", 50), Campaign.Show);
        Campaign.Show(await campaign.RunAsync(lanes: Environment.ProcessorCount));
    }
}
