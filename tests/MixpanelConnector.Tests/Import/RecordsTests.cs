using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>Which records are sent, and in which form.</summary>
public sealed class RecordsTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    static string WithProperties(string properties) => $$$"""{"event":"e","properties":{{{{properties}}}}}""";

    static string Valid(string more) => WithProperties($"\"time\":{Time},\"distinct_id\":\"u\",{more}");

    static string Nested(int depth) => Valid("\"x\":" + string.Concat(Enumerable.Repeat("{\"x\":", depth)) + "1" + new string('}', depth));

    static string Array(int elements) => Valid($"\"x\":[{string.Join(',', Enumerable.Repeat("1", elements))}]");

    static string Object(int keys) => Valid($"\"x\":{{{string.Join(',', Enumerable.Range(0, keys).Select(i => $"\"k{i}\":1"))}}}");

    /// <summary>The given number of properties, including $insert_id.</summary>
    static string Properties(int count) =>
        WithProperties($"\"time\":{Time},\"distinct_id\":\"u\",\"$insert_id\":\"i\"{string.Concat(Enumerable.Range(0, count - 3).Select(i => $",\"k{i}\":1"))}");

    public static TheoryData<string, string> Bad() => new()
    {
        { "nonsense", "invalid_json" },
        { "{\"event\":\"e\"", "invalid_json" },
        { "{} {}", "invalid_json" },
        { Valid("\"x\":01"), "invalid_json" },
        { Valid("\"x\":NaN"), "invalid_json" },
        { Valid("\"x\":0x1"), "invalid_json" },
        { Valid("\"x\":'a'"), "invalid_json" },
        { "\v", "invalid_json" },
        { "[1]", "not_an_object" },
        { "1", "not_an_object" },
        { Valid("\"x\":1e400"), "number_range" },
        { Valid("\"x\":-1e400"), "number_range" },
        { Valid("\"x\":1" + new string('0', 400)), "number_range" },
        { Valid("\"x\":\"\\ud800\""), "invalid_utf8" },
        { WithProperties("\"time\":1790000000,\"distinct_id\":\"\\ud800\""), "invalid_utf8" },
        { Valid("\"x\":\"\\udc00\\ud800\""), "invalid_utf8" },
        { Valid("\"\\ud800\":1"), "invalid_utf8" },
        { Valid("\"x\":1,\"x\":1"), "duplicate_key" },
        { Valid("\"x\":1,\"\\u0078\":2"), "duplicate_key" },
        { Valid("\"x\":{\"y\":1,\"y\":2}"), "duplicate_key" },
        { Valid("\"x\":[{\"y\":1,\"y\":2}]"), "duplicate_key" },
        { Valid("\"$insert_id\":\"a\",\"$insert_id\":\"b\""), "duplicate_key" },
        { "{\"event\":\"e\",\"event\":\"f\",\"properties\":{}}", "duplicate_key" },
        { "{\"event\":\"e\",\"name\":1,\"properties\":{}}", "unknown_key" },
        { "{\"properties\":{\"time\":1790000000,\"distinct_id\":\"u\"}}", "event_missing" },
        { "{\"event\":\" \",\"properties\":{\"time\":1790000000,\"distinct_id\":\"u\"}}", "event_missing" },
        { "{\"event\":7,\"properties\":{\"time\":1790000000,\"distinct_id\":\"u\"}}", "event_invalid" },
        { "{\"event\":{\"a\":{}},\"properties\":{\"time\":1790000000,\"distinct_id\":\"u\"}}", "event_invalid" },
        { "{\"event\":\"e\"}", "properties_missing" },
        { "{\"event\":\"e\",\"properties\":[]}", "properties_invalid" },
        { WithProperties("\"distinct_id\":\"u\""), "time_missing" },
        { WithProperties("\"distinct_id\":\"u\",\"time\":\"1790000000\""), "time_invalid" },
        { WithProperties("\"distinct_id\":\"u\",\"time\":1790000000.5"), "time_invalid" },
        { WithProperties("\"distinct_id\":\"u\",\"time\":null"), "time_invalid" },
        { WithProperties("\"distinct_id\":\"u\",\"time\":0"), "time_too_old" },
        { WithProperties("\"distinct_id\":\"u\",\"time\":-1"), "time_too_old" },
        { WithProperties("\"distinct_id\":\"u\",\"time\":31535999"), "time_too_old" },
        { WithProperties("\"time\":1790000000"), "distinct_id_missing" },
        { WithProperties("\"time\":1790000000,\"distinct_id\":7"), "distinct_id_invalid" },
        { WithProperties("\"time\":1790000000,\"distinct_id\":null"), "distinct_id_missing" },
        { WithProperties($"\"time\":1790000000,\"distinct_id\":\"{new string('x', 256)}\""), "distinct_id_invalid" },
        { WithProperties("\"time\":1790000000,\"distinct_id\":\"undefined\""), "distinct_id_banned" },
        { WithProperties("\"time\":1790000000,\"distinct_id\":\"\\u0030\""), "distinct_id_banned" },
        { Valid("\"$insert_id\":\"\""), "insert_id_invalid" },
        { Valid("\"$insert_id\":7"), "insert_id_invalid" },
        { Valid("\"$insert_id\":\"a_b\""), "insert_id_invalid" },
        { Valid("\"$insert_id\":\"ä\""), "insert_id_invalid" },
        { Valid($"\"$insert_id\":\"{new string('x', 37)}\""), "insert_id_invalid" },
        { Valid("\"$insert_id\":\"null\""), "insert_id_banned" },
        { Valid("\"$ignore\":true"), "ignored" },
        { Nested(4), "too_deep" },
        { Nested(64), "too_deep" },
        { Nested(10_000), "too_deep" },
        { Valid("\"x\":" + new string('[', 500_000)), "too_deep" },
        { Array(255), "too_many_elements" },
        { Object(255), "too_many_keys" },
        { Properties(256), "too_many_keys" },
    };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public async Task A_bad_record_is_dead_lettered_by_its_reason(string record, string code)
    {
        var report = await _run.RunAsync(Event(1) + "\n" + record + "\n" + Event(2) + "\n");
        Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal((code, 2, record), (letter.GetProperty("code").GetString(), letter.GetProperty("line").GetInt32(), letter.Raw()));
        Assert.Equal(0, letter.GetProperty("attempts").GetInt32());
        var diagnostic = Assert.Single(_run.Diagnostics);
        Assert.Equal((2, code), (diagnostic.Line!.Value, diagnostic.Code));
    }

    public static TheoryData<string> Good() =>
    [
        Valid("\"x\":1e308"),
        Valid("\"x\":12345678901234567890123456789.10"),
        Valid("\"x\":-0"),
        Valid("\"x\":\"\\ud83d\\ude00 \\u0000 \\\\u\""),
        Valid("\"x\":\"\u2028\u00e9\""),
        Valid("\"$insert_id\":\"" + new string('x', 36) + "\""),
        WithProperties("\"time\":1790000000,\"distinct_id\":\"\""),
        WithProperties("\"time\":1790000000,\"$device_id\":\"d\""),
        WithProperties("\"time\":1790000000,\"distinct_id\":null,\"$user_id\":\"u\""),
        WithProperties("\"time\":1790000000000,\"distinct_id\":\"u\""),
        WithProperties("\"time\":31536000,\"distinct_id\":\"u\""),
        Nested(3),
        Array(254),
        Object(254),
        Properties(255),
        " {\t\"properties\" : { \"distinct_id\":\"u\", \"time\":1790000000 } , \"event\":\"e\" } ",
    ];

    [Theory]
    [MemberData(nameof(Good), DisableDiscoveryEnumeration = true)]
    public async Task A_good_record_keeps_its_bytes(string record)
    {
        var report = await _run.RunAsync(record + "\n");
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        var body = Encoding.UTF8.GetString(_run.Mixpanel.Requests[0].Body);
        if (!record.Contains("$insert_id", StringComparison.Ordinal))
        {
            var id = JsonDocument.Parse(body).RootElement[0].GetProperty("properties").GetProperty("$insert_id").GetString();
            Assert.Matches("^[0-9a-f]{32}$", id);
            body = body.Replace($"\"$insert_id\":\"{id}\",", "", StringComparison.Ordinal);
        }

        Assert.Equal($"[{record.Trim()}]", body);
    }

    [Theory]
    [InlineData(3599, 0)]
    [InlineData(3601, 3)]
    public async Task A_time_is_sent_up_to_an_hour_ahead(int ahead, int exitCode)
    {
        var time = _run.Clock.GetUtcNow().ToUnixTimeSeconds() + ahead;
        var report = await _run.RunAsync(WithProperties($"\"distinct_id\":\"u\",\"time\":{time}") + "\n");
        Assert.Equal(exitCode, (int)report.Outcome);
    }

    [Theory]
    [InlineData(new byte[] { 0xc0, 0x80 })]
    [InlineData(new byte[] { 0xff })]
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 })]
    [InlineData(new byte[] { 0xe2, 0x82 })]
    public async Task Invalid_UTF8_is_kept_byte_for_byte(byte[] bad)
    {
        byte[] record = [.. "{\"event\":\""u8, .. bad, .. "\"}"u8];
        await _run.RunAsync(_run.Request(_run.Folder.Write("a", [.. record, (byte)'\n'])));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal("invalid_utf8", letter.GetProperty("code").GetString());
        Assert.Equal(record, letter.GetProperty("raw_base64").GetBytesFromBase64());
    }

    [Fact]
    public async Task Two_identical_lines_stay_two_events_and_a_second_run_makes_the_same_ids()
    {
        var line = WithProperties("\"time\":1790000000,\"distinct_id\":\"u\"") + "\n";
        var input = _run.Folder.Write("a.ndjson", line + line);
        await _run.RunAsync(_run.Request(input));
        await _run.RunAsync(_run.Request(input));
        var ids = _run.Mixpanel.Stored.Select(record => JsonDocument.Parse(record).RootElement
            .GetProperty("properties")
            .GetProperty("$insert_id").GetString()).ToList();
        Assert.NotEqual(ids[0], ids[1], StringComparer.Ordinal);
        Assert.True(ids[..2].SequenceEqual(ids[2..], StringComparer.Ordinal));
    }

    [Fact]
    public async Task Shared_properties_are_added_and_an_events_own_value_wins()
    {
        var input = _run.Folder.Write("a", WithProperties("\"time\":1790000000,\"plan\":\"own\"") + "\n" + WithProperties("") + "\n");
        var report = await _run.RunAsync(_run.Request(input) with { Properties = """{ "plan" : "shared", "distinct_id":"u", "time":1790000001, "ip": 0 }""" });
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
        Assert.Contains("\"plan\":\"own\"", _run.Mixpanel.Stored[0], StringComparison.Ordinal);
        Assert.DoesNotContain("shared", _run.Mixpanel.Stored[0], StringComparison.Ordinal);
        Assert.EndsWith(",\"plan\":\"shared\",\"distinct_id\":\"u\",\"time\":1790000001,\"ip\":0}}", _run.Mixpanel.Stored[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"$insert_id":"a"}""")]
    [InlineData("""{"distinct_id":"null"}""")]
    public async Task Bad_shared_properties_are_told_before_anything_is_sent(string properties)
    {
        var input = _run.Folder.Write("a", Events(1));
        var error = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(_run.Request(input) with { Properties = properties }));
        Assert.Equal("properties", error.Error.Field);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_record_over_a_megabyte_passes_by_and_leaves_its_head(bool array)
    {
        var giant = Valid($"\"x\":\"{new string('y', 3_000_000)}\"");
        var text = array ? $"[{Event(1)},\n{giant},{Event(2)}]" : $"{Event(1)}\n{giant}\r\n{Event(2)}\n";
        var report = await _run.RunAsync(text);
        Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(("record_too_large", 2, true),
            (letter.GetProperty("code").GetString(), letter.GetProperty("line").GetInt32(), letter.GetProperty("raw_truncated").GetBoolean()));
        Assert.Equal(giant[..65536], letter.Raw());
        Assert.Equal(giant.Length, letter.GetProperty("length").GetInt64());
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(giant))),
            letter.GetProperty("sha256").GetString());
        Assert.Equal(text.IndexOf(giant, StringComparison.Ordinal), letter.GetProperty("offset").GetInt64());
    }

    [Theory]
    [InlineData("ä")]
    [InlineData("€")]
    [InlineData("😀")]
    public async Task The_head_of_a_record_over_a_megabyte_ends_with_a_whole_character(string character)
    {
        var length = Encoding.UTF8.GetByteCount(character);
        var giants = Enumerable.Range(0, length)
            .Select(shift => Valid($"\"x\":\"{new string('y', shift)}{string.Concat(Enumerable.Repeat(character, 400_000 * 4 / length))}\"")).ToList();
        await _run.RunAsync(string.Join('\n', giants) + "\n");
        Assert.Equal(length, _run.DeadLetters().Count);
        foreach (var (giant, letter) in giants.Zip(_run.DeadLetters()))
        {
            var raw = letter.Raw(); // in place of raw_base64
            Assert.StartsWith(raw, giant, StringComparison.Ordinal);
            Assert.InRange(Encoding.UTF8.GetByteCount(raw), 65536 - 3, 65536);
        }
    }
}
