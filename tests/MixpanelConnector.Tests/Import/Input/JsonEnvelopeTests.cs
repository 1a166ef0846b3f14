using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import.Input;

/// <summary>Records in a list within an object, as in the pages of APIs.</summary>
public sealed class JsonEnvelopeTests
{
    static readonly string Text = $$"""
        {"next":{"a":["]","}\"\\"]},"n":-1.5e3,"s":"[","t":true,
         "results" : [ {{Event(0)}}, {{Event(1)}}
         ],"page":2}
        { "events":[],"results":[{{Event(2)}}],"data":[{{Event(3)}},
        {{Event(4)}}]}
        {"x":null,"results":[1]}
        """;

    [Fact]
    public async Task An_input_cut_at_any_byte_and_completed_gives_every_record_once()
    {
        var whole = Encoding.UTF8.GetBytes(Text);
        for (var length = whole.Length / 3; length < whole.Length; length++)
        {
            using var run = new ImportRun();
            using var state = new InMemoryImportState();
            var request = run.Request(run.Folder.Write("in.json", whole.AsSpan(0, length)));
            var first = await run.RunAsync(request, state);
            Assert.True(first.Outcome is RunOutcome.Complete or RunOutcome.Rejected or RunOutcome.Damaged, $"byte {length}: {first.Outcome}");
            run.Folder.Write("in.json", whole);
            var second = await run.RunAsync(request, state);
            Assert.True((RunOutcome.Rejected, 5, 1) == (second.Outcome, second.Accepted, second.Rejected), $"byte {length}: {second.Problems[0]}");
            Assert.Equal(Enumerable.Range(0, 5), run.StoredNumbers());
        }
    }

    [Fact]
    public async Task A_crash_at_any_checkpoint_is_resumed_without_loss()
    {
        for (var crash = 1; crash < 9; crash++)
        {
            using var run = new ImportRun();
            using var state = new CrashingState { CrashAtSave = crash };
            var request = run.Request(run.Folder.Write("in.json", Text)) with { BatchEvents = 1, Senders = 1, CheckpointInterval = TimeSpan.Zero };
            var first = await run.RunAsync(request, state);
            state.CrashAtSave = 0;
            var second = first.Outcome is RunOutcome.DiskFailed ? await run.RunAsync(request, state) : first;
            Assert.Equal((RunOutcome.Rejected, 5, 1), (second.Outcome, second.Accepted, second.Rejected));
            Assert.Equal(Enumerable.Range(0, 5), run.StoredNumbers().Distinct().Order());
            Assert.Equal(6, run.DeadLetters()[0].GetProperty("line").GetInt32());
        }
    }

    [Fact]
    public async Task What_stands_beside_the_list_may_be_of_any_size()
    {
        using var run = new ImportRun();
        var large = new string('x', 3 << 20);
        var list = string.Join(',', Enumerable.Repeat("""{"a":[1,"]"]}""", 200_000));
        var report = await run.RunAsync(run.Request(run.Folder.Write("in.json",
            $$"""{"results":[{{Event(0)}}],"a":"{{large}}\"","b":[{{list}}],"c":{{new string('1', 300_000)}}}{"results":[{{Event(1)}}]}""")));
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData("""{"data":[{"event":"e"}]},""")]
    [InlineData("""{"data":[{"event":"e"}]}]""")]
    [InlineData("""{"data":[{"event":"e"}] "a":1}""")]
    [InlineData("""{"data":[{"event":"e"}],}""")]
    [InlineData("""{"data":[{"event":"e"}],"a"}""")]
    [InlineData("""{"data":[{"event":"e"}],"a":}""")]
    [InlineData("""{"data":[{"event":"e"}],"a":1""")]
    [InlineData("""{"data":[{"event":"e"}],"a""")]
    [InlineData("""{"data":[{"event":"e"}],"a":"x""")]
    public async Task What_is_no_such_object_ends_with_its_place(string text)
    {
        using var run = new ImportRun();
        var report = await run.RunAsync(run.Request(run.Folder.Write("in.json", text)));
        Assert.Equal((RunOutcome.Damaged, 1, 1), (report.Outcome, report.Read, report.Rejected));
    }

    [Fact]
    public async Task A_record_that_has_a_list_of_such_a_name_is_a_record_where_its_members_are_mapped()
    {
        using var run = new ImportRun();
        var request = run.Request(run.Folder.Write("in.json", """{"name":"buy","at":1790000000,"who":"u","data":[{"sku":1},{"sku":2}]}""" + "\n"))
            with
        { Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["event"] = "name", ["time"] = "at", ["distinct_id"] = "who" } };

        var report = await run.RunAsync(request);

        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Contains("\"data\":[{\"sku\":1},{\"sku\":2}]", run.Mixpanel.Stored[0], StringComparison.Ordinal);
    }

    /// <summary>The text between records may end anywhere in a buffer.</summary>
    [Fact]
    public async Task Bytes_that_come_one_by_one_are_read_as_those_that_come_together()
    {
        using var run = new ImportRun();
        using var stream = new Dribble(Encoding.UTF8.GetBytes(Text + "{\"total\":1234567 ,\"more\":true,\"null\":null}{\"n\":-1.5e3}"));

        var report = await run.RunAsync(run.Request("-") with { StandardInput = stream });

        Assert.Equal((RunOutcome.Rejected, 5, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal(Enumerable.Range(0, 5), run.StoredNumbers());
    }

    sealed class Dribble(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(1, buffer.Length)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}
