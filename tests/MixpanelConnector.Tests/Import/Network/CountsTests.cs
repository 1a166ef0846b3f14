using System.Globalization;
using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Network;

/// <summary>Successes with a wrong count.</summary>
public sealed class CountsTests : IDisposable
{
    /// <summary>The first wrong counts come from all requests that are initially in flight; then one of them is retried.</summary>
    const int MostRequests = 4 + 1;

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    static int NumberOf(string record) => JsonElement.Parse(record).GetProperty("properties").GetProperty("n").GetInt32();

    HttpResponseMessage StoreAndCount(ArrivedRequest request, string count)
    {
        _run.Mixpanel.Store(request.Records);
        return MixpanelDouble.Answer(200, $$"""{"code":200,"num_records_imported":{{count}},"status":"OK"}""");
    }

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    public static readonly Dictionary<string, Func<int, string>> WrongCounts = new(StringComparer.Ordinal)
    {
        ["one too few"] = count => Text(count - 1),
        ["one too many"] = count => Text(count + 1),
        ["none"] = _ => "0",
        ["twice as many"] = count => Text(2 * count),
        ["fewer than none"] = _ => "-1",
        ["as text"] = count => $"\"{count - 1}\"",
        ["as a fraction's text"] = count => $"{count - 1}.0",
    };

    public static TheoryData<string> WrongCountNames => [.. WrongCounts.Keys];

    [Theory, MemberData(nameof(WrongCountNames))]
    public async Task A_server_that_always_counts_wrong_ends_the_import_after_few_requests_and_settles_nothing(string wrong)
    {
        _run.Mixpanel.Script = request => StoreAndCount(request, WrongCounts[wrong](request.Records.Count));
        var request = _run.Request(_run.Folder.Write("a", Events(20_000)));
        var before = _run.Clock.GetUtcNow();

        var report = await _run.RunAsync(request, _state);

        Assert.Equal((RunOutcome.Unavailable, 0, 0), (report.Outcome, report.Accepted, report.Rejected));
        Assert.True(report.Pending > 0);
        Assert.InRange(report.Requests, 2, MostRequests);
        Assert.True(_run.Clock.GetUtcNow() - before >= TimeSpan.FromSeconds(2), "it was asked again at once");
        Assert.Contains("cannot be trusted", report.Problems[0], StringComparison.Ordinal);
        Assert.Contains("it resumes", report.Problems[0], StringComparison.Ordinal);
        Assert.Empty(_run.Diagnostics);

        _run.Mixpanel.Script = _ => null;
        report = await _run.RunAsync(request, _state);
        Assert.Equal((RunOutcome.Complete, 20_000, 0), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal(20_000, _run.StoredNumbers().Distinct().Count());
    }

    [Fact]
    public async Task With_every_sender_at_work_a_server_that_begins_to_count_wrong_costs_a_request_for_each_and_one_more()
    {
        var lies = 0;
        _run.Mixpanel.Script =
            request => request.Number > 100 && Interlocked.Increment(ref lies) > 0 ? StoreAndCount(request, Text(request.Records.Count - 1)) : null;
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(10_000))) with { BatchEvents = 10, Senders = 20 }, _state);
        Assert.Equal((RunOutcome.Unavailable, 0), (report.Outcome, report.Rejected));
        Assert.InRange(lies, 2, 20 + 1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public async Task A_count_that_is_wrong_once_is_asked_for_again_after_a_wait(int events)
    {
        _run.Mixpanel.Script = request => request.Number == 1 ? StoreAndCount(request, Text(request.Records.Count + 1)) : null;
        var before = _run.Clock.GetUtcNow();
        var report = await _run.RunAsync(Events(events));
        Assert.Equal((RunOutcome.Complete, events, 2, 1), (report.Outcome, report.Accepted, report.Requests, report.Retries));
        Assert.Equal(_run.Mixpanel.Requests[0].Body, _run.Mixpanel.Requests[1].Body);
        Assert.Equal(2 + 0.5, (_run.Clock.GetUtcNow() - before).TotalSeconds, 3);
    }

    [Fact]
    public async Task Where_every_other_count_is_wrong_everything_is_accepted()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        _run.Mixpanel.Script = request =>
        {
            lock (seen) return seen.Add(request.Records[0]) ? StoreAndCount(request, "0") : null;
        };
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(200))) with { BatchEvents = 10 });
        Assert.Equal((RunOutcome.Complete, 200, 40), (report.Outcome, report.Accepted, report.Requests));
    }

    [Fact]
    public async Task A_wrong_count_an_outage_and_a_wrong_count_are_two()
    {
        _run.Mixpanel.Script = request => request.Number % 2 == 1 ? StoreAndCount(request, "0") : MixpanelDouble.Answer(503, "");
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Unavailable, 0, 0, 3), (report.Outcome, report.Accepted, report.Rejected, report.Requests));
    }

    [Fact]
    public async Task A_batch_that_is_always_counted_wrong_ends_the_import_each_time_and_what_was_accepted_stays_so()
    {
        _run.Mixpanel.Script =
            request => request.Records.Any(record => NumberOf(record) == 55) ? StoreAndCount(request, Text(request.Records.Count - 1)) : null;
        var request = _run.Request(_run.Folder.Write("a", Events(100))) with { BatchEvents = 10, Senders = 1 };
        for (var run = 1; run <= 2; run++)
        {
            var report = await _run.RunAsync(request, _state);
            Assert.Equal((RunOutcome.Unavailable, 50, 0, 5 + (2 * run)), (report.Outcome, report.Accepted, report.Rejected, report.Requests));
        }

        _run.Mixpanel.Script = _ => null;
        Assert.Equal((RunOutcome.Complete, 100), await _run.RunAsync(request, _state) is var last ? (last.Outcome, last.Accepted) : default);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Without_strict_validation_the_way_out_is_named(bool strict, bool named)
    {
        _run.Mixpanel.Script = request => StoreAndCount(request, Text(request.Records.Count - 1));
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", Events(10))) with { Strict = strict });
        Assert.Equal(RunOutcome.Unavailable, report.Outcome);
        Assert.Equal(named, report.Problems[0].Contains("strict 1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"10\"")]
    [InlineData("10.0")]
    [InlineData("1e1")]
    public async Task A_right_count_may_be_written_otherwise(string count)
    {
        _run.Mixpanel.Script = request => StoreAndCount(request, count);
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Requests));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("\"ten\"")]
    [InlineData("9.5")]
    [InlineData("[10]")]
    [InlineData("true")]
    public async Task What_is_no_count_ends_the_import_after_three(string count)
    {
        _run.Mixpanel.Script = request => StoreAndCount(request, count);
        var report = await _run.RunAsync(Events(10));
        Assert.Equal((RunOutcome.Unavailable, 0, 0, 3), (report.Outcome, report.Accepted, report.Rejected, report.Requests));
    }

    // :: Updates

    ImportRequest Updates(string operation, int count) =>
        _run.Request(_run.Folder.Write("p.ndjson",
            string.Concat(Enumerable.Range(0, count).Select(i => $$$"""{"$distinct_id":"u{{{i}}}","{{{operation}}}":{"n":{{{i}}}}}""" + "\n")))) with
        {
            Type = ImportType.Profiles,
            BatchEvents = 10,
        };

    static HttpResponseMessage Good(int count) => MixpanelDouble.Answer(200, $$"""{"status":1,"error":null,"num_good_events":{{count}}}""");

    [Fact]
    public async Task Updates_that_are_always_counted_wrong_end_the_import_too()
    {
        _run.Mixpanel.Script = request => Good(request.Records.Count - 1);
        var report = await _run.RunAsync(Updates("$set", 1000), _state);
        Assert.Equal((RunOutcome.Unavailable, 0, 0, 2), (report.Outcome, report.Accepted, report.Rejected, report.Requests));
    }

    [Fact]
    public async Task Updates_that_cannot_be_repeated_are_sent_once_and_a_second_wrong_count_ends_the_import()
    {
        _run.Mixpanel.Script = request => Good(request.Records.Count + 1);
        var request = Updates("$add", 1000);
        var report = await _run.RunAsync(request, _state);
        Assert.Equal((RunOutcome.Unavailable, 0, 10, 2), (report.Outcome, report.Accepted, report.Rejected, report.Requests)); // of the first batch alone
        Assert.All(_run.DeadLetters(), letter => Assert.True(letter.GetProperty("maybe_delivered").GetBoolean()));

        _run.Mixpanel.Script = request => Good(request.Records.Count);
        report = await _run.RunAsync(request, _state);
        Assert.Equal((RunOutcome.Rejected, 980, 20), (report.Outcome, report.Accepted, report.Rejected));
        Assert.All(_run.DeadLetters(),
            letter => Assert.Equal(("outcome_unknown", true), (letter.GetProperty("code").GetString(), letter.GetProperty("maybe_delivered").GetBoolean())));
        Assert.Equal(1000, _run.Mixpanel.Requests.Sum(sent => sent.Records.Count)); // each once
    }
}
