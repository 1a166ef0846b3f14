using System.Text.Json;
using System.Text.Json.Serialization;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Tracking;

public sealed class DeliveryTests
{
    [Fact]
    public async Task After_a_failure_the_same_bytes_are_sent_again()
    {
        await using var run = new TrackerRun();
        run.Mixpanel.Script = request => request.Number <= 3 ? MixpanelDouble.Answer(503, "") : null;

        run.Tracker.Track("E", "u", new { A = 1 });
        await run.Tracker.FlushAsync();

        Assert.Equal(4, run.Mixpanel.Requests.Count);
        Assert.All(run.Mixpanel.Requests, request => Assert.Equal(run.Mixpanel.Requests[0].Body, request.Body));
        Assert.Single(run.Stored);
    }

    [Fact]
    public async Task Refused_records_are_told_with_their_reason_and_the_others_arrive()
    {
        await using var run = new TrackerRun();
        run.Mixpanel.Script = request => run.Mixpanel.TakeAllBut(request,
            [.. request.Records.Select((record, i) => (record, i))
                .Where(pair => pair.record.Contains("\"Bad\"", StringComparison.Ordinal))
                .Select(pair => pair.i)]);

        for (var i = 0; i < 20; i++) run.Tracker.Track(i % 5 == 0 ? "Bad" : "Good", "u", new { I = i });
        await run.Tracker.FlushAsync();

        Assert.Equal(16, run.Stored.Count);
        Assert.Equal(4, run.Rejected.Count);
        Assert.All(run.Rejected,
            rejected => Assert.Equal(("rejected", "properties.x", "refused", 400, false),
                (rejected.Code, rejected.Field, rejected.Message, rejected.HttpStatus, rejected.MaybeDelivered)));
        Assert.All(run.Rejected, rejected => Assert.Contains("\"Bad\"", System.Text.Encoding.UTF8.GetString(rejected.Json.Span), StringComparison.Ordinal));
        Assert.All(run.Rejected, rejected => Assert.DoesNotContain("\"Bad\"", rejected.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refused_record_is_told_byte_for_byte()
    {
        await using var run = new TrackerRun();
        run.Mixpanel.Script = request => run.Mixpanel.TakeAllBut(request, 0);

        run.Tracker.Track("E", "u", new { Own = new OnTwoLines() });
        await run.Tracker.FlushAsync();

        var rejected = Assert.Single(run.Rejected);
        Assert.Equal(Assert.Single(run.Mixpanel.Requests).Body[1..^1], rejected.Json.ToArray());
        Assert.Contains((byte)'\n', rejected.Json.ToArray());
        Assert.Equal(
            Assert.Single(run.Mixpanel.Requests[0].Records.Select(record =>
                JsonElement.Parse(record).GetProperty("properties").GetProperty("$insert_id").GetString())),
            rejected.InsertId);
    }

    [Fact]
    public async Task It_waits_for_as_long_as_Mixpanel_asks()
    {
        var clock = ImpatientClock.ForImports();
        await using var run = new TrackerRun(clock: clock);
        run.Mixpanel.Script = request =>
        {
            if (request.Number > 1) return null;
            var busy = MixpanelDouble.Answer(429, "{}");
            busy.Headers.RetryAfter = new(TimeSpan.FromSeconds(47));
            return busy;
        };

        run.Tracker.Track("E", "u");
        await run.Tracker.FlushAsync();

        Assert.Contains(clock.Waits, wait => wait > TimeSpan.FromSeconds(46) && wait <= TimeSpan.FromSeconds(47));
        Assert.Single(run.Stored);
    }

    [Fact]
    public async Task A_full_buffer_drops_and_says_so_and_takes_again_when_there_is_room()
    {
        await using var run = new TrackerRun(new TrackerOptions { MaxBufferedBytes = 1 << 20 });
        var open = new TaskCompletionSource();
        run.Mixpanel.Script = _ =>
        {
            open.Task.Wait();
            return null;
        };
        var text = new string('x', 200);
        var taken = 0;
        while (run.Tracker.Track("E", "u", new { Text = text })) taken++;
        var thrown = await Given.FailsAsync(() => run.Tracker.TrackAsync("E", "u", new { Text = text }).AsTask());
        open.SetResult();
        await run.Tracker.FlushAsync();

        Assert.InRange(taken, 2000, 4000);
        Assert.Equal(ErrorKind.Unavailable, thrown.Error.Kind);
        Assert.True(run.Tracker.Track("E", "u"));
        await run.Tracker.FlushAsync();
        Assert.Equal(taken + 1, run.Stored.Count);
    }

    [Fact]
    public async Task With_waiting_nothing_is_dropped()
    {
        await using var run = new TrackerRun(new TrackerOptions { MaxBufferedBytes = 1 << 20, WhenFull = WhenFull.Wait });
        var text = new string('x', 200);

        await Task.WhenAll(
            Task.Run(() =>
            {
                for (var i = 0; i < 10_000; i++) Assert.True(run.Tracker.Track("E", "u", new { Text = text }));
            }),
            Task.Run(async () =>
            {
                for (var i = 0; i < 10_000; i++) await run.Tracker.TrackAsync("E", "u", new { Text = text });
            }));
        await run.Tracker.FlushAsync();

        Assert.Equal(20_000,
            run.Stored.Select(stored => stored.GetProperty("properties").GetProperty("$insert_id").GetString()).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Stopping_sends_what_is_left_and_takes_nothing_more()
    {
        await using var run = new TrackerRun(new TrackerOptions { FlushInterval = TimeSpan.FromHours(1), StopTimeout = TimeSpan.FromHours(2) });
        for (var i = 0; i < 10; i++) run.Tracker.Track("E", "u");

        await run.Tracker.DisposeAsync();

        Assert.Equal(10, run.Stored.Count);
        Assert.False(run.Tracker.Track("E", "u"));
        await Given.FailsAsync(() => run.Tracker.TrackAsync("E", "u").AsTask());
    }

    [Fact]
    public async Task Stopping_in_an_outage_ends_in_time()
    {
        await using var run = new TrackerRun(new TrackerOptions { StopTimeout = TimeSpan.FromSeconds(5) });
        run.Mixpanel.Script = _ => MixpanelDouble.Answer(503, "");
        run.Tracker.Track("E", "u");

        await run.Tracker.DisposeAsync();

        Assert.Empty(run.Stored);
    }

    [Fact]
    public async Task Many_threads_lose_and_double_nothing()
    {
        await using var run = new TrackerRun(new TrackerOptions { BatchRecords = 137 });
        run.Mixpanel.Script = request => request.Number % 7 == 0 ? MixpanelDouble.Answer(503, "") : null;

        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 2_000; i++) run.Tracker.Track("E", "u", new { Number = (thread * 2_000) + i });
        })));
        await run.Tracker.FlushAsync();

        Assert.Equal(Enumerable.Range(0, 16_000), run.Stored.Select(stored => stored.GetProperty("properties").GetProperty("Number").GetInt32()).Order());
        Assert.Equal(0, run.Tracker.Pending);
    }

    [Fact]
    public async Task A_recording_tracker_refuses_what_the_tracker_does()
    {
        await using var run = new TrackerRun();
        var recording = new RecordingTracker();
        foreach (var tracker in (IMixpanelTracker[])[run.Tracker, recording])
        {
            Assert.False(tracker.Track("E", "u", "text"));
            Assert.False(tracker.Track("E", "u", new[] { 1 }));
            Assert.False(tracker.Track("E", "u", new { Ratio = double.NaN }));
            Assert.False(tracker.Track("E", "u", new { Text = new string('x', 2 << 20) }));
            Assert.True(tracker.Track("E", "u", (object?)null));
            Assert.Equal("Ratio", (await Given.FailsAsync(() => tracker.TrackAsync("E", "u", new { Ratio = double.NaN }).AsTask())).Error.Field);
        }

        Assert.Equal(run.Rejected.Select(rejected => (rejected.Code, rejected.Field)),
            recording.Rejected.Take(4).Select(rejected => (rejected.Code, rejected.Field)));
        Assert.Single(recording.Records);
        recording.Clear();
        Assert.Empty(recording.Rejected);
    }

    [Fact]
    public async Task A_recording_tracker_keeps_what_was_tracked()
    {
        var tracker = new RecordingTracker();

        tracker.Track("Order placed", "user-1", new { Total = 12.5m });
        await tracker.Profile("user-1").SetAsync("Plan", "pro");
        await tracker.Group("company", "acme").SetAsync("Plan", "pro");
        await tracker.FlushAsync();

        var placed = Assert.Single(tracker.Events);
        Assert.Equal(("Order placed", "user-1", 12.5m), (placed.Name, placed.User.DistinctId, placed.Properties["Total"]!.GetValue<decimal>()));
        Assert.Equal(["Order placed", "$set", "$set"], tracker.Records.Select(record => record.Name), StringComparer.Ordinal);
        Assert.Equal("acme", tracker.Records[2].GroupId);
    }

    [JsonConverter(typeof(OnTwoLinesConverter))]
    sealed record OnTwoLines;

    sealed class OnTwoLinesConverter : JsonConverter<OnTwoLines>
    {
        public override OnTwoLines Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, OnTwoLines value, JsonSerializerOptions options) => writer.WriteRawValue("[1,\n2]");
    }
}
