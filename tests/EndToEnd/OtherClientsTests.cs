using MixpanelConnector.Emulator;

namespace MixpanelConnector.EndToEnd;

/// <summary>Clients that we did not write, against the embedded Mixpanel.</summary>
public sealed class OtherClientsTests
{
    [Fact]
    public async Task The_npm_package_mixpanel_tracks_imports_and_sets_people()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync();
        await using var tls = new TlsFront(mixpanel.Address);
        using var home = new Home();
        using var node = Run.Start("node", [Repository.File("tests/EndToEnd/clients/track.cjs"), mixpanel.Address.Authority, $"localhost:{tls.Port}"], home, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["CLIENTS"] = Repository.File("tests/EndToEnd/clients"),
            ["NODE_EXTRA_CA_CERTS"] = home.Write("ca.pem", tls.Pem),
        });
        var done = await Run.EndAsync(node);

        Assert.True(done.ExitCode == 0, done.ToString());
        var events = await mixpanel.EventsAsync();
        Assert.Equal(3, events.Count(e => e.Name == "Imported by npm"));
        var tracked = Assert.Single(events, e => e.Name == "Tracked by npm");
        Assert.Equal("npm-1", tracked.DistinctId);
        Assert.Contains("12.5", tracked.Properties, StringComparison.Ordinal);
        var profile = Assert.Single(await mixpanel.ProfilesAsync());
        Assert.Equal("npm-1", profile.DistinctId);
        Assert.Contains("\"plan\":\"pro\"", profile.Properties, StringComparison.Ordinal);
    }
}
