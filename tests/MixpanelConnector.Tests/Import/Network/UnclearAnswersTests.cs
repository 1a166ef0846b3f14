using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Network;

/// <summary>Answers that leave unknown whether the records were accepted: what is recorded about them, and the wait after them.</summary>
public sealed class UnclearAnswersTests : IDisposable
{
    static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(2);

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    static int NumberOf(string record) => JsonElement.Parse(record).GetProperty("properties").GetProperty("n").GetInt32();

    static bool IsMaybeDelivered(JsonElement letter) => letter.GetProperty("maybe_delivered").GetBoolean();

    public static readonly Dictionary<string, (Func<ArrivedRequest, HttpResponseMessage?> Answer, bool LeavesOpen)> Answers = new(StringComparer.Ordinal)
    {
        ["503"] = (_ => MixpanelDouble.Answer(503, ""), true),
        ["408"] = (_ => MixpanelDouble.Answer(408, ""), true),
        ["400 Timeout Error."] = (_ => MixpanelDouble.Answer(400, """{"error":"Timeout Error."}"""), true),
        ["a broken connection"] = (_ => throw new HttpRequestException("reset"), true),
        ["an exception that nobody listed"] = (_ => throw new InvalidCastException(), true),
        ["half an answer"] = (_ => MixpanelDouble.Answer(200, """{"code":200,"num_rec"""), true),
        ["a page"] = (_ => MixpanelDouble.Answer(200, "<html>"), true),
        ["no count"] = (_ => MixpanelDouble.Answer(200, """{"code":200,"status":"OK"}"""), true),
        ["a wrong count"] = (_ => MixpanelDouble.Accepted(0), true),
        ["a 400 that is not Mixpanel's"] = (_ => MixpanelDouble.Answer(400, "<html>"), true),
        ["a 400 that contradicts itself"] = (
            request => MixpanelDouble.Answer(400,
                $$"""{"code":400,"failed_records":[{"index":99}],"num_records_imported":{{request.Records.Count}},"status":"Bad Request"}"""),
            true),
        ["a rate limit"] = (_ => MixpanelDouble.Answer(429, "{}"), false),
        ["no connection"] = (_ => throw new HttpRequestException(HttpRequestError.ConnectionError), false),
        ["too large"] = (_ => MixpanelDouble.Answer(413, "{}"), false),
        ["a plain refusal"] = (_ => MixpanelDouble.Answer(400, """{"code":400,"error":"no","status":"Bad Request"}"""), false),
    };

    public static TheoryData<string> AnswerNames => [.. Answers.Keys];

    [Theory, MemberData(nameof(AnswerNames))]
    public async Task A_dead_letter_tells_of_any_answer_that_left_its_fate_open_and_not_of_the_last_alone(string first)
    {
        _run.Mixpanel.Script = request => request.Number == 1 ? Answers[first].Answer(request) : _run.Mixpanel.TakeAllBut(request, 0);
        var report = await _run.RunAsync(Events(4));
        Assert.Equal(RunOutcome.Rejected, report.Outcome);
        Assert.All(_run.DeadLetters(),
            letter => Assert.Equal(("rejected", Answers[first].LeavesOpen, 2),
                (letter.GetProperty("code").GetString(), IsMaybeDelivered(letter), letter.GetProperty("attempts").GetInt32())));
    }

    [Theory]
    [InlineData("503")]
    [InlineData("a wrong count")]
    [InlineData("a broken connection")]
    public async Task Divisions_forget_nothing(string first)
    {
        _run.Mixpanel.Script = request => request.Number == 1 ? Answers[first].Answer(request)
            : request.Records.Any(record => NumberOf(record) is 2 or 13) ? Answers["a plain refusal"].Answer(request) : null;
        var report = await _run.RunAsync(Events(16));
        Assert.Equal((RunOutcome.Rejected, 14, 2), (report.Outcome, report.Accepted, report.Rejected));
        Assert.All(_run.DeadLetters(), letter => Assert.True(IsMaybeDelivered(letter)));
    }

    [Fact]
    public async Task What_only_a_part_was_answered_is_told_of_that_part_alone()
    {
        var unavailable = 1;
        _run.Mixpanel.Script = request =>
        {
            if (request.Records.Count == 16) return Answers["a plain refusal"].Answer(request);
            if (NumberOf(request.Records[0]) == 8 && Interlocked.Exchange(ref unavailable, 0) == 1) return Answers["503"].Answer(request);
            return _run.Mixpanel.TakeAllBut(request, 0);
        };
        var report = await _run.RunAsync(Events(16));
        Assert.Equal((RunOutcome.Rejected, 14, 2), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal([(1, false), (9, true)], _run.DeadLetters().Select(letter => (letter.GetProperty("line").GetInt32(), IsMaybeDelivered(letter))));
    }

    [Fact]
    public async Task The_next_run_remembers_what_was_left_open_and_nothing_else()
    {
        var request = _run.Request(_run.Folder.Write("a", Events(30))) with { BatchEvents = 10, Senders = 1 };
        _run.Mixpanel.Script = request => request.Number >= 2 ? MixpanelDouble.Accepted(3) : null;
        Assert.Equal((RunOutcome.Unavailable, 10, 0),
            await _run.RunAsync(request, _state) is var first ? (first.Outcome, first.Accepted, first.Rejected) : default);

        _run.Mixpanel.Script = request => _run.Mixpanel.TakeAllBut(request, 4);
        var report = await _run.RunAsync(request, _state);
        Assert.Equal((RunOutcome.Rejected, 28, 2), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal([(15, true), (25, false)], _run.DeadLetters().Select(letter => (letter.GetProperty("line").GetInt32(), IsMaybeDelivered(letter))));
    }

    [Fact]
    public async Task A_run_that_was_killed_while_it_waited_has_left_the_same_memory()
    {
        using var state = new CrashingState { CrashAtSave = 2 }; // the first is what is kept before anything is sent again
        var request = _run.Request(_run.Folder.Write("a", Events(10)));
        _run.Mixpanel.Script = request => request.Number == 1 ? Answers["503"].Answer(request) : null;
        Assert.Equal(RunOutcome.DiskFailed, (await _run.RunAsync(request, state)).Outcome);

        state.CrashAtSave = 0;
        _run.Mixpanel.Script = request => _run.Mixpanel.TakeAllBut(request, 4);
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(request, state)).Outcome);
        Assert.True(IsMaybeDelivered(Assert.Single(_run.DeadLetters())));
    }

    [Fact]
    public async Task An_update_that_may_have_been_sent_stays_so_through_every_later_run()
    {
        var text =
            string.Concat(Enumerable.Range(0, 100).Select(i => $$$"""{"$distinct_id":"u{{{i}}}","{{{(i % 2 == 0 ? "$set" : "$add")}}}":{"n":1}}""" + "\n"));
        var request = _run.Request(_run.Folder.Write("p.ndjson", text)) with { Type = ImportType.Profiles, Grace = null };
        async Task StopAsync(int batchEvents, int atRequest)
        {
            using var stop = new CancellationTokenSource();
            var before = _run.Mixpanel.Requests.Count;
            _run.Mixpanel.Script = arrived =>
            {
                if (arrived.Number == before + atRequest) stop.Cancel();
                return null;
            };
            _run.Mixpanel.Stalls = arrived => atRequest == 1 && arrived.Number == before + 1 && !stop.IsCancellationRequested && CancelAndStall(stop);
            await _run.RunAsync(request with { BatchEvents = batchEvents }, _state, stop.Token);
        }

        await StopAsync(batchEvents: 100, atRequest: 1); // sent, and never answered
        await StopAsync(batchEvents: 5, atRequest: 2); // goes some of the way
        _run.Mixpanel.Stalls = _ => false;
        var report = await _run.RunAsync(request, _state);

        Assert.Equal((RunOutcome.Rejected, 50, 50), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal(50, _run.Mixpanel.Requests.SelectMany(sent => sent.Records).Count(record => record.Contains("$add", StringComparison.Ordinal)));
    }

    static bool CancelAndStall(CancellationTokenSource stop)
    {
        stop.Cancel();
        return true;
    }

    [Theory, MemberData(nameof(AnswerNames))]
    public async Task What_may_have_arrived_is_never_sent_again_at_once(string answer)
    {
        if (!Answers[answer].LeavesOpen) return;
        var gate = new Lock();
        var (last, bad) = (new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal), 3);
        var waits = new List<TimeSpan>();
        _run.Mixpanel.Script = request =>
        {
            lock (gate)
            {
                var now = _run.Clock.GetUtcNow();
                foreach (var record in request.Records)
                {
                    if (last.TryGetValue(record, out var before)) waits.Add(now - before);
                    last[record] = now;
                }
            }

            return request.Records.Any(record => NumberOf(record) == bad) && request.Number < 12 ? Answers[answer].Answer(request) : null;
        };
        await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(64))) with { BatchEvents = 16, Senders = 4 });
        Assert.NotEmpty(waits);
        Assert.All(waits, wait => Assert.True(wait >= FirstWait, $"{wait}"));
    }
}
