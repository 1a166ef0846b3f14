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
}
