using MixpanelConnector.Testing;

namespace MixpanelConnector.Emulator.Tests.Control;

public sealed class SeedTests
{
    const string Seed = """
        {"projects":[
          {"id":1,"name":"Shop","token":"shop","secret":"shop-secret","timezone":"Europe/Berlin",
           "events":[{"event":"Order","properties":{"time":1788000000,"distinct_id":"ada","$insert_id":"1","total":12345678901234567890}}],
           "profiles":[{"$distinct_id":"ada","$properties":{"plan":"pro"}}],
           "groups":[{"$group_key":"company","$group_id":"acme","$properties":{"size":3}}],
           "cohorts":[{"name":"Pro","where":"properties[\"plan\"] == \"pro\""}],
           "funnels":[{"name":"Buy","steps":[{"event":"View"},{"event":"Order"}]}],
           "lookup_tables":[{"id":"11111111-1111-4111-8111-111111111111","name":"Songs","csv":"id,title\n1,One\n"}],
           "annotations":[{"date":"2026-08-31 10:00:00","description":"Launch"}],
           "schemas":[{"entityType":"event","name":"Order","schemaJson":{"description":"An order","properties":{}}}]},
          {"id":5,"name":"EU","token":"eu-token","region":"eu"}],
         "service_accounts":[{"username":"bob","secret":"bobs","role":"admin","projects":[{"id":5,"role":"admin"}]}]}
        """;

    [Fact]
    public async Task A_store_begins_with_its_seed_and_has_it_again_after_a_reset()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options =>
            options with { Seed = Seed, Faults = EmulatorFaults.Parse("""{"rules":[{"path":"/engage","status":503}]}""") });
        await CheckAsync();
        Assert.Equal(503, (await mixpanel.PostAsync("/engage", "{}")).Status); // faults begin with the first client
        await mixpanel.TrackAsync("Later", "shop");
        await mixpanel.ControlAsync("POST /emulator/reset");
        await CheckAsync();

        async Task CheckAsync()
        {
            var stored = await mixpanel.OnlyEventAsync();
            Assert.Equal((1, "Order", "ada"), (stored.ProjectId, stored.Name, stored.DistinctId));
            Assert.Contains("\"total\":12345678901234567890", stored.Properties, StringComparison.Ordinal);
            Assert.Equal("""{"plan":"pro"}""", Assert.Single(await mixpanel.Server.ProfilesAsync()).Properties);
            Assert.Equal(("company", "acme", """{"size":3}"""),
                Assert.Single(await mixpanel.Server.GroupsAsync()) is var group ? (group.GroupKey, group.GroupId, group.Properties) : default);
            Assert.Contains((await mixpanel.Server.LookupTablesAsync()), table => table.Csv == "id,title\n1,One\n");
            var bob = LocalMixpanel.Basic("bob", "bobs");
            Assert.Equal("Pro",
                (await mixpanel.GetAsync("/api/query/cohorts/list?project_id=1",
                    LocalMixpanel.Basic("shop-secret", ""))).Json[0].GetProperty("name").GetString());
            Assert.Equal("Buy",
                (await mixpanel.GetAsync("/api/query/funnels/list?project_id=1",
                    LocalMixpanel.Basic("shop-secret", ""))).Json[0].GetProperty("name").GetString());
            Assert.Contains("Launch", (await mixpanel.GetAsync("/api/app/projects/1/annotations", LocalMixpanel.Basic("local", "local"))).Text,
                StringComparison.Ordinal);
            Assert.Contains("An order", (await mixpanel.GetAsync("/api/app/projects/1/schemas", LocalMixpanel.Basic("local", "local"))).Text,
                StringComparison.Ordinal);
            Assert.Equal(200, (await mixpanel.GetAsync("/api/query/events/names?project_id=5&type=general", bob)).Status);
            Assert.DoesNotContain(mixpanel.Server.Requests, request => request.Path is "/import" or "/groups");
        }
    }

    [Fact]
    public async Task A_folder_takes_its_seed_once_and_no_other_one()
    {
        using var folder = new TemporaryFolder();
        for (var start = 0; start < 2; start++)
        {
            await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { Seed = Seed, DataDirectory = folder.Path });
            await mixpanel.TrackAsync($"Start {start}", "shop");
            Assert.Equal(2 + start, await mixpanel.Server.CountEventsAsync());
        }

        var refused = await Assert.ThrowsAsync<FormatException>(() =>
            LocalMixpanel.StartAsync(options => options with { Seed = Seed.Replace("Shop", "Store", StringComparison.Ordinal), DataDirectory = folder.Path }));
        Assert.Contains("differs from the one that the store was created from", refused.Message, StringComparison.Ordinal);
        await using var again = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path }); // it was let go
        Assert.Equal(3, await again.Server.CountEventsAsync());
    }

    [Theory]
    [InlineData("""[]""", "at the top level: must be a JSON object")]
    [InlineData("""{"projects":[""", "not valid JSON, or has a duplicate member, at line 1, byte 14")]
    [InlineData("""{"projects":[{"id":2,"name":"x"},{"id":2,"name":"y"}]}""", "at projects[1].id: occurs twice")]
    [InlineData("""{"project":[]}""", "at the top level: unknown member project")]
    [InlineData("""{"projects":[{"name":"x"}]}""", "at projects[0].id: must be an integer from 1")]
    [InlineData("""{"projects":[{"id":2,"name":"x","colour":1}]}""", "at projects[0]: unknown member colour")]
    [InlineData("""{"projects":[{"id":2,"name":"x","timezone":"Mars"}]}""", "at projects[0]: timezone: must be a time zone")]
    [InlineData("""{"projects":[{"id":2,"name":"x","events":{}}]}""", "at projects[0].events: must be a list")]
    [InlineData("""{"projects":[{"id":2,"name":"x","events":[1]}]}""", "at projects[0].events[0]: must be an object")]
    [InlineData("""{"projects":[{"id":2,"name":"x","events":[{"event":"a","properties":{"time":1788000000,"distinct_id":"u","$insert_id":"1"}},{"event":"b","properties":{"time":"soon","distinct_id":"u","$insert_id":"2"}}]}]}""",
        "at projects[0].events[1]: 'properties.time' is invalid")]
    [InlineData("""{"projects":[{"id":2,"name":"x","profiles":[{"$distinct_id":"a"}]}]}""", "at projects[0].profiles[0].$properties: must be an object")]
    [InlineData("""{"projects":[{"id":2,"name":"x","profiles":[{"$distinct_id":"a","$set":{},"$properties":{}}]}]}""",
        "at projects[0].profiles[0]: unknown member $set")]
    [InlineData("""{"projects":[{"id":2,"name":"x","funnels":[{"name":"f"}]}]}""", "at projects[0].funnels[0]: steps")]
    [InlineData("""{"service_accounts":[{"username":"a"}]}""", "at service_accounts[0]: secret")]
    public async Task A_seed_that_is_wrong_is_refused_with_the_place(string seed, string message)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await mixpanel.TrackAsync("Before", "local");

        Assert.Contains(message, (await mixpanel.ControlAsync("POST /emulator/seed", seed, 400)).GetString(), StringComparison.Ordinal);
        Assert.Contains(message, (await Assert.ThrowsAsync<FormatException>(() => LocalMixpanel.StartAsync(options => options with { Seed = seed }))).Message,
            StringComparison.Ordinal);
        Assert.Equal("Before", Assert.Single(await mixpanel.Server.EventsAsync()).Name); // nothing of it stays, and nothing else goes
        Assert.Equal(403, (await mixpanel.GetAsync("/api/query/events/names?project_id=2", LocalMixpanel.Basic("local", "local"))).Status);
    }

    [Fact]
    public async Task A_folder_that_a_wrong_seed_was_for_takes_the_right_one()
    {
        using var folder = new TemporaryFolder();
        var wrong = Seed.Replace("\"time\":", "\"tome\":", StringComparison.Ordinal);
        Assert.NotEqual(Seed, wrong, StringComparer.Ordinal);

        await Assert.ThrowsAsync<FormatException>(() => LocalMixpanel.StartAsync(options => options with { Seed = wrong, DataDirectory = folder.Path }));
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { Seed = Seed, DataDirectory = folder.Path });

        Assert.Equal(1, await mixpanel.Server.CountEventsAsync());
    }
}
