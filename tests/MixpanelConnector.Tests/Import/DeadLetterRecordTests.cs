using System.Text;
using System.Text.Json;
using MixpanelConnector.Import.Undelivered;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Import;

/// <summary>The content of a dead letter.</summary>
public sealed class DeadLetterRecordTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData("""{"a":12345678901234567890,"b":[{"c":"é\n"}]}""", true)]
    [InlineData("""{"a":1,"a":2}""", false)] // a tool that rewrites it would lose one of them without a word,
    [InlineData("""{"a":{"b":1,"b":2}}""", false)]
    [InlineData("""{"a":1e999}""", false)] // change the number,
    [InlineData("""{"a":"\ud800"}""", false)] // or the text
    [InlineData("""[{"a":1}]""", false)]
    [InlineData("42", false)]
    [InlineData("\"text\"", false)]
    [InlineData("""{"a":1""", false)]
    [InlineData("""{"a":1} x""", false)]
    public void It_is_an_object_where_every_reader_takes_it_for_the_same(string record, bool isObject)
    {
        var letter = Of(record);
        Assert.Equal(isObject ? JsonValueKind.Object : JsonValueKind.String, letter.GetProperty("raw").ValueKind);
        Assert.Equal(record, letter.Raw()); // byte for byte
    }

    [Fact]
    public void It_is_one_line_and_readers_can_still_follow_how_deep_it_is()
    {
        Assert.Equal("""{  "a": 1  }""", Of("{\r\n\"a\": 1\r\n}").Raw());
        Of(string.Concat(Enumerable.Repeat("{\"a\":", 60)) + "1" + new string('}', 60));
        Of(string.Concat(Enumerable.Repeat("{\"a\":", 70)) + "1" + new string('}', 70));
    }

    [Fact]
    public async Task A_replay_makes_of_it_what_the_import_would_have_made()
    {
        var request = _run.Request(_run.Folder.Write("in.ndjson", """{"name":" ","who":"u","at":"2026-09-21T00:00:00Z","old":null,"junk":1}""" + "\n")) with
        {
            Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["event"] = "name", ["time"] = "at", ["distinct_id"] = "who" },
            ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["name"] = ImportColumnType.Text },
            Fix = ImportFixes.Time | ImportFixes.Nulls,
            Rename = new Dictionary<string, string>(StringComparer.Ordinal) { ["old"] = "new" },
            Drop = ["junk"],
            TimeOffset = TimeSpan.FromHours(1),
        };
        Assert.Equal(RunOutcome.Rejected, (await _run.RunAsync(request)).Outcome);
        var mended = _run.Folder.Write("mended", File.ReadAllText(_run.DeadLetterPath).Replace("\" \"", "\"e\"", StringComparison.Ordinal));

        var report = await _run.RunAsync(_run.Request() with { Replay = mended });

        Assert.Equal((RunOutcome.Complete, 1, 1, 1), (report.Outcome, report.Accepted, report.Fixed!.Dropped, report.Fixed.TimeOffset));
        var sent = JsonElement.Parse(_run.Mixpanel.Stored[0]).GetProperty("properties");
        Assert.Equal(("u", 1789952400000L, false, false),
            (sent.GetProperty("distinct_id").GetString(), sent.GetProperty("time").GetInt64(), sent.TryGetProperty("junk", out _),
                sent.TryGetProperty("new", out _)));
    }

    [Fact]
    public async Task What_is_said_for_the_replay_goes_before_what_is_kept()
    {
        var request = _run.Request(_run.Folder.Write("in.ndjson", """{"name":" ","kind":"k","who":"u","time":1790000000}""" + "\n")) with
        {
            Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["event"] = "name", ["distinct_id"] = "who" },
        };
        await _run.RunAsync(request);
        var letters = _run.Folder.Write("letters", File.ReadAllText(_run.DeadLetterPath));

        var report = await _run.RunAsync(_run.Request() with
        {
            Replay = letters,
            Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["event"] = "kind" },
        });

        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Contains("\"event\":\"k\"", _run.Mixpanel.Stored[0], StringComparison.Ordinal);
    }

    static JsonElement Of(string record)
    {
        var letter = DeadLetters.Of("in", 1, 0, Encoding.UTF8.GetBytes(record), oversized: null, options: [], new Refusal("code", Field: null, "why")).Json;
        Assert.False(letter.AsSpan().Contains((byte)'\n'));
        return JsonElement.Parse(letter);
    }

    [Fact]
    public async Task Those_in_another_encoding_keep_their_options_too()
    {
        var request = _run.Request(_run.Folder.Write("in.ndjson", """{"name":" ","who":"ü","time":1790000000}""" + "\n")) with
        {
            Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["event"] = "name", ["distinct_id"] = "who" },
        };
        await _run.RunAsync(request);
        var text = File.ReadAllText(_run.DeadLetterPath).Replace("\" \"", "\"e\"", StringComparison.Ordinal);
        var mended = _run.Folder.Write("mended", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(text)]);

        var report = await _run.RunAsync(_run.Request() with { Replay = mended });

        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Contains("ü", _run.Mixpanel.Stored[0], StringComparison.Ordinal);
    }
}
