using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>Events that Mixpanel counts as one, because event, time, <c>distinct_id</c> and <c>$insert_id</c> are the same.</summary>
public sealed class SameIdentityTests : IDisposable
{
    const string One = """{"event":"A","properties":{"time":1790000000,"distinct_id":"u","$insert_id":"x","n":1}}""";

    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData(One, true)]
    [InlineData("""{"properties":{"n":2,"$insert_id":"x","time":1790000000,"distinct_id":"u"},"event":"A"}""", true)]
    [InlineData("""{"event":"\u0041","properties":{"time":1790000000,"distinct_id":"\u0075","$insert_id":"\u0078"}}""", true)]
    [InlineData("""{"event":"A","properties":{"time":1790000000000,"distinct_id":"u","$insert_id":"x"}}""", true)]
    [InlineData("""{"event":"A","properties":{"time":1790000000,"$user_id":"u","$insert_id":"x"}}""", true)]
    [InlineData("""{"event":"A","properties":{"time":1790000000,"distinct_id":null,"$user_id":"\u0075","$insert_id":"x"}}""", true)]
    [InlineData("""{"event":"A","properties":{"time":1790000000,"$user_id":{},"$device_id":"u","$insert_id":"x"}}""", true)]
    [InlineData("""{"event":"A","properties":{"time":1790000000,"distinct_id":"","$device_id":"u","$insert_id":"x"}}""", false)]
    [InlineData("""{"event":"A","properties":{"time":1790000000,"$user_id":"v","$device_id":"u","$insert_id":"x"}}""", false)]
    [InlineData("""{"event":"B","properties":{"time":1790000000,"distinct_id":"u","$insert_id":"x"}}""", false)]
    [InlineData("""{"event":"A","properties":{"time":1790000001,"distinct_id":"u","$insert_id":"x"}}""", false)]
    [InlineData("""{"event":"A","properties":{"time":1790000000,"distinct_id":"v","$insert_id":"x"}}""", false)]
    [InlineData("""{"event":"A","properties":{"time":1790000000,"distinct_id":"u","$insert_id":"y"}}""", false)]
    [InlineData("""{"event":"A","properties":{"time":1790000000,"distinct_id":"u"}}""", false)]
    public async Task An_event_with_the_identity_of_another_is_sent_and_said(string other, bool isSame)
    {
        var input = _run.Folder.Write("in.ndjson", $"{One}\n{other}\n");
        foreach (var dryRun in (bool[])[true, false])
        {
            _run.Diagnostics.Clear();
            var report = await _run.RunAsync(_run.Request(input) with { DryRun = dryRun });
            Assert.Equal((RunOutcome.Complete, 2, isSame ? 1L : null), (report.Outcome, report.Accepted, report.SameIdentity));
            Assert.Equal(isSame, _run.Diagnostics.Any(line => line.Reason.Contains("counts", StringComparison.Ordinal)));
            Assert.Equal(isSame, JsonElement.Parse(report.ToJson()).TryGetProperty("same_identity", out _));
        }

        Assert.Equal(2, _run.Mixpanel.Stored.Count);
    }

    [Fact]
    public async Task What_events_share_is_part_of_their_identity()
    {
        var input = _run.Folder.Write("in.ndjson",
            One + "\n" + """{"event":"A","properties":{"$insert_id":"x"}}""" + "\n" + """{"event":"A","properties":{"$insert_id":"x","distinct_id":"v"}}"""
                + "\n");
        var report = await _run.RunAsync(_run.Request(input) with { Properties = """{"time":1790000000,"distinct_id":"u"}""" });
        Assert.Equal((RunOutcome.Complete, 1L), (report.Outcome, report.SameIdentity));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(2000)]
    public async Task Events_are_compared_within_a_batch_and_with_those_before(int batchEvents)
    {
        var input = _run.Folder.Write("in.ndjson", string.Concat(Enumerable.Range(0, 100).Select(i => Event(i % 30) + "\n")));
        Assert.Equal((RunOutcome.Complete, 70L),
            await _run.RunAsync(_run.Request(input) with { BatchEvents = batchEvents }) is var report ? (report.Outcome, report.SameIdentity) : default);
    }

    [Fact]
    public async Task Files_are_compared_with_one_another_and_refused_events_with_none()
    {
        string[] inputs =
        [
            _run.Folder.Write("a.ndjson", $"{One}\n{One.Replace("}}", ",\"$ignore\":true}}", StringComparison.Ordinal)}\n"),
            _run.Folder.Write("b.ndjson", $"{One}\n{One}\n"),
        ];
        Assert.Equal((RunOutcome.Rejected, 3, 2L),
            await _run.RunAsync(_run.Request(inputs)) is var report ? (report.Outcome, report.Accepted, report.SameIdentity) : default);
    }

    [Fact]
    public async Task The_count_goes_on_over_a_crash()
    {
        var text = string.Concat(Enumerable.Range(0, 100).Select(i => Event(i % 40) + "\n"));
        using var state = new CrashingState { CrashAtSave = 3 };
        var request = _run.Request(_run.Folder.Write("in.ndjson", text)) with { BatchEvents = 10, CheckpointInterval = TimeSpan.Zero };
        Assert.Equal(RunOutcome.DiskFailed, (await _run.RunAsync(request, state)).Outcome);
        state.CrashAtSave = 0;
        Assert.Equal((RunOutcome.Complete, 60L), await _run.RunAsync(request, state) is var report ? (report.Outcome, report.SameIdentity) : default);
        Assert.Equal(60, (await _run.RunAsync(request, state)).SameIdentity);
    }

    [Theory]
    [InlineData("$identify")]
    [InlineData("$create_alias")]
    [InlineData("$merge")]
    [InlineData("\\u0024merge")]
    public async Task Events_that_say_who_is_who_are_left_out_where_Mixpanel_refuses_them(string name)
    {
        var identify = Event(1000).Replace("\"e\"", $"\"{name}\"", StringComparison.Ordinal);
        var text = string.Concat(Enumerable.Range(0, 5000).Select(i => (i % 1000 == 500 ? identify : Event(i)) + "\n"));
        _run.Mixpanel.Script = request => request.Records.Any(record => record.Contains(name, StringComparison.Ordinal))
            ? MixpanelDouble.Answer(400,
                """{"code":400,"error":"some data points in the request failed validation","failed_records":["identity events are not allowed when project is using simplified identity management"],"num_records_imported":0,"status":"Bad Request"}""")
            : null;
        var request = _run.Request(_run.Folder.Write("in.ndjson", text)) with { Senders = 1 };
        var report = await _run.RunAsync(request);
        Assert.Equal((RunOutcome.Rejected, 4995, 5, 4L),
            (report.Outcome, report.Accepted, report.Rejected, report.Requests)); // one is refused, of three batches
        Assert.All(_run.DeadLetters(), letter => Assert.Equal(("identity_event", identify), (letter.GetProperty("code").GetString(), letter.Raw())));
        Assert.All(_run.Diagnostics.Where(line => line.Line is not null), line => Assert.Contains("simplified", line.Reason, StringComparison.Ordinal));

        _run.Mixpanel.Script = _ => null;
        Assert.Equal((RunOutcome.Rejected, 4995, 5),
            await _run.RunAsync(request with { DryRun = true }) is var dry ? (dry.Outcome, dry.Accepted, dry.Rejected) : default);
        Assert.Equal((RunOutcome.Complete, 5000), await _run.RunAsync(request) is var taken ? (taken.Outcome, taken.Accepted) : default);
    }
}
