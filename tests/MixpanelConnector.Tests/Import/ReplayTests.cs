using System.Text.Json;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

public sealed class ReplayTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    const string WithoutId = """{"event":"e","properties":{"time":1790000000,"distinct_id":"u","n":1}}""";

    static string IdOf(string record) => JsonDocument.Parse(record).RootElement.GetProperty("properties").GetProperty("$insert_id").GetString()!;

    ImportRequest Replay(string path) => _run.Request() with { Replay = path, DeadLetterPath = _run.Folder.File("dead-again.ndjson") };

    [Fact]
    public async Task A_refused_record_is_sent_again_as_it_was_with_the_same_id()
    {
        _run.Mixpanel.Script = request => _run.Mixpanel.TakeAllBut(request, 0, 1);
        await _run.RunAsync(WithoutId + "\n" + Event(7) + "\n");
        var sent = _run.Mixpanel.Requests[0].Records;
        _run.Mixpanel.Script = _ => null;
        var report = await _run.RunAsync(Replay(_run.DeadLetterPath));
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
        Assert.Equal(sent, _run.Mixpanel.Requests[1].Records);
    }

    [Fact]
    public async Task A_record_mended_in_the_file_keeps_the_id_that_it_would_have_had()
    {
        var bad = WithoutId.Replace("1790000000", "\"soon\"", StringComparison.Ordinal);
        await _run.RunAsync(bad + "\n");
        var letter = File.ReadAllText(_run.DeadLetterPath);
        var id = JsonDocument.Parse(letter).RootElement.GetProperty("insert_id").GetString();
        var mended = _run.Folder.Write("mended", letter.Replace("\"soon\"", "1790000000", StringComparison.Ordinal));
        var report = await _run.RunAsync(Replay(mended));
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Equal(id, IdOf(_run.Mixpanel.Stored[0]));
    }

    [Fact]
    public async Task A_record_refused_again_keeps_its_place_and_its_bytes()
    {
        await _run.RunAsync(Event(1) + "\nnonsense\n\"\\ud800\"\n" + new string('x', 2_000_000) + "\n");
        var first = File.ReadAllLines(_run.DeadLetterPath);
        var report = await _run.RunAsync(Replay(_run.DeadLetterPath));
        Assert.Equal((RunOutcome.Rejected, 3), (report.Outcome, report.Rejected));
        Assert.Equal(first, File.ReadAllLines(_run.Folder.File("dead-again.ndjson")));
    }

    [Fact]
    public async Task A_line_that_is_no_dead_letter_is_refused()
    {
        var report = await _run.RunAsync(Replay(_run.Folder.Write("other", Events(1))));
        Assert.Equal((RunOutcome.Rejected, 1), (report.Outcome, report.Rejected));
        Assert.Contains("not_replayable", File.ReadAllText(_run.Folder.File("dead-again.ndjson")), StringComparison.Ordinal);
    }

    /// <summary>A letter made by hand: each member has its own error, with the line of the letter.</summary>
    [Theory]
    [InlineData("line", "-1", "a whole number from 1")]
    [InlineData("line", "0", "a whole number from 1")]
    [InlineData("line", "1.5", "a whole number from 1")]
    [InlineData("line", "\"1\"", "a whole number from 1")]
    [InlineData("line", "[1]", "a whole number from 1")]
    [InlineData("line", "true", "a whole number from 1")]
    [InlineData("line", "99999999999999999999", "a whole number from 1")]
    [InlineData("offset", "-1", "a whole number from 0")]
    [InlineData("offset", "1.5", "a whole number from 0")]
    [InlineData("offset", "\"x\"", "a whole number from 0")]
    [InlineData("offset", "{}", "a whole number from 0")]
    [InlineData("attempts", "-1", "a whole number from 0")]
    [InlineData("attempts", "0.5", "a whole number from 0")]
    [InlineData("attempts", "\"x\"", "a whole number from 0")]
    [InlineData("length", "-1", "a whole number from 0")]
    [InlineData("length", "\"x\"", "a whole number from 0")]
    [InlineData("source", "5", "a text")]
    [InlineData("source", "{\"a\":1}", "a text")]
    [InlineData("source", "\"\\ud800\"", "a text")]
    [InlineData("insert_id", "5", "a text")]
    [InlineData("insert_id", "[\"a\"]", "a text")]
    [InlineData("insert_id", "false", "a text")]
    [InlineData("sha256", "5", "a text")]
    [InlineData("raw_truncated", "\"yes\"", "true or false")]
    [InlineData("raw", "5", "the record, as an object or as text")]
    [InlineData("raw", "[{}]", "the record, as an object or as text")]
    [InlineData("raw", "true", "the record, as an object or as text")]
    [InlineData("raw", "\"\\ud800\"", "valid Unicode")]
    [InlineData("raw_base64", "5", "the bytes of the record in Base64")]
    [InlineData("raw_base64", "\"?\"", "the bytes of the record in Base64")]
    [InlineData("raw_base64", "{}", "the bytes of the record in Base64")]
    public async Task An_odd_value_in_a_dead_letter_is_named(string field, string value, string rule)
    {
        foreach (var letter in (string[])[$$"""{"{{field}}":{{value}},"raw":{{Event(1)}}}""", $$"""{"raw":{{Event(1)}},"{{field}}":{{value}}}"""])
        {
            var report = await _run.RunAsync(Replay(_run.Folder.Write("letters", $$"""{"raw":{{Event(2)}}}""" + "\n" + letter + "\n")));
            Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
            var refused = JsonDocument.Parse(File.ReadAllText(_run.Folder.File("dead-again.ndjson"))).RootElement;
            Assert.Equal(("not_replayable", field, 2),
                (refused.GetProperty("code").GetString(), refused.GetProperty("field").GetString(), refused.GetProperty("line").GetInt64()));
            Assert.Contains($"the \"{field}\" of this dead letter must be {rule}", refused.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("\"line\":1,\"offset\":0,\"attempts\":0,")]
    [InlineData("\"line\":1.0,\"offset\":1e3,\"attempts\":2.0,")]
    [InlineData("\"line\":null,\"offset\":null,\"attempts\":null,\"source\":null,\"insert_id\":null,\"raw_truncated\":null,\"raw_base64\":null,")]
    [InlineData("\"source\":\"\",\"raw_truncated\":false,")]
    [InlineData("\"other\":[1],\"code\":5,\"message\":null,\"http_status\":\"x\",\"maybe_delivered\":1,")]
    public async Task A_dead_letter_made_by_hand_needs_only_its_record(string members)
    {
        var report = await _run.RunAsync(Replay(_run.Folder.Write("letters", $$"""{{{members}}"raw":{{Event(1)}}}""" + "\n")));
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
    }

    [Fact]
    public async Task The_beginning_of_a_record_is_not_taken_for_the_record()
    {
        var report = await _run.RunAsync(Replay(_run.Folder.Write("letters", $$"""{"raw":{{Event(1)}},"raw_truncated":true}""" + "\n")));
        Assert.Equal((RunOutcome.Rejected, 0, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Contains("only the beginning of its record", File.ReadAllText(_run.Folder.File("dead-again.ndjson")), StringComparison.Ordinal);
        Assert.Empty(_run.Mixpanel.Requests);
    }

    ImportRequest Profiles(string text, ImportType type = ImportType.Profiles) =>
        _run.Request(_run.Folder.Write("profiles", text)) with { Type = type, GroupKey = type is ImportType.Groups ? "company" : null };

    [Theory]
    [InlineData(ImportType.Profiles, """{"$distinct_id":"u","$set":[1]}""", "/engage")]
    [InlineData(ImportType.Groups, """{"$group_id":"acme","$set":[1]}""", "/groups")]
    public async Task Dead_letters_say_of_what_type_they_are(ImportType type, string record, string path)
    {
        await _run.RunAsync(Profiles(record + "\n", type));
        var mended = _run.Folder.Write("mended", File.ReadAllText(_run.DeadLetterPath).Replace("[1]", "{\"z\":1}", StringComparison.Ordinal));
        Assert.Equal((RunOutcome.Complete, 1), await _run.RunAsync(Replay(mended)) is var report ? (report.Outcome, report.Accepted) : default);
        Assert.EndsWith(path, _run.Mixpanel.Requests[^1].Path, StringComparison.Ordinal);
        if (type is ImportType.Groups) Assert.Contains("\"$group_key\":\"company\"", _run.Mixpanel.Stored[^1], StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Complete,
            (await _run.RunAsync(Replay(mended) with { Type = type, GroupKey = type is ImportType.Groups ? "company" : null })).Outcome); // said again
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(Replay(mended) with { Type = type })).Outcome);
        if (type is ImportType.Groups) Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(Replay(mended) with { GroupKey = "company" })).Outcome);
    }

    [Fact]
    public async Task Another_type_than_theirs_is_refused()
    {
        await _run.RunAsync(Profiles("""{"$group_id":"acme","$set":[1]}""" + "\n", ImportType.Groups));
        var letters = _run.Folder.Write("letters", File.ReadAllText(_run.DeadLetterPath));
        foreach (var type in (ImportType[])[ImportType.Events, ImportType.Profiles])
        {
            var refused = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Replay(letters) with { Type = type }));
            Assert.Equal("type", refused.Error.Field);
            Assert.Contains("are of type groups", refused.Message, StringComparison.Ordinal);
        }

        var other = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Replay(letters) with { Type = ImportType.Groups, GroupKey = "team" }));
        Assert.Equal("group_key", other.Error.Field);
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Theory]
    [InlineData("""{"source":"a","line":1,"code":"c","message":"m","field":"\ud800","raw":"{}"}""")]
    [InlineData("""{"source":"a","line":1,"code":"c","message":"m","raw":{"\ud800":1}}""")]
    [InlineData("""{"\ud800":"a","line":1,"code":"c","message":"m","raw":{}}""")]
    public async Task A_letter_that_is_not_valid_Unicode_is_rejected_and_no_error_of_ours(string letter)
    {
        var report = await _run.RunAsync(Replay(_run.Folder.Write("letters", letter + "\n")) with { Type = ImportType.Profiles });
        Assert.Equal((1, 1, 0), (report.Read, report.Rejected, _run.Mixpanel.Requests.Count));
    }

    /// <summary>Their dead letters have no options; what they are is seen by the record, or by the field at fault.</summary>
    [Theory]
    [InlineData(ImportType.Profiles, "{}")]
    [InlineData(ImportType.Groups, "{}")]
    [InlineData(ImportType.Profiles, """{"event":"A"}""")]
    [InlineData(ImportType.Profiles, """{"properties":{"distinct_id":"u"}}""")]
    [InlineData(ImportType.Profiles, """{"event":"A","properties":{"time":1790000000,"distinct_id":["u"]}}""")]
    public async Task Plain_events_are_not_replayed_as_another_type(ImportType type, string record)
    {
        await _run.RunAsync(record + "\n");
        var letters = _run.Folder.Write("letters", File.ReadAllText(_run.DeadLetterPath));
        var refused = await Assert.ThrowsAsync<MixpanelException>(() =>
            _run.RunAsync(Replay(letters) with { Type = type, GroupKey = type is ImportType.Groups ? "company" : null }));
        Assert.Equal("type", refused.Error.Field);
        Assert.Contains("are of type events", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_run.Mixpanel.Requests);
    }

    [Fact]
    public async Task Dead_letters_of_several_types_are_not_mixed()
    {
        await _run.RunAsync(Profiles("""{"$distinct_id":"u","$set":[1]}""" + "\n"));
        var mixed = File.ReadAllText(_run.DeadLetterPath).Replace("[1]", "{}", StringComparison.Ordinal);
        await _run.RunAsync(Event(1).Replace("\"u1\"", "[]", StringComparison.Ordinal) + "\n");
        mixed += File.ReadAllText(_run.DeadLetterPath).Replace("[]", "\"u1\"", StringComparison.Ordinal);
        var report = await _run.RunAsync(Replay(_run.Folder.Write("mixed", mixed)));
        Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Contains("replay it in a separate file", File.ReadAllText(_run.Folder.File("dead-again.ndjson")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_of_an_earlier_version_take_the_type_of_the_command()
    {
        var old = _run.Folder.Write("old",
            """{"source":"in","line":1,"offset":0,"raw":{"$distinct_id":"u","$set":{"z":1}},"code":"c","message":"m","attempts":0,"maybe_delivered":false}"""
                + "\n");
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(Replay(old) with { Type = ImportType.Profiles })).Outcome);
    }

    [Fact]
    public void A_replay_has_the_same_state_whether_its_type_is_said_or_not()
    {
        var replay = Replay(_run.Folder.Write("letters", "{}"));
        Assert.Equal(ImportStateKey.For(replay, _run.Options), ImportStateKey.For(replay with { Type = ImportType.Profiles }, _run.Options));
    }

    [Fact]
    public async Task Rows_of_a_lookup_table_are_not_replayed()
    {
        var table = _run.Request(_run.Folder.Write("table.csv", "id,n\na\n")) with { Type = ImportType.LookupTable, TableId = Guid.NewGuid() };
        await _run.RunAsync(table);
        var refused = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(Replay(_run.DeadLetterPath)));
        Assert.Contains("which is replaced as a whole", refused.Message, StringComparison.Ordinal);
    }
}
