using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>Warehouse imports are stored as requested. Refused requests change nothing, so the tables share one embedded Mixpanel.</summary>
public sealed class WarehouseImportTests(WarehouseImportTests.Shared shared) : IClassFixture<WarehouseImportTests.Shared>
{
    const string Imports = "/api/app/projects/1/warehouse-sources/imports";
    const string Events = """{"import_type":"event_stream","warehouse_source_id":5000000000,"table_params":{"table":"t"},"sync_mode":"time_based","time_column_name":"at","event_name":"E"}""";
    const string People = """{"import_type":"people","warehouse_source_id":7,"table_params":{},"sync_mode":"mirror_mode","user_column_name":"u"}""";
    const string Groups =
        """{"import_type":"groups","warehouse_source_id":7,"table_params":{},"sync_mode":"full_sync","group_key":"company","group_id_column":"c"}""";
    const string Table = """{"import_type":"lookup_table","warehouse_source_id":7,"table_params":{},"sync_mode":"one_time","mixpanel_property":{"value":"sku","resourceType":"event"},"property_key_column_name":"sku"}""";
    const string OfRecords = """ "json_properties_column_name":"j","insert_time_column_name":"i","property_mappings":{"a":"b"},"run_every":604800000000000,"databricks_params":{"export_cluster_config":{"n":1}}""";

    static readonly AuthenticationHeaderValue Owner = LocalMixpanel.Basic("local", "local");

    [Theory]
    [InlineData("event-stream", Events, "\"user_column_name\":\"u\",\"company_column_name\":\"c\",\"device_column_name\":\"d\"," + OfRecords)]
    [InlineData("people", People, OfRecords)]
    [InlineData("groups", Groups, OfRecords)]
    [InlineData("lookup-table", Table, "\"run_every\":3600000000000,\"databricks_params\":{}")]
    public async Task An_import_is_given_back_as_it_was_made_and_needs_what_is_required(string kind, string needed, string taken)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        foreach (var (name, _) in Object(needed))
        {
            await RefusedAsync(With(needed, body => body.Remove(name)), name);
            await RefusedAsync(With(needed, body => body[name] = null), name);
            await RefusedAsync(With(needed, body => body[name] = true), name);
        }
        Assert.Equal("""{"results":[],"status":"ok"}""", (await AskAsync(mixpanel, "GET", Imports)).Text);

        var least = await AskAsync(mixpanel, "POST", $"{Imports}/{kind}", needed);
        var all = await AskAsync(mixpanel, "POST", $"{Imports}/{kind}", $"{needed[..^1]},{taken}}}");

        Assert.Equal((200, 200), (least.Status, all.Status));
        Assert.Equal(0, least.Json.GetProperty("results").GetProperty("run_every").GetInt64());
        var results = all.Json.GetProperty("results");
        var rest = Object(results.GetRawText());
        foreach (var (name, value) in Object($"{needed[..^1]},{taken}}}"))
        {
            Assert.True(JsonNode.DeepEquals(value, rest[name]), name);
            rest.Remove(name);
        }
        Shape.Is(
            """{"id":"int","created":"date","creator_id":"int","creator_name":"string","creator_email":"string","paused":"bool","is_deleted":"bool"}""",
            JsonElement.Parse(rest.ToJsonString()));
        Assert.Equal(all.Text, (await AskAsync(mixpanel, "GET", $"{Imports}/{results.GetProperty("id").GetInt32()}")).Text);
        Assert.Equal(2, (await AskAsync(mixpanel, "GET", Imports)).Json.GetProperty("results").GetArrayLength());

        async Task RefusedAsync(string body, string field)
        {
            var answer = await AskAsync(mixpanel, "POST", $"{Imports}/{kind}", body);
            Assert.True(answer.Status == 400 && answer.Json.GetProperty("error").GetString()!.StartsWith(field + ":", StringComparison.Ordinal),
                $"{field}: {answer.Status} {answer.Text}");
        }
    }

    [Theory]
    [InlineData("event-stream", Events, "event_column_name", "\"e\"", "event_name")]
    [InlineData("event-stream", Events, "event_name", "\"\"", "event_name")]
    [InlineData("event-stream", Events, "import_type", "\"event_sync\"")]
    [InlineData("event-stream", Events, "sync_mode", "\"hourly\"")]
    [InlineData("event-stream", Events, "run_every", "1")]
    [InlineData("event-stream", Events, "run_every", "3600")]
    [InlineData("event-stream", Events, "run_every", "-3600000000000")]
    [InlineData("event-stream", Events, "run_every", "1e30")]
    [InlineData("event-stream", Events, "run_every", "\"3600000000000\"")]
    [InlineData("event-stream", Events, "warehouse_source_id", "1.5")]
    [InlineData("event-stream", Events, "table_params", "[]")]
    [InlineData("event-stream", Events, "property_mappings", "\"a\"")]
    [InlineData("event-stream", Events, "databricks_params", "[]")]
    [InlineData("event-stream", Events, "databricks_params", "{\"export_cluster_config\":1}", "databricks_params.export_cluster_config")]
    [InlineData("event-stream", Events, "group_key", "\"g\"")]
    [InlineData("event-stream", Events, "user_colum_name", "\"u\"")]
    [InlineData("people", People, "import_type", "\"groups\"")]
    [InlineData("people", People, "event_name", "\"E\"")]
    [InlineData("people", People, "paused", "true")]
    [InlineData("groups", Groups, "group_id_column", "\"\"")]
    [InlineData("lookup-table", Table, "sync_mode", "\"time_based\"")]
    [InlineData("lookup-table", Table, "sync_mode", "\"mirror_mode\"")]
    [InlineData("lookup-table", Table, "property_mappings", "{}")]
    [InlineData("lookup-table", Table, "mixpanel_property", "{\"resourceType\":\"event\"}", "mixpanel_property.value")]
    [InlineData("lookup-table", Table, "mixpanel_property", "{\"value\":\"v\",\"resourceType\":\"group\"}", "mixpanel_property.resourceType")]
    [InlineData("lookup-table", Table, "mixpanel_property", "{\"value\":\"v\",\"resourceType\":\"user\",\"other\":1}", "mixpanel_property.other")]
    public async Task A_member_that_is_wrong_is_refused_by_name(string kind, string body, string member, string value, string? named = null)
    {
        var answer = await AskAsync(shared.Mixpanel, "POST", $"{Imports}/{kind}", With(body, import => import[member] = JsonNode.Parse(value)));

        Assert.True(answer.Status == 400 && answer.Json.GetProperty("error").GetString()!.StartsWith((named ?? member) + ":", StringComparison.Ordinal),
            $"{answer.Status} {answer.Text}");
    }

    [Theory]
    [InlineData("GET", "/99", null, 404)]
    [InlineData("GET", "/x", null, 404)]
    [InlineData("GET", "/99999999999", null, 404)]
    [InlineData("PATCH", "/99", """{"paused":true,"run_every":0}""", 404)]
    [InlineData("DELETE", "/99", null, 404)]
    [InlineData("PUT", "/99/manual-sync", "{}", 404)]
    [InlineData("GET", "/99/history", null, 404)]
    [InlineData("PATCH", "/1", """{"paused":true}""", 400)]
    [InlineData("PATCH", "/1", """{"run_every":0}""", 400)]
    [InlineData("PATCH", "/1", """{"paused":true,"run_every":5}""", 400)]
    [InlineData("PATCH", "/1", """{"paused":true,"run_every":0,"sync_mode":"full_sync"}""", 400)]
    [InlineData("DELETE", "/1", """{"delete_data":"yes"}""", 400)]
    [InlineData("DELETE", "/1", """{"delete":true}""", 400)]
    [InlineData("PUT", "/1/manual-sync", null, 400)]
    [InlineData("PUT", "/1/manual-sync", """{"full":true}""", 400)]
    [InlineData("PUT", "/1/manual-sync", "[]", 400)]
    [InlineData("GET", "?limit=1", null, 400)]
    [InlineData("DELETE", "/1?delete_data=true", null, 400)]
    public async Task What_is_not_there_or_not_understood_is_refused(string method, string path, string? body, int status)
    {
        var answer = await AskAsync(shared.Mixpanel, method, Imports + path, body);

        Assert.True(answer.Status == status, $"{answer.Status} {answer.Text}");
        Shape.Is("""{"error":"string","status":"=error"}""", answer.Json);
        Assert.Equal("""{"results":{"runs":[]},"status":"ok"}""", (await AskAsync(shared.Mixpanel, "GET", Imports + "/1/history")).Text);
    }

    [Fact]
    public async Task A_run_is_recorded_as_failed_and_the_latest_thirty_are_told()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await AskAsync(mixpanel, "POST", Imports + "/people", People);
        HashSet<string> ids = [];
        for (var run = 0; run < 32; run++)
        {
            var answer = await AskAsync(mixpanel, "PUT", Imports + "/1/manual-sync", run % 2 == 0 ? "{}" : "null");
            ids.Add(answer.Json.GetProperty("results").GetProperty("run_id").GetString()!);
            mixpanel.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        var runs = (await AskAsync(mixpanel, "GET", Imports + "/1/history")).Json.GetProperty("results").GetProperty("runs");

        Assert.Equal((32, 30), (ids.Count, runs.GetArrayLength()));
        Assert.Equal("""{"status":"FAILED","start_time":"2026-09-01T12:31:00Z","end_time":"2026-09-01T12:31:00Z","num_events_imported":0}""",
            runs[0].GetRawText());
        Assert.Equal("2026-09-01T12:02:00Z", runs[29].GetProperty("start_time").GetString());
        Assert.False((await AskAsync(mixpanel, "GET", Imports + "/1")).Json.GetProperty("results").TryGetProperty("runs", out _));
    }

    [Fact]
    public async Task An_import_its_changes_and_its_runs_survive_a_restart_until_it_is_deleted()
    {
        using var folder = new TemporaryFolder();
        const string Changed = """{"paused":true,"run_every":86400000000000,"databricks_params":{"export_cluster_config":{"m":2}}}""";
        string kept, history;
        await using (var mixpanel = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path }))
        {
            await AskAsync(mixpanel, "POST", Imports + "/event-stream",
                With(Events, body => body["databricks_params"] = JsonNode.Parse("""{"export_cluster_config":{"n":1}}""")));
            kept = (await AskAsync(mixpanel, "PATCH", Imports + "/1", Changed)).Text;
            await AskAsync(mixpanel, "PUT", Imports + "/1/manual-sync", "{}");
            history = (await AskAsync(mixpanel, "GET", Imports + "/1/history")).Text;
        }

        await using var again = await LocalMixpanel.StartAsync(options => options with { DataDirectory = folder.Path });
        var read = await AskAsync(again, "GET", Imports + "/1");
        Assert.Equal((kept, history), (read.Text, (await AskAsync(again, "GET", Imports + "/1/history")).Text));
        foreach (var (name, value) in Object(Changed))
            Assert.Equal(value!.ToJsonString(), read.Json.GetProperty("results").GetProperty(name).GetRawText());
        (await AskAsync(again, "DELETE", Imports + "/1", """{"delete_data":true}""")).Is(200, """{"results":{"status":"ok"},"status":"ok"}""");
        Assert.Equal(404, (await AskAsync(again, "GET", Imports + "/1")).Status);
        Assert.Equal(404, (await AskAsync(again, "DELETE", Imports + "/1")).Status);
        Assert.Equal("""{"results":[],"status":"ok"}""", (await AskAsync(again, "GET", Imports)).Text);
    }

    static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();

    static string With(string body, Action<JsonObject> change)
    {
        var members = Object(body);
        change(members);
        return members.ToJsonString();
    }

    static Task<Answer> AskAsync(LocalMixpanel mixpanel, string method, string path, string? body = null) =>
        mixpanel.SendAsync(new HttpMethod(method), path, body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"), Owner);

    /// <summary>An embedded Mixpanel with one import, 1, which has never run.</summary>
    public sealed class Shared : IAsyncLifetime
    {
        internal LocalMixpanel Mixpanel { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Mixpanel = await LocalMixpanel.StartAsync();
            await AskAsync(Mixpanel, "POST", Imports + "/people", People);
        }

        public ValueTask DisposeAsync() => Mixpanel.DisposeAsync();
    }
}
