using System.Net.Http.Headers;
using System.Text;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>Lookup tables are listed, and replaced atomically.</summary>
public class LookupTableTests
{
    const string Path = "/lookup-tables/00000000-0000-4000-8000-000000000001?project_id=1";
    const string Replaced = """{"code":200,"status":"OK"}""";

    static readonly AuthenticationHeaderValue Owner = LocalMixpanel.Basic("local", "local");

    static Task<Answer> PutAsync(LocalMixpanel mixpanel, string csv, string path = Path, AuthenticationHeaderValue? authorization = null,
        string type = "text/csv") =>
        mixpanel.SendAsync(HttpMethod.Put, path, new StringContent(csv, Encoding.UTF8, type), authorization ?? Owner);

    static async Task<string> StoredAsync(LocalMixpanel mixpanel) => Assert.Single(await mixpanel.Server.LookupTablesAsync()).Csv;

    [Fact]
    public async Task The_one_table_is_listed()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        (await mixpanel.GetAsync("/lookup-tables?project_id=1", Owner)).Is(200,
            """{"code":200,"status":"OK","results":[{"id":"00000000-0000-4000-8000-000000000001","name":"Local"}]}""");
        Assert.Equal(401, (await mixpanel.GetAsync("/lookup-tables?project_id=1")).Status);
        Assert.Equal(400, (await mixpanel.GetAsync("/lookup-tables", Owner)).Status);
    }

    [Fact]
    public async Task A_table_is_replaced_by_what_is_sent()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        (await PutAsync(mixpanel, "id,name\na,1\n")).Is(200, Replaced);
        var csv = "id,\"na\"\"me\"\r\n\r\n\"a,b\",\"x\ny\"\r\nb,";
        (await mixpanel.SendAsync(HttpMethod.Put, Path, LocalMixpanel.Gzip(Encoding.UTF8.GetBytes(csv), "text/csv"), Owner)).Is(200, Replaced);
        Assert.Equal(csv, await StoredAsync(mixpanel));
    }

    [Fact]
    public async Task Rows_that_break_a_rule_are_named_and_the_table_stays_as_it_was()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await PutAsync(mixpanel, "id,name\na,1\n");
        (await PutAsync(mixpanel, "id,name\nb,1\n\n ,2\nb,3\nc\n")).Is(
            400,
            """{"code":400,"error":"some data points in the request failed validation","failed_records":[{"index":1,"message":"primary key is required and cannot be blank"},{"index":2,"message":"invalid row: row indexes 0 and 2 have the same primary key"},{"index":3,"message":"invalid row: wrong number of fields"}],"status":"Bad Request"}""");
        Assert.Equal("id,name\na,1\n", await StoredAsync(mixpanel));
    }

    [Fact]
    public async Task At_most_ten_rows_are_named()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var answer = await PutAsync(mixpanel, "id,name\n" + string.Concat(Enumerable.Repeat("a\n", 30)));
        Assert.Equal(10, answer.Json.GetProperty("failed_records").GetArrayLength());
    }

    [Theory]
    [InlineData("")]
    [InlineData("id,id\n")]
    [InlineData("id,name\na,\"1\n")]
    [InlineData("id,name\na,x\"1\n")]
    [InlineData("id,name\n\"a\"b,1\n")]
    public async Task What_is_no_table_is_refused(string csv)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        Assert.Equal(400, (await PutAsync(mixpanel, csv)).Status);
        Assert.Equal("", await StoredAsync(mixpanel));
    }

    [Fact]
    public async Task Who_may_not_and_what_is_not_there_is_said()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        const string Csv = "id,name\na,1\n";
        var unknown = "00000000-0000-4000-8000-000000000002";
        (await PutAsync(mixpanel, Csv, Path.Replace("01?", "02?", StringComparison.Ordinal))).Is(404,
            $$"""{"code":404,"error":"Lookup table with id '{{unknown}}' was not found.","status":"Not Found"}""");
        Assert.Equal(401, (await PutAsync(mixpanel, Csv, authorization: LocalMixpanel.Basic("local", "wrong"))).Status);
        Assert.Equal(401, (await PutAsync(mixpanel, Csv, authorization: LocalMixpanel.Basic("", ""))).Status);
        Assert.Equal(403, (await PutAsync(mixpanel, Csv, Path.Replace("project_id=1", "project_id=2", StringComparison.Ordinal))).Status);
        Assert.Equal(415, (await PutAsync(mixpanel, Csv, type: "application/json")).Status);
        Assert.Equal("", await StoredAsync(mixpanel));
    }

    [Fact]
    public async Task Columns_of_a_mapped_table_are_properties_in_reports_and_profile_queries()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        await PutAsync(mixpanel,
            "song,artist,length,live,tags,plays\nc9,Drake,3.5,True,\"[\"\"a\"\",\"\"b\"\"]\",\n7,\"Daft Punk\",4,false,[],2001-03-12T07:30:00Z\n");
        await mixpanel.ImportAsync($"[{Song("c9", 1)},{Song("c9", 2, ",\"plan\":\"pro\"")},{Song("7", 3)},{Song("none", 4)},{Song("c9", 5, ",\"artist\":\"Me\"")},{mixpanel.Event(name: "\"Played\"", insertId: "\"n\"", more: "\"song_id\":7")}]");
        await mixpanel.PostAsync("/engage",
            """[{"$token":"local","$distinct_id":"ada","$set":{"favorite":"c9"}},{"$token":"local","$distinct_id":"bob","$set":{"favorite":7}}]""");

        Assert.Equal("""{"undefined":5,"Me":1}""", await CountsAsync(mixpanel, "properties[\"artist\"]"));
        Assert.Equal(200,
            (await MapAsync(mixpanel, """{"mappings":[{"value":"song_id","resourceType":"event"},{"value":"favorite","resourceType":"user"}]}""")).Status);

        Assert.Equal("""{"Daft Punk":2,"Drake":2,"Me":1,"undefined":1}""", await CountsAsync(mixpanel, "properties[\"artist\"]"));
        Assert.Equal("""{"true":3,"false":2,"undefined":1}""", await CountsAsync(mixpanel, "properties[\"live\"]"));
        Assert.Equal("""{"Drake":6}""", await CountsAsync(mixpanel, "user[\"artist\"]"));
        Assert.Equal("""{"c9":3}""",
            await CountsAsync(mixpanel, "properties[\"song_id\"]",
                "properties[\"length\"] > 3 and properties[\"length\"] < 4 and \"a\" in properties[\"tags\"]"));
        Assert.Equal("""{"7":2}""", await CountsAsync(mixpanel, "properties[\"song_id\"]", "properties[\"plays\"] < datetime(\"2002-01-01\")"));
        Assert.Equal("""{"undefined":6}""", await CountsAsync(mixpanel, "properties[\"song\"]"));
        var found = await mixpanel.GetAsync("/api/query/engage?project_id=1&where=" + Uri.EscapeDataString("properties[\"artist\"] == \"Daft Punk\""), Owner);
        Assert.Equal("bob", Assert.Single(found.Json.GetProperty("results").EnumerateArray().ToList()).GetProperty("$distinct_id").GetString());

        string Song(string song, int id, string more = "") =>
            mixpanel.Event(name: "\"Played\"", insertId: $"\"s-{id}\"", more: $"\"song_id\":\"{song}\"{more}");
    }

    [Theory]
    [InlineData("""{}""", 400)]
    [InlineData("""{"mappings":[{"value":"song_id"}]}""", 400)]
    [InlineData("""{"mappings":[{"value":"song_id","resourceType":"group"}]}""", 400)]
    [InlineData("""{"mappings":[{"value":"$distinct_id","resourceType":"user"}]}""", 400)]
    [InlineData("""{"mappings":[{"value":"taken","resourceType":"event"}]}""", 400)]
    [InlineData("""{"mappings":[]}""", 200)]
    public async Task A_property_is_the_key_of_one_table(string json, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var other = await mixpanel.SendAsync(HttpMethod.Post, "/emulator/projects/1/lookup-tables",
            new StringContent("""{"name":"Other","mappings":[{"value":"taken","resourceType":"event"}]}"""), Owner);
        Assert.Equal(201, other.Status);

        Assert.Equal(status, (await MapAsync(mixpanel, json)).Status);
    }

    static Task<Answer> MapAsync(LocalMixpanel mixpanel, string json) =>
        mixpanel.SendAsync(HttpMethod.Put, "/emulator/projects/1/lookup-tables/" + DevelopmentCredentials.LookupTableId, new StringContent(json), Owner);

    /// <summary>The number of songs played, segmented by an expression.</summary>
    static async Task<string> CountsAsync(LocalMixpanel mixpanel, string on, string where = "true")
    {
        var answer = await mixpanel.GetAsync(
            $"/api/query/segmentation?project_id=1&event=Played&from_date=2026-09-01&to_date=2026-09-01&on={Uri.EscapeDataString(on)}&where={Uri.EscapeDataString(where)}",
            Owner);
        Assert.True(answer.Status == 200, answer.Text);
        var counts = answer.Json.GetProperty("data")
            .GetProperty("values").EnumerateObject()
            .Select(segment => $"\"{segment.Name}\":{segment.Value.GetProperty("2026-09-01")}");
        return $"{{{string.Join(',', counts)}}}";
    }
}
