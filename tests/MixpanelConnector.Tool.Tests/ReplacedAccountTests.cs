using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.Tool.Tests;

/// <summary>A service account that is replaced in a running application, against the embedded Mixpanel.</summary>
public sealed class ReplacedAccountTests
{
    [Fact]
    public async Task Nothing_is_lost_when_the_old_account_is_deleted_before_the_application_knows_the_new_one()
    {
        await using var mixpanel = await EmulatedMixpanel.StartAsync(null, TestContext.Current.CancellationToken);
        using var owner = Client(mixpanel, DevelopmentCredentials.ServiceAccountUsername, DevelopmentCredentials.ServiceAccountSecret);
        var first = await NewAccountAsync(owner, "first");
        var builder = Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(Settings(mixpanel, first));
        builder.Services.AddMixpanel(builder.Configuration.GetSection("Mixpanel"));
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var tracker = host.Services.GetRequiredService<MixpanelTracker>();
        await tracker.TrackAsync("before", "ada", TestContext.Current.CancellationToken);
        await tracker.FlushAsync(TestContext.Current.CancellationToken);

        var second = await NewAccountAsync(owner, "second");
        await owner.DeleteServiceAccountAsync(
            new() { Id = long.Parse(first.Id!, CultureInfo.InvariantCulture), OrganizationId = DevelopmentCredentials.OrganizationId },
            TestContext.Current.CancellationToken);
        for (var i = 0; i < 50; i++) Assert.True(tracker.Track("between", "ada", new { i }));
        await Assert.ThrowsAsync<MixpanelException>(() => tracker.FlushAsync(TestContext.Current.CancellationToken));
        IConfigurationRoot configuration = builder.Configuration;
        foreach (var (name, value) in Settings(mixpanel, second)) configuration[name] = value;
        configuration.Reload();
        await tracker.TrackAsync("after", "ada", TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken); // sends what is left

        await mixpanel.Received.Event("before").By("ada");
        await mixpanel.Received.Event("after").By("ada");
        Assert.Equal(0, tracker.Pending);
        await mixpanel.Received.Event("between").By("ada").TimesAsync(50, TestContext.Current.CancellationToken);
    }

    static async Task<CreateServiceAccountOutput> NewAccountAsync(MixpanelClient owner, string name)
    {
        var account = await owner.CreateServiceAccountAsync(
            new() { Username = name, Role = "admin", Projects = [new() { Id = DevelopmentCredentials.ProjectId, Role = "admin" }] },
            TestContext.Current.CancellationToken);
        Assert.Equal("true", account.ServiceAccountCreated);
        return account;
    }

    static MixpanelClient Client(EmulatedMixpanel mixpanel, string username, string secret) =>
        new(new()
        {
            Endpoint = mixpanel.Address,
            ServiceAccount = new(username, new MixpanelSecret(secret)),
            ProjectId = DevelopmentCredentials.ProjectId,
            OrganizationId = DevelopmentCredentials.OrganizationId,
        });

    static Dictionary<string, string?> Settings(EmulatedMixpanel mixpanel, CreateServiceAccountOutput account) => new(StringComparer.Ordinal)
    {
        ["Mixpanel:Endpoint"] = mixpanel.Address.AbsoluteUri,
        ["Mixpanel:ProjectId"] = "1",
        ["Mixpanel:ServiceAccountUsername"] = account.Username,
        ["Mixpanel:ServiceAccountSecret"] = account.Secret!.Reveal(),
    };
}
