using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Import;

public sealed class InspectionTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    async Task<ImportInspection> InspectAsync(string text, Func<ImportRequest, ImportRequest>? change = null)
    {
        using var http = new HttpClient(_run.Mixpanel, disposeHandler: false) { Timeout = Hang.Limit };
        using var client = new MixpanelClient(new MixpanelOptions { TimeProvider = _run.Clock }, http); // no credentials
        var request = _run.Request(_run.Folder.Write("in.ndjson", text));
        var inspection = await client.InspectAsync(change?.Invoke(request) ?? request, TestContext.Current.CancellationToken);
        Assert.Empty(_run.Mixpanel.Requests);
        Assert.False(File.Exists(_run.DeadLetterPath));
        return inspection;
    }

    [Theory]
    [InlineData("""{"action":"e","customer_id":"u","date":"2026-09-01"}""", "ImportRequest.Columns (event=action) ImportRequest.Columns (time=date) ImportRequest.Columns (distinct_id=customer_id) ImportFixes.Time")]
    [InlineData("""{"Event Name":"e","User ID":7,"TS":1790000000}""", "ImportRequest.Columns (event=Event Name) ImportRequest.Columns (time=TS) ImportRequest.Columns (distinct_id=User ID) ImportFixes.Ids")]
    [InlineData("""{"event":"e","distinct_id":"u","stamp":"2026-09-01T10:00:00Z"}""", "ImportRequest.Columns (time=stamp) ImportFixes.Time")] // by its values
    [InlineData("""{"event":"e","properties":{"time":"2026-09-01","distinct_id":7}}""", "ImportFixes.Time | ImportFixes.Ids")]
    [InlineData("""{"event":"e","properties":{"ts":1790000000,"$user_id":"u"}}""", "ImportRequest.Rename (ts=time)")]
    [InlineData("""{"event":"e","properties":{"time":1790000000}}""", "ImportFixes.Ids")]
    [InlineData("""{"event":"e","properties":{"time":1790000000,"distinct_id":"u","$insert_id":"no id!"}}""", "ImportFixes.InsertIds")]
    [InlineData("""{"event":"e","properties":{"time":"2026-09-01","distinct_id":7,"$insert_id":"undefined"}}""", "ImportFixes.Time | ImportFixes.Ids | ImportFixes.InsertIds")]
    [InlineData("""{"event":"e","properties":{"time":100,"distinct_id":"u"}}""", "")] // nothing mends that
    [InlineData("""{"event_name":"e","properties":{"time":1790000000,"distinct_id":"u"}}""", "")] // no option reaches what stands beside the properties
    public async Task What_is_proposed_was_tried(string record, string options)
    {
        var inspection = await InspectAsync(record + "\n");
        Assert.Equal((1, 1), (inspection.Records, inspection.Refused));
        Assert.Equal(options, inspection.Proposal?.In(MessageWords.Default) ?? "");
        if (options.Length > 0) Assert.Equal(1, inspection.Proposal!.Accepted);
    }

    [Fact]
    public async Task What_was_given_is_not_proposed()
    {
        const string Record = """{"name":"e","kind":"k","user_id":"u","at":"2026-09-01"}""";
        var inspection = await InspectAsync(Record,
            request => request with { Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["event"] = "kind" }, Fix = ImportFixes.Time });
        Assert.Equal("ImportRequest.Columns (time=at) ImportRequest.Columns (distinct_id=user_id)", inspection.Proposal!.In(MessageWords.Default));
    }

    [Fact]
    public async Task Events_that_would_be_nobodys_are_said_to_be()
    {
        Assert.Contains("to no user", (await InspectAsync("""{"event":"e","time":1790000000}""")).Proposal!.Note, StringComparison.Ordinal);
        Assert.Null((await InspectAsync("""{"event":"e","time":1790000000,"distinct_id":7}""")).Proposal!.Note);
    }

    [Fact]
    public async Task Columns_have_types_and_samples_that_are_safe_and_short()
    {
        var inspection = await InspectAsync($$"""
            {"event":"e\u001b[31m\u202e","n":1,"t":"2026-09-01","b":true,"j":{"a":[1]},"long":"{{new string('x', 500)}}","none":null}
            {"event":"e2","n":"x","t":"2026-09-01"}
            """);
        Assert.Equal("event:text n:number or text t:time b:boolean j:json long:text none:empty",
            string.Join(' ', inspection.Columns.Select(column => $"{column.Name}:{column.Type}")));
        Assert.Equal(["e?[31m?", "e2"], inspection.Columns[0].Samples);
        Assert.Equal(81, inspection.Columns[5].Samples[0].Length);
        Assert.Single(inspection.Columns[2].Samples);
    }

    [Theory]
    [InlineData("007", "text")]
    [InlineData("+7", "text")]
    [InlineData("0001790000000", "text")]
    [InlineData("007.5", "text")]
    [InlineData("1e9", "text")]
    [InlineData("2026-09-01", "time")]
    [InlineData("2026-09-01T10:00:00Z", "time")]
    public async Task A_text_that_only_counts_is_no_time(string value, string type)
    {
        var inspection = await InspectAsync($$"""{"event":"e","time":1790000000,"distinct_id":"u","zip":"{{value}}"}""" + "\n");
        Assert.Equal(type, inspection.Columns.Single(column => column.Name == "zip").Type);
    }

    [Fact]
    public async Task No_more_than_a_thousand_records_and_five_thousand_columns_are_looked_at()
    {
        var inspection = await InspectAsync(string.Concat(Enumerable.Range(0, 1500)
            .Select(i => $$"""{"event":"e","time":{{ImportRun.Time}},"distinct_id":"u",{{string.Join(',', Enumerable.Range(0, 6).Select(k => $"\"k{i}-{k}\":1"))}}}"""
                + "\n")));
        Assert.Equal((1000, 0, 5000), (inspection.Records, inspection.Refused, inspection.Columns.Count));
    }

    [Theory]
    [InlineData("<!doctype html>", 0)]
    [InlineData("", 0)]
    [InlineData("{\"event\":\"e\"", 0)] // cut short
    public async Task What_cannot_be_read_is_told(string text, long records)
    {
        var inspection = await InspectAsync(text);
        Assert.Equal((RunOutcome.Damaged, records), (inspection.Outcome, inspection.Records));
        Assert.NotNull(inspection.Problem);
    }

    [Theory]
    [InlineData("a\r\nb", "CR LF", "UTF-8")]
    [InlineData("a\nb\r\nc\n", "LF", "UTF-8")]
    [InlineData("a\rb", "CR", "UTF-8")]
    [InlineData("\ufeffa", null, "UTF-8 with a byte order mark")]
    public async Task The_form_of_text_is_told(string text, string? ends, string encoding)
    {
        var inspection = await InspectAsync(text);
        Assert.Equal((ends, encoding), (inspection.LineEnds, inspection.Encoding));
    }

    [Fact]
    public async Task Profiles_are_recognized_unless_the_type_was_given()
    {
        const string profile = """{"$distinct_id":"u","$set":{"a":1}}""";
        var proposal = (await InspectAsync(profile)).Proposal!;
        Assert.Equal(("ImportRequest.Type profiles", 1L), (proposal.In(MessageWords.Default), proposal.Accepted));
        Assert.Null((await InspectAsync(profile, request => request with { Type = ImportType.Events })).Proposal?.Type);
    }
}
