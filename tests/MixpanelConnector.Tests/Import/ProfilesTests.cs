using System.Text;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Import;

public sealed class ProfilesTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    ImportRequest Request(string text) => _run.Request(_run.Folder.Write("profiles.ndjson", text)) with { Type = ImportType.Profiles };

    Task<ImportReport> RunAsync(string text, IImportState? state = null) => _run.RunAsync(Request(text), state);

    static string Body(ArrivedRequest request) => Encoding.UTF8.GetString(request.Body);

    [Fact]
    public async Task Updates_get_the_token_and_keep_their_bytes_and_their_order()
    {
        var report = await RunAsync("""
            {"$distinct_id":"a", "$set":{"n":1.50}}
            {"$token":"token","$distinct_id":"a","$unset":["x"]}
            { "$distinct_id":"b","$union":{"l":[1]}}

            """);
        Assert.Equal((RunOutcome.Complete, 3), (report.Outcome, report.Accepted));
        var request = Assert.Single(_run.Mixpanel.Requests);
        Assert.Equal(("/engage", "?verbose=1&ip=0&strict=1"), (request.Path, request.Query));
        Assert.Equal(
            """[{"$token":"token","$distinct_id":"a", "$set":{"n":1.50}},{"$token":"token","$distinct_id":"a","$unset":["x"]},{"$token":"token", "$distinct_id":"b","$union":{"l":[1]}}]""",
            Body(request));
    }

    [Fact]
    public async Task An_exported_profile_becomes_a_set()
    {
        await RunAsync("""{"$distinct_id":"a","$properties" : {"$properties":1}}""");
        Assert.Equal("""[{"$token":"token","$distinct_id":"a","$set": {"$properties":1}}]""", Body(Assert.Single(_run.Mixpanel.Requests)));
    }

    [Theory]
    [InlineData("""{"$set":{}}""", "distinct_id_missing")]
    [InlineData("""{"$distinct_id":"","$set":{}}""", "distinct_id_missing")]
    [InlineData("""{"$distinct_id":1,"$set":{}}""", "distinct_id_invalid")]
    [InlineData("""{"$distinct_id":"null","$set":{}}""", "distinct_id_banned")]
    [InlineData("""{"$distinct_id":"a"}""", "operation_missing")]
    [InlineData("""{"$distinct_id":"a","$set":{},"$add":{}}""", "operation_ambiguous")]
    [InlineData("""{"$distinct_id":"a","$set":1}""", "operation_invalid")]
    [InlineData("""{"$distinct_id":"a","$add":{"x":"1"}}""", "operation_invalid")]
    [InlineData("""{"$distinct_id":"a","$union":{"x":1}}""", "operation_invalid")]
    [InlineData("""{"$distinct_id":"a","$unset":{}}""", "operation_invalid")]
    [InlineData("""{"$token":"other","$distinct_id":"a","$set":{}}""", "token_differs")]
    [InlineData("""{"$distinct_id":"a","$set":{"x":1,"x":2}}""", "duplicate_key")]
    public async Task A_bad_update_is_dead_lettered_by_its_reason(string record, string code)
    {
        var report = await RunAsync(record);
        Assert.Equal((RunOutcome.Rejected, 1), (report.Outcome, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal((code, record), (letter.GetProperty("code").GetString(), letter.Raw()));
    }

    [Fact]
    public async Task A_refused_batch_is_divided_until_the_refused_update_is_found()
    {
        _run.Mixpanel.Script = request => request.Records.Any(record => record.Contains("\"u5\"", StringComparison.Ordinal))
            ? MixpanelDouble.Answer(200, """{"status":0,"error":"bad update"}""")
            : null;
        var report =
            await RunAsync(string.Concat(Enumerable.Range(0, 10).Select(i => $$$"""{"$distinct_id":"u{{{i}}}","$properties":{"n":{{{i}}}}}""" + "\n")));
        Assert.Equal((RunOutcome.Rejected, 9, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal("""{"$distinct_id":"u5","$properties":{"n":5}}""", letter.Raw());
        Assert.Contains("bad update", letter.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.False(letter.GetProperty("maybe_delivered").GetBoolean());
    }

    [Fact]
    public async Task An_update_that_cannot_be_repeated_is_not_sent_again_when_its_outcome_is_unknown()
    {
        _run.Mixpanel.Script = request => request.Number == 1 ? MixpanelDouble.Answer(502, "") : null;
        var report = await RunAsync("""
            {"$distinct_id":"a","$set":{"n":1}}
            {"$distinct_id":"a","$add":{"n":1}}
            {"$distinct_id":"a","$append":{"l":1}}
            """);
        Assert.Equal((RunOutcome.Rejected, 1, 2), (report.Outcome, report.Accepted, report.Rejected));
        Assert.All(_run.DeadLetters(),
            letter => Assert.Equal(("outcome_unknown", true), (letter.GetProperty("code").GetString(), letter.GetProperty("maybe_delivered").GetBoolean())));
        Assert.Equal("""[{"$token":"token","$distinct_id":"a","$set":{"n":1}}]""", Body(_run.Mixpanel.Requests[1]));
    }

    [Fact]
    public async Task A_reason_is_the_same_wherever_it_is_reported()
    {
        _run.Mixpanel.Script = request => request.Number == 1
            ? MixpanelDouble.Answer(200, """{"status":0,"error":"some data points failed validation","num_good_events":1}""")
            : null;
        var report = await RunAsync("""
            {"$distinct_id":"a","$set":{"n":1}}
            {"$distinct_id":"b","$add":{"n":1}}
            """);
        Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        var reason = Assert.Single(report.Reasons!);
        var said = Assert.Single(_run.Diagnostics, said => said.Code == "outcome_unknown");
        Assert.Equal(("outcome_unknown", "outcome_unknown"), (letter.GetProperty("code").GetString(), reason.Code));
        Assert.Equal(said.Reason, Assert.Single(reason.Samples).Message);
        Assert.StartsWith("the response left open whether Mixpanel accepted the record", said.Reason, StringComparison.Ordinal);
        Assert.EndsWith("some data points failed validation. The update may have taken effect, and cannot be retried safely.",
            letter.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rate_limit_says_that_nothing_was_done_and_everything_is_sent_again()
    {
        _run.Mixpanel.Script = request => request.Number == 1 ? MixpanelDouble.Answer(429, "{}") : null;
        var report = await RunAsync("""{"$distinct_id":"a","$add":{"n":1}}""");
        Assert.Equal((RunOutcome.Complete, 1, 2), (report.Outcome, report.Accepted, report.Requests));
    }

    [Fact]
    public async Task What_may_have_been_sent_before_a_crash_is_not_sent_again_unless_that_is_safe()
    {
        using var state = new CrashingState { CrashAtSave = 2 };
        var text = "{\"$distinct_id\":\"a\",\"$add\":{\"n\":1}}\n{\"$distinct_id\":\"a\",\"$set\":{\"n\":1}}\n";
        Assert.Equal(RunOutcome.DiskFailed, (await RunAsync(text, state)).Outcome);
        Assert.Single(_run.Mixpanel.Requests);
        state.CrashAtSave = 0;
        var report = await RunAsync(text, state);
        Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.True(Assert.Single(_run.DeadLetters()).GetProperty("maybe_delivered").GetBoolean());
        Assert.Equal("""[{"$token":"token","$distinct_id":"a","$set":{"n":1}}]""", Body(_run.Mixpanel.Requests[1]));
    }

    [Fact]
    public async Task Without_a_token_nothing_is_sent()
    {
        _run.Options = _run.Options with { Token = null };
        var error = await Assert.ThrowsAsync<MixpanelException>(() => RunAsync("{}"));
        Assert.Equal("token", error.Error.Field);
    }
}
