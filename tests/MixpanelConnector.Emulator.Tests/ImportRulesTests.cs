using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Emulator.Tests;

/// <summary>The events that an import refuses, and the message of each refusal.</summary>
public sealed class ImportRulesTests
{
    const string SeventeenForbiddenIds =
        "00000000-0000-0000-0000-000000000000 anon anonymous nil none null n/a na undefined unknown <nil> 0 -1 true false [] {}";

    [Fact]
    public async Task The_valid_events_of_a_batch_are_stored_and_the_others_named()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync($"[{mixpanel.Event(insertId: "\"good\"")},{mixpanel.Event(time: "\"yesterday\"", insertId: "\"bad\"")}]");

        answer.Is(400,
            """{"code":400,"error":"some data points in the request failed validation","failed_records":[{"index":1,"insert_id":"bad","field":"properties.time","message":"'properties.time' is invalid: must be specified as seconds since epoch"}],"num_records_imported":1,"status":"Bad Request"}""");
        Assert.Equal("good", (await mixpanel.OnlyEventAsync()).InsertId);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("\" \\t\"")]
    [InlineData("7")]
    public Task The_event_needs_a_name(string? name) =>
        IsRefusedAsync(m => m.Event(name: name), "event", "'event' must not be missing or blank");

    [Theory]
    [InlineData(null, "must not be missing")]
    [InlineData("null", "must not be missing")]
    [InlineData("1700000000.5", "must be specified as seconds since epoch")]
    [InlineData("1.7e9", "must be specified as seconds since epoch")]
    [InlineData("\"1700000000\"", "must be specified as seconds since epoch")]
    [InlineData("true", "must be specified as seconds since epoch")]
    [InlineData("99999999999999999", "must be specified as seconds since epoch")]
    [InlineData("-9223372036854775808", "must be specified as seconds since epoch")]
    [InlineData("31535999", "must not be before 1971-01-01")]
    [InlineData("0", "must not be before 1971-01-01")]
    public Task The_time_must_be_a_moment(string? time, string rule) =>
        IsRefusedAsync(m => m.Event(time: time), "properties.time", $"'properties.time' is invalid: {rule}");

    [Fact]
    public Task A_time_more_than_an_hour_ahead_is_refused() =>
        IsRefusedAsync(m => m.Event(time: $"{m.Now + 3601}"), "properties.time", "'properties.time' is invalid: must not be in the future");

    [Fact]
    public Task A_time_in_milliseconds_more_than_an_hour_ahead_is_refused() =>
        IsRefusedAsync(m => m.Event(time: $"{m.Now * 1000 + 3_600_001}"), "properties.time", "'properties.time' is invalid: must not be in the future");

    [Theory]
    [InlineData(1)]
    [InlineData(3600)]
    public async Task A_time_up_to_an_hour_ahead_becomes_the_moment_of_receipt(int ahead)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.ImportAsync($"[{mixpanel.Event(time: $"{mixpanel.Now + ahead}")}]");

        var stored = await mixpanel.OnlyEventAsync();
        Assert.Equal(LocalMixpanel.Noon, stored.Time);
        Assert.Equal(mixpanel.Now, JsonElement.Parse(stored.Properties).GetProperty("time").GetInt64());
    }

    [Fact]
    public async Task A_time_may_be_in_milliseconds()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.ImportAsync($"[{mixpanel.Event(time: "1700000000123")}]");

        var stored = await mixpanel.OnlyEventAsync();
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1700000000123), stored.Time);
        Assert.Equal(1700000000123, JsonElement.Parse(stored.Properties).GetProperty("time").GetInt64());
    }

    [Fact]
    public async Task The_first_second_of_1971_is_taken()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(200, (await mixpanel.ImportAsync($"[{mixpanel.Event(time: "31536000")}]")).Status);
    }

    [Theory]
    [InlineData(null, "must not be missing")]
    [InlineData("null", "must not be missing")]
    [InlineData("7", "must be a string")]
    [InlineData("[\"ada\"]", "must be a string")]
    public Task The_distinct_id_must_be_text(string? id, string rule) =>
        IsRefusedAsync(m => m.Event(distinctId: id), "properties.distinct_id", $"'properties.distinct_id' is invalid: {rule}");

    [Fact]
    public Task A_distinct_id_over_255_characters_is_refused() =>
        IsRefusedAsync(
            m => m.Event(distinctId: $"\"{new string('x', 256)}\""), "properties.distinct_id",
            "'properties.distinct_id' is invalid: must be at most 255 characters");

    [Fact]
    public async Task Ids_that_mean_nobody_are_refused_in_any_case()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var ids = SeventeenForbiddenIds.Split(' ');
        Assert.Equal(17, ids.Length);

        var answer = await mixpanel.ImportAsync(
            $"[{string.Join(',', ids.Append("NULL").Select(id => mixpanel.Event(distinctId: $"\"{id}\"")))}]");

        var failed = answer.Json.GetProperty("failed_records").EnumerateArray().ToList();
        Assert.Equal(18, failed.Count);
        Assert.All(failed, record => Assert.Equal("'properties.distinct_id' is invalid: value is not allowed", record.GetProperty("message").GetString()));
        Assert.Equal(0, answer.Json.GetProperty("num_records_imported").GetInt32());
    }

    [Fact]
    public async Task An_empty_distinct_id_is_nobody()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(200, (await mixpanel.ImportAsync($"[{mixpanel.Event(distinctId: "\"\"")}]")).Status);
        Assert.Equal("", (await mixpanel.OnlyEventAsync()).DistinctId);
    }

    [Theory]
    [InlineData("\"$user_id\":\"ada\",\"$device_id\":\"d-1\"", "ada")]
    [InlineData("\"$device_id\":\"d-1\"", "$device:d-1")]
    public async Task The_distinct_id_comes_from_user_and_device_when_it_is_missing(string more, string expected)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.ImportAsync($"[{mixpanel.Event(distinctId: null, more: more)}]");

        var stored = await mixpanel.OnlyEventAsync();
        Assert.Equal(expected, stored.DistinctId);
        Assert.Equal(expected, JsonElement.Parse(stored.Properties).GetProperty("distinct_id").GetString());
    }

    [Fact]
    public Task With_original_identities_the_distinct_id_is_needed_all_the_same() =>
        IsRefusedAsync(
            m => m.Event(distinctId: null, more: "\"$user_id\":\"ada\""), "properties.distinct_id", "'properties.distinct_id' is invalid: must not be missing",
            options => options with { Identity = IdentityManagement.Original });

    [Theory]
    [InlineData(null, "must not be missing")]
    [InlineData("null", "must not be missing")]
    [InlineData("7", "must be a string")]
    [InlineData("\"\"", "must not be empty")]
    [InlineData("\"a_b\"", "must only contain alphanumeric or hyphen '-' characters")]
    [InlineData("\"\u00e4\"", "must only contain alphanumeric or hyphen '-' characters")]
    [InlineData("\"1234567890123456789012345678901234567\"", "must be at most 36 bytes")]
    [InlineData("\"undefined\"", "value is not allowed")]
    public Task The_insert_id_must_be_a_short_plain_name(string? id, string rule) =>
        IsRefusedAsync(m => m.Event(insertId: id), "$insert_id", $"'$insert_id' is invalid: {rule}");

    [Fact]
    public async Task Text_that_is_not_utf8_is_refused()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var json = Encoding.Latin1.GetBytes($"[{mixpanel.Event(more: "\"utm_source\":\"\u00e4\"")},{mixpanel.Event()}]");
        using var content = new ByteArrayContent(json) { Headers = { ContentType = new("application/json") } };

        var answer = await mixpanel.ImportAsync(content);

        var failed = Assert.Single(answer.Json.GetProperty("failed_records").EnumerateArray());
        Assert.Equal("properties.utm_source is invalid: string should be valid utf8", failed.GetProperty("message").GetString());
        Assert.Equal("properties.utm_source", failed.GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("\"a\":\"\\ud800\"", "properties.a")]
    [InlineData("\"a\":[[\"\\udc00 \"]]", "properties.a")]
    [InlineData("\"a\":{\"\\ud800\":1}", "properties.a")]
    public Task Half_a_surrogate_pair_is_not_utf8(string more, string field) =>
        IsRefusedAsync(m => m.Event(more: more), field, $"{field} is invalid: string should be valid utf8");

    [Fact]
    public Task A_name_with_half_a_surrogate_pair_is_refused() =>
        IsRefusedAsync(m => m.Event(more: "\"\\ud800\":1"), "properties", "property name is invalid: string should be valid utf8");

    [Theory]
    [InlineData(252, 200)]
    [InlineData(253, 400)]
    public async Task An_event_may_have_255_properties(int more, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync($"[{mixpanel.Event(more: Members(more))}]"); // with time, distinct_id and $insert_id: three more

        Assert.Equal(status, answer.Status);
    }

    [Theory]
    [InlineData(254, 200)]
    [InlineData(255, 400)]
    public async Task A_nested_object_must_have_fewer_than_255_keys(int keys, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(status, (await mixpanel.ImportAsync($"[{mixpanel.Event(more: $"\"cart\":{{{Members(keys)}}}")}]")).Status);
    }

    [Theory]
    [InlineData(254, 200)]
    [InlineData(255, 400)]
    public async Task A_list_must_have_fewer_than_255_elements(int elements, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync($"[{mixpanel.Event(more: $"\"list\":[{string.Join(',', Enumerable.Range(0, elements))}]")}]");

        Assert.Equal(status, answer.Status);
    }

    [Theory]
    [InlineData("""{"b":{"c":{}}}""", 200)]
    [InlineData("""{"b":[{"c":{"d":[1]}}]}""", 200)]
    [InlineData("""{"b":{"c":{"d":{}}}}""", 400)]
    [InlineData("""{"b":[{"c":{"d":[{}]}}]}""", 400)]
    public async Task Objects_may_be_nested_three_deep(string value, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        Assert.Equal(status, (await mixpanel.ImportAsync($"[{mixpanel.Event(more: $"\"a\":{value}")}]")).Status);
    }

    [Theory]
    [InlineData(8 * 1024, 200)]
    [InlineData(8 * 1024 + 1, 400)]
    public async Task A_list_may_take_8_KB(int bytes, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var list = $"[\"{new string('x', 200)}\",{new string(' ', bytes - 206)}1]";
        Assert.Equal(bytes, list.Length);

        Assert.Equal(status, (await mixpanel.ImportAsync($"[{mixpanel.Event(more: $"\"list\":{list}")}]")).Status);
    }

    [Theory]
    [InlineData(1024 * 1024 - 1, 200)]
    [InlineData(1024 * 1024, 400)]
    public async Task An_event_must_be_smaller_than_a_megabyte(int bytes, int status)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var rest = mixpanel.Event(more: "\"big\":\"\"").Length;
        var json = mixpanel.Event(more: $"\"big\":\"{new string('x', bytes - rest)}\"");
        Assert.Equal(bytes, json.Length);

        Assert.Equal(status, (await mixpanel.ImportAsync($"[{json}]")).Status);
    }

    [Fact]
    public async Task Long_names_and_texts_are_cut_to_255_characters_without_a_word()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var long300 = string.Concat(Enumerable.Repeat("\u00e4", 300));
        var cut = string.Concat(Enumerable.Repeat("\u00e4", 255));

        var answer = await mixpanel.ImportAsync($"[{mixpanel.Event(
            name: $"\"{long300}\"", more: $"\"{long300}\":1.10,\"text\":\"{long300}\",\"list\":[\"{long300}\",1e2]")}]");

        answer.Is(200, """{"code":200,"num_records_imported":1,"status":"OK"}""");
        var stored = await mixpanel.OnlyEventAsync();
        Assert.Equal(cut, stored.Name);
        Assert.Contains($"\"{cut}\":1.10", stored.Properties, StringComparison.Ordinal);
        Assert.Contains($"\"text\":\"{cut}\"", stored.Properties, StringComparison.Ordinal);
        Assert.Contains($"\"list\":[\"{cut}\",1e2]", stored.Properties, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_of_255_characters_outside_the_basic_plane_is_kept()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();
        var text = string.Concat(Enumerable.Repeat("\U0001F600", 255));

        await mixpanel.ImportAsync($"[{mixpanel.Event(name: $"\"{text}\"", more: $"\"text\":\"{text}\"")}]");

        var stored = await mixpanel.OnlyEventAsync();
        Assert.Equal(text, stored.Name);
        Assert.Contains(text, stored.Properties, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_to_ignore_is_accepted_and_dropped()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"$ignore\":true")}]");

        answer.Is(200, """{"code":200,"num_records_imported":1,"status":"OK"}""");
        Assert.Empty(await mixpanel.Server.EventsAsync());
    }

    [Theory]
    [InlineData("7", "", "event is invalid: must be an object")]
    [InlineData("[]", "", "event is invalid: must be an object")]
    [InlineData("""{"event":"A"}""", "properties", "'properties' is invalid: must not be missing")]
    [InlineData("""{"event":"A","properties":[]}""", "properties", "'properties' is invalid: must be an object")]
    [InlineData("""{"event":"A","properties":{},"extra":{"a":[1]}}""", "extra", "'extra' is invalid: only 'event' and 'properties' are allowed")]
    public Task An_event_is_an_object_of_a_name_and_properties(string json, string field, string message) =>
        IsRefusedAsync(_ => json, field, message);

    [Fact]
    public Task The_first_broken_rule_is_reported() =>
        IsRefusedAsync(
            m => m.Event(name: "\"A\"", time: null, distinctId: "\"null\"", insertId: null), "properties.time",
            "'properties.time' is invalid: must not be missing");

    [Fact]
    public async Task Of_a_name_that_occurs_twice_the_last_one_counts()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.ImportAsync($"[{mixpanel.Event(distinctId: "\"first\"", more: "\"distinct_id\":\"second\"")}]");

        Assert.Equal("second", (await mixpanel.OnlyEventAsync()).DistinctId);
    }

    [Fact]
    public async Task What_an_export_gave_can_be_imported_again_without_doubled_names()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        await mixpanel.ImportAsync($"[{mixpanel.Event(more: "\"$import\":true,\"mp_processing_time_ms\":1,\"cents\":1.10")}]");

        var properties = (await mixpanel.OnlyEventAsync()).Properties;
        Assert.Equal(2, properties.Split("\"mp_processing_time_ms\":").Length);
        Assert.DoesNotContain("\"mp_processing_time_ms\":1,", properties, StringComparison.Ordinal);
        Assert.Contains("\"cents\":1.10", properties, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$identify")]
    [InlineData("$create_alias")]
    [InlineData("$merge")]
    public async Task One_identity_event_refuses_the_whole_batch_of_a_simplified_project(string name)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync($"[{mixpanel.Event()},{{\"event\":\"{name}\",\"properties\":{{}}}}]");

        answer.Is(400,
            """{"code":400,"error":"some data points in the request failed validation","failed_records":["identity events are not allowed when project is using simplified identity management"],"num_records_imported":0,"status":"Bad Request"}""");
        Assert.Empty(await mixpanel.Server.EventsAsync());
    }

    [Fact]
    public async Task A_project_with_original_identities_stores_identity_events()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(options => options with { Identity = IdentityManagement.Original });

        var answer = await mixpanel.ImportAsync("""[{"event":"$merge","properties":{"$distinct_ids":["a","b"]}}]""");

        answer.Is(200, """{"code":200,"num_records_imported":1,"status":"OK"}""");
        Assert.Equal("$merge", (await mixpanel.OnlyEventAsync()).Name);
    }

    [Fact]
    public async Task Without_strictness_invalid_events_are_dropped_and_missing_ids_made()
    {
        await using var mixpanel = await LocalMixpanel.StartAsync();

        var answer = await mixpanel.ImportAsync(
            $"[{mixpanel.Event(insertId: null)},{mixpanel.Event(time: "\"x\"")},{mixpanel.Event(distinctId: null)}]", "?strict=0&project_id=1");

        answer.Is(200, """{"code":200,"num_records_imported":2,"status":"OK"}""");
        var events = await mixpanel.Server.EventsAsync();
        Assert.Equal(2, events.Count);
        Assert.Equal(32, events[0].InsertId.Length);
        Assert.Equal("", events[1].DistinctId);
        Assert.Equal(events[0].InsertId, JsonElement.Parse(events[0].Properties).GetProperty("$insert_id").GetString());
    }

    static string Members(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"\"p{i}\":{i}"));

    static async Task IsRefusedAsync(
        Func<LocalMixpanel, string> json, string field, string message, Func<EmulatorOptions, EmulatorOptions>? configure = null)
    {
        await using var mixpanel = await LocalMixpanel.StartAsync(configure);

        var answer = await mixpanel.ImportAsync($"[{json(mixpanel)}]");

        Assert.Equal(400, answer.Status);
        var failed = Assert.Single(answer.Json.GetProperty("failed_records").EnumerateArray());
        Assert.Equal(message, failed.GetProperty("message").GetString());
        Assert.Equal(field, failed.GetProperty("field").GetString());
        Assert.Equal(0, failed.GetProperty("index").GetInt32());
        Assert.Equal(0, answer.Json.GetProperty("num_records_imported").GetInt32());
        Assert.Empty(await mixpanel.Server.EventsAsync());
    }
}
