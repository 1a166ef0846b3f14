using System.Formats.Tar;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>Imports of other tools' records over HTTP, with the same options as on the command line.</summary>
[Collection(nameof(Alone))]
public sealed class MappedImportTests
{
    static readonly (string, string) Ndjson = ("Content-Type", "application/x-ndjson");

    const string Calls = """
        {"type":"track","event":"Order","messageId":"m-1","userId":"u-7","anonymousId":"a-1","timestamp":"2025-10-03T08:15:30.250Z","properties":{"total":59.90}}
        {"type":"identify","messageId":"m-2","userId":"u-7","timestamp":"2025-10-03T08:15:30.250Z","traits":{"plan":"pro"}}
        {"type":"track","event":"Order","messageId":"m-3","userId":"u-7"}

        """;

    const string Own = """{"name":"shop","events":{"event":{"text":"{kind} of {@file}"},"time":{"path":"at","unit":"s"},"user_id":"user"}}""";

    static Answer Accept(RecordedRequest request) => Answer.Json($$"""{"code":200,"num_records_imported":{{request.Json.GetArrayLength()}},"status":"OK"}""");

    [Fact]
    public async Task An_export_of_a_vendor_becomes_Mixpanels_events()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var taken = await served.PostAsync("/v1/imports?vendor=segment&identity=original", Calls, Ndjson);
        var job = await ImportJobTests.EndAsync(served, taken.Headers.Location!.ToString());

        Assert.Equal((1, 1, 1),
            (ImportJobTests.Report(job, "accepted"), ImportJobTests.Report(job, "rejected"),
                job.GetProperty("report").GetProperty("left_out").GetProperty("profiles").GetInt32()));
        var sent = Assert.Single(served.Mixpanel.Request.Json.EnumerateArray()).GetProperty("properties");
        Assert.Equal(("u-7", "m-1", "59.90"),
            (sent.GetProperty("distinct_id").GetString(), sent.GetProperty("$insert_id").GetString(), sent.GetProperty("total").GetRawText()));
        Assert.False(sent.TryGetProperty("$device_id", out _));
        var letter = JsonElement.Parse(await (await served.SendAsync(HttpMethod.Get, $"{taken.Headers.Location}/dead-letters", (string?)null)).TextAsync());
        Assert.Equal(("body", "segment", "m-3"),
            (letter.GetProperty("source").GetString(), letter.GetProperty("options").GetProperty("vendor").GetString(),
                letter.GetProperty("raw").GetProperty("messageId").GetString()));
    }

    [Fact]
    public async Task A_mapping_comes_with_the_request_and_knows_the_name_of_the_file()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var path = (await served.PostAsync($"/v1/imports?name=carts.json&mapping={Uri.EscapeDataString(Own)}",
            """{"kind":"order","at":1759478400,"user":"u-8"}""", Ndjson)).Headers.Location!.ToString();

        Assert.Equal("finished", (await ImportJobTests.EndAsync(served, path)).GetProperty("status").GetString());
        Assert.Equal("order of carts", served.Mixpanel.Request.Json[0].GetProperty("event").GetString());
    }

    [Fact]
    public async Task A_mapping_as_large_as_the_largest_that_is_built_in_has_its_place_in_a_request()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        foreach (var vendor in ImportMapping.Vendors)
        {
            var mapping = Uri.EscapeDataString(ImportMapping.OfVendor(vendor).Json);
            Assert.Equal(200, (int)(await served.PostAsync($"/v1/imports/show-mapping?mapping={mapping}", "{}", Ndjson)).StatusCode);
        }

        Assert.Equal(414, (int)(await served.PostAsync($"/v1/imports/show-mapping?mapping={new string('x', 40_000)}", "{}", Ndjson)).StatusCode);
    }

    [Fact]
    public async Task Files_in_an_archive_are_records_each_with_its_name()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var taken = await served.SendAsync(HttpMethod.Post, $"/v1/imports?mapping={Uri.EscapeDataString(Own)}",
            ZipOf.Texts(("a/visits.json", """{"kind":"start","at":1759478400,"user":"u"}"""),
                ("carts.ndjson", """{"kind":"order","at":1759478400,"user":"u"}""" + "\n{\"kind\":\"order\"}\n")),
            ("Content-Type", "application/zip"));
        var path = taken.Headers.Location!.ToString();
        var job = await ImportJobTests.EndAsync(served, path);

        Assert.Equal((2, 1), (ImportJobTests.Report(job, "accepted"), ImportJobTests.Report(job, "rejected")));
        Assert.Equal(["start of visits", "order of carts"],
            served.Mixpanel.Request.Json.EnumerateArray().Select(sent => sent.GetProperty("event").GetString()!), StringComparer.Ordinal);
        var letters = await (await served.SendAsync(HttpMethod.Get, $"{path}/dead-letters", (string?)null)).TextAsync();
        Assert.Equal("body/carts.ndjson", JsonElement.Parse(letters).GetProperty("source").GetString());
        Assert.DoesNotContain(served.Folder.Path, letters + job, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/zip", null)]
    [InlineData("application/zip", "export of May")]
    [InlineData("application/x-tar", null)]
    [InlineData("application/octet-stream", "events.tar")]
    public async Task An_archive_is_recognized_by_its_content_type_or_its_name(string contentType, string? name)
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        const string Event = """{"event":"E","properties":{"time":1759478400,"distinct_id":"u","$insert_id":"i"}}""";
        var archive = contentType == "application/zip" ? ZipOf.Texts(("a.ndjson", Event)) : Tar("a.ndjson", Event);
        var inspected =
            await (await served.SendAsync(HttpMethod.Post, $"/v1/imports/inspect?name={name ?? "x"}", archive, ("Content-Type", contentType))).JsonAsync();
        Assert.Equal((1, 0), (inspected.GetProperty("records").GetInt32(), inspected.GetProperty("refused").GetInt32()));

        var taken = await served.SendAsync(HttpMethod.Post, $"/v1/imports{(name is null ? "" : $"?name={name}")}", archive, ("Content-Type", contentType));
        Assert.Equal(1, ImportJobTests.Report(await ImportJobTests.EndAsync(served, taken.Headers.Location!.ToString()), "accepted"));
    }

    static byte[] Tar(string name, string content)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
        return stream.ToArray();
    }

    [Fact]
    public async Task Records_are_shown_before_and_after_and_nothing_is_sent_or_kept()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var shown = await (await served.PostAsync("/v1/imports/show-mapping?vendor=segment&show_mapping=2", Calls, Ndjson)).JsonAsync();

        var records = shown.GetProperty("records").EnumerateArray().ToList();
        Assert.Equal(2, records.Count);
        Assert.Equal(("body", 1, "m-1"),
            (records[0].GetProperty("source").GetString(), records[0].GetProperty("line").GetInt32(),
                records[0].GetProperty("before").GetProperty("messageId").GetString()));
        Assert.Equal("Order", Assert.Single(records[0].GetProperty("after").EnumerateArray()).GetProperty("record").GetProperty("event").GetString());
        Assert.Equal("profiles", Assert.Single(records[1].GetProperty("after").EnumerateArray()).GetProperty("left_out").GetString());
        Assert.Equal("{\"imports\":[]}", await (await served.SendAsync(HttpMethod.Get, "/v1/imports", (string?)null)).TextAsync());
        Assert.Empty(Directory.EnumerateFileSystemEntries(served.Folder.File("state/imports")));
        Assert.Empty(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task What_cannot_be_read_is_told_beside_what_is_shown_and_a_long_answer_ends()
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var cut = await (await served.SendAsync(HttpMethod.Post, "/v1/imports/show-mapping?vendor=segment", ZipOf.Texts(("a.json", Calls))[..^30],
            ("Content-Type", "application/zip"))).JsonAsync();
        Assert.Equal(0, cut.GetProperty("records").GetArrayLength());
        Assert.DoesNotContain(served.Folder.Path, cut.GetProperty("problem").GetString(), StringComparison.Ordinal);

        var large = string.Concat(Enumerable.Repeat($$$"""{"kind":"{{{new string('x', 900_000)}}}"}""" + "\n", 8));
        var shown = await (await served.PostAsync($"/v1/imports/show-mapping?mapping={Uri.EscapeDataString(Own)}", large, Ndjson)).JsonAsync();
        Assert.InRange(shown.GetProperty("records").GetArrayLength(), 2, 7);
        Assert.Contains("Request fewer", shown.GetProperty("problem").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/imports?vendor=segment&mapping=%7B%7D", "mapping")]
    [InlineData("/v1/imports?mapping=mine.json", "mapping")]
    [InlineData("/v1/imports?mapping=%2Fetc%2Fpasswd", "mapping")]
    [InlineData("/v1/imports?mapping=", "mapping")]
    [InlineData("/v1/imports?vendor=nobody", "vendor")]
    [InlineData("/v1/imports?identity=original", "identity")]
    [InlineData("/v1/imports?vendor=segment&map=time%3Dat", "map")]
    [InlineData("/v1/imports?vendor=segment&show_mapping=3", "show_mapping")]
    [InlineData("/v1/imports/show-mapping", "show_mapping")]
    [InlineData("/v1/imports/show-mapping?vendor=segment&show_mapping=0", "show_mapping")]
    [InlineData("/v1/imports/show-mapping?vendor=segment&show_mapping=1001", "show_mapping")]
    [InlineData("/v1/imports/inspect?vendor=segment", "inspect")]
    public async Task What_does_not_fit_is_refused_before_the_body_is_read(string path, string field)
    {
        await using var served = await Served.StartAsync(options => options, Accept);
        var refused = await served.PostAsync(path, Calls, Ndjson);
        Assert.Equal(400, (int)refused.StatusCode);
        Assert.Equal(field, (await refused.JsonAsync()).GetProperty("field").GetString());
    }
}
