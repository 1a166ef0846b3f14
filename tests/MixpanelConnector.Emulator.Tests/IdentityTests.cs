using System.Text.Json;
using MixpanelConnector.Testing;

#pragma warning disable MA0002 // names compare by their characters wherever nothing else is said
namespace MixpanelConnector.Emulator.Tests;

public sealed class IdentityTests
{
    const string Uuid = "0b8f2ad5-2a6f-4f0e-9d2c-0a1b2c3d4e5f";

    [Fact]
    public async Task Simplified_the_first_event_with_both_links_a_device_to_its_user_for_what_was_before_too()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await ImportAsync(mixpanel, """{"$device_id":"d1"}""", """{"$device_id":"d1","$user_id":"ada"}""", """{"$device_id":"d1","$user_id":"bob"}""",
            """{"$device_id":"d2"}""");

        Assert.Equal(["ada", "ada", "bob", "$device:d2"], await ExportedIdsAsync(mixpanel));
        Assert.Equal(3, await UniquesAsync(mixpanel));

        await ImportAsync(mixpanel, """{"$device_id":"d2","$user_id":"ada"}""");
        Assert.Equal(2, await UniquesAsync(mixpanel));
    }

    [Fact]
    public async Task Simplified_the_user_id_is_the_distinct_id()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await ImportAsync(mixpanel, """{"distinct_id":"other","$user_id":"ada"}""");

        Assert.Equal(["ada"], await ExportedIdsAsync(mixpanel));
        Assert.Equal("ada", (await mixpanel.OnlyEventAsync()).DistinctId);
    }

    [Fact]
    public async Task Original_identify_links_an_anonymous_id_once_and_only_a_random_uuid()
    {
        await using var mixpanel = await OriginalAsync();
        await ImportAsync(mixpanel, $$"""{"distinct_id":"{{Uuid}}"}""", """{"distinct_id":"anon-1"}""");
        await IdentifyAsync(mixpanel, "ada", Uuid);
        await IdentifyAsync(mixpanel, "bob", Uuid);
        await IdentifyAsync(mixpanel, "ada", "anon-1");

        Assert.Equal(["ada", "anon-1"], (await ExportedIdsAsync(mixpanel)).Take(2));
    }

    [Fact]
    public async Task Original_an_alias_leads_to_one_user_and_aliases_may_be_chained()
    {
        await using var mixpanel = await OriginalAsync();
        await ImportAsync(mixpanel, """{"distinct_id":"a"}""", """{"distinct_id":"b"}""");
        foreach (var (id, alias) in ((string, string)[])[("ada", "a"), ("bob", "a"), ("a", "b")])
            await mixpanel.PostAsync("/track",
                $$$"""{"event":"$create_alias","properties":{"token":"local","distinct_id":"{{{id}}}","alias":"{{{alias}}}"}}""");

        Assert.Equal(["ada", "ada"], (await ExportedIdsAsync(mixpanel)).Take(2));
    }

    [Fact]
    public async Task Original_merge_unites_any_two_and_survives_a_new_start()
    {
        using var folder = new TemporaryFolder();
        await using (var mixpanel = await OriginalAsync(folder.Path))
        {
            await ImportAsync(mixpanel, """{"distinct_id":"a"}""", """{"distinct_id":"b"}""", """{"distinct_id":"c"}""");
            (await MergeAsync(mixpanel, """["a","b"]""")).Is(200, """{"code":200,"num_records_imported":1,"status":"OK"}""");
            (await MergeAsync(mixpanel, """["c","a"]""")).Is(200, """{"code":200,"num_records_imported":1,"status":"OK"}""");
        }
        await using var again = await OriginalAsync(folder.Path);

        Assert.Equal(["c", "c", "c"], (await ExportedIdsAsync(again)).Take(3));
        Assert.Equal(1, await UniquesAsync(again));
    }

    [Theory]
    [InlineData("""["a"]""")]
    [InlineData("""["a","b","c"]""")]
    [InlineData("""["a",1]""")]
    [InlineData("null")]
    public async Task Original_merge_takes_exactly_two(string ids)
    {
        await using var mixpanel = await OriginalAsync();

        var answer = await MergeAsync(mixpanel, ids);

        Assert.Equal(400, answer.Status);
        Assert.Equal("properties.$distinct_ids", answer.Json.GetProperty("failed_records")[0].GetProperty("field").GetString());
    }

    [Fact]
    public async Task Original_a_user_has_at_most_500_ids()
    {
        await using var mixpanel = await OriginalAsync();
        await ImportAsync(mixpanel, """{"distinct_id":"last"}""");
        var merges = Enumerable.Range(0, 499).Select(i => $$$"""{"event":"$merge","properties":{"$distinct_ids":["a","b{{{i}}}"]}}""");
        await mixpanel.ImportAsync($"[{string.Join(',', merges)}]");

        Assert.Equal(200, (await MergeAsync(mixpanel, """["a","last"]""")).Status);

        Assert.Equal("last", (await ExportedIdsAsync(mixpanel))[0]);
    }

    [Fact]
    public async Task Original_profiles_follow_an_alias_unless_told_not_to()
    {
        await using var mixpanel = await OriginalAsync();
        await mixpanel.PostAsync("/track", """{"event":"$create_alias","properties":{"token":"local","distinct_id":"ada","alias":"a"}}""");
        await mixpanel.PostAsync("/engage",
            """[{"$token":"local","$distinct_id":"a","$set":{"n":1}},{"$token":"local","$distinct_id":"a","$ignore_alias":true,"$set":{"n":2}}]""");

        Assert.Equal(["a", "ada"], (await mixpanel.Server.ProfilesAsync()).Select(profile => profile.DistinctId));
    }

    [Fact]
    public async Task Original_a_merged_user_has_one_profile_that_any_of_their_ids_updates()
    {
        using var folder = new TemporaryFolder();
        await using (var mixpanel = await OriginalAsync(folder.Path))
        {
            await SetAsync(mixpanel, "ada", """{"name":"Ada","n":1}""");
            await SetAsync(mixpanel, Uuid, """{"name":"?","seen":true}""");
            await IdentifyAsync(mixpanel, "ada", Uuid);
            await MergeAsync(mixpanel, """["ada","work"]""");
            await SetAsync(mixpanel, "work", """{"n":2}""");
            await SetAsync(mixpanel, Uuid, """{"m":3}""");

            Assert.Equal("""{"name":"Ada","seen":true,"n":2,"m":3}""", await OnlyProfileAsync(mixpanel, "ada"));
        }
        await using var again = await OriginalAsync(folder.Path);
        await SetAsync(again, "work", """{"n":4}""");
        Assert.Equal("""{"name":"Ada","seen":true,"n":4,"m":3}""", await OnlyProfileAsync(again, "ada"));
        // Queries accept only the canonical id.
        Assert.Equal(["ada"], await FoundAsync(again, "ada"));
        Assert.Empty(await FoundAsync(again, "work"));
    }

    [Fact]
    public async Task Simplified_what_a_device_had_is_lost_and_its_later_updates_are_the_users()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await SetAsync(mixpanel, "$device:d1", """{"seen":true}""");
        await SetAsync(mixpanel, "$device:d2", """{"seen":true}""");
        await ImportAsync(mixpanel, """{"$device_id":"d1","$user_id":"ada"}""");
        await SetAsync(mixpanel, "$device:d1", """{"n":1}""");

        Assert.Equal(["$device:d2", "ada"], (await mixpanel.Server.ProfilesAsync()).Select(profile => profile.DistinctId));
        Assert.Equal(["ada"], await FoundAsync(mixpanel, "ada"));
        Assert.Empty(await FoundAsync(mixpanel, "$device:d1"));
        var byProfile = await mixpanel.GetAsync("/api/query/segmentation?project_id=1&event=E&on=user[\"n\"]&from_date=2026-09-01&to_date=2026-09-01",
            LocalMixpanel.Basic("local", "local"));
        Assert.Equal(1, byProfile.Json.GetProperty("data").GetProperty("values").GetProperty("1").GetProperty("2026-09-01").GetInt32());
    }

    /// <summary>A temporarily missing table makes the transaction fail after the events were counted and the ids linked.</summary>
    [Fact]
    public async Task A_transaction_that_fails_leaves_no_link_and_no_count()
    {
        using var folder = new TemporaryFolder();
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path, EventsPerDistinctIdAndDay = 2 });
        await ImportAsync(mixpanel, """{"$device_id":"d1"}""");
        var linking = $"[{mixpanel.Event(insertId: "\"a\"", more: "\"$user_id\":\"ada\",\"$device_id\":\"d1\"")},{mixpanel.Event(insertId: "\"b\"")}]";

        Execute("ALTER TABLE identities RENAME TO gone");
        Assert.Equal(500, (await mixpanel.ImportAsync(linking)).Status);
        Execute("ALTER TABLE gone RENAME TO identities");

        Assert.Equal(["$device:d1"], await ExportedIdsAsync(mixpanel));
        Assert.Equal(200, (await mixpanel.ImportAsync(linking)).Status);
        Assert.Equal(["ada", "ada", "ada"], await ExportedIdsAsync(mixpanel));
        Assert.Equal([("E", 1L), ("Signed up", 2L), ("Signed up", 3L)], (await mixpanel.Server.EventsAsync()).Select(e => (e.Name, e.Sequence)));

        void Execute(string sql)
        {
            using var connection = new DuckDB.NET.Data.DuckDBConnection($"DataSource={Directory.GetFiles(folder.Path, "*.duckdb").Single()}");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }

    [Fact]
    public async Task Original_properties_of_devices_and_users_link_nothing()
    {
        await using var mixpanel = await OriginalAsync();
        await ImportAsync(mixpanel, """{"distinct_id":"x","$device_id":"d1","$user_id":"ada"}""");

        Assert.Equal(["x"], await ExportedIdsAsync(mixpanel));
    }

    [Fact]
    public async Task Too_many_events_of_one_id_on_one_day_are_renamed()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { EventsPerDistinctIdAndDay = 2 });
        await mixpanel.ImportAsync($"[{string.Join(',', Enumerable.Range(0, 3).Select(i => mixpanel.Event(insertId: $"\"id-{i}\"")))}]");

        var events = await mixpanel.Server.EventsAsync();
        Assert.Equal(["Signed up", "Signed up", "$hotshard_events"], events.Select(e => e.Name));
        Assert.Equal("", events[2].DistinctId);
        var properties = JsonElement.Parse(events[2].Properties);
        Assert.Equal("Signed up", properties.GetProperty("mp_original_event_name").GetString());
        Assert.Equal("ada", properties.GetProperty("mp_original_distinct_id").GetString());
    }

    [Fact]
    public async Task Events_of_an_id_are_counted_from_request_to_request_and_from_start_to_start()
    {
        using var folder = new TemporaryFolder();
        for (var start = 0; start < 2; start++)
        {
            await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { EventsPerDistinctIdAndDay = 3, DataDirectory = folder.Path });
            foreach (var id in (string[])["ada", "bob"])
                await mixpanel.ImportAsync($"[{mixpanel.Event(insertId: $"\"{id}-{start}-1\"", distinctId: $"\"{id}\"")},{mixpanel.Event(insertId: $"\"{id}-{start}-2\"", distinctId: $"\"{id}\"")}]");
        }

        await using var last = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path });
        var events = await last.Server.EventsAsync();
        Assert.Equal((3, 3, 2),
            (events.Count(stored => stored.DistinctId == "ada"), events.Count(stored => stored.DistinctId == "bob"),
                events.Count(stored => stored.Name == "$hotshard_events")));
    }

    static async Task SetAsync(LocalMixpanel mixpanel, string id, string properties) => Assert.Equal(
        "1", (await mixpanel.PostAsync("/engage", $$"""[{"$token":"local","$distinct_id":"{{id}}","$ignore_time":true,"$set":{{properties}}}]""")).Text);

    static async Task<string> OnlyProfileAsync(LocalMixpanel mixpanel, string id)
    {
        var profile = Assert.Single(await mixpanel.Server.ProfilesAsync());
        Assert.Equal(id, profile.DistinctId);
        return profile.Properties;
    }

    static async Task<string[]> FoundAsync(LocalMixpanel mixpanel, string id) =>
        [
            .. (await mixpanel.GetAsync($"/api/query/engage?project_id=1&distinct_id={id}",
                LocalMixpanel.Basic("local", "local"))).Json.GetProperty("results").EnumerateArray()
                .Select(profile => profile.GetProperty("$distinct_id").GetString()!),
        ];

    static Task<LocalMixpanel> OriginalAsync(string? folder = null) =>
        LocalMixpanel.StartAsync(options => options with { Identity = IdentityManagement.Original, DataDirectory = folder });

    static async Task ImportAsync(LocalMixpanel mixpanel, params IEnumerable<string> properties)
    {
        var count = (await mixpanel.Server.EventsAsync()).Count;
        var events = properties.Select((more, i) => $$$"""{"event":"E","properties":{"time":{{{mixpanel.Now - 600 + count + i}}},"$insert_id":"id-{{{count + i}}}",{{{more[1..]}}}}""");
        var answer = await mixpanel.ImportAsync($"[{string.Join(',', events)}]");
        Assert.True(answer.Status == 200, answer.Text);
    }

    static Task<Answer> IdentifyAsync(LocalMixpanel mixpanel, string user, string anonymous) =>
        mixpanel.PostAsync("/track", $$$"""{"event":"$identify","properties":{"token":"local","$identified_id":"{{{user}}}","$anon_id":"{{{anonymous}}}"}}""");

    static Task<Answer> MergeAsync(LocalMixpanel mixpanel, string ids) =>
        mixpanel.ImportAsync($$$"""[{"event":"$merge","properties":{"$distinct_ids":{{{ids}}}}}]""");

    static async Task<string[]> ExportedIdsAsync(LocalMixpanel mixpanel)
    {
        var answer = await mixpanel.GetAsync("/api/2.0/export?project_id=1&from_date=2026-09-01&to_date=2026-09-01", LocalMixpanel.Basic("local", "local"));
        return
        [
            .. answer.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line).GetProperty("properties").GetProperty("distinct_id").GetString()!),
        ];
    }

    static async Task<int> UniquesAsync(LocalMixpanel mixpanel)
    {
        var answer = await mixpanel.GetAsync("/api/query/segmentation?project_id=1&event=E&type=unique&from_date=2026-09-01&to_date=2026-09-01",
            LocalMixpanel.Basic("local", "local"));
        return answer.Json.GetProperty("data").GetProperty("values").GetProperty("E").GetProperty("2026-09-01").GetInt32();
    }
}
