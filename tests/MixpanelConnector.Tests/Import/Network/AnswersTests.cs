using System.Globalization;
using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Network;

/// <summary>Complete HTTP answers that limit, lie, or are not from Mixpanel.</summary>
public sealed class AnswersTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    static int NumberOf(string record) => JsonElement.Parse(record).GetProperty("properties").GetProperty("n").GetInt32();

    /// <summary>The identity by which a later query sees one event.</summary>
    static string KeyOf(string record)
    {
        var json = JsonElement.Parse(record);
        var properties = json.GetProperty("properties");
        return $"{json.GetProperty("event")}|{properties.GetProperty("time")}|{properties.GetProperty("distinct_id")}|{properties.GetProperty("$insert_id")}";
    }

    static string Refusal(int imported, string records) =>
        $$"""{"code":400,"error":"some data points in the request failed validation","failed_records":[{{records}}],"num_records_imported":{{imported}},"status":"Bad Request"}""";

    // :: Rate limits

    [Fact]
    public async Task Under_a_rate_limit_few_requests_are_sent_in_vain()
    {
        var gate = new Lock();
        double tokens = 20;
        var last = _run.Clock.GetUtcNow();
        _run.Mixpanel.Script = _ =>
        {
            lock (gate)
            {
                _run.Clock.Advance(TimeSpan.FromMilliseconds(20));
                var now = _run.Clock.GetUtcNow();
                tokens = Math.Min(20, tokens + (10 * (now - last).TotalSeconds));
                last = now;
                if (tokens < 1) return MixpanelDouble.Answer(429, "{}");
                tokens--;
                return null;
            }
        };
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(6000))) with { BatchEvents = 10 });
        Assert.Equal((RunOutcome.Complete, 6000), (report.Outcome, report.Accepted));
        Assert.InRange(report.Retries, 1, report.Requests / 11);
    }

    [Fact]
    public async Task A_rate_limit_pauses_every_sender_until_a_probe_was_taken()
    {
        var gate = new Lock();
        var limitedAt = DateTimeOffset.MaxValue;
        var between = 0;
        _run.Mixpanel.Script = request =>
        {
            lock (gate)
            {
                var now = _run.Clock.GetUtcNow();
                if (request.Number == 10)
                {
                    limitedAt = now;
                    return MixpanelDouble.Answer(429, "{}");
                }

                if (now > limitedAt && now < limitedAt.AddSeconds(0.3)) between++;
                return null;
            }
        };
        var request = _run.Request(_run.Folder.Write("a", Events(1000))) with
        {
            BatchEvents = 10,
            Senders = 20,
            CheckpointInterval = TimeSpan.FromDays(1),
        }; // whose waits would move the clock, too
        var report = await _run.RunAsync(request);
        Assert.Equal((RunOutcome.Complete, 1000, 101), (report.Outcome, report.Accepted, report.Requests));
        Assert.Equal(0, between);
        Assert.Contains(TimeSpan.FromMilliseconds(338), _run.Clock.Waits);
    }

    [Theory]
    [InlineData("7", 7.0)]
    [InlineData("0", 1.0)]
    [InlineData("Sun, 01 Nov 2026 12:00:30 GMT", 30.0)]
    [InlineData("Sun, 01 Nov 2026 11:00:00 GMT", 1.0)]
    [InlineData("Tue, 01 Jan 2030 00:00:00 GMT", 300.0)]
    [InlineData("1000000000", 300.0)]
    [InlineData("1e9", null)]
    [InlineData("-5", null)]
    [InlineData("soon", null)]
    [InlineData("", null)]
    public async Task Retry_after_is_honoured_within_bounds(string header, double? seconds)
    {
        foreach (var (status, otherwise) in ((int, double)[])[(429, 0.338), (503, 2.5)])
        {
            using var run = new ImportRun();
            var first = 1;
            run.Mixpanel.Script = _ =>
            {
                if (Interlocked.Exchange(ref first, 0) == 0) return null;
                var answer = MixpanelDouble.Answer(status, "<html>");
                answer.Headers.TryAddWithoutValidation("Retry-After", header);
                return answer;
            };
            var before = run.Clock.GetUtcNow();
            var report = await run.RunAsync(Events(10));
            Assert.Equal((RunOutcome.Complete, 10, 2), (report.Outcome, report.Accepted, report.Requests));
            Assert.Equal(seconds ?? otherwise, (run.Clock.GetUtcNow() - before).TotalSeconds, 3);
        }
    }

    [Fact]
    public async Task A_rate_limit_that_never_ends_is_an_outage()
    {
        _run.Mixpanel.Script = _ => MixpanelDouble.Answer(429, "{}");
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Unavailable, 0, 10), (report.Outcome, report.Accepted, report.Pending));
        Assert.InRange(report.Requests, 23 * 60, 25 * 60);
    }

    // :: Errors of the server

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(408)]
    [InlineData(599)]
    public async Task What_was_stored_before_an_error_is_stored_once(int status)
    {
        var gate = new Lock();
        var bodies = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var odd = false;
        _run.Mixpanel.Script = request =>
        {
            lock (gate)
            {
                var first = bodies.TryAdd(request.Records[0], request.Body);
                Assert.Equal(bodies[request.Records[0]], request.Body);
                if (!first) return null;
                if (odd = !odd) _run.Mixpanel.Store(request.Records);
                return MixpanelDouble.Answer(status, "<html><h1>Bad gateway</h1></html>");
            }
        };
        var lines =
            string.Concat(Enumerable.Range(0, 300).Select(i => $$$"""{"event":"e","properties":{"time":{{{Time}}},"distinct_id":"u","n":{{{i}}}}}""" + "\n"));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", lines)) with { BatchEvents = 10 });
        Assert.Equal((RunOutcome.Complete, 300), (report.Outcome, report.Accepted));
        Assert.True(_run.Mixpanel.Stored.Count > 300, "nothing was stored twice: the test proves nothing");
        Assert.Equal(300, _run.Mixpanel.Stored.Select(KeyOf).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(300, _run.StoredNumbers().Distinct().Count());
    }

    // :: 400 with failed records

    public static TheoryData<int[], string, string> Partials()
    {
        var data = new TheoryData<int[], string, string>();
        foreach (var indexes in (int[][])[[0], [49], [0, 49], [7, 3, 20], [.. Enumerable.Range(0, 50)]])
            foreach (var id in (string[])["insert_id", "$insert_id"])
                foreach (var index in (string[])["{0}", "{0}.0", "\"{0}\""]) data.Add(indexes, id, index);
        return data;
    }

    [Theory, MemberData(nameof(Partials), DisableDiscoveryEnumeration = true)]
    public async Task Exactly_the_named_records_are_dead_lettered(int[] indexes, string idKey, string indexForm)
    {
        _run.Mixpanel.Script = request =>
        {
            _run.Mixpanel.Store(request.Records.Where((_, i) => !indexes.Contains(i)));
            var records = indexes.Select(i => $$"""{"index":{{string.Format(CultureInfo.InvariantCulture, indexForm, i)}},"{{idKey}}":"id-{{i}}","field":"properties.f{{i}}","message":"reason {{i}}"}""");
            return MixpanelDouble.Answer(400, Refusal(50 - indexes.Length, string.Join(',', records)));
        };
        var report = await _run.RunAsync(Events(50));
        Assert.Equal((RunOutcome.Rejected, 50 - indexes.Length, indexes.Length, 1), (report.Outcome, report.Accepted, report.Rejected, report.Requests));
        Assert.Equal(indexes.Order().Select(i => (i + 1, $"id-{i}", $"properties.f{i}", $"reason {i}", false)), _run.DeadLetters().Select(letter => (
            letter.GetProperty("line").GetInt32(), letter.GetProperty("insert_id").GetString()!, letter.GetProperty("field").GetString()!,
            letter.GetProperty("message").GetString()!, letter.GetProperty("maybe_delivered").GetBoolean())));
        Assert.Equal(Enumerable.Range(0, 50).Except(indexes), _run.StoredNumbers());
    }

    // :: 400 with false content

    public static TheoryData<string> Lies() =>
    [
        Refusal(1999, """{"index":2000,"message":"x"}"""),
        Refusal(1999, """{"index":-1,"message":"x"}"""),
        Refusal(1998, """{"index":5,"message":"x"},{"index":5,"message":"y"}"""),
        Refusal(1999, """{"index":5,"insert_id":"another","message":"x"}"""),
        Refusal(2000, """{"index":5,"insert_id":"id-5","message":"x"}"""),
        Refusal(0, """{"index":5,"insert_id":"id-5","message":"x"}"""),
        Refusal(1999, """7"""),
        Refusal(2000, ""),
        Refusal(0, "\"identity events are not allowed when project is using simplified identity management\""),
        """{"code":400,"error":"no","status":"Bad Request"}""",
        """{"code":400,"error":"no","failed_records":{},"status":"Bad Request"}""",
        "<html>400 Bad Request</html>",
        "",
    ];

    [Theory, MemberData(nameof(Lies), DisableDiscoveryEnumeration = true)]
    public async Task An_answer_that_cannot_be_right_is_cleared_up_by_dividing(string lie)
    {
        int[] bad = [0, 777, 1999];
        _run.Mixpanel.Script = request => request.Records.Any(record => bad.Contains(NumberOf(record))) ? MixpanelDouble.Answer(400, lie) : null;
        var report = await _run.RunAsync(Events(2000));
        Assert.Equal((RunOutcome.Rejected, 1997, 3), (report.Outcome, report.Accepted, report.Rejected));
        Assert.InRange(report.Requests, 2, (2 * bad.Length * 11) + 1);
        Assert.Equal(bad.Select(i => i + 1), _run.DeadLetters().Select(letter => letter.GetProperty("line").GetInt32()));
        Assert.Equal(Enumerable.Range(0, 2000).Except(bad), _run.StoredNumbers().Order());
    }

    // :: 400 of something that is not Mixpanel

    [Theory]
    [InlineData(1, 3)]
    [InlineData(5, 3 * 9)]
    [InlineData(100_000, 400)]
    public async Task Where_every_answer_is_anothers_nothing_is_dead_lettered(int events, int mostRequests)
    {
        using var state = new InMemoryImportState();
        _run.Mixpanel.Script = _ => MixpanelDouble.Answer(400, "<html><h1>400 Bad Request</h1>nginx</html>");
        var request = _run.Request(_run.Folder.Write("a", Events(events)));
        var report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Unavailable, 0, 0), (report.Outcome, report.Accepted, report.Rejected));
        Assert.True(report.Pending > 0);
        Assert.InRange(report.Requests, 3, mostRequests);
        Assert.Contains("another server responds in its place", report.Problems[0], StringComparison.Ordinal);
        Assert.Empty(_run.Diagnostics);

        _run.Mixpanel.Script = _ => null;
        report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Complete, events), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, events), _run.StoredNumbers().Order());
    }

    [Theory]
    [InlineData("""{"index":5000,"message":"x"}""", 0)]
    [InlineData("""{"index":0,"message":"x"}""", 1)]
    [InlineData("""{"index":0,"message":"x"},{"index":0,"message":"y"}""", -1)]
    [InlineData("""{"index":0,"insert_id":"another","message":"x"}""", -1)]
    [InlineData("", 0)]
    public async Task Where_every_answer_contradicts_itself_nothing_is_dead_lettered(string failed, int tooMany)
    {
        using var state = new InMemoryImportState();
        _run.Mixpanel.Script = request => MixpanelDouble.Answer(400, Refusal(request.Records.Count + tooMany, failed));
        var request = _run.Request(_run.Folder.Write("a", Events(20_000)));
        var report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Unavailable, 0, 0), (report.Outcome, report.Accepted, report.Rejected));
        Assert.InRange(report.Requests, 3, 400);

        _run.Mixpanel.Script = _ => null;
        Assert.Equal((RunOutcome.Complete, 20_000), await _run.RunAsync(request, state) is var resumed ? (resumed.Outcome, resumed.Accepted) : default);
    }

    [Fact]
    public async Task A_proxy_that_falls_sick_on_the_way_ends_the_import_and_dead_letters_nothing()
    {
        using var state = new InMemoryImportState();
        _run.Mixpanel.Script = request => request.Number > 10 ? MixpanelDouble.Answer(400, "") : null;
        var request = _run.Request(_run.Folder.Write("a", Events(60_000))) with { Senders = 4 };
        var report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Unavailable, 0), (report.Outcome, report.Rejected));
        _run.Mixpanel.Script = _ => null;
        report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Complete, 60_000, 0), (report.Outcome, report.Accepted, report.Rejected));
    }

    [Fact]
    public async Task A_hiccup_of_a_proxy_is_passed_over()
    {
        var hiccups = 2;
        _run.Mixpanel.Script = _ => Interlocked.Decrement(ref hiccups) >= 0 ? MixpanelDouble.Answer(400, "<html>") : null;
        var report = await _run.RunAsync(Events(1));
        Assert.Equal((RunOutcome.Complete, 1, 3), (report.Outcome, report.Accepted, report.Requests));
    }

    [Fact]
    public async Task Neighbours_that_a_firewall_stops_are_dead_lettered_as_soon_as_Mixpanel_answers_for_the_rest()
    {
        _run.Mixpanel.Script = request => request.Records.Any(record => NumberOf(record) < 8) ? MixpanelDouble.Answer(400, "<html>blocked</html>") : null;
        var report = await _run.RunAsync(Events(2000));
        Assert.Equal((RunOutcome.Rejected, 1992, 8), (report.Outcome, report.Accepted, report.Rejected));
        Assert.All(_run.DeadLetters(), letter => Assert.True(letter.GetProperty("maybe_delivered").GetBoolean()));
        Assert.Equal(8, _run.Diagnostics.Count);
    }

    // :: 413

    [Theory]
    [InlineData(2 << 20)]
    [InlineData(1 << 20)]
    [InlineData(10 << 10)]
    public async Task The_largest_request_that_is_taken_is_learned(int most)
    {
        var padding = $",\"p\":\"{new string('x', 1000)}\"";
        var text = string.Concat(Enumerable.Range(0, 6000).Select(i => Event(i, padding) + "\n"));
        _run.Mixpanel.Script = request => request.Body.Length > most
            ? MixpanelDouble.Answer(413, $$"""{"code":413,"error":"request exceeds max limit of {{most}} bytes","status":"Request Entity Too Large"}""")
            : null;
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", text)) with { Senders = 2 });
        Assert.Equal((RunOutcome.Complete, 6000), (report.Outcome, report.Accepted));
        Assert.Equal(6000, _run.StoredNumbers().Distinct().Count());
        Assert.InRange(_run.Mixpanel.Requests.Count(request => request.Body.Length > most), 0, 24);
        Assert.InRange(report.Requests, text.Length / most, (4 * text.Length / most) + 24);
    }

    // :: 401, 403

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task One_refusal_of_the_credentials_stops_what_is_not_yet_under_way(int status)
    {
        const int senders = 5;
        _run.Mixpanel.Script = request => request.Number == 20 ? MixpanelDouble.Answer(status, """{"error":"Invalid credentials canary-58c1"}""") : null;
        _run.Mixpanel.Stalls = request => request.Number > 20; // else they could go on for as long as the refusal is on its way
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(10_000))) with { BatchEvents = 10, Senders = senders, Grace = null });
        Assert.Equal((RunOutcome.NotAllowed, 0), (report.Outcome, report.Rejected));
        Assert.InRange(report.Requests, 20, 20 + senders);
        Assert.True(_run.StoredNumbers().Distinct().Count() >= report.Accepted);
        Assert.DoesNotContain("canary-58c1", string.Join('\n', report.Problems), StringComparison.Ordinal);
        Assert.Equal(0, new FileInfo(_run.DeadLetterPath).Length);
    }

    // :: Never a success

    [Theory]
    [InlineData(200, "")]
    [InlineData(200, "null")]
    [InlineData(200, """{"code":200,"status":"OK"}""")]
    [InlineData(200, """{"status":"ok","results":[]}""")]
    [InlineData(201, """{"code":200,"num_records_imported":10,"status":"OK"}""")]
    [InlineData(202, "")]
    [InlineData(301, "")]
    [InlineData(307, "")]
    [InlineData(308, "")]
    [InlineData(418, "{}")]
    public async Task What_is_no_answer_of_Mixpanels_ends_the_import_after_three(int status, string body)
    {
        _run.Mixpanel.Script = _ =>
        {
            var answer = MixpanelDouble.Answer(status, body);
            answer.Headers.TryAddWithoutValidation("Location", "https://elsewhere.example/import");
            return answer;
        };
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Unavailable, 0, 0, 10, 3), (report.Outcome, report.Accepted, report.Rejected, report.Pending, report.Requests));
    }
}
