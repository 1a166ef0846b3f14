using MixpanelConnector.Testing;
using MixpanelConnector.Tool.Surfaces.Http;

namespace MixpanelConnector.Tool.Tests.Http;

/// <summary>A request with a key is executed once.</summary>
public sealed class IdempotencyTests
{
    const string Import = "/v1/actions/import_events";
    const string NewAccount = "/v1/actions/create_service_account";
    static readonly (string, string) Key = ("Idempotency-Key", "order 66");

    [Fact]
    public async Task The_same_body_is_sent_once_and_answered_alike()
    {
        await using var served = await Served.StartAsync();
        var first = await served.PostAsync(Import, Served.OneEvent, Key);
        var second = await served.PostAsync(Import, Served.OneEvent, Key);

        Assert.Single(served.Mixpanel.Requests);
        Assert.Equal(await first.TextAsync(), await second.TextAsync());
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal("true", Assert.Single(second.Headers.GetValues("Idempotency-Replayed")));
    }

    [Fact]
    public async Task Another_body_is_refused()
    {
        await using var served = await Served.StartAsync();
        await served.PostAsync(Import, Served.OneEvent, Key);
        var second = await served.PostAsync(Import, Served.OneEvent.Replace("i-1", "i-2", StringComparison.Ordinal), Key);

        Assert.Equal((422, "key_used"), ((int)second.StatusCode, await second.KindAsync()));
        Assert.Single(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task Of_many_at_once_one_is_sent_and_all_get_its_answer()
    {
        await using var served = await Served.StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => served.PostAsync(Import, Served.OneEvent, Key)));

        Assert.Single(served.Mixpanel.Requests);
        Assert.All(answers, answer => Assert.Equal(200, (int)answer.StatusCode));
        Assert.Single(answers, answer => !answer.Headers.Contains("Idempotency-Replayed"));
    }

    [Fact]
    public async Task An_answer_outlives_the_server()
    {
        await using var served = await Served.StartAsync();
        var first = await (await served.PostAsync(Import, Served.OneEvent, Key)).TextAsync();
        await served.RestartAsync();
        var second = await served.PostAsync(Import, Served.OneEvent, Key);

        Assert.Equal(first, await second.TextAsync());
        Assert.Single(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task A_secret_is_in_the_first_answer_and_on_no_disk()
    {
        await using var served = await Served.StartAsync(Answer.Json(Served.Created));
        var first = await served.PostAsync(NewAccount, Served.Create, Key);
        var second = await served.PostAsync(NewAccount, Served.Create, Key);

        Assert.Equal("one-time-4711", (await first.JsonAsync()).GetProperty("secret").GetString());
        Assert.False((await second.JsonAsync()).TryGetProperty("secret", out _));
        Assert.Equal("9", (await second.JsonAsync()).GetProperty("id").GetString());
        Assert.Single(served.Mixpanel.Requests);
        await served.StopAsync();
        foreach (var file in Directory.EnumerateFiles(served.Folder.Path, "*", SearchOption.AllDirectories))
            Assert.Equal(-1, (await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)).AsSpan().IndexOf("one-time-4711"u8));
    }

    [Fact]
    public async Task A_creation_whose_outcome_is_unknown_is_not_tried_again()
    {
        await using var served = await Served.StartAsync(Answer.Reset, Answer.Json(Served.Created));
        var first = await served.PostAsync(NewAccount, Served.Create, Key);
        var second = await served.PostAsync(NewAccount, Served.Create, Key);
        await served.RestartAsync();
        var third = await served.PostAsync(NewAccount, Served.Create, Key);

        Assert.Equal(503, (int)first.StatusCode);
        Assert.Equal((409, "outcome_unknown"), ((int)second.StatusCode, await second.KindAsync()));
        Assert.Equal((409, "outcome_unknown"), ((int)third.StatusCode, await third.KindAsync()));
        Assert.Single(served.Mixpanel.Requests);
    }

    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(401)]
    public async Task A_failure_that_does_no_harm_may_be_tried_again_under_its_key(int status)
    {
        await using var served = await Served.StartAsync(Answer.Json("{}", status), Answer.Json(Served.Imported));
        Assert.Equal(status, (int)(await served.PostAsync(Import, Served.OneEvent, Key)).StatusCode);
        Assert.Equal(200, (int)(await served.PostAsync(Import, Served.OneEvent, Key)).StatusCode);
        Assert.Equal(200, (int)(await served.PostAsync(Import, Served.OneEvent, Key)).StatusCode);
        Assert.Equal(2, served.Mixpanel.Requests.Count);
    }

    [Fact]
    public async Task What_was_refused_took_no_effect_and_leaves_its_key_free()
    {
        await using var served = await Served.StartAsync(Answer.Json("{\"error\":\"name taken\"}", 400), Answer.Json(Served.Created));
        Assert.Equal(400, (int)(await served.PostAsync(NewAccount, "{\"username\":5}", Key)).StatusCode); // nothing was sent
        var refused = await served.PostAsync("/v1/actions/create_annotation_tag", "{\"name\":\"release\"}", Key); // by Mixpanel
        Assert.Equal(422, (int)refused.StatusCode);
        var mended = await served.PostAsync(NewAccount, Served.Create, Key);

        Assert.Equal(200, (int)mended.StatusCode);
        Assert.False(mended.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(2, served.Mixpanel.Requests.Count);
    }

    [Fact]
    public async Task What_was_done_in_part_is_not_done_again()
    {
        var many = $"{{\"confirm\":true,\"updates\":[{string.Join(',', Enumerable.Range(0, 2001).Select(i => $"{{\"$distinct_id\":\"u{i}\",\"$add\":{{\"n\":1}}}}"))}]}}";
        await using var served = await Served.StartAsync(Answer.Json("{\"status\":1,\"error\":null}"), Answer.Json("{}", 401));
        var first = await served.PostAsync("/v1/actions/update_user_profiles", many, Key);
        var second = await served.PostAsync("/v1/actions/update_user_profiles", many, Key);

        Assert.True((int)first.StatusCode == 401, await first.TextAsync());
        Assert.Equal((409, "outcome_unknown"), ((int)second.StatusCode, await second.KindAsync()));
        Assert.Equal(2, served.Mixpanel.Requests.Count);
    }

    [Fact]
    public async Task Keys_of_different_callers_and_actions_have_nothing_to_do_with_each_other()
    {
        using var folder = new TemporaryFolder();
        var keys = Served.KeysIn(folder, out _, out var write);
        var other = Keys.Make(folder.File("keys.txt"), "other", Scope.Write);
        keys = Keys.Load(folder.File("keys.txt"),
            new HostEnvironment { Environment = _ => null, Input = Stream.Null, Output = Stream.Null, Error = TextWriter.Null },
            () => new TokenBucket(100, TimeProvider.System));
        await using var served = await Served.StartAsync(options => options with { Keys = keys });
        foreach (var key in (string[])[write, other])
            Assert.Equal(200, (int)(await served.PostAsync(Import, Served.OneEvent, Key, ("Authorization", $"Bearer {key}"))).StatusCode);
        Assert.Equal(2, served.Mixpanel.Requests.Count);
    }

    [Fact]
    public async Task A_key_that_is_none_is_refused()
    {
        await using var served = await Served.StartAsync();
        Assert.Equal(400, (int)(await served.PostAsync(Import, Served.OneEvent, ("Idempotency-Key", new string('x', 256)))).StatusCode);
        Assert.Empty(served.Mixpanel.Requests);
    }

    [Fact]
    public async Task Success_means_that_every_event_is_in_or_named()
    {
        await using var served = await Served.StartAsync(
            Answer.Json("""{"code":400,"error":"some","failed_records":[{"index":0,"insert_id":"i-1","field":"time","message":"late"}],"num_records_imported":0,"status":"Bad Request"}""",
                400),
            Answer.Json("""{"code":200,"num_records_imported":0,"status":"OK"}"""),
            Answer.Json("{}", 500));

        var partial = await served.PostAsync(Import, Served.OneEvent);
        Assert.Equal(200, (int)partial.StatusCode);
        Assert.Equal(0, (await partial.JsonAsync()).GetProperty("failed_records")[0].GetProperty("index").GetInt32());
        var miscounted = await (await served.PostAsync(Import, Served.OneEvent)).JsonAsync();
        Assert.NotEqual("OK", miscounted.GetProperty("status").GetString(), StringComparer.Ordinal);
        Assert.Equal(503, (int)(await served.PostAsync(Import, Served.OneEvent)).StatusCode);
    }
}
