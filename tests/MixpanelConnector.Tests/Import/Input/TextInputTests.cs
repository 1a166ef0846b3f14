using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>Truncated, wrongly encoded, too large, too deep or unusual text: each bad record is one dead letter, and hides no other.</summary>
public sealed class TextInputTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    static string Valid(string more) => $$$"""{"event":"e","properties":{"time":{{{Time}}},"distinct_id":"u","$insert_id":"i",{{{more}}}}}""";

    Task<ImportReport> RunAsync(byte[] content) => _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", content)));

    // :: Cut

    [Fact]
    public async Task A_file_cut_at_every_byte_takes_whole_lines_and_leaves_the_rest_pending()
    {
        var whole = Event(0) + "\n" + Event(1) + "\r\n" + Event(2);
        var ends = new[] { Event(0).Length, Event(0).Length + 1 + Event(1).Length, whole.Length };
        for (var length = 0; length <= whole.Length; length++)
        {
            using var run = new ImportRun();
            using var state = new InMemoryImportState();
            var report = await run.RunAsync(whole[..length], state);
            var taken = ends.Count(end => end <= length);
            var partial = length > 0 && whole[..length].Split('\n')[^1].Trim() is var last && last.Length > 0
                && !ends.Contains(whole[..length].TrimEnd('\r').Length);
            Assert.Equal((partial || length == 0 ? RunOutcome.Damaged : RunOutcome.Complete, taken, partial ? 1 : 0),
                (report.Outcome, report.Accepted, report.Pending));
            if (partial) Assert.Contains($"line {taken + 1}: the last record is incomplete", report.Problems[0], StringComparison.Ordinal);
            Assert.Equal((RunOutcome.Complete, 3), await run.RunAsync(whole, state) is var rest ? (rest.Outcome, rest.Accepted) : default);
            Assert.Equal([0, 1, 2], run.StoredNumbers());
        }
    }

    // :: Encoding

    public static TheoryData<string, byte[]> BadText()
    {
        var data = new TheoryData<string, byte[]>();
        foreach (var (what, bytes) in new (string, byte[])[]
        {
            ("an overlong NUL", [0xc0, 0x80]),
            ("an overlong slash of three bytes", [0xe0, 0x80, 0xaf]),
            ("an overlong of four", [0xf0, 0x80, 0x80, 0xaf]),
            ("C1", [0xc1, 0xbf]),
            ("a continuation alone", [0x80]),
            ("a start of two alone", [0xc3]),
            ("a start of three with one", [0xe2, 0x82]),
            ("a start of four with two", [0xf0, 0x9f, 0x98]),
            ("five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]),
            ("six bytes", [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80]),
            ("beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]),
            ("a high surrogate", [0xed, 0xa0, 0x80]),
            ("a low surrogate", [0xed, 0xb0, 0x80]),
            ("a pair of surrogates", [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]),
            ("FE", [0xfe]),
            ("FF", [0xff]),
            ("Latin-1", [(byte)'Z', 0xfc, (byte)'r', (byte)'i', (byte)'c', (byte)'h']),
        })
        {
            foreach (var inKey in (bool[])[false, true])
                data.Add($"{what}{(inKey ? ", in a key" : "")}",
                    [.. Encoding.UTF8.GetBytes(Valid("")[..^2] + (inKey ? "\"" : "\"x\":\"")), .. bytes, .. Encoding.UTF8.GetBytes(inKey ? "\":1}}" : "\"}}")]);
        }

        foreach (var escaped in (string[])["\\ud800", "\\udc00", "\\ud83d\\ud83d\\ude00", "\\ude00\\ud83d", "\\ud83dx\\ude00", "\\uD83D\\n\\uDE00"])
        {
            data.Add(escaped, Encoding.UTF8.GetBytes(Valid($"\"x\":\"a{escaped}b\"")));
            data.Add($"{escaped}, in a key", Encoding.UTF8.GetBytes(Valid($"\"a{escaped}b\":1")));
            data.Add($"{escaped}, deep inside", Encoding.UTF8.GetBytes(Valid($"\"x\":[{{\"y\":[\"{escaped}\"]}}]")));
            data.Add($"{escaped}, in the name", Encoding.UTF8.GetBytes(Valid("\"x\":1").Replace("\"e\"", $"\"{escaped}\"", StringComparison.Ordinal)));
        }

        return data;
    }

    [Theory, MemberData(nameof(BadText), DisableDiscoveryEnumeration = true)]
    public async Task Text_that_is_no_unicode_is_kept_byte_for_byte(string what, byte[] record)
    {
        var report = await RunAsync([.. Encoding.UTF8.GetBytes(Event(1) + "\n"), .. record, .. Encoding.UTF8.GetBytes("\n" + Event(2) + "\n")]);
        Assert.True((RunOutcome.Rejected, 2, 1) == (report.Outcome, report.Accepted, report.Rejected), what);
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(("invalid_utf8", 2, Event(1).Length + 1),
            (letter.GetProperty("code").GetString(), letter.GetProperty("line").GetInt32(), letter.GetProperty("offset").GetInt32()));
        Assert.Equal(record, letter.TryGetProperty("raw_base64", out var raw) ? raw.GetBytesFromBase64() : Encoding.UTF8.GetBytes(letter.Raw()));
        Assert.DoesNotContain(_run.Mixpanel.Stored, stored => stored.Contains('\ufffd', StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\u0000\u2028\u2029\u0085\ufeff")]
    [InlineData("\ufdd0\ufffe\uffff")]
    [InlineData("\ud83f\udffe\udbff\udfff")]
    [InlineData("\ufffd")]
    [InlineData("\u202e\u200b\u0301")]
    public async Task Text_that_is_odd_but_valid_arrives_as_it_was(string text)
    {
        var record = Valid($"\"x\":\"{text.Replace("\u0000", "\\u0000", StringComparison.Ordinal)}\"");
        var report = await _run.RunAsync(record + "\n");
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Equal(record, Assert.Single(_run.Mixpanel.Stored));
    }

    // :: Size

    [Theory]
    [InlineData((1 << 20) - 2, true)]
    [InlineData((1 << 20) - 1, true)]
    [InlineData(1 << 20, false)]
    [InlineData((1 << 20) + 1, false)]
    public async Task A_record_must_be_smaller_than_a_mebibyte(int length, bool good)
    {
        var empty = Valid("\"x\":\"\"");
        var record = Valid($"\"x\":\"{new string('y', length - empty.Length)}\"");
        Assert.Equal(length, record.Length);
        foreach (var text in (string[])[$"{Event(1)}\n{record}\n{Event(2)}\n", $"[{Event(1)},{record},{Event(2)}]", $"{Event(1)}\n{record}\r\n{Event(2)}"])
        {
            using var run = new ImportRun();
            var report = await run.RunAsync(text);
            Assert.Equal(good ? (RunOutcome.Complete, 3, 0) : (RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
            if (!good) Assert.Equal("record_too_large", run.DeadLetters()[0].GetProperty("code").GetString());
        }
    }

    // :: Depth

    [Theory]
    [InlineData(59, "too_deep")]
    [InlineData(64, "too_deep")]
    [InlineData(65, "too_deep")]
    [InlineData(500_000, "too_deep")]
    public async Task However_deep_a_record_is_it_is_one_dead_letter(int depth, string code)
    {
        foreach (var (open, close) in new[] { ("[", "]"), ("{\"a\":", "}") })
        {
            using var run = new ImportRun();
            // As an array too, whose reader must not be confused by the depth.
            var deep = Valid("\"x\":" + string.Concat(Enumerable.Repeat(open, Math.Min(depth, 1_000_000 / (open.Length + 1)))) + "1"
                + string.Concat(Enumerable.Repeat(close, Math.Min(depth, 1_000_000 / (open.Length + 1)))));
            foreach (var text in (string[])[$"{Event(1)}\n{deep}\n{Event(2)}\n", $"[{Event(1)},\n{deep},{Event(2)}]"])
            {
                var report = await run.RunAsync(text);
                Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
                Assert.Equal(code, run.DeadLetters()[0].GetProperty("code").GetString());
            }
        }
    }

    [Fact]
    public async Task A_million_brackets_are_one_dead_letter()
    {
        foreach (var bracket in "[{")
        {
            using var run = new ImportRun();
            var report = await run.RunAsync($"{Event(1)}\n{{\"event\":{new string(bracket, 1_000_000)}\n{Event(2)}\n");
            Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
        }
    }

    // :: Numbers

    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("-0.0")]
    [InlineData("0e0")]
    [InlineData("1E+2")]
    [InlineData("9007199254740993")]
    [InlineData("9223372036854775807")]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("18446744073709551616")]
    [InlineData("1e-400")]
    [InlineData("0.1000000000000000055511151231257827")]
    [InlineData("1.7976931348623157e308")]
    [InlineData("4.9e-324")]
    public async Task A_number_arrives_as_the_same_text(string number)
    {
        var record = Valid($"\"x\":{number},\"y\":[{number}],\"z\":{{\"w\":{number}}}");
        var report = await _run.RunAsync(record + "\n");
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Equal(record, Assert.Single(_run.Mixpanel.Stored));
    }

    [Theory]
    [InlineData("NaN", "invalid_json")]
    [InlineData("Infinity", "invalid_json")]
    [InlineData("-Infinity", "invalid_json")]
    [InlineData("+1", "invalid_json")]
    [InlineData(".5", "invalid_json")]
    [InlineData("5.", "invalid_json")]
    [InlineData("1e", "invalid_json")]
    [InlineData("1e+", "invalid_json")]
    [InlineData("00", "invalid_json")]
    [InlineData("-01", "invalid_json")]
    [InlineData("0x10", "invalid_json")]
    [InlineData("1_000", "invalid_json")]
    [InlineData("1n", "invalid_json")]
    [InlineData("--1", "invalid_json")]
    [InlineData("1.8e308", "number_range")]
    [InlineData("-1.8e308", "number_range")]
    [InlineData("1e99999999999", "number_range")]
    public async Task A_number_that_is_none_is_dead_lettered(string number, string code)
    {
        foreach (var form in (string[])["\"x\":{0}", "\"x\":[{0}]", "\"x\":{{\"y\":{0}}}"])
        {
            using var run = new ImportRun();
            await run.RunAsync(Valid(form.Replace("{0}", number, StringComparison.Ordinal)
                .Replace("{{", "{", StringComparison.Ordinal)
                .Replace("}}", "}", StringComparison.Ordinal))
                + "\n");
            Assert.Equal(code, Assert.Single(run.DeadLetters()).GetProperty("code").GetString());
        }
    }

    [Theory]
    [InlineData(1_000_000, "number_range")]
    [InlineData(300, null)]
    public async Task A_number_of_very_many_digits_is_judged_quickly(int digits, string? code)
    {
        var report = await _run.RunAsync(Valid($"\"x\":{new string('9', digits)}") + "\n" + Valid($"\"x\":0.{new string('3', digits)}") + "\n");
        Assert.Equal(code is null ? 2 : 1, report.Accepted);
        if (code is not null) Assert.Equal(code, Assert.Single(_run.DeadLetters()).GetProperty("code").GetString());
    }

    // :: Byte order marks and line ends

    static byte[] Bytes(string text, Encoding? encoding = null) =>
        [.. (encoding ?? new UTF8Encoding(true)).GetPreamble(), .. (encoding ?? Encoding.UTF8).GetBytes(text)];

    [Fact]
    public async Task A_byte_order_mark_at_the_start_is_passed_over_and_nowhere_else()
    {
        var report = await RunAsync([.. Bytes(Event(0) + "\r\n"), .. Bytes(Event(1) + "\n"), .. Bytes(Event(2))[3..]]);
        Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(("invalid_json", 2, 3 + Event(0).Length + 2),
            (letter.GetProperty("code").GetString(), letter.GetProperty("line").GetInt32(), letter.GetProperty("offset").GetInt32()));
        Assert.Equal([0, 2], _run.StoredNumbers());
    }

    [Theory]
    [InlineData("utf-16", false, "ImportRequest.Encoding")]
    [InlineData("utf-16BE", false, "ImportRequest.Encoding")]
    [InlineData("utf-32", true, "UTF-32")]
    [InlineData("utf-32BE", true, "UTF-32")]
    [InlineData("utf-32", false, "binary")]
    public async Task Text_of_wider_units_is_told_unless_a_mark_says_that_it_is_utf_16(string name, bool marked, string hint)
    {
        var encoding = Encoding.GetEncoding(name);
        var report = await _run.RunAsync(_run.Request(_run.Folder.Write("a", marked ? Bytes(Event(1) + "\n", encoding) : encoding.GetBytes(Event(1) + "\n"))));
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Read));
        Assert.Contains(hint, report.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{0}\r\n{1}\r\n", 0, 2, 0, 0)]
    [InlineData("{0}\n\n\r\n \t \n{1}\n", 0, 2, 0, 3)]
    [InlineData("  {0}\t\r\n\t{1}   \n", 0, 2, 0, 0)]
    [InlineData("{0}\r\r\n{1}\r", 0, 2, 0, 0)]
    [InlineData("{0}\r{1}\r", 0, 2, 0, 0)]
    [InlineData("{0}\n\v\n{1}\n", 3, 2, 1, 0)]
    [InlineData("{0}\n{1}\f\n", 3, 1, 1, 0)]
    [InlineData("{0}\u2028{1}\n", 3, 0, 1, 0)]
    [InlineData("{0}{1}\n", 0, 2, 0, 0)]
    [InlineData("{0} {1}\n{1}{0}\r\n", 0, 4, 0, 0)]
    [InlineData("{0}\n{0}{1}\n", 3, 1, 1, 0)]
    [InlineData("{0},\n{1}\n", 3, 1, 1, 0)]
    public async Task Lines_end_with_LF_or_CR_LF_and_blank_ones_are_counted(string form, int exitCode, int accepted, int rejected, int blank)
    {
        var report = await _run.RunAsync(form.Replace("{0}", Event(0), StringComparison.Ordinal).Replace("{1}", Event(1), StringComparison.Ordinal)
            + (form.EndsWith('\r') ? "\n" : ""));
        Assert.Equal((exitCode, accepted, rejected, blank), ((int)report.Outcome, report.Accepted, report.Rejected, report.Blank));
    }

    // :: Keys

    [Theory]
    [InlineData("\"x\":1,\"x\":1")]
    [InlineData("\"x\":{\"y\":{\"z\":1,\"z\":{}}}")]
    [InlineData("\"\":1,\"\":2")]
    [InlineData("\"a\\/b\":1,\"a/b\":2")]
    [InlineData("\"\\ud83d\\ude00\":1,\"😀\":2")]
    [InlineData("\"time\":1790000000")]
    [InlineData("\"distinct_id\":\"u\"")]
    [InlineData("\"$insert_id\":\"i\"")]
    public async Task A_key_may_stand_once_however_it_is_written(string members)
    {
        await _run.RunAsync(Valid(members) + "\n");
        Assert.Equal("duplicate_key", Assert.Single(_run.DeadLetters()).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("\"x\":1,\"X\":2")]
    [InlineData("\"x\":{\"x\":{\"x\":1}}")]
    [InlineData("\"x\":[{\"y\":1},{\"y\":2}]")]
    [InlineData("\"é\":1,\"e\u0301\":2")]
    public async Task Keys_that_only_look_alike_are_two(string members)
    {
        var report = await _run.RunAsync(Valid(members) + "\n");
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task A_bad_record_says_nothing_of_its_values()
    {
        await _run.RunAsync(Valid("\"x\":\"canary-9d2e\",\"x\":1") + "\n" + "{\"event\":\"canary-9d2e\"}\n" + "canary-9d2e\n");
        Assert.Equal(3, _run.Diagnostics.Count);
        Assert.DoesNotContain(_run.Diagnostics, diagnostic => JsonSerializer.Serialize(diagnostic).Contains("canary-9d2e", StringComparison.Ordinal));
    }
}
