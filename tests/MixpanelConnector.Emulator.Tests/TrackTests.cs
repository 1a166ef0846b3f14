using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

public sealed class TrackTests
{
    const string Token = "\"token\":\"local\"";

    [Theory]
    [InlineData("/track")]
    [InlineData("/track/")]
    [InlineData("/batch")]
    public async Task Events_are_taken_as_a_JSON_array_or_one_object(string path)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var json = mixpanel.Event(more: Token);

        (await mixpanel.PostAsync(path, $"[{json},{json}]")).Is(200, "1");
        (await mixpanel.PostAsync(path, json)).Is(200, "1");

        Assert.Equal(3, (await mixpanel.Server.EventsAsync()).Count);
    }

    [Theory]
    [InlineData("""{"event":1,"properties":{"token":"local"}}""", "'event' is invalid: must be text, and is a number", true)]
    [InlineData("""{"event":["a"],"properties":{"token":"local"}}""", "'event' is invalid: must be text, and is a boolean, a list or an object", true)]
    [InlineData("""{"event":null,"properties":{"token":"local"}}""", "'event' must not be missing or blank", true)]
    [InlineData("""{"event":"a","properties":{"token":12}}""", "'properties.token' is invalid: must be text, and is a number", true)]
    [InlineData("""{"event":"a","properties":{"token":null}}""", "token, missing or empty", true)]
    [InlineData("""{"event":"a","properties":[]}""", "'properties' is invalid: must be an object", true)]
    [InlineData("""{"event":"a","properties":{"token":"local","time":true}}""", "not a time: must be a number or text, and is a boolean, a list or an object",
        false)]
    [InlineData("""{"event":"a","properties":{"token":"local","time":"soon"}}""", "not a time", false)]
    [InlineData("""{"event":"a","properties":{"token":"local","distinct_id":{}}}""", "must be text or a number, and is a boolean, a list or an object", false)]
    public async Task What_is_of_the_wrong_type_is_named(string json, string reason, bool isTold)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.PostAsync("/track?verbose=1", json);

        Assert.Equal(isTold ? reason : null, answer.Json.GetProperty("error").GetString());
        Assert.Equal(reason, Assert.Single(Assert.Single(mixpanel.Server.Requests).Records!.NotKept).Reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Events_are_taken_as_a_form_of_JSON_or_base64(bool base64)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var data = mixpanel.Event(name: "\"\u00fc?>~\"", more: Token);
        using var form = LocalMixpanel.Form(("data", base64 ? LocalMixpanel.Base64(data) : data), ("verbose", "1"), ("ip", "0"));

        var answer = await mixpanel.SendAsync(HttpMethod.Post, "/track", form);

        answer.Is(200, """{"error":null,"status":1}""");
        Assert.Equal("application/json", answer.ContentType);
        Assert.Equal("\u00fc?>~", (await mixpanel.OnlyEventAsync()).Name);
    }

    [Fact]
    public async Task Base64_may_come_unescaped_or_in_the_alphabet_for_URLs()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var base64 = LocalMixpanel.Base64(mixpanel.Event(name: "\"\u00fb\u00ff>>>???\"", more: Token));

        (await mixpanel.SendAsync(HttpMethod.Post, "/track", new StringContent("data=" + base64))).Is(200, "1");
        (await mixpanel.GetAsync("/track?data=" + base64.Replace('+', '-').Replace('/', '_').TrimEnd('='))).Is(200, "1");

        Assert.Equal(2, (await mixpanel.Server.EventsAsync()).Count);
    }

    [Fact]
    public async Task A_browser_may_GET_with_the_data_in_the_address()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.GetAsync("/track/?verbose=1&data=" + Uri.EscapeDataString(mixpanel.Event(more: Token)))).Is(200, """{"error":null,"status":1}""");

        Assert.Equal("Signed up", (await mixpanel.OnlyEventAsync()).Name);
    }

    [Fact]
    public async Task Gzip_is_taken()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.SendAsync(HttpMethod.Post, "/track", LocalMixpanel.Gzip(Encoding.UTF8.GetBytes($"[{mixpanel.Event(more: Token)}]")))).Is(200, "1");
    }

    [Fact]
    public async Task An_image_is_answered_with_a_pixel()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync("/track?img=1&data=" + LocalMixpanel.Base64(mixpanel.Event(more: Token)));

        Assert.Equal("image/gif", answer.ContentType);
        Assert.StartsWith("GIF89a", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("&callback=mixpanel.done_1", "mixpanel.done_1(1);")]
    [InlineData("&callback=$f&verbose=1", "$f({\"error\":null,\"status\":1});")]
    [InlineData("&callback=mixpanel._jsc[7]", "mixpanel._jsc[7](1);")]
    [InlineData("&callback=mixpanel.second._jsc%5B91827364%5D", "mixpanel.second._jsc[91827364](1);")]
    [InlineData("&callback=(function()%7B%7D)", "(function(){})(1);")]
    public async Task A_script_is_answered_with_a_call(string query, string script)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.GetAsync("/track?data=" + LocalMixpanel.Base64(mixpanel.Event(more: Token)) + query);

        answer.Is(200, script);
        Assert.Equal("text/javascript; charset=utf-8", answer.ContentType);
        Assert.Equal("nosniff", answer.Headers["X-Content-Type-Options"]);
    }

    [Theory]
    [InlineData("alert(1)//")]
    [InlineData("1f")]
    [InlineData("a b")]
    [InlineData("%3Cscript%3E")]
    [InlineData("a..b")]
    [InlineData("a[b]")]
    [InlineData("a[1")]
    [InlineData("a[0](1);b")]
    [InlineData("a%0A")]
    [InlineData("(function()%7Balert(1)%7D)")]
    public async Task A_callback_must_be_the_name_of_a_function_and_otherwise_nothing_is_stored(string callback)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var @event = Uri.EscapeDataString(mixpanel.Event(more: Token));

        Assert.Equal(400, (await mixpanel.GetAsync($"/track?data={@event}&callback={callback}")).Status);
        Assert.Equal(400, (await mixpanel.GetAsync($"/track?data={@event}&img=1&callback={callback}")).Status);
        Assert.Equal(400, (await mixpanel.GetAsync($"/import?project_id=1&data={@event}&callback={callback}", LocalMixpanel.Basic("local", "local"))).Status);
        Assert.Equal(400, (await mixpanel.PostAsync($"/engage?callback={callback}", """{"$token":"local","$distinct_id":"a","$set":{"n":1}}""")).Status);
        Assert.Equal(400,
            (await mixpanel.PostAsync($"/groups?callback={callback}", """{"$token":"local","$group_key":"k","$group_id":"a","$set":{"n":1}}""")).Status);

        Assert.Empty(await mixpanel.Server.EventsAsync());
        Assert.Empty(await mixpanel.Server.ProfilesAsync());
        Assert.Empty(await mixpanel.Server.GroupsAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("[{]")]
    [InlineData("data=!!")]
    [InlineData("""[{"event":"A","properties":{"token":""}}]""")]
    [InlineData("""[{"event":"A","properties":{}}]""")]
    [InlineData("""[{"event":"","properties":{"token":"local"}}]""")]
    [InlineData("""[{"event":"A"}]""")]
    [InlineData("[1]")]
    public async Task A_request_without_one_well_formed_event_is_answered_with_0(string body)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/track", body)).Is(200, "0");
        var verbose = await mixpanel.PostAsync("/track?verbose=1", body);
        Assert.Equal(0, verbose.Json.GetProperty("status").GetInt32());
        Assert.NotEmpty(verbose.Json.GetProperty("error").GetString()!);
        Assert.Empty(await mixpanel.Server.EventsAsync());
    }

    [Fact]
    public async Task One_well_formed_event_is_enough()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/track", $"[{{\"event\":\"A\"}},{mixpanel.Event(more: Token)}]")).Is(200, "1");

        Assert.Single(await mixpanel.Server.EventsAsync());
    }

    [Fact]
    public async Task An_unknown_token_is_ignored_without_a_word()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/track", mixpanel.Event(more: "\"token\":\"someone-else\""))).Is(200, "1");

        Assert.Empty(await mixpanel.Server.EventsAsync());
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public async Task Events_older_than_five_days_are_dropped_without_a_word(int seconds, bool stored)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/track", mixpanel.Event(time: $"{mixpanel.Now - 5 * 24 * 3600 + seconds}", more: Token))).Is(200, "1");

        Assert.Equal(stored ? 1 : 0, (await mixpanel.Server.EventsAsync()).Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1_000_000)]
    public async Task A_time_ahead_becomes_the_moment_of_receipt(int ahead)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.PostAsync("/track", mixpanel.Event(time: $"{mixpanel.Now + ahead}", more: Token));

        Assert.Equal(LocalMixpanel.Noon, (await mixpanel.OnlyEventAsync()).Time);
    }

    [Theory]
    [InlineData(".25", 250)]
    [InlineData("", 0)]
    public async Task A_time_may_have_a_fraction_or_be_text(string fraction, int milliseconds)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var time = $"{mixpanel.Now - 9}{fraction}";

        await mixpanel.PostAsync("/track", $"[{mixpanel.Event(time: time, more: Token)},{mixpanel.Event(time: $"\"{time}\"", more: Token)}]");

        var events = await mixpanel.Server.EventsAsync();
        Assert.Equal(2, events.Count);
        Assert.All(events, e => Assert.Equal(LocalMixpanel.Noon.AddSeconds(-9).AddMilliseconds(milliseconds), e.Time));
    }

    [Theory]
    [InlineData("{\"event\":\"A\",\"properties\":{\"token\":\"local\"}}")]
    [InlineData("{\"event\":\"A\",\"properties\":{\"token\":\"local\",\"time\":null,\"distinct_id\":null,\"$insert_id\":null},\"$mp_metadata\":{}}")]
    public async Task A_missing_time_and_insert_id_are_supplied(string json)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        (await mixpanel.PostAsync("/track", json)).Is(200, "1");

        var stored = await mixpanel.OnlyEventAsync();
        var properties = JsonDocument.Parse(stored.Properties, new JsonDocumentOptions { AllowDuplicateProperties = false }).RootElement;
        Assert.Equal(LocalMixpanel.Noon, stored.Time);
        Assert.Equal(mixpanel.Now, properties.GetProperty("time").GetInt64());
        Assert.Equal(32, stored.InsertId.Length);
        Assert.Equal(stored.InsertId, properties.GetProperty("$insert_id").GetString());
        Assert.Equal("", stored.DistinctId);
    }

    [Fact]
    public async Task With_ip_an_event_of_nobody_is_told_by_its_sender()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.PostAsync("/track?ip=1", mixpanel.Event(distinctId: null, more: Token));
        await mixpanel.PostAsync("/track?ip=1", mixpanel.Event(distinctId: null, more: Token));

        var events = await mixpanel.Server.EventsAsync();
        Assert.Equal(32, events[0].DistinctId.Length);
        Assert.Equal(events[0].DistinctId, events[1].DistinctId);
    }

    [Fact]
    public async Task Identity_events_are_stored()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        using var form =
            LocalMixpanel.Form(("data", """{"event":"$create_alias","properties":{"distinct_id":"a","alias":"b","token":"local"}}"""), ("strict", "1"));

        (await mixpanel.SendAsync(HttpMethod.Post, "/track#create-alias", form)).Is(200, "1");

        Assert.Equal("$create_alias", (await mixpanel.OnlyEventAsync()).Name);
    }

    [Fact]
    public async Task An_event_beyond_the_limits_is_dropped_without_a_word()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var many = string.Join(',', Enumerable.Range(0, 300).Select(i => $"\"p{i}\":1"));

        (await mixpanel.PostAsync("/track", $"[{mixpanel.Event(more: Token + "," + many)},{mixpanel.Event(more: Token + ",\"a\":\"\\ud800\"")}]")).Is(200, "1");

        Assert.Empty(await mixpanel.Server.EventsAsync());
    }

    [Fact]
    public async Task A_body_over_10_MB_is_refused()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(413, (await mixpanel.PostAsync("/track", new string(' ', 10 * 1024 * 1024 + 1))).Status);
    }

    [Fact]
    public async Task Web_pages_of_any_origin_may_send()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var preflight = await mixpanel.SendAsync(HttpMethod.Options, "/track/", headers: headers => headers.Add("Origin", "https://shop.example"));
        var answer = await mixpanel.SendAsync(
            HttpMethod.Post, "/track/", new StringContent(mixpanel.Event(more: Token)), headers: headers => headers.Add("Origin", "https://shop.example"));

        Assert.Equal(204, preflight.Status);
        Assert.Equal("GET, POST, OPTIONS", preflight.Headers["Access-Control-Allow-Methods"]);
        Assert.Equal("https://shop.example", preflight.Headers["Access-Control-Allow-Origin"]);
        answer.Is(200, "1");
        Assert.Equal("https://shop.example", answer.Headers["Access-Control-Allow-Origin"]);
        Assert.Equal("true", answer.Headers["Access-Control-Allow-Credentials"]);
    }

    [Theory]
    [InlineData("/track/", "traceparent, tracestate,baggage", "traceparent, tracestate, baggage", "GET, POST, OPTIONS")]
    [InlineData("/engage", "content-type, x-of-the-shop", "content-type, x-of-the-shop", "GET, POST, OPTIONS")]
    [InlineData("/groups", "a b, c(d), traceparent", "traceparent", "GET, POST, OPTIONS")]
    [InlineData("/flags", "authorization, traceparent", "authorization, traceparent", "GET, POST, OPTIONS")]
    [InlineData("/flags/definitions", null, "Authorization, Content-Encoding, Content-Type, X-Requested-With, traceparent, tracestate, baggage",
        "GET, OPTIONS")]
    public async Task What_a_browser_asks_for_before_it_sends_is_allowed(string path, string? asked, string allowed, string methods)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var preflight = await mixpanel.SendAsync(HttpMethod.Options, path, headers: headers =>
        {
            headers.Add("Origin", "https://shop.example");
            headers.Add("Access-Control-Request-Method", "POST");
            if (asked is not null) headers.TryAddWithoutValidation("Access-Control-Request-Headers", asked);
        });

        Assert.Equal((204, allowed, methods),
            (preflight.Status, preflight.Headers["Access-Control-Allow-Headers"], preflight.Headers["Access-Control-Allow-Methods"]));
    }
}
