using System.IO.Compression;
using System.Text;
using MixpanelConnector.Queues;
using MixpanelConnector.Testing;
using MixpanelConnector.Tests.Import;

namespace MixpanelConnector.Tests.Consume;

public sealed class ConsumeTests : IDisposable
{
    readonly ConsumeRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public async Task A_message_is_settled_once_each_of_its_records_is_in()
    {
        for (var i = 0; i < 10; i++) _run.Queue.Add(string.Join('\n', Enumerable.Range(3 * i, 3).Select(n => ImportRun.Event(n))), $"m{i}");
        _run.Queue.Settling = message => Assert.Subset(_run.Mixpanel.Stored.ToHashSet(StringComparer.Ordinal),
            Enumerable.Range(3 * ((int)message.Position - 1), 3).Select(n => ImportRun.Event(n)).ToHashSet(StringComparer.Ordinal));

        var report = await _run.RunAsync(_run.Request);

        Assert.Equal((RunOutcome.Complete, 10, 30, 30, 0, 0L), (report.Outcome, report.Messages, report.Read, report.Accepted, report.Pending, report.Lag));
        Assert.Equal(Enumerable.Range(0, 30).Select(n => ImportRun.Event(n)).Order(StringComparer.Ordinal), _run.Mixpanel.Stored.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_bad_record_is_a_dead_letter_and_its_neighbours_are_sent()
    {
        _run.Queue.Add($"{ImportRun.Event(0)}\nnot json\n\n{ImportRun.Event(1)}\n{{\"event\":\"e\"}}", "m-17");

        var report = await _run.RunAsync(_run.Request);

        Assert.Equal((RunOutcome.Rejected, 5L, 2L, 2L, 1L), (report.Outcome, report.Read, report.Accepted, report.Rejected, report.Blank));
        Assert.Equal([(FakeQueue.Address, "m-17", 2L), (FakeQueue.Address, "m-17", 5L)],
            _run.DeadLetters.Select(letter => (letter.GetProperty("source").GetString()!, letter.GetProperty("message_id").GetString()!,
                letter.GetProperty("line").GetInt64())));
        Assert.Contains(_run.Diagnostics, line => line is { Source: $"{FakeQueue.Address}#m-17", Line: 2 });
        Assert.Equal(2, report.Reasons!.Sum(reason => reason.Count));
    }

    [Fact]
    public async Task A_dead_letter_is_safe_before_its_message_is_settled()
    {
        _run.Queue.Add("not json", "m1");
        _run.Queue.Settling = _ => Assert.Single(_run.DeadLetters);

        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(_run.Request)).Outcome);
    }

    [Fact]
    public async Task What_cannot_be_repeated_is_not_sent_when_the_broker_does_not_remember_it()
    {
        _run.Queue.Add("""{"$distinct_id":"a","$add":{"n":1}}""", "m1");
        var failures = 1;
        _run.Queue.Marking = () =>
        {
            if (Interlocked.Decrement(ref failures) >= 0) throw new QueueException(QueueFault.Unavailable, "Gone.");
        };

        var report = await _run.RunAsync(_run.Request with { Records = _run.Request.Records with { Type = ImportType.Profiles } });

        Assert.Equal((RunOutcome.Rejected, 1L), (report.Outcome, report.Rejected));
        Assert.Empty(_run.Mixpanel.Requests);
        Assert.True(Assert.Single(_run.DeadLetters).GetProperty("maybe_delivered").GetBoolean()); // it came again, and who had it before is not known
    }

    [Theory]
    [InlineData(nameof(QueueFault.Forbidden), 4)]
    [InlineData(nameof(QueueFault.Missing), 6)]
    [InlineData(nameof(QueueFault.Unavailable), 5)]
    public async Task A_connection_that_is_lost_each_time_ends_it_with_why(string fault, int exitCode)
    {
        _run.Queue.Add(ImportRun.Event(1), "m1");
        _run.Queue.RefusesToGive = () => new QueueException(Enum.Parse<QueueFault>(fault), "Gone.");

        var report = await _run.RunAsync(_run.Request with { Records = _run.Request.Records with { MaxOutage = TimeSpan.FromMilliseconds(1) } });

        Assert.Equal(exitCode, (int)report.Outcome);
    }

    [Theory]
    [InlineData("{\"MIXPANEL\":1}")]
    [InlineData("no json at all\nand more")]
    public async Task A_file_of_something_else_is_not_cut_for_dead_letters(string content)
    {
        await File.WriteAllTextAsync(_run.DeadLetterPath, content, TestContext.Current.CancellationToken);
        _run.Queue.Add("not json", "m1");

        await Assert.ThrowsAsync<ImportStateException>(() => _run.RunAsync(_run.Request));

        Assert.Equal(content, await File.ReadAllTextAsync(_run.DeadLetterPath, TestContext.Current.CancellationToken));
        Assert.Equal(1, _run.Queue.Left);
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_is_one_dead_letter_with_all_of_it()
    {
        var bomb = Gzip(new byte[20_000_000]);
        _run.Queue.Add([1, 2, 0xff], "encoding", "br");
        _run.Queue.Add("no gzip"u8.ToArray(), "gzip", "gzip");
        _run.Queue.Add(Gzip(Encoding.UTF8.GetBytes(ImportRun.Event(1)))[..^9], "cut", "gzip");
        _run.Queue.Add(bomb, "bomb", "gzip");
        _run.Queue.Add(Encoding.UTF8.GetBytes(ImportRun.Event(2)), "version", null, version: "2");
        _run.Queue.Add(Gzip(Encoding.UTF8.GetBytes(ImportRun.Event(3))), "good", "gzip", version: "1");

        var report = await _run.RunAsync(_run.Request);

        Assert.Equal((RunOutcome.Rejected, 6L, 6L, 1L, 5L), (report.Outcome, report.Messages, report.Read, report.Accepted, report.Rejected));
        var letters = _run.DeadLetters;
        Assert.Equal(["encoding", "gzip", "cut", "bomb", "version"], letters.Select(letter => letter.GetProperty("message_id").GetString()),
            StringComparer.Ordinal);
        Assert.All(letters, letter => Assert.False(letter.TryGetProperty("line", out _)));
        Assert.Equal([1, 2, 0xff], letters[0].GetProperty("raw_base64").GetBytesFromBase64());
        Assert.Equal("no gzip", letters[1].GetProperty("raw").GetString());
        Assert.Equal(bomb, letters[3].GetProperty("raw_base64").GetBytesFromBase64());
        Assert.Equal(ImportRun.Event(2), letters[4].Raw());
    }

    [Fact]
    public async Task A_missing_insert_id_is_the_same_when_a_message_is_delivered_again()
    {
        var two = $"{Without(1)}\n{Without(1)}\n";
        _run.Queue.Add(two, "m1");
        _run.Queue.Add(two, "m1", redelivered: true);
        _run.Queue.Add(two, "m2");
        _run.Queue.Add(Without(2));
        _run.Queue.Add(Without(2));

        await _run.RunAsync(_run.Request);

        var ids = _run.Mixpanel.Stored.Select(record => System.Text.Json.JsonElement.Parse(record)
            .GetProperty("properties")
            .GetProperty("$insert_id").GetString()!).ToList();
        Assert.Equal(8, ids.Count);
        Assert.Equal(4 + 1, ids.Distinct(StringComparer.Ordinal).Count());

        static string Without(int user) => $$$"""{"event":"e","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"u{{{user}}}"}}""";
    }

    [Fact]
    public async Task What_cannot_be_repeated_is_not_sent_when_it_is_delivered_again()
    {
        _run.Queue.Add("""{"$distinct_id":"a","$add":{"n":1}}""" + "\n" + """{"$distinct_id":"a","$set":{"n":1}}""", "again", redelivered: true);
        _run.Queue.Add("""{"$distinct_id":"b","$add":{"n":1}}""", "once");

        var report = await _run.RunAsync(_run.Request with { Records = new() { Type = ImportType.Profiles } });

        Assert.Equal((RunOutcome.Rejected, 2L, 1L, 1L), (report.Outcome, report.Accepted, report.Rejected, report.Redelivered));
        Assert.True(_run.DeadLetters.Single().GetProperty("maybe_delivered").GetBoolean());
        Assert.DoesNotContain(_run.Mixpanel.Stored, record => record.Contains("\"a\",\"$add\"", StringComparison.Ordinal));
        Assert.Equal(2, _run.Mixpanel.Stored.Count);
    }

    [Fact]
    public async Task In_an_outage_what_is_held_is_given_back_once_and_taken_again()
    {
        for (var i = 0; i < 5; i++) _run.Queue.Add(ImportRun.Event(i), $"m{i}");
        var asked = 0;
        _run.Mixpanel.Script = request => _run.Queue.Returned == 0 || (request.Records.Count == 0 && Interlocked.Increment(ref asked) < 20)
            ? MixpanelDouble.Answer(503, "{}")
            : null;

        var report = await _run.RunAsync(_run.Request with { ConsumerTimeout = TimeSpan.FromSeconds(1) });

        Assert.Equal((RunOutcome.Complete, 5L, 5L, 5L, 5L), (report.Outcome, report.Read, report.Accepted, report.Returned, report.Redelivered));
        Assert.Equal(5, _run.Queue.Returned);
        Assert.Equal(Enumerable.Range(0, 5).Select(n => ImportRun.Event(n)).Order(StringComparer.Ordinal), _run.Mixpanel.Stored.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_outage_that_is_too_long_ends_with_5_and_leaves_all_in_the_queue()
    {
        _run.Queue.Add(ImportRun.Event(0), "m0");
        _run.Mixpanel.Script = _ => MixpanelDouble.Answer(503, "{}");

        var report =
            await _run.RunAsync(_run.Request with { ConsumerTimeout = TimeSpan.FromSeconds(1), Records = new() { MaxOutage = TimeSpan.FromSeconds(2) } });

        Assert.Equal((RunOutcome.Unavailable, 0L, 0L, 1), (report.Outcome, report.Accepted, report.Messages, _run.Queue.Left));
    }

    [Fact]
    public async Task What_was_accepted_is_not_sent_again_although_the_broker_was_not_told()
    {
        for (var i = 0; i < 3; i++) _run.Queue.Add(ImportRun.Event(i), $"m{i}");
        var lost = false;
        _run.Queue.Settling = _ =>
        {
            if (lost) return;
            lost = true;
            _run.Queue.Lose();
        };

        var report = await _run.RunAsync(_run.Request with { ConsumerTimeout = TimeSpan.FromMinutes(5) });

        Assert.Equal((RunOutcome.Complete, 3L, 3L, 3L, 3L), (report.Outcome, report.Messages, report.Accepted, report.Redelivered, report.Read));
        Assert.Equal(3, _run.Mixpanel.Stored.Count);
        Assert.Equal(2, _run.Queue.Connections);
    }

    [Fact]
    public async Task A_stop_settles_what_was_sent_and_gives_back_the_rest()
    {
        for (var i = 0; i < 50; i++) _run.Queue.Add(ImportRun.Event(i), $"m{i}");
        _run.Queue.Ahead = 7;
        using var stop = new CancellationTokenSource();
        _run.Mixpanel.Script = request =>
        {
            if (_run.Mixpanel.Stored.Count + request.Records.Count >= 20) stop.Cancel();
            return null;
        };

        var report = await _run.RunAsync(_run.Request with { UntilEmpty = false }, stop.Token);

        Assert.Equal((RunOutcome.Stopped, 0L), (report.Outcome, report.Pending));
        Assert.Equal(report.Accepted, _run.Mixpanel.Stored.Count);
        Assert.Equal(report.Accepted, report.Messages);
        Assert.Equal(50 - report.Messages, _run.Queue.Left);
        Assert.Equal(_run.Queue.Left, report.Lag);
    }

    [Fact]
    public async Task A_dead_letter_queue_gets_each_and_nothing_is_settled_until_it_takes_them()
    {
        _run.Queue.Add($"bad\n{ImportRun.Event(0)}", "m1");
        var refusals = 0;
        _run.Queue.RefusesToPublish = () => Interlocked.Increment(ref refusals) <= 5 ? new QueueException(QueueFault.Full, "It is full.") : null;
        _run.Queue.Settling = _ => Assert.Single(_run.Queue.Published);

        var report = await _run.RunAsync(_run.Request with { DeadLetterPath = null, DeadLetterQueue = "dead" });

        Assert.Equal((RunOutcome.Rejected, "dead"), (report.Outcome, report.DeadLetter));
        var (name, body) = _run.Queue.Published.Single();
        Assert.Equal(("dead", "m1"), (name, System.Text.Json.JsonElement.Parse(body.Body.Span).GetProperty("message_id").GetString()));
    }

    [Fact]
    public async Task A_message_of_more_records_than_a_request_takes_is_settled_whole()
    {
        _run.Queue.Add(ImportRun.Events(4500), "large");
        _run.Queue.Add(ImportRun.Event(5000), "small");
        _run.Queue.Settling = message => Assert.True(_run.Mixpanel.Stored.Count >= (message.Position == 1 ? 4500 : 4501));

        var report = await _run.RunAsync(_run.Request);

        Assert.Equal((RunOutcome.Complete, 2L, 4501L), (report.Outcome, report.Messages, report.Accepted));
    }

    [Fact]
    public async Task Dead_letters_are_appended_and_a_torn_line_is_dropped()
    {
        File.WriteAllText(_run.DeadLetterPath, "{\"source\":\"a\"}\n{\"sou");
        _run.Queue.Add("bad", "m1");

        await _run.RunAsync(_run.Request);

        Assert.Equal(2, _run.DeadLetters.Count);
        Assert.Equal("m1", _run.DeadLetters[1].GetProperty("message_id").GetString());
    }

    [Fact]
    public async Task A_broker_that_is_away_is_connected_again()
    {
        _run.Queue.Add(ImportRun.Event(0), "m0");
        _run.Queue.Refuses = connection => connection < 4 ? new QueueException(QueueFault.Unavailable, "It is away.") : null;

        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(_run.Request)).Outcome);
        Assert.Single(_run.Diagnostics, line => line.Reason.Contains("It is away.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_last_try_to_connect_is_at_the_end_of_the_longest_outage()
    {
        var clock = ImpatientClock.ForImports();
        _run.Options =
            _run.Options with { TimeProvider = clock, Randomizer = () => 0, BackoffMin = TimeSpan.FromSeconds(2), BackoffMax = TimeSpan.FromSeconds(60) };
        _run.Queue.Refuses = _ => new QueueException(QueueFault.Unavailable, "It is away.");

        var report = await _run.RunAsync(_run.Request with { Records = _run.Request.Records with { MaxOutage = TimeSpan.FromSeconds(90) } });

        Assert.Equal((RunOutcome.Unavailable, 7), (report.Outcome, _run.Queue.Connections));
        Assert.Equal([2, 4, 8, 16, 32, 28], clock.Waits.Select(wait => wait.TotalSeconds));
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(20, 20)]
    public async Task A_broker_that_never_answers_is_left_when_the_outage_has_lasted_too_long(int longest, int waited)
    {
        var clock = ImpatientClock.ForImports();
        var answer = new TaskCompletionSource();
        _run.Options = _run.Options with { TimeProvider = clock };
        _run.Queue.ConnectingConsumers = _ => answer.Task;

        var report = await _run.RunAsync(_run.Request with { Records = _run.Request.Records with { MaxOutage = TimeSpan.FromSeconds(longest) } });

        Assert.Equal((RunOutcome.Unavailable, 1), (report.Outcome, _run.Queue.Connections));
        Assert.Equal([waited], clock.Waits.Select(wait => wait.TotalSeconds));
        Assert.Contains($"This has lasted for {longest} second", report.Problems[0], StringComparison.Ordinal);
        answer.SetResult();
    }

    [Fact]
    public async Task A_stop_does_not_wait_for_a_broker_that_never_answers()
    {
        using var stop = new CancellationTokenSource();
        var answer = new TaskCompletionSource();
        _run.Queue.ConnectingConsumers = _ =>
        {
            stop.Cancel();
            return answer.Task;
        };

        Assert.Equal(RunOutcome.Stopped, (await _run.RunAsync(_run.Request, stop.Token)).Outcome);
        answer.SetResult();
    }

    [Theory]
    [InlineData(QueueFault.Missing, 6)]
    [InlineData(QueueFault.Forbidden, 4)]
    public async Task A_broker_that_refuses_ends_it(object fault, int exitCode)
    {
        _run.Queue.Refuses = _ => new QueueException((QueueFault)fault, "It refuses.");

        var report = await _run.RunAsync(_run.Request);

        Assert.Equal((exitCode, "It refuses."), ((int)report.Outcome, report.Problems[0]));
    }

    [Fact]
    public async Task Refused_credentials_of_Mixpanel_end_it_with_4()
    {
        _run.Queue.Add(ImportRun.Event(0), "m0");
        _run.Mixpanel.Script = _ => MixpanelDouble.Answer(401, """{"error":"no"}""");

        var report = await _run.RunAsync(_run.Request);

        Assert.Equal((RunOutcome.NotAllowed, 1, 1L), (report.Outcome, _run.Queue.Left, report.Pending));
    }

    [Theory]
    [InlineData("fake://user:canary@localhost/q")]
    [InlineData("fake://localhost")]
    [InlineData("fake://localhost/q?x=1")]
    [InlineData("fake://localhost:99999/q")]
    [InlineData("fake://example.com/q")]
    [InlineData("http://localhost/q")]
    public async Task An_address_that_does_not_fit_is_refused_before_anything_is_done(string address)
    {
        var refusal = await Given.FailsAsync(() => _run.RunAsync(_run.Request with { Address = address }));

        Assert.Equal("address", refusal.Error.Field);
        Assert.DoesNotContain("canary", refusal.Message, StringComparison.Ordinal);
    }

    static byte[] Gzip(byte[] bytes)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return compressed.ToArray();
    }
}
