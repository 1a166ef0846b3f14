using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Import;

public sealed class GroupsTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    ImportRequest Request(string text) => _run.Request(_run.Folder.Write("groups.ndjson", text)) with { Type = ImportType.Groups, GroupKey = "company" };

    [Fact]
    public async Task Updates_get_the_token_and_the_group_key_and_keep_their_bytes_and_their_order()
    {
        var report = await _run.RunAsync(Request("""
            {"$group_id":"a", "$set":{"n":1.50,"$distinct_id":1}}
            {"$token":"token","$group_key":"company","$group_id":"a","$unset":["x"]}
            { "$group_key":"comp\u0061ny" ,"$group_id":"b","$delete":null}

            """));
        Assert.Equal((RunOutcome.Complete, 3, 1), (report.Outcome, report.Accepted, report.Requests));
        var request = Assert.Single(_run.Mixpanel.Requests);
        Assert.Equal(("/groups", "?verbose=1&ip=0&strict=1"), (request.Path, request.Query));
        Assert.Equal(
            """[{"$token":"token","$group_key":"company","$group_id":"a", "$set":{"n":1.50,"$distinct_id":1}},{"$token":"token","$group_key":"company","$group_id":"a","$unset":["x"]},{"$token":"token", "$group_key":"comp\u0061ny" ,"$group_id":"b","$delete":null}]""",
            Encoding.UTF8.GetString(request.Body));
    }

    [Theory]
    [InlineData("""{"$group_id":"a","$properties" : {"$properties":1}}""", """$group_id":"a","$set": {"$properties":1}}""")]
    [InlineData("""{"$distinct_id" :"a","$properties":{"x":1.0}}""", """$group_id":"a","$set":{"x":1.0}}""")]
    [InlineData("""{"$properties":{"$distinct_id":2}, "$distinct_id": "a" }""", """$set":{"$distinct_id":2}, "$group_id": "a" }""")]
    public async Task An_exported_group_becomes_a_set(string record, string sent)
    {
        var report = await _run.RunAsync(Request(record));
        Assert.Equal(RunOutcome.Complete, report.Outcome);
        Assert.Equal("{\"$token\":\"token\",\"$group_key\":\"company\",\"" + sent, Assert.Single(_run.Mixpanel.Stored));
    }

    [Theory]
    [InlineData("""{"$set":{}}""", "group_id_missing")]
    [InlineData("""{"$group_id":" ","$set":{}}""", "group_id_missing")]
    [InlineData("""{"$group_id":1,"$set":{}}""", "group_id_invalid")]
    [InlineData("""{"$distinct_id":1,"$properties":{}}""", "group_id_invalid")]
    [InlineData("""{"$group_id":"a","$distinct_id":"a","$set":{}}""", "distinct_id_present")]
    [InlineData("""{"$group_id":"a","$distinct_id":"a","$properties":{}}""", "distinct_id_present")]
    [InlineData("""{"$distinct_id":"a","$set":{}}""", "distinct_id_present")]
    [InlineData("""{"$group_key":"team","$group_id":"a","$set":{}}""", "group_key_differs")]
    [InlineData("""{"$token":"other","$group_id":"a","$set":{}}""", "token_differs")]
    [InlineData("""{"$group_id":"a"}""", "operation_missing")]
    [InlineData("""{"$group_id":"a","$set":{},"$unset":["x"]}""", "operation_ambiguous")]
    [InlineData("""{"$group_id":"a","$add":{"n":1}}""", "operation_invalid")]
    [InlineData("""{"$append":{"list":1},"$group_id":"a"}""", "operation_invalid")]
    public async Task A_bad_update_is_dead_lettered_by_its_reason(string record, string code)
    {
        var report = await _run.RunAsync(Request(record));
        Assert.Equal((RunOutcome.Rejected, 1, 0), (report.Outcome, report.Rejected, report.Requests));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal((code, record), (letter.GetProperty("code").GetString(), letter.Raw()));
    }

    [Fact]
    public async Task A_refused_update_is_found_and_kept_as_it_was_read()
    {
        _run.Mixpanel.Script = request => request.Records.Any(record => record.Contains("\"g5\"", StringComparison.Ordinal))
            ? MixpanelDouble.Answer(200, """{"status":0,"error":"bad"}""")
            : null;
        var report = await _run.RunAsync(Request(string.Concat(Enumerable.Range(0, 10)
            .Select(i => $$$"""{"$distinct_id":"g{{{i}}}","$properties":{"x":null}}""" + "\n"))) with
        {
            Fix = ImportFixes.Nulls,
        });
        Assert.Equal((RunOutcome.Rejected, 9, 1, 10L), (report.Outcome, report.Accepted, report.Rejected, report.Fixed!.Nulls));
        Assert.Equal("""{"$distinct_id":"g5","$properties":{"x":null}}""", Assert.Single(_run.DeadLetters()).Raw());
        Assert.Equal("""{"$token":"token","$group_key":"company","$group_id":"g9","$set":{}}""", _run.Mixpanel.Stored[^1]);
    }

    [Fact]
    public async Task An_answer_without_a_json_status_of_1_is_no_success()
    {
        _run.Mixpanel.Script = request => request.Number == 1 ? MixpanelDouble.Answer(200, """{"ok":true}""") : null;
        var report = await _run.RunAsync(Request("""{"$group_id":"a","$set":{}}"""));
        Assert.Equal((RunOutcome.Complete, 1, 2), (report.Outcome, report.Accepted, report.Requests));
    }

    [Fact]
    public async Task An_operation_that_groups_do_not_have_is_refused_in_the_same_words_everywhere_and_not_sent()
    {
        const string Updates = """
            {"$group_id":"a","$set":{"n":1}}
            {"$group_id":"a","$add":{"n":1}}
            {"$group_id":"a","$append":{"list":"x"}}
            {"$group_id":"a"}
            """;
        var tried = await _run.RunAsync(Request(Updates) with { DryRun = true });
        var report = await _run.RunAsync(Request(Updates));
        Assert.Equal((RunOutcome.Rejected, 1, 3), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal((1, 3), (tried.Accepted, tried.Rejected));
        Assert.Single(_run.Mixpanel.Stored);
        string[] reasons =
        [
            "Mixpanel has no $add for groups",
            "Mixpanel has no $append for groups: $union adds to a list",
            "the record has neither $properties nor one of $set, $set_once, $union, $remove, $unset, $delete",
        ];
        Assert.Equal(reasons, _run.DeadLetters().Select(letter => letter.GetProperty("message").GetString()), StringComparer.Ordinal);
        Assert.Equal([.. reasons, .. reasons],
            _run.Diagnostics.Where(said => said.Code.StartsWith("operation_", StringComparison.Ordinal)).Select(said => said.Reason), StringComparer.Ordinal);
        Assert.All(_run.DeadLetters(), letter => Assert.False(letter.TryGetProperty("maybe_delivered", out var maybe) && maybe.GetBoolean()));
    }

    [Fact]
    public async Task A_checkpoint_belongs_to_its_group_key()
    {
        using var state = new InMemoryImportState();
        var request = Request("""{"$group_id":"a","$set":{}}""");
        await _run.RunAsync(request, state);
        Assert.Equal("restart", (await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(request with { GroupKey = "team" }, state))).Error.Field);
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(request, state)).Outcome);
        Assert.Single(_run.Mixpanel.Requests);
    }

    [Theory]
    [InlineData(ImportType.Groups, null)]
    [InlineData(ImportType.Groups, " ")]
    [InlineData(ImportType.Profiles, "company")]
    [InlineData(ImportType.Events, "company")]
    public async Task A_group_key_is_needed_for_groups_and_for_nothing_else(ImportType type, string? groupKey)
    {
        var error = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Request("{}") with { Type = type, GroupKey = groupKey }));
        Assert.Equal("group_key", error.Error.Field);
    }
}
