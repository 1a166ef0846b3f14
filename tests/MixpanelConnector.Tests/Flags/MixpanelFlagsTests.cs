using System.Text.Json.Nodes;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Flags;

public sealed class MixpanelFlagsTests
{
    /// <summary>With a clock that advances to the end of each wait; requests may take any time.</summary>
    static readonly FlagOptions Eager = new() { PollInterval = TimeSpan.FromSeconds(1), RequestTimeout = TimeSpan.FromMinutes(1) };

    static readonly EvaluationContext Ada = new("ada");

    [Fact]
    public async Task Definitions_are_fetched_at_once_and_then_after_each_interval()
    {
        var isSecond = false;
        var clock = new ImpatientClock(ImpatientClock.Noon, longestWait: TimeSpan.FromSeconds(30));
        await using var mixpanel = await RecordingServer.StartAsync(_ => Definitions(Volatile.Read(ref isSecond) ? "two" : "one"));
        using var changes = new Changes();
        await using var flags = new MixpanelFlags(Options(mixpanel, clock) with { Randomizer = () => 0.5 }, flags: Eager with { OnChanged = changes.Add });
        await changes.WaitAsync(1);
        Assert.Equal("one", flags.Evaluate("k", Ada).VariantKey);
        var snapshot = flags.Snapshot();

        Volatile.Write(ref isSecond, true);
        await changes.WaitAsync(2);

        Assert.All(clock.Waits, wait => Assert.Equal(TimeSpan.FromSeconds(0.95), wait));
        Assert.Equal(("two", "one"), (flags.Evaluate("k", Ada).VariantKey, snapshot.Evaluate("k", Ada).VariantKey));
        var version = typeof(MixpanelFlags).Assembly.GetName().Version!.ToString(3);
        Assert.Equal($"GET /flags/definitions?mp_lib=mixpanel-connector&%24lib_version={version}&token=t", mixpanel.Requests[0].Line);
        Assert.Equal("Basic dDo=", mixpanel.Requests[0].Header("Authorization"));
    }

    [Theory]
    [InlineData(503, "busy")]
    [InlineData(401, """{"status":"error","error":"no"}""")]
    [InlineData(302, "")]
    [InlineData(200, "<html>")]
    [InlineData(200, "{}")]
    [InlineData(200, """{"flags":{}}""")]
    [InlineData(200, """{"flags":[""")]
    public async Task An_answer_that_is_none_changes_nothing_and_the_next_one_does(int status, string text)
    {
        var asked = 0;
        var isMended = false;
        await using var mixpanel = await RecordingServer.StartAsync(_ =>
            Interlocked.Increment(ref asked) == 1 ? Definitions("one") : Volatile.Read(ref isMended) ? Definitions("two") : Answer.Plain(text, status));
        using var changes = new Changes();
        await using var flags = new MixpanelFlags(Options(mixpanel, new ImpatientClock(ImpatientClock.Noon, longestWait: TimeSpan.FromSeconds(30))),
            flags: Eager with { OnChanged = changes.Add });
        await changes.WaitAsync(1);

        await UntilAsync(() => flags.LastError is not null);
        Assert.Equal("one", flags.Evaluate("k", Ada).VariantKey);
        Assert.DoesNotContain("token=", flags.LastError!.Message, StringComparison.Ordinal);
        Volatile.Write(ref isMended, true);
        await changes.WaitAsync(2);

        Assert.Equal(("two", null), (flags.Evaluate("k", Ada).VariantKey, flags.LastError));
    }

    [Fact]
    public async Task Before_the_first_definitions_flags_fall_back_without_waiting()
    {
        await using var mixpanel = await RecordingServer.StartAsync(_ => Answer.Stall);
        var flags = new MixpanelFlags(Options(mixpanel, TimeProvider.System));

        Assert.Equal(FallbackReason.FlagNotFound, flags.Evaluate("k", Ada).Reason);
        Assert.False(await flags.WaitUntilReadyAsync(TimeSpan.Zero, TestContext.Current.CancellationToken));
        await flags.DisposeAsync(); // ends the request, too
    }

    [Fact]
    public async Task The_last_good_definitions_of_the_project_are_there_without_a_network()
    {
        using var folder = new TemporaryFolder();
        await using (var mixpanel = await RecordingServer.StartAsync(Definitions("kept")))
        {
            await using var first = new MixpanelFlags(Options(mixpanel, TimeProvider.System), flags: new FlagOptions { Folder = folder.File("flags") });
            Assert.True(await first.WaitUntilReadyAsync(Hang.Limit, TestContext.Current.CancellationToken));
            await UntilAsync(() => Directory.Exists(folder.File("flags")) && Directory.GetFiles(folder.File("flags"), "flags-*.json").Length == 1);
            var file = Assert.Single(Directory.GetFiles(folder.File("flags"), "flags-*.json"));
            if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }

        await using var down = await RecordingServer.StartAsync(_ => Answer.Reset);
        await using var second =
            new MixpanelFlags(new MixpanelOptions { Token = "t", Endpoint = down.Address }, flags: new FlagOptions { Folder = folder.File("flags") });
        Assert.Null(second.Evaluate("k", Ada).VariantKey); // of another address

        File.Move(Directory.GetFiles(folder.File("flags"), "flags-*.json").Single(), folder.File("kept.json"));
        await using var empty =
            new MixpanelFlags(new MixpanelOptions { Token = "t", Endpoint = down.Address }, flags: new FlagOptions { Folder = folder.File("flags") });
        Assert.Equal("kept", FlagSnapshot.Parse(File.ReadAllBytes(folder.File("kept.json"))).Evaluate("k", Ada).VariantKey);
    }

    [Fact]
    public async Task An_exposure_is_tracked_once_and_again_when_it_could_not_be()
    {
        var tracker = new RecordingTracker();
        await using var mixpanel = await RecordingServer.StartAsync(Definitions("on"));
        await using var flags = new MixpanelFlags(Options(mixpanel, TimeProvider.System), tracker);
        Assert.True(await flags.WaitUntilReadyAsync(Hang.Limit, TestContext.Current.CancellationToken));

        for (var i = 0; i < 3; i++) flags.Evaluate("k", Ada);
        flags.Evaluate("k", Ada, reportExposure: false);
        flags.Evaluate("k", new EvaluationContext("bea"));
        flags.Evaluate("none", Ada);
        flags.EvaluateAll(new EvaluationContext("cid"));

        Assert.Equal(["ada", "bea"], tracker.Events.Select(exposure => exposure.User.DistinctId), StringComparer.Ordinal);
        var expected = """{"Experiment name":"k","Variant name":"on","$experiment_type":"feature_flag","Flag evaluation mode":"local","$is_qa_tester":false,"$experiment_id":"e-1","$is_experiment_active":true}""";
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), tracker.Events[0].Properties), tracker.Events[0].Properties.ToJsonString());
    }

    [Fact]
    public async Task Mixpanel_evaluates_where_it_is_asked_to_and_its_failures_are_reasons()
    {
        var tracker = new RecordingTracker();
        await using var mixpanel = await RecordingServer.StartAsync(
            Answer.Json("""{"code":200,"flags":{"k":{"variant_key":"v","variant_value":"x","is_qa_tester":true}}}"""),
            Answer.Json("""{"code":200,"flags":{}}"""),
            Answer.Json("""{"status":"error","error":"distinct_id must be provided in evalContext as a string"}""", 400),
            Answer.Json("[]"));
        await using var flags = new MixpanelFlags(Options(mixpanel, TimeProvider.System), tracker, new FlagOptions { FetchesDefinitions = false });
        var cancellation = TestContext.Current.CancellationToken;

        var given = await flags.EvaluateRemotelyAsync("k", Ada, cancellationToken: cancellation);
        Assert.Equal(("v", "x", true, FlagSource.Remote), (given.VariantKey, given.Text(""), given.IsTestUser, given.Source));
        Assert.Equal(FallbackReason.FlagNotFound, (await flags.EvaluateRemotelyAsync("k", Ada, cancellationToken: cancellation)).Reason);
        var refused = await flags.EvaluateRemotelyAsync("k", Ada, cancellationToken: cancellation);
        Assert.Equal((FallbackReason.BackendError, "HTTP 400: Mixpanel refused the request: distinct_id must be provided in evalContext as a string"),
            (refused.Reason, refused.Detail));
        Assert.Null(await flags.EvaluateAllRemotelyAsync(Ada, cancellation));
        Assert.Equal("remote", Assert.Single(tracker.Events).Properties["Flag evaluation mode"]!.GetValue<string>());
        Assert.EndsWith("&context=%7B%22distinct_id%22%3A%22ada%22%7D&flag_key=k", mixpanel.Requests[0].Query, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_have_the_type_that_is_asked_for_or_the_fallback_is_given()
    {
        var flags = new FixedFlags { ["on"] = true, ["text"] = "true", ["whole"] = 2.0, ["half"] = 2.5 };

        Assert.Equal((true, false, false), (flags.IsEnabled("on", Ada), flags.IsEnabled("text", Ada), flags.IsEnabled("none", Ada)));
        Assert.Equal(("true", "other"), (flags.Text("text", Ada, "other"), flags.Text("on", Ada, "other")));
        Assert.Equal((2, 7, 7),
            (flags.Evaluate("whole", Ada).WholeNumber(7), flags.Evaluate("half", Ada).WholeNumber(7), flags.Evaluate("on", Ada).WholeNumber(7)));
        Assert.Equal((2.5, 1.0), (flags.Number("half", Ada, 1), flags.Number("text", Ada, 1)));
        Assert.Equal((true, true), (flags.Evaluate("on", Ada).Boolean(false), flags.Evaluate("text", Ada).Boolean(true)));
    }

    static Answer Definitions(string variant) =>
        Answer.Json($$$"""{"flags":[{"key":"k","context":"distinct_id","experiment_id":"e-1","is_experiment_active":true,"ruleset":{"variants":[{"key":"{{{variant}}}","value":true,"split":1}],"rollout":[{"rollout_percentage":1}]}},{"name":"bad"}]}""");

    static MixpanelOptions Options(RecordingServer mixpanel, TimeProvider time) => new() { Token = "t", Endpoint = mixpanel.Address, TimeProvider = time };

    static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Hang.Limit);
        while (!holds())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    sealed class Changes : IDisposable
    {
        readonly SemaphoreSlim _changed = new(0);
        int _seen;

        public void Dispose() => _changed.Dispose();

        public void Add() => _changed.Release();

        public async Task WaitAsync(int number)
        {
            for (; _seen < number; _seen++) Assert.True(await _changed.WaitAsync(Hang.Limit));
        }
    }
}
