using System.Globalization;

namespace MixpanelConnector.Tests.Import;

/// <summary>The valid JSON of a mapping, before its rules are read.</summary>
public sealed class MappingTextTests
{
    static string Mapping(string events) => """{"name":"x","events":{"event":"a","time":"b",EVENTS}}""".Replace("EVENTS", events, StringComparison.Ordinal);

    static string MessageOf(string json) => Assert.Throws<MixpanelException>(() => ImportMapping.Parse(json)).Message;

    [Theory]
    [InlineData("""{"name":"x","name":"y","events":{"event":"a","time":"b"}}""", "the file has the member name twice")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","properties":{"p":"c","p":"d"}}}""", "events.properties has the member p twice")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","properties":{"p":"c","\u0070":"d"}}}""", "events.properties has the member p twice")]
    [InlineData("""{"name":"x","events":{"event":{"path":"a","table":{"b":"c","b":"d"}},"time":"b"}}""", "events.event.table has the member b twice")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","spread":[{"from":"p"},{"from":"p","names":{"q":"r","q":"s"}}]}}""",
        "events.spread[1].names has the member q twice")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","properties":{"p":{"value":{"q":[{"r":1,"r":2}]}}}}}""",
        "events.properties.p.value.q[0] has the member r twice")]
    [InlineData("""{"name":"x","lookups":{"l":{"file":"f","key":"k","value":"v"},"l":{"file":"f","key":"k","value":"v"}},"events":{"event":"a","time":"b"}}""",
        "lookups has the member l twice")]
    public void A_member_that_stands_there_twice_is_refused_wherever_it_is(string json, string message) =>
        Assert.Contains(message, MessageOf(json), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"na\ud800":"x"}""", "the file has a name with half")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","properties":{"p\ud800":"c"}}}""", "events.properties has a name with half")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","properties":{"p":"c\ud800"}}}""", "events.properties.p has half")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","none":["c","\ud800"]}}""", "events.none[1] has half")]
    [InlineData("""{"name":"x","events":{"event":"a","time":"b","properties":{"p":{"value":["\ud800"]}}}}""", "events.properties.p.value[0] has half")]
    [InlineData("""{"name":"x\ud800","events":{"event":"a","time":"b"}}""", "name has half")]
    public void Half_of_a_surrogate_pair_is_refused_with_its_place(string json, string message) =>
        Assert.Contains(message, MessageOf(json), StringComparison.Ordinal);

    [Fact]
    public void Half_of_a_surrogate_pair_that_is_not_escaped_is_refused() =>
        Assert.Contains("half of a surrogate pair, character 10", MessageOf("{\"name\":\"\ud800\"}"), StringComparison.Ordinal);

    [Theory]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(61)]
    [InlineData(129)]
    [InlineData(100_000)]
    public void What_is_nested_too_deeply_is_refused_and_no_stack_is_used_up(int depth)
    {
        const int Around = 6; // of the file, events, leave_out, its element, and what the last one compares
        var condition = string.Concat(Enumerable.Repeat("{\"not\":", depth - Around + 1)) + """{"path":"a","equals":1}""" + new string('}', depth - Around + 1);
        var json = Mapping($$"""
            "leave_out":[{"when":{{condition}},"reason":"r"}]
            """);
        if (depth <= 60) Assert.Equal("x", ImportMapping.Parse(json).Name);
        else Assert.Contains("nested deeper than 60 levels", MessageOf(json), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_deepest_mapping_is_replayed_with_its_dead_letters()
    {
        using var run = new ImportRun();
        var condition = string.Concat(Enumerable.Repeat("{\"not\":", 54)) + """{"path":"a","equals":1}""" + new string('}', 54);
        var mapping = ImportMapping.Parse(Mapping($$"""
            "leave_out":[{"when":{"not":{{condition}}},"reason":"r"}]
            """));
        await run.RunAsync(run.Request(run.Folder.Write("in.ndjson", """{"a":1,"b":"never"}""" + "\n")) with { Mapping = mapping });
        var mended = run.Folder.Write("mended", File.ReadAllText(run.DeadLetterPath).Replace("never", "2026-03-01T08:15:30Z", StringComparison.Ordinal));
        Assert.Equal(1, (await run.RunAsync(run.Request() with { Replay = mended, DeadLetterPath = run.Folder.File("again") })).Accepted);
    }

    [Fact]
    public void Very_many_rules_are_read()
    {
        const int Rules = 200_000; // with the square of it, this would not end
        var names = string.Join(',', Enumerable.Range(0, Rules).Select(i => string.Create(CultureInfo.InvariantCulture, $"\"p{i}\":\"a{i}\"")));
        Assert.Equal("x", ImportMapping.Parse(Mapping("\"properties\":{" + names + "},\"spread\":{\"from\":\"a\",\"names\":{" + names + "}}")).Name);
    }
}
