using System.Net.Http.Headers;
using MixpanelConnector.Emulator.Rules;
using MixpanelConnector.Emulator.Store;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>A delayed deletion of personal data: when it can be cancelled, when it happens, and what is reported when it fails.</summary>
public sealed class DelayedDeletionTests
{
    const string Deletions = "/api/app/data-deletions/v3.0";
    static readonly AuthenticationHeaderValue Bearer = new("Bearer", DevelopmentCredentials.OAuthToken);

    [Theory]
    [InlineData(0, 204, "REVOKED", 1)]
    [InlineData(3599, 204, "REVOKED", 1)]
    [InlineData(3600, 405, "SUCCESS", 0)]
    [InlineData(7200, 405, "SUCCESS", 0)]
    public async Task It_can_be_taken_back_until_its_time_has_come(int seconds, int status, string state, int events)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { DeletionDelay = TimeSpan.FromHours(1) });
        await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
        var id = await AskAsync(mixpanel);
        mixpanel.Clock.Advance(TimeSpan.FromSeconds(seconds));

        Assert.Equal(status, (await mixpanel.SendAsync(HttpMethod.Delete, $"{Deletions}/{id}?token=local", authorization: Bearer)).Status);

        await UntilAsync(mixpanel, id, state);
        mixpanel.Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(state, await StateAsync(mixpanel, id));
        Assert.Equal(events, await mixpanel.Server.CountEventsAsync());
    }

    [Theory]
    [InlineData(60)]
    [InlineData(0)]
    public async Task After_a_new_start_it_waits_for_the_rest_of_its_time_whatever_the_delay_is_then(int newDelayInMinutes)
    {
        using var folder = new Testing.TemporaryFolder();
        string id;
        await using (var mixpanel =
            await LocalMixpanel.StartAsync(options => options with { DeletionDelay = TimeSpan.FromHours(1), DataDirectory = folder.Path }))
        {
            await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
            id = await AskAsync(mixpanel);
        }
        // The clock of the next process starts at the same noon.
        await using var again = await LocalMixpanel.StartAsync(options =>
            options with { DeletionDelay = TimeSpan.FromMinutes(newDelayInMinutes), DataDirectory = folder.Path, TimeProvider = At(options, minutes: 59) });
        Assert.Equal("PENDING", await StateAsync(again, id));
        again.Clock.Advance(TimeSpan.FromMinutes(1));

        await UntilAsync(again, id, "SUCCESS");
        Assert.Equal(0, await again.Server.CountEventsAsync());
    }

    [Theory]
    [InlineData("STARTED", "[\"ada\"]", "SUCCESS", 0)]
    [InlineData("PENDING", "[1]", "FAILURE", 1)]
    [InlineData("STARTED", "[1]", "FAILURE", 1)]
    public async Task One_that_was_broken_off_goes_on_and_one_that_fails_says_so(string state, string ids, string expected, int events)
    {
        using var folder = new Testing.TemporaryFolder();
        EmulatorOptions InFolder(EmulatorOptions options) => options with { DeletionDelay = TimeSpan.FromHours(1), DataDirectory = folder.Path };
        string id;
        await using (var mixpanel = await LocalMixpanel.StartAsync(InFolder))
        {
            await mixpanel.ImportAsync($"[{mixpanel.Event()}]");
            id = await AskAsync(mixpanel);
        }
        using (var database = Database.Open(Path.Combine(folder.Path, "mixpanel.duckdb"), committed: null))
        {
            await new DocumentStore(database).ChangeAsync(
                1, "data deletion",
                all => all[id] = ProfileText.Read(ProfileText.Write(all[id])
                    .Replace("PENDING", state, StringComparison.Ordinal)
                    .Replace("[\"ada\"]", ids, StringComparison.Ordinal)),
                CancellationToken.None);
        }
        await using var again = await LocalMixpanel.StartAsync(InFolder);
        again.Clock.Advance(TimeSpan.FromHours(1));

        await UntilAsync(again, id, expected);
        Assert.Equal(events, await again.Server.CountEventsAsync());
    }

    static TimeProvider At(EmulatorOptions options, int minutes)
    {
        ((Microsoft.Extensions.Time.Testing.FakeTimeProvider)options.TimeProvider).Advance(TimeSpan.FromMinutes(minutes));
        return options.TimeProvider;
    }

    static async Task<string> AskAsync(LocalMixpanel mixpanel)
    {
        var asked = await mixpanel.SendAsync(HttpMethod.Post, Deletions + "?token=local", new StringContent("""{"distinct_ids":["ada"]}"""), Bearer);
        return asked.Json.GetProperty("results").GetProperty("task_id").GetString()!;
    }

    static async Task<string> StateAsync(LocalMixpanel mixpanel, string id) =>
        (await mixpanel.SendAsync(HttpMethod.Get, $"{Deletions}/{id}?token=local", authorization: Bearer)).Json.GetProperty("results")
            .GetProperty("status").GetString()!;

    /// <summary>It runs in the background once it is due.</summary>
    static async Task UntilAsync(LocalMixpanel mixpanel, string id, string state)
    {
        while (await StateAsync(mixpanel, id) is var now && now != state)
        {
            Assert.True(now is "PENDING" or "STARTED", now);
            await Task.Yield();
        }
    }
}
