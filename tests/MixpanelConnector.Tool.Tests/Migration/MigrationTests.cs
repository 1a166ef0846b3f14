using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Emulator;

namespace MixpanelConnector.Tool.Tests.Migration;

/// <summary>Migrations from one project of an embedded Mixpanel to another.</summary>
public sealed class MigrationTests
{
    static readonly string[] Range = ["--from-date", "2026-10-01", "--to-date", "2026-10-04"];

    static string Event(string name, int day, string id, string more = "\"distinct_id\":\"u1\"") => string.Create(
        CultureInfo.InvariantCulture,
        $$$"""{"event":"{{{name}}}","properties":{"time":{{{new DateTimeOffset(2026, 10, day, 12, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds()}}},"$insert_id":"{{{id}}}",{{{more}}}}}""");

    static async Task FillAsync(TwoProjects projects)
    {
        await projects.ImportAsync("old",
        [
            Event("A", 1, "a1", "\"distinct_id\":\"u1\",\"n\":1.50,\"t\":\"\\u00e9 \u2028\""), Event("A", 1, "a2"), Event("A", 1, "a2"),
            Event("Anonymous", 2, "b1", "\"$device_id\":\"d1\""),
            Event("Link", 2, "b2", "\"$device_id\":\"d1\",\"$user_id\":\"u7\""), Event("A", 4, "a1"), Event("Nobody", 4, "n1", "\"distinct_id\":\"\""),
        ]);
        await projects.ImportAsync("old", ["""{"$distinct_id":"u1","$properties":{"plan":"pro","n":1.50}}""", """{"$distinct_id":"u7","$properties":{}}"""],
            "--type", "profiles");
        await projects.ImportAsync("old", ["""{"$group_id":"g1","$properties":{"size":3}}"""], "--type", "groups", "--group-key", "company");
        foreach (var line in (string[][])
        [
            [
                "upload-schemas",
                "--yes",
                "--entries",
                """[{"entityType":"event","name":"A","schemaJson":{"description":"An event.","properties":{"n":{"type":"number","description":"N"}},"metadata":{"com.mixpanel":{"tags":["x"],"displayName":"The A","hidden":true}}}}]""",
            ],
            ["create-annotation-tag", "--name", "release"],
            ["create-annotation", "--date", "2026-10-02 13:00:00", "--description", "One", "--tags", "[1]"],
            ["create-annotation", "--date", "2026-10-03 13:00:00", "--description", "Two"],
        ])
        {
            var run = await projects.Tool.RunAsync([.. line, "--profile", "old"]);
            Assert.True(run.Exit == 0, run.Err);
        }
    }

    [Fact]
    public async Task What_a_project_holds_is_in_the_other_one()
    {
        await using var projects = await TwoProjects.StartAsync();
        await FillAsync(projects);
        await projects.Tool.RunAsync("create-annotation", "--date", "2026-10-03 13:00:00", "--description", "Two", "--profile", "new");
        var table = await projects.NewTableAsync("skus");
        var csv = projects.Tool.Folder.Write("skus.csv", "id,name\n1,Chair\n");

        var run = await projects.MigrateAsync([.. Range, "--group", "company=company", "--target-group", "company=company", "--lookup-table", $"{table}={csv}", "--verify"]);

        Assert.True(run.Exit == 0, run.Out + run.Err);
        Assert.Equal(
            """{"from":"old","to":"new","events":{"read":7,"accepted":6,"rejected":0,"left_out":{"duplicate":1},"pending":0,"days":[{"day":"2026-10-01","read":3,"accepted":2,"rejected":0,"left_out":{"duplicate":1},"pending":0},{"day":"2026-10-02","read":2,"accepted":2,"rejected":0,"left_out":{},"pending":0},{"day":"2026-10-03","read":0,"accepted":0,"rejected":0,"left_out":{},"pending":0},{"day":"2026-10-04","read":2,"accepted":2,"rejected":0,"left_out":{},"pending":0}]},"profiles":{"read":2,"accepted":2,"rejected":0,"left_out":{},"pending":0},"groups":{"company":{"read":1,"accepted":1,"rejected":0,"left_out":{},"pending":0}},"schemas":{"read":1,"accepted":1,"rejected":0,"left_out":{},"pending":0},"annotations":{"read":2,"accepted":1,"rejected":0,"left_out":{"present":1},"pending":0},"lookup_tables":{"read":2,"accepted":1,"rejected":0,"left_out":{"not_readable":1},"pending":0},"not_migrated":["cohorts","boards","custom properties"],"verified":true,"exit_code":0}""",
            Without(run.Json, "elapsed_seconds"));
        Assert.Equal(await projects.EventsAsync("old"), await projects.EventsAsync("new"));
        Assert.Equal(6, (await projects.EventsAsync("new")).Count);
        var profiles = await projects.Mixpanel.ProfilesAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Of(1), Of(projects.Target));
        var groups = await projects.Mixpanel.GroupsAsync(TestContext.Current.CancellationToken);
        Assert.Equal(groups.Where(group => group.ProjectId == 1).Select(group => (group.GroupKey, group.GroupId, group.Properties)),
            groups.Where(group => group.ProjectId == projects.Target).Select(group => (group.GroupKey, group.GroupId, group.Properties)));
        Assert.Equal(await ListAsync("list-schemas", "old"), await ListAsync("list-schemas", "new"));
        Assert.Equal("2026-10-02T13:00:00+00:00 One release; 2026-10-03T13:00:00+00:00 Two", await AnnotationsAsync());
        Assert.Equal("id,name\n1,Chair\n",
            (await projects.Mixpanel.LookupTablesAsync(TestContext.Current.CancellationToken)).Single(one => one.Id == Guid.Parse(table)).Csv);

        var sent = projects.Mixpanel.Requests.Count;
        var again = await projects.MigrateAsync([.. Range, "--group", "company=company", "--lookup-table", $"{table}={csv}"]);
        Assert.Equal((0, Without(run.Json, "elapsed_seconds", "verified")), (again.Exit, Without(again.Json, "elapsed_seconds")));
        Assert.DoesNotContain(projects.Mixpanel.Requests.Skip(sent), request => request.Method is "POST" or "PUT");

        IEnumerable<(string, string)> Of(int project) =>
            profiles.Where(profile => profile.ProjectId == project).Select(profile => (profile.DistinctId, Sorted(profile.Properties)));

        async Task<string> ListAsync(string action, string profile) => (await projects.Tool.RunAsync(action, "--profile", profile)).Out;

        async Task<string> AnnotationsAsync() => string.Join("; ", JsonNode.Parse(await ListAsync("list-annotations", "new"))!["results"]!.AsArray()
            .Select(annotation => string.Join(' ',
                new[]
                {
                    (string)annotation!["date"]!,
                    (string)annotation["description"]!,
                }.Concat(annotation["tags"]!.AsArray().Select(tag => (string)tag!["name"]!))))
                .Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(0, 3, 0)]
    [InlineData(1, 2, 1)]
    [InlineData(4, 0, 3)]
    public async Task Of_equal_annotations_the_target_holds_as_many_in_the_end(int held, int accepted, int present)
    {
        await using var projects = await TwoProjects.StartAsync();
        for (var number = 0; number < 3 + held; number++)
            Assert.Equal(0,
                (await projects.Tool.RunAsync("create-annotation", "--date", "2026-10-03 13:00:00", "--description", "Deployed", "--profile",
                    number < 3 ? "old" : "new")).Exit);

        var run = await projects.MigrateAsync("--only", "annotations");

        Assert.Equal((0, accepted, present),
            (run.Exit, Accepted(run, "annotations"),
                run.Json.GetProperty("annotations").GetProperty("left_out").TryGetProperty("present", out var left) ? left.GetInt32() : 0));
        Assert.Equal(Math.Max(3, held),
            JsonNode.Parse((await projects.Tool.RunAsync("list-annotations", "--profile", "new")).Out)!["results"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_kind_of_groups_that_the_source_has_none_of_is_told()
    {
        await using var projects = await TwoProjects.StartAsync();
        await FillAsync(projects);

        var run = await projects.MigrateAsync("--only", "groups", "--group", "company=compnay");

        Assert.Equal(0, run.Exit);
        Assert.Contains("no groups of company under the id compnay", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_reads_and_sends_and_keeps_nothing()
    {
        await using var projects = await TwoProjects.StartAsync();
        await FillAsync(projects);
        var before = projects.Mixpanel.Requests.Count;

        var run = await projects.MigrateAsync([.. Range, "--dry-run", "--group", "company=company"]);

        Assert.Equal((0, 6, 2, 1, 1, 2),
            (run.Exit, Accepted(run, "events"), Accepted(run, "profiles"),
                run.Json.GetProperty("groups").GetProperty("company").GetProperty("accepted").GetInt32(), Accepted(run, "schemas"),
                Accepted(run, "annotations")));
        Assert.DoesNotContain(projects.Mixpanel.Requests.Skip(before),
            request => request.Method is "POST" or "PUT" && !request.Path.StartsWith("/api/query/", StringComparison.Ordinal));
        Assert.False(Directory.Exists(projects.Tool.Folder.File(".local/state/mixpanel/migrations")));
        Assert.Empty(await projects.EventsAsync("new"));
    }

    [Fact]
    public async Task When_the_calls_of_the_hour_are_used_up_the_same_command_goes_on_later()
    {
        await using var projects = await TwoProjects.StartAsync();
        await FillAsync(projects);

        var run = await projects.MigrateAsync([.. Range, "--only", "events", "--calls-per-hour", "3", "--parallel", "1"]);

        Assert.Equal((5, 3), (run.Exit, run.Json.GetProperty("events").GetProperty("days").GetArrayLength()));
        Assert.Contains("events: This needs 4 calls; 3 left this hour", run.Err, StringComparison.Ordinal);
        Assert.Contains("the next call is possible at", run.Err, StringComparison.Ordinal);
        Assert.Equal((0, 6),
            (await projects.MigrateAsync([.. Range, "--only", "events", "--calls-per-hour", "4"])) is var rest
                ? (rest.Exit, Accepted(rest, "events"))
                : default);
        Assert.Equal(await projects.EventsAsync("old"), await projects.EventsAsync("new"));
    }

    [Fact]
    public async Task Verification_tells_what_the_target_holds_beside_it_or_lacks()
    {
        await using var projects = await TwoProjects.StartAsync();
        await FillAsync(projects);
        await projects.ImportAsync("new", [Event("Own", 2, "own")]);
        await projects.ImportAsync("new", ["""{"$distinct_id":"own","$properties":{}}"""], "--type", "profiles");

        var run = await projects.MigrateAsync([.. Range, "--verify", "--only", "events,profiles"]);

        Assert.Equal((9, false), (run.Exit, run.Json.GetProperty("verified").GetBoolean()));
        Assert.Contains("on 2026-10-02 (2 accepted, 3 there).", run.Err, StringComparison.Ordinal);
        Assert.Contains("Of the profiles, 2 were accepted, and the target has 3.", run.Err, StringComparison.Ordinal);
        Assert.Equal((0, true),
            (await projects.MigrateAsync("--from-date", "2026-10-01", "--to-date", "2026-10-01", "--verify", "--only", "events")) is var right
                ? (right.Exit, right.Json.GetProperty("verified").GetBoolean())
                : default);
    }

    [Fact]
    public async Task Groups_are_verified_where_their_kind_is_named_in_the_target()
    {
        await using var projects = await TwoProjects.StartAsync();
        await FillAsync(projects);
        string[] groups = ["--only", "groups", "--group", "company=company", "--verify"];

        var unnamed = await projects.MigrateAsync(groups);
        Assert.Equal(0, unnamed.Exit);
        Assert.Contains("The groups of company are not verified", unnamed.Err, StringComparison.Ordinal);
        var named = await projects.MigrateAsync([.. groups, "--target-group", "company=company"]);
        Assert.Equal((0, true), (named.Exit, named.Json.GetProperty("verified").GetBoolean()));
        Assert.DoesNotContain("not verified", named.Err, StringComparison.Ordinal);

        await projects.ImportAsync("new", ["""{"$group_id":"own","$properties":{}}"""], "--type", "groups", "--group-key", "company");
        var other = await projects.MigrateAsync([.. groups, "--target-group", "company=company"]);
        Assert.Equal((9, false), (other.Exit, other.Json.GetProperty("verified").GetBoolean()));
        Assert.Contains("Of the groups of company, 1 were accepted, and the target has 2.", other.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hot_shards_get_their_names_back()
    {
        await using var projects = await TwoProjects.StartAsync(new EmulatorOptions { EventsPerDistinctIdAndDay = 2 });
        await projects.ImportAsync("old", Enumerable.Range(0, 5).Select(number => Event($"E{number}", 1, $"i{number}")));
        Assert.Contains(await projects.EventsAsync("old"), one => one.Contains("$hotshard_events", StringComparison.Ordinal));

        var run = await projects.MigrateAsync([.. Range, "--only", "events", "--verify"]);

        Assert.True(run.Exit == 0, run.Out + run.Err);
        Assert.Equal(5, Accepted(run, "events"));
    }

    [Fact]
    public async Task Times_by_a_zone_become_true_and_days_are_those_of_the_source()
    {
        await using var projects = await TwoProjects.StartAsync();
        await projects.ImportAsync("old",
            [Event("A", 1, "a", "\"distinct_id\":\"u\""), """{"event":"Early","properties":{"time":1790812800000,"distinct_id":"u","$insert_id":"early"}}"""]);

        var run = await projects.MigrateAsync([.. Range, "--only", "events", "--source-time-zone", "Europe/Berlin", "--verify"]);

        Assert.True(run.Exit == 0, run.Out + run.Err);
        Assert.Equal(0, run.Json.GetProperty("events").GetProperty("ambiguous_time").GetInt32());
        Assert.Equal(
            """{"event":"A","properties":{"time":1790848800000,"distinct_id":"u","$insert_id":"a"}} {"event":"Early","properties":{"time":1790805600000,"distinct_id":"u","$insert_id":"early"}}""",
            string.Join(' ', await projects.EventsAsync("new")));
        var other = await projects.MigrateAsync([.. Range, "--only", "events"]);
        Assert.Equal(2, other.Exit);
        Assert.Contains("started with the zone Europe/Berlin", other.Err, StringComparison.Ordinal);
        Assert.Equal(0, (await projects.MigrateAsync([.. Range, "--only", "events", "--restart"])).Exit);
    }

    [Theory]
    [InlineData("--from old --to old --from-date 2026-10-01", "same project")]
    [InlineData("--from old --to new", "--from-date")]
    [InlineData("--from old", "--to PROFILE")]
    [InlineData("--to new", "--from PROFILE")]
    [InlineData("--from old --to none --from-date 2026-10-01", "no profile none")]
    [InlineData("--from old --to tokenless --from-date 2026-10-01", "needs the project token")]
    [InlineData("--from old --to bare --from-date 2026-10-01", "needs a service account")]
    [InlineData("--from bare --to new --from-date 2026-10-01", "needs a service account")]
    [InlineData("--from old --to doubled --from-date 2026-10-01", "The profile old and the profile doubled have the same token")]
    [InlineData("--from old --to byname --from-date 2026-10-01", "same project")]
    [InlineData("--from old --to new --from-date 2026-10-01 --to-date 2026-11-23", "is not over")]
    [InlineData("--from old --to new --from-date 2026-10-02 --to-date 2026-10-01", "must not be before")]
    [InlineData("--from old --to new --from-date 2026-10-1", "must be a date such as 2026-01-31")]
    [InlineData("--from old --to new --only events,boards --from-date 2026-10-01", "--only must be")]
    [InlineData("--from old --to new --only profiles --from-date 2026-10-01", "Days are for events")]
    [InlineData("--from old --to new --only profiles --group a=1", "not among the parts")]
    [InlineData("--from old --to new --only groups --group a", "--group must be")]
    [InlineData("--from old --to new --only groups --group a=1 --target-group a=2", "need --verify")]
    [InlineData("--from old --to new --only groups --group a=1 --target-group b=2 --verify", "b is to be read")]
    [InlineData("--from old --to new --only lookup-tables --lookup-table x=y", "UUID")]
    [InlineData("--from old --to new --only lookup-tables --lookup-table 0f8fad5b-d9cb-469f-a165-70867728950e=none.csv", "does not exist")]
    [InlineData("--from old --to new --from-date 2026-10-01 --source-time-zone Nowhere", "time zone is not known")]
    [InlineData("--from old --to new --from-date 2026-10-01 --dry-run --verify", "nothing to verify")]
    [InlineData("--from old --to new --from-date 2026-10-01 --parallel 0", "'--parallel' must be a whole number from 1 to 100")]
    [InlineData("--from old --to new --from-date 2026-10-01 --dead-letter none/d.ndjson", "folder of none/d.ndjson does not exist")]
    [InlineData("--from old --to new --from-date 2026-10-01 --report none/r.json", "folder of none/r.json does not exist")]
    [InlineData("--from old --to new --from-date 2026-10-01 --report r.json --dead-letter r.json", "would overwrite")]
    [InlineData("--from old --to new --from-date 2026-10-01 --local", "only from its two profiles")]
    [InlineData("--from old --to new --from-date 2026-10-01 --profile old", "only from its two profiles")]
    [InlineData("--from old --to new --from-date 2026-10-01 --project-id 7", "only from its two profiles")]
    public async Task What_does_not_fit_is_refused_before_anything_is_sent(string options, string said)
    {
        using var tool = new Tool();
        tool.Environment["MIXPANEL_TOKEN"] = "of-the-environment";
        tool.Environment["MIXPANEL_SERVICE_ACCOUNT_USERNAME"] = "of-the-environment";
        tool.Environment["MIXPANEL_SERVICE_ACCOUNT_SECRET"] = "of-the-environment";
        const string Nowhere = "http://127.0.0.1:9";
        tool.WriteProfiles($$$"""{"old":{{{TwoProjects.Profile(Nowhere, 1, "a")}}},"new":{{{TwoProjects.Profile(Nowhere, 2, "b")}}},"tokenless":{"endpoint":"{{{Nowhere}}}","project_id":3,"service_account_username":"a","service_account_secret":"b"},"doubled":{{{TwoProjects.Profile(Nowhere, 3, "a")}}},"byname":{{{TwoProjects.Profile("http://localhost:9", 1, "d")}}},"bare":{"endpoint":"{{{Nowhere}}}","project_id":4,"token":"c"}}""");

        var run = await tool.RunAsync(["migrate", .. options.Split(' ')]);

        Assert.Equal(2, run.Exit);
        Assert.Contains(said, run.Err, StringComparison.Ordinal);
        Assert.False(Directory.Exists(tool.Folder.File(".local/state/mixpanel/migrations")));
    }

    [Fact]
    public async Task It_ends_with_a_table()
    {
        await using var projects = await TwoProjects.StartAsync();
        await FillAsync(projects);
        var run = await projects.Tool.RunAsync(["migrate", "--from", "old", "--to", "new", .. Range]);
        Assert.Equal(0, run.Exit);
        Assert.Matches(@"events +│ +7 │ +6 │ +0 │ +1 │ +0 │", run.Out);
        Assert.Contains("left out of events: 1 duplicate", run.Out, StringComparison.Ordinal);
        Assert.Contains("No groups are migrated", run.Err, StringComparison.Ordinal);
        Assert.Contains("not migrated: cohorts, boards, custom properties", run.Out, StringComparison.Ordinal);
    }

    static int Accepted(Run run, string part) => run.Json.GetProperty(part).GetProperty("accepted").GetInt32();

    static string Without(JsonElement json, params string[] names)
    {
        var report = JsonNode.Parse(json.GetRawText())!.AsObject();
        foreach (var name in names) report.Remove(name);
        return report.ToJsonString();
    }

    static string Sorted(string json) =>
        string.Join(',',
            JsonNode.Parse(json)!.AsObject()
                .Where(member => member.Key is not "$last_seen")
                .OrderBy(member => member.Key, StringComparer.Ordinal)
                .Select(member => $"{member.Key}={member.Value?.ToJsonString()}"));
}
