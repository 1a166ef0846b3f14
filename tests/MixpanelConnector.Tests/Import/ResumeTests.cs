using System.Security.Cryptography;
using System.Text;
using static MixpanelConnector.Tests.Import.ImportRun;

namespace MixpanelConnector.Tests.Import;

/// <summary>The same import run again with its state, with the input unchanged or changed.</summary>
public sealed class ResumeTests : IDisposable
{
    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    Task<ImportReport> RunAsync(string text) => _run.RunAsync(text, _state);

    static string Some(int from, int count) => string.Concat(Enumerable.Range(from, count).Select(i => Event(i) + "\n"));

    [Theory]
    [InlineData("")]
    [InlineData("nonsense\n")]
    public async Task A_finished_import_sends_nothing_again_and_gives_the_same_account(string bad)
    {
        var first = await RunAsync(Some(0, 3000) + bad);
        var requests = _run.Mixpanel.Requests.Count;
        _run.Clock.Advance(TimeSpan.FromHours(1));
        var second = await RunAsync(Some(0, 3000) + bad);
        Assert.Equal(first with { Problems = second.Problems }, second);
        Assert.Equal(first.Problems, second.Problems);
        Assert.Equal(requests, _run.Mixpanel.Requests.Count);
    }

    [Fact]
    public async Task An_input_that_grew_goes_on()
    {
        await RunAsync(Some(0, 30) + "nonsense\n");
        var report = await RunAsync(Some(0, 30) + "nonsense\n" + Some(31, 20) + "more nonsense\n");
        Assert.Equal((RunOutcome.Rejected, 50, 2, 52, 31), (report.Outcome, report.Accepted, report.Rejected, report.Read, report.ResumedFrom));
        Assert.Equal([31, 52], _run.DeadLetters().Select(letter => letter.GetProperty("line").GetInt32()));
        Assert.Equal(50, _run.StoredNumbers().Count);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("")]
    public async Task A_last_line_that_gets_its_line_end_later_is_not_read_again(string lineEnd)
    {
        await RunAsync(Some(0, 3).TrimEnd());
        var report = await RunAsync(Some(0, 3).TrimEnd() + lineEnd + (lineEnd.Length > 0 ? Some(3, 2) : ""));
        Assert.Equal((RunOutcome.Complete, lineEnd.Length > 0 ? 5 : 3, 0), (report.Outcome, report.Accepted, report.Blank));
        Assert.Equal(report.Accepted, _run.StoredNumbers().Count);
    }

    [Fact]
    public async Task A_last_line_that_is_longer_now_has_changed()
    {
        await RunAsync(Some(0, 3).TrimEnd());
        Assert.Equal((RunOutcome.Damaged, 3), await RunAsync(Some(0, 3).TrimEnd() + "x\n") is var report ? (report.Outcome, report.Accepted) : default);
    }

    [Fact]
    public async Task An_array_that_grew_goes_on()
    {
        var elements = Enumerable.Range(0, 5).Select(i => Event(i)).ToList();
        await RunAsync($"[\n{string.Join(",\n", elements[..3])}\n]\n");
        var report = await RunAsync($"[\n{string.Join(",\n", elements)}\n]\n");
        Assert.Equal((RunOutcome.Complete, 5), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 5), _run.StoredNumbers());
    }

    [Theory]
    [InlineData("[", 0)]
    [InlineData("[{0}", 1)]
    [InlineData("[{0},", 1)]
    [InlineData("[{0},{\"event\":\"e", 1)]
    [InlineData("[{0}]x", 1)]
    [InlineData("[{0} {0}]", 1)]
    [InlineData("[{0},]", 1)]
    [InlineData("[,{0}]", 0)]
    public async Task A_broken_array_gives_what_came_before(string form, int accepted)
    {
        var report = await RunAsync(form.Replace("{0}", Event(1), StringComparison.Ordinal));
        Assert.Equal((RunOutcome.Damaged, accepted), (report.Outcome, report.Accepted));
        report = await RunAsync($"[{Event(1)},{Event(2)}]");
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
        Assert.Equal([1, 2], _run.StoredNumbers());
    }

    [Fact]
    public async Task A_changed_beginning_is_noticed()
    {
        await RunAsync(Some(0, 30));
        var report = await RunAsync(Some(1, 30) + Some(40, 10));
        Assert.Equal((RunOutcome.Damaged, 30, 0), (report.Outcome, report.Accepted, report.Pending));
        Assert.Equal(30, _run.StoredNumbers().Count);
    }

    [Fact]
    public async Task A_shorter_input_is_noticed()
    {
        await RunAsync(Some(0, 30));
        Assert.Equal(RunOutcome.Damaged, (await RunAsync(Some(0, 29))).Outcome);
    }

    [Fact]
    public async Task A_pending_last_line_is_taken_when_it_is_whole()
    {
        var whole = Some(0, 3);
        Assert.Equal((RunOutcome.Damaged, 2, 1), await RunAsync(whole[..^5]) is var cut ? (cut.Outcome, cut.Accepted, cut.Pending) : default);
        Assert.Equal((RunOutcome.Damaged, 2, 1), await RunAsync(whole[..^4]) is var same ? (same.Outcome, same.Accepted, same.Pending) : default);
        Assert.Equal((RunOutcome.Complete, 3, 0), await RunAsync(whole) is var report ? (report.Outcome, report.Accepted, report.Pending) : default);
        Assert.Equal([0, 1, 2], _run.StoredNumbers());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_record_too_large_to_keep_is_pending_until_it_is_whole(bool compressed)
    {
        var noise = new byte[2_000_000];
        new Random(7).NextBytes(noise);
        var large = Event(1, $",\"x\":\"{Convert.ToBase64String(noise)}\"");
        var whole = Encoding.UTF8.GetBytes(Some(0, 1) + large + "\n" + Some(2, 1));
        Task<ImportReport> RunAsync(Func<byte[], byte[]> cut)
        {
            var bytes = cut(compressed ? GzipTests.Gzip(Encoding.UTF8.GetString(whole)) : whole);
            return _run.RunAsync(_run.Request(_run.Folder.Write("input.ndjson", bytes)), _state);
        }

        foreach (var part in (double[])[0.3, 0.7, 0.8]) // within what is kept in memory, and beyond
        {
            var cut = await RunAsync(bytes => bytes[..(int)(bytes.Length * part)]);
            Assert.Equal((RunOutcome.Damaged, 1, 0, 1), (cut.Outcome, cut.Accepted, cut.Rejected, cut.Pending));
        }

        var report = await RunAsync(bytes => bytes);
        Assert.Equal((RunOutcome.Rejected, 2, 1, 0), (report.Outcome, report.Accepted, report.Rejected, report.Pending));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(("record_too_large", 2, large.Length),
            (letter.GetProperty("code").GetString(), letter.GetProperty("line").GetInt32(), letter.GetProperty("length").GetInt32()));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(large))), letter.GetProperty("sha256").GetString());
        Assert.Equal([0, 2], _run.StoredNumbers());
    }

    [Theory]
    [InlineData("{\"x\":\"", "\"}", true)]
    [InlineData("[{\"x\\\"\":{\"y\":\"]}", "\\\\\"}} ] ", true)]
    [InlineData("{\"x\":\"", "\"", false)]
    [InlineData("{\"x\":\"", "\\\"}", false)]
    [InlineData("{\"x\":\"", "\"}}", false)]
    [InlineData("{\"x\":\"", "\"} x", false)]
    [InlineData("x", "x", false)]
    public async Task A_last_line_too_large_to_keep_is_taken_without_its_end_when_its_brackets_are_closed(string begin, string end, bool whole)
    {
        var report = await RunAsync(Some(0, 1) + begin + new string('a', 3_000_000) + end);
        Assert.Equal(whole ? (RunOutcome.Rejected, 1, 0) : (RunOutcome.Damaged, 0, 1), (report.Outcome, report.Rejected, report.Pending));
        report = await RunAsync(Some(0, 1) + begin + new string('a', 3_000_000) + end + "\n" + Some(2, 1));
        Assert.Equal((RunOutcome.Rejected, 2, 1, 0), (report.Outcome, report.Accepted, report.Rejected, report.Pending));
    }

    [Fact]
    public async Task Options_that_shape_the_records_may_not_change_without_a_restart()
    {
        var input = _run.Folder.Write("a", Some(0, 3));
        await _run.RunAsync(_run.Request(input), _state);
        var changed = _run.Request(input) with { Properties = """{"plan":"pro"}""" };
        var error = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(changed, _state));
        Assert.Equal("restart", error.Error.Field);
        var report = await _run.RunAsync(changed with { Restart = true }, _state);
        Assert.Equal((RunOutcome.Complete, 3, 3), (report.Outcome, report.Accepted, report.Read));
        Assert.Equal(6, _run.Mixpanel.Stored.Count);
    }

    [Fact]
    public async Task A_file_that_vanished_half_way_is_told()
    {
        var folder = _run.Folder.File("in");
        Directory.CreateDirectory(folder);
        var half = _run.Folder.Write("in/b", Some(0, 3) + "{");
        _run.Folder.Write("in/a", Some(10, 3));
        Assert.Equal(RunOutcome.Damaged, (await _run.RunAsync(_run.Request(folder), _state)).Outcome);
        File.Delete(half);
        var report = await _run.RunAsync(_run.Request(folder), _state);
        Assert.Equal((RunOutcome.Damaged, 6), (report.Outcome, report.Accepted));
        Assert.Contains("b was imported in part", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_file_in_the_folder_is_read_wherever_its_name_sorts()
    {
        Directory.CreateDirectory(_run.Folder.File("in"));
        _run.Folder.Write("in/b", Some(0, 3));
        var request = _run.Request(_run.Folder.File("in"));
        await _run.RunAsync(request, _state);
        _run.Folder.Write("in/a", Some(10, 3));
        var report = await _run.RunAsync(request, _state);
        Assert.Equal((RunOutcome.Complete, 6), (report.Outcome, report.Accepted));
        Assert.Equal([0, 1, 2, 10, 11, 12], _run.StoredNumbers());
    }

    [Fact]
    public async Task A_finished_import_says_that_it_sends_nothing()
    {
        using var run = new ImportRun();
        using var state = new InMemoryImportState();
        var request = run.Request(run.Folder.Write("in.ndjson", ImportRun.Events(2)));
        await run.RunAsync(request, state);
        Assert.Empty(run.Diagnostics);
        await run.RunAsync(request, state);
        Assert.StartsWith("Everything was imported before, and nothing was sent now.", Assert.Single(run.Diagnostics).Reason, StringComparison.Ordinal);
        File.AppendAllText(request.Inputs[0], ImportRun.Event(3) + "\n");
        await run.RunAsync(request, state);
        Assert.Single(run.Diagnostics);
    }

    [Fact]
    public async Task What_differs_from_the_checkpoint_is_named_and_nothing_else()
    {
        using var run = new ImportRun();
        using var state = new InMemoryImportState();
        var request = run.Request(run.Folder.Write("in.ndjson", ImportRun.Events(2))) with { Drop = ["a"] };
        await run.RunAsync(request, state);
        var error = (await Assert.ThrowsAsync<MixpanelException>(() =>
            run.RunAsync(request with { Drop = [], TimeZone = "Europe/Berlin", Fix = ImportFixes.Time }, state))).Error;
        Assert.StartsWith("The checkpoint was created with other options (drop=a then, fix=time, time_zone=Europe/Berlin now).", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_built_in_mapping_of_another_version_is_named_with_what_helps()
    {
        using var run = new ImportRun();
        using var state = new InMemoryImportState();
        var request = run.Request(run.Folder.Write("in.ndjson",
            """{"type":"track","event":"e","messageId":"m","userId":"u","timestamp":"2026-03-01T08:15:30Z"}""" + "\n")) with
        {
            Mapping = ImportMapping.OfVendor("segment"),
        };
        await run.RunAsync(request, state);
        var known = state.Load()!;
        state.Save(known with
        {
            OptionsFingerprint = known.OptionsFingerprint.Replace(request.Mapping.Fingerprint, new string('0', 32), StringComparison.Ordinal),
        });
        var error = (await Assert.ThrowsAsync<MixpanelException>(() => run.RunAsync(request, state))).Error;
        Assert.Equal(
            "The checkpoint was created with the mapping of segment in another version of the Mixpanel Connector, which differs. Finish with that version, "
            + "or begin again with ImportRequest.Restart.",
            error.Message);
        error = (await Assert.ThrowsAsync<MixpanelException>(() => run.RunAsync(request with { Restart = true }, state))).Error;
        Assert.StartsWith("1 event was accepted, and the mapping of segment was different in the version of the Mixpanel Connector that began: ", error.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain("ImportRequest.Mapping", error.Message, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Complete, (await run.RunAsync(request with { Restart = true, NewIds = true }, state)).Outcome);
        error =
            (await Assert.ThrowsAsync<MixpanelException>(() => run.RunAsync(request with { Mapping = ImportMapping.OfVendor("rudderstack") }, state))).Error;
        Assert.StartsWith("The checkpoint was created with other options (mapping=segment ", error.Message, StringComparison.Ordinal);
    }
}
