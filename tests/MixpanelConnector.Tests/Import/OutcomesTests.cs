using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>The outcome of a batch for each kind of answer.</summary>
public sealed class OutcomesTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    static int NumberOf(string record) => JsonDocument.Parse(record).RootElement.GetProperty("properties").GetProperty("n").GetInt32();

    [Fact]
    public async Task Records_that_Mixpanel_names_go_to_the_dead_letters_with_their_lines()
    {
        _run.Mixpanel.Script = request => _run.Mixpanel.TakeAllBut(request, 0, 7, request.Records.Count - 1);
        var report = await _run.RunAsync(Events(20));
        Assert.Equal((RunOutcome.Rejected, 17, 3, 1), (report.Outcome, report.Accepted, report.Rejected, report.Requests));
        var letters = _run.DeadLetters();
        Assert.Equal([1, 8, 20], letters.Select(letter => letter.GetProperty("line").GetInt32()));
        var second = letters[1];
        Assert.Equal(Event(7), second.Raw());
        Assert.Equal(("rejected", "properties.x", "refused", 400, "id-7", 1, false), (
            second.GetProperty("code").GetString(), second.GetProperty("field").GetString(), second.GetProperty("message").GetString(),
            second.GetProperty("http_status").GetInt32(),
            second.GetProperty("insert_id").GetString(), second.GetProperty("attempts").GetInt32(), second.GetProperty("maybe_delivered").GetBoolean()));
        Assert.Equal(Events(7).Length, second.GetProperty("offset").GetInt64());
        Assert.Equal(3, _run.Diagnostics.Count);
        Assert.Equal(17, _run.StoredNumbers().Distinct().Count());
    }

    [Theory]
    [InlineData("""{"code":400,"error":"bad","status":"Bad Request"}""", false)]
    [InlineData("""{"code":400,"error":"bad","status":"Bad Request","num_records_imported":0,"failed_records":["no"]}""", false)]
    [InlineData("""{"code":400,"error":"bad","status":"Bad Request","failed_records":[{"index":99999,"message":"x"}]}""", true)]
    [InlineData("<html>", true)]
    public async Task An_answer_that_names_no_record_is_cleared_up_by_dividing(string body, bool maybeDelivered)
    {
        _run.Mixpanel.Script = request => request.Records.Any(record => NumberOf(record) is 3 or 777) ? MixpanelDouble.Answer(400, body) : null;
        var report = await _run.RunAsync(Events(2000));
        Assert.Equal((RunOutcome.Rejected, 1998, 2), (report.Outcome, report.Accepted, report.Rejected));
        Assert.InRange(report.Requests, 2, (2 * 2 * 11) + 1);
        Assert.Equal([4, 778], _run.DeadLetters().Select(letter => letter.GetProperty("line").GetInt32()));
        Assert.All(_run.DeadLetters(), letter => Assert.Equal(maybeDelivered, letter.GetProperty("maybe_delivered").GetBoolean()));
        Assert.Equal(1998, _run.StoredNumbers().Distinct().Count());
    }

    [Fact]
    public async Task A_failed_record_whose_id_is_another_is_not_believed()
    {
        _run.Mixpanel.Script = request => request.Records.Count == 1
            ? null
            : MixpanelDouble.Answer(400,
                $$"""{"code":400,"failed_records":[{"index":0,"insert_id":"other","message":"x"}],"num_records_imported":{{request.Records.Count - 1}},"status":"Bad Request"}""");
        var report = await _run.RunAsync(Events(4));
        Assert.Equal((RunOutcome.Complete, 4), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task A_batch_that_is_too_large_is_divided_and_the_size_is_remembered()
    {
        _run.Mixpanel.Script = request => request.Body.Length > 50_000
            ? MixpanelDouble.Answer(413, """{"code":413,"error":"request exceeds max limit","status":"Request Entity Too Large"}""")
            : null;
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(20_000))) with { Senders = 1 });
        Assert.Equal((RunOutcome.Complete, 20_000), (report.Outcome, report.Accepted));
        Assert.InRange(_run.Mixpanel.Requests.Count(request => request.Body.Length > 50_000), 1, 6);
    }

    [Fact]
    public async Task A_single_record_that_is_too_large_is_dead_lettered()
    {
        _run.Mixpanel.Script = request => request.Records.Any(record => NumberOf(record) == 5) ? MixpanelDouble.Answer(413, "{}") : null;
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Rejected, 9, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal("record_too_large", _run.DeadLetters()[0].GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(429, 4.454)] // probes, each half as long again: 0.3 s and its jitter at first
    [InlineData(500, (2 + 4 + 8 + 16 + 32) + (5 * 0.5))]
    [InlineData(503, (2 + 4 + 8 + 16 + 32) + (5 * 0.5))]
    [InlineData(408, (2 + 4 + 8 + 16 + 32) + (5 * 0.5))]
    public async Task The_same_bytes_are_sent_again_until_Mixpanel_takes_them(int status, double seconds)
    {
        var failures = 5;
        _run.Mixpanel.Script = _ => Interlocked.Decrement(ref failures) >= 0 ? MixpanelDouble.Answer(status, "<busy>") : null;
        var before = _run.Clock.GetUtcNow();
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Complete, 10, 6, 5), (report.Outcome, report.Accepted, report.Requests, report.Retries));
        Assert.All(_run.Mixpanel.Requests, request => Assert.Equal(_run.Mixpanel.Requests[0].Body, request.Body));
        Assert.Equal(seconds, (_run.Clock.GetUtcNow() - before).TotalSeconds, 3);
    }

    [Fact]
    public async Task Retry_after_is_honoured()
    {
        var first = 1;
        _run.Mixpanel.Script = _ =>
        {
            if (Interlocked.Exchange(ref first, 0) == 0) return null;
            var answer = MixpanelDouble.Answer(429, "{}");
            answer.Headers.RetryAfter = new(TimeSpan.FromSeconds(77));
            return answer;
        };
        var before = _run.Clock.GetUtcNow();
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(Events(10))).Outcome);
        Assert.Equal(77, (_run.Clock.GetUtcNow() - before).TotalSeconds, 3);
    }

    [Fact]
    public async Task A_broken_connection_is_tried_again()
    {
        var failures = 2;
        _run.Mixpanel.Script = _ => Interlocked.Decrement(ref failures) >= 0 ? throw new HttpRequestException("reset") : null;
        Assert.Equal((RunOutcome.Complete, 10), (await _run.RunAsync(Events(10))) is var report ? (report.Outcome, report.Accepted) : default);
    }

    [Fact]
    public async Task An_outage_longer_than_allowed_ends_the_import_to_be_resumed()
    {
        using var state = new InMemoryImportState();
        _run.Mixpanel.Script = _ => MixpanelDouble.Answer(503, "");
        var request = _run.Request(_run.Folder.Write("a", Events(3000)));
        var report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Unavailable, 0), (report.Outcome, report.Accepted));
        Assert.InRange(report.Requests, 23 * 60, 24 * 60);
        _run.Mixpanel.Script = _ => null;
        report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Complete, 3000), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(402)]
    [InlineData(403)]
    [InlineData(404)]
    public async Task Refused_credentials_end_the_import_and_lose_nothing(int status)
    {
        using var state = new InMemoryImportState();
        _run.Mixpanel.Script = request => request.Number > 3 ? MixpanelDouble.Answer(status, """{"error":"no"}""") : null;
        var request = _run.Request(_run.Folder.Write("a", Events(100_000)));
        var report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.NotAllowed, 0), (report.Outcome, report.Rejected));
        Assert.True(report.Pending > 0);
        Assert.InRange(report.Requests, 4, 30);
        Assert.DoesNotContain("canary-58c1", report.Problems[0], StringComparison.Ordinal);
        _run.Mixpanel.Script = _ => null;
        report = await _run.RunAsync(request, state);
        Assert.Equal((RunOutcome.Complete, 100_000, 0), (report.Outcome, report.Accepted, report.Pending));
        Assert.Equal(100_000, _run.StoredNumbers().Distinct().Count());
    }

    [Theory]
    [InlineData(204, "")]
    [InlineData(302, "")]
    [InlineData(200, "<html>welcome</html>")]
    [InlineData(200, "{}")]
    [InlineData(200, """{"code":400}""")]
    public async Task An_answer_that_is_not_Mixpanels_is_never_taken_for_success(int status, string body)
    {
        _run.Mixpanel.Script = _ => MixpanelDouble.Answer(status, body);
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Unavailable, 0, 10, 3), (report.Outcome, report.Accepted, report.Pending, report.Requests));
    }

    [Fact]
    public async Task A_cut_answer_is_no_success_and_the_batch_is_sent_again()
    {
        var cuts = 6;
        _run.Mixpanel.Script = _ => Interlocked.Decrement(ref cuts) >= 0 ? MixpanelDouble.Answer(200, """{"code":200,"num_records_imp""") : null;
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Complete, 10, 7), (report.Outcome, report.Accepted, report.Requests));
    }

    [Fact]
    public async Task A_stop_by_the_caller_leaves_an_account_and_can_be_resumed()
    {
        using var state = new InMemoryImportState();
        using var stop = new CancellationTokenSource();
        _run.Mixpanel.Script = request =>
        {
            if (request.Number == 5) stop.Cancel();
            return null;
        };
        var request = _run.Request(_run.Folder.Write("a", Events(50_000)));
        var report = await _run.RunAsync(request, state, stop.Token);
        Assert.Equal(RunOutcome.Stopped, report.Outcome);
        report = await _run.RunAsync(request, state, TestContext.Current.CancellationToken);
        Assert.Equal((RunOutcome.Complete, 50_000), (report.Outcome, report.Accepted));
        Assert.Equal(50_000, _run.StoredNumbers().Distinct().Count());
    }

    [Theory]
    [InlineData(10)]
    [InlineData(2500)]
    public async Task A_stop_that_leaves_nothing_undone_is_none(int events)
    {
        using var state = new InMemoryImportState();
        using var stop = new CancellationTokenSource();
        var last = (events + 1999) / 2000;
        _run.Mixpanel.Script = request =>
        {
            if (request.Number == last) stop.Cancel();
            return null;
        };
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(events))) with { Senders = 1 }, state, stop.Token);
        Assert.Equal((RunOutcome.Complete, events), (report.Outcome, report.Accepted));
        Assert.Empty(report.Problems);
        Assert.True(state.Load()!.Finished);
    }

    [Fact]
    public async Task A_stop_while_the_inputs_are_looked_for_is_in_the_report()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        using var packed = new MemoryStream();
        using (var zip = new System.IO.Compression.ZipArchive(packed, System.IO.Compression.ZipArchiveMode.Create, leaveOpen: true))
        using (var entry = zip.CreateEntry("a.ndjson").Open()) entry.Write(Encoding.UTF8.GetBytes(Events(3)));
        var input = _run.Folder.Write("a.zip", packed.ToArray());
        using var state = new InMemoryImportState();
        Assert.Equal((RunOutcome.Stopped, 0),
            await _run.RunAsync(_run.Request(input), state, stop.Token) is var report ? (report.Outcome, report.Read) : default);
        Assert.Equal(3, (await _run.RunAsync(_run.Request(input), state, TestContext.Current.CancellationToken)).Accepted);
        Assert.Equal((RunOutcome.Stopped, 3),
            await _run.RunAsync(_run.Request(input), state, stop.Token) is var again ? (again.Outcome, again.Accepted) : default);
    }

    [Fact]
    public async Task A_dry_run_sends_nothing_and_needs_no_credentials()
    {
        _run.Options = new() { TimeProvider = _run.Clock };
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(10) + "nonsense\n")) with { DryRun = true });
        Assert.Equal((RunOutcome.Rejected, 10, 1, 0), (report.Outcome, report.Accepted, report.Rejected, report.Requests));
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Fact]
    public async Task Missing_credentials_are_told_before_anything_is_sent()
    {
        _run.Options = new() { TimeProvider = _run.Clock };
        var error = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Events(1)));
        Assert.Equal(ErrorKind.InvalidInput, error.Error.Kind);
    }

    [Fact]
    public async Task The_request_is_what_Mixpanel_documents()
    {
        await _run.RunAsync(Events(1));
        var request = Assert.Single(_run.Mixpanel.Requests);
        Assert.Equal(("/import", "?strict=1&project_id=1"), (request.Path, request.Query));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_dry_run_counts_its_dead_letters_and_keeps_them_only_to_write_them(bool write)
    {
        var request =
            _run.Request(_run.Folder.Write("a", Events(3) + string.Concat(Enumerable.Repeat("nonsense\n", 5000)) + Event(3) + "\n")) with { DryRun = true };
        var report = await _run.RunAsync(write ? request : request with { DeadLetterPath = null });
        Assert.Equal((RunOutcome.Rejected, 4, 5000, write), (report.Outcome, report.Accepted, report.Rejected, report.DeadLetter is not null));
        Assert.Equal(write, File.Exists(_run.DeadLetterPath));
        if (write) Assert.Equal(Enumerable.Range(4, 5000), _run.DeadLetters().Select(letter => letter.GetProperty("line").GetInt32()));
        Assert.Equal(5000, _run.Diagnostics.Count);
        Assert.Empty(_run.Mixpanel.Requests);
    }
}
