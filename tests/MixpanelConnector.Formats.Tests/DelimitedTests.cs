using System.IO.Compression;
using System.Text;
using System.Text.Json;
using MixpanelConnector.Testing;
using static MixpanelConnector.Formats.Tests.Rows;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Rows become records: the effect of each cell, quote and line end.</summary>
public sealed class DelimitedTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData("$group_id,seats,name\n007,5,\n", """{"$group_key":"company","$group_id":"007","$token":"token","$set":{"seats":5}}""")]
    [InlineData("seats,group_id\n5,acme\n", """{"$group_key":"company","$group_id":"acme","$token":"token","$set":{"seats":5}}""")]
    public async Task Group_profiles_come_from_a_column_of_their_ids(string csv, string expected)
    {
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("groups.csv", csv)) with { Type = ImportType.Groups, GroupKey = "company" });
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        var sent = JsonElement.Parse(Assert.Single(_run.Mixpanel.Stored));
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(expected), sent), sent.GetRawText());
    }

    [Fact]
    public async Task A_row_becomes_an_event_with_a_property_for_each_other_column()
    {
        var report = await _run.RunCsvAsync($"plan,event,time,distinct_id,$insert_id,paid,note\npro,Sign Up,{ImportRun.Time},12345,id-1,1.10,\n");
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Equal(
            [$$$"""{"event":"Sign Up","properties":{"plan":"pro","time":{{{ImportRun.Time}}},"distinct_id":"12345","$insert_id":"id-1","paid":1.10}}"""],
            _run.Mixpanel.Stored);
    }

    [Fact]
    public async Task Columns_are_mapped_to_fields()
    {
        var request = _run.RequestAll(_run.Folder.Write("in", $"name;x,when,who,event\nSign Up,{ImportRun.Time},ann,old\n")) with
        {
            Columns = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["event"] = "name;x",
                ["time"] = "when",
                ["distinct_id"] = "who",
                ["kind"] = "event",
            },
        };
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(request)).Outcome);
        Assert.Equal([$$$"""{"event":"Sign Up","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"ann","kind":"old"}}"""], _run.StoredWithoutIds());
    }

    [Fact]
    public async Task A_column_can_give_two_fields()
    {
        var request = _run.RequestAll(_run.Folder.Write("in.csv", $"event,time,id\ne,{ImportRun.Time},7\n")) with
        {
            Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["distinct_id"] = "id", ["id"] = "id" },
        };
        await _run.RunAsync(request);
        Assert.Equal([$$$"""{"event":"e","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"7","id":7}}"""], _run.StoredWithoutIds());
    }

    [Theory]
    [InlineData("event,time,time\n", "two columns for time")]
    [InlineData(",,\n", "without a name")]
    [InlineData("event:time:distinct_id\n", "no record")]
    [InlineData("event,\"a\nb,c\"\n", "quote is not closed")]
    [InlineData("event,\"time\"x\n", "quote in the wrong place")]
    public async Task A_header_that_gives_no_record_is_told(string text, string message)
    {
        var report = await _run.RunCsvAsync(text);
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Read));
        Assert.Contains(message, report.Problems[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("distinct_id", "missing", "in.csv has no column missing, which is mapped to distinct_id. It has event, time, distinct_id")]
    [InlineData("event", "time", "in.csv has two columns for event")]
    public async Task A_mapping_that_does_not_fit_is_an_error_of_the_call_before_anything_is_sent(string field, string column, string message)
    {
        var request = _run.RequestAll(_run.Folder.Write("in.csv", Header + "\n" + Row(1))) with
        {
            Columns = new Dictionary<string, string>(StringComparer.Ordinal) { [field] = column },
        };
        var error = await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(request));
        Assert.Equal("map", error.Error.Field);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Empty(_run.Mixpanel.Stored);

        // For a stream it is only detected on reading, still before anything is sent.
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(Header + "\n" + Row(1) + "\n"));
        var report = await _run.RunAsync(request with { Inputs = ["-"], StandardInput = stream, Format = "csv" });
        Assert.Equal((RunOutcome.Invalid, 0), (report.Outcome, report.Read));
    }

    [Fact]
    public async Task A_mapping_of_an_input_without_columns_is_told()
    {
        var request = _run.RequestAll(_run.Folder.Write("in.ndjson", ImportRun.Events(1))) with
        {
            Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["event"] = "name" },
        };
        Assert.Contains("no columns", (await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(request))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("in.csv")]
    [InlineData("in.CSV")]
    [InlineData("in")]
    [InlineData("in.ndjson")] // a name does not make it so
    public async Task The_format_is_told_by_content(string name)
    {
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write(name, Header + "\n" + Some(0, 3))));
        Assert.Equal((RunOutcome.Complete, 3), (report.Outcome, report.Accepted));
    }

    [Theory]
    [InlineData("in.tsv", "event\ttime\tdistinct_id\n")]
    [InlineData("in.tab", "event\ttime\tdistinct_id\n")]
    [InlineData("in", "event\ttime\tdistinct_id\n")]
    [InlineData("in", "\uFEFFevent\ttime\tdistinct_id\r\n")]
    public async Task Tabs_separate_as_well(string name, string header)
    {
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write(name, $"{header}a,b\t{ImportRun.Time}\t\"x\ty\"\n")));
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Equal([$$$"""{"event":"a,b","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"x\ty"}}"""], _run.StoredWithoutIds());
    }

    [Fact]
    public async Task Json_stays_json_whatever_the_name_is()
    {
        Assert.Equal(2, (await _run.RunCsvAsync(ImportRun.Events(2))).Accepted);
        Assert.Equal(1, (await _run.RunCsvAsync($"[{ImportRun.Event(5)}]")).Accepted);
    }

    [Theory]
    [InlineData("nonsense\nmore, nonsense\n", 2)]
    [InlineData("a,b\n", 1)]
    public async Task Text_without_a_known_header_is_taken_for_lines(string text, int rejected)
    {
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in", text)));
        Assert.Equal((RunOutcome.Rejected, rejected), (report.Outcome, report.Rejected));
    }

    [Fact]
    public async Task A_named_format_is_not_questioned()
    {
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.csv", "[a],{b}\n1,2\n")) with { Format = "csv" });
        Assert.Equal((RunOutcome.Rejected, 1), (report.Outcome, report.Rejected));
        Assert.Equal("""{"properties":{"[a]":1,"{b}":2}}""", _run.DeadLetters()[0].Raw());
    }

    [Fact]
    public async Task A_format_that_is_not_known_is_refused() =>
        Assert.Equal("format", (await Assert.ThrowsAsync<MixpanelException>(() => _run.RunAsync(_run.Request("x") with { Format = "csv" }))).Error.Field);

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task Quotes_keep_separators_line_ends_and_quotes(string lineEnd)
    {
        var report = await _run.RunCsvAsync(
            $"\uFEFFevent,time,distinct_id,\"a,b\"{lineEnd}e,{ImportRun.Time},\"x\",\"1\n2, "
            + $"\"\"3\"\"\r\n\"{lineEnd}\"\"\"\",{ImportRun.Time},x,\"\"{lineEnd}bad{lineEnd}");
        Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal(
            [
                $$$"""{"event":"e","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"x","a,b":"1\n2, \"3\"\r\n"}}""",
                $$$"""{"event":"\"","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"x"}}""",
            ],
            _run.StoredWithoutIds());
        Assert.Equal(6, _run.DeadLetters()[0].GetProperty("line").GetInt32()); // two of its lines are within a cell
    }

    [Fact]
    public async Task A_quote_inside_a_plain_cell_is_text()
    {
        await _run.RunCsvAsync($"event,time,distinct_id,size\ne,{ImportRun.Time},x,5\" pipe\n");
        Assert.Equal("5\" pipe", Properties(_run.Mixpanel.Stored[0]).GetProperty("size").GetString());
    }

    [Theory]
    [InlineData("e,1\n", "ragged_row")]
    [InlineData("e,1,2,3,4,5\n", "ragged_row")]
    [InlineData("e,1,2,3,4,\n", "ragged_row")]
    [InlineData("\"e\"x,1,2,3,4\n", "invalid_csv")]
    [InlineData("\"e\" ,1,2,3,4\n", "invalid_csv")]
    public async Task A_row_that_does_not_fit_is_kept_as_it_was(string row, string code)
    {
        var report = await _run.RunCsvAsync($"{Header}\n{Some(0, 2)}{row}{Some(2, 2)}");
        Assert.Equal((RunOutcome.Rejected, 4, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = _run.DeadLetters()[0];
        Assert.Equal((code, row.TrimEnd('\n'), 4), (letter.GetProperty("code").GetString(), letter.Raw(), letter.GetProperty("line").GetInt32()));
        Assert.Equal(Header.Length + 1 + Some(0, 2).Length, letter.GetProperty("offset").GetInt32());
        Assert.Equal([0, 1, 2, 3], _run.StoredNumbers());
    }

    [Fact]
    public async Task A_record_that_mixpanel_refuses_is_kept_as_the_event_that_was_built_and_can_be_mended()
    {
        await _run.RunCsvAsync($"event,time,distinct_id\n,{ImportRun.Time},x\n");
        var letter = _run.DeadLetters()[0];
        Assert.Equal("event_missing", letter.GetProperty("code").GetString());
        Assert.Equal($$$"""{"properties":{"time":{{{ImportRun.Time}}},"distinct_id":"x"}}""", letter.Raw());

        var mended = _run.Folder.Write("mended",
            File.ReadAllText(_run.DeadLetterPath).Replace("{\"properties", "{\"event\":\"e\",\"properties", StringComparison.Ordinal));
        var report = await _run.RunAsync(_run.Request() with { Replay = mended });
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));
        Assert.Equal(letter.GetProperty("insert_id").GetString(), Properties(_run.Mixpanel.Stored[0]).GetProperty("$insert_id").GetString());
    }

    [Fact]
    public async Task Bytes_that_are_no_utf8_are_not_mended()
    {
        var text = Encoding.Latin1.GetBytes($"event,time,distinct_id\ne,{ImportRun.Time},caf\u00e9\n");
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.csv", text)));
        Assert.Equal((RunOutcome.Rejected, 1), (report.Outcome, report.Rejected));
        var letter = _run.DeadLetters()[0];
        Assert.Equal("invalid_utf8", letter.GetProperty("code").GetString());
        Assert.Contains((byte)0xe9, letter.GetProperty("raw_base64").GetBytesFromBase64());
    }

    [Theory]
    [InlineData(false, "\n")]
    [InlineData(true, "\n")]
    [InlineData(true, "\r\n")]
    public async Task A_row_over_1_MiB_is_passed_by(bool quoted, string lineEnd)
    {
        var cell = new string('x', 3_000_000);
        var row = $"e,{ImportRun.Time},u,id,{(quoted ? $"\"{cell}\n\"\"\"" : cell)}";
        var report = await _run.RunCsvAsync($"{Header}\n{Some(0, 2, lineEnd)}{row}{lineEnd}{Some(2, 2, lineEnd)}short{lineEnd}");
        Assert.Equal((RunOutcome.Rejected, 4, 2), (report.Outcome, report.Accepted, report.Rejected));
        var letters = _run.DeadLetters();
        Assert.Equal(("record_too_large", 4, row.Length),
            (letters[0].GetProperty("code").GetString(), letters[0].GetProperty("line").GetInt32(), letters[0].GetProperty("length").GetInt32()));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(row))),
            letters[0].GetProperty("sha256").GetString());
        Assert.Equal(quoted ? 8 : 7, letters[1].GetProperty("line").GetInt32());
        Assert.Equal([0, 1, 2, 3], _run.StoredNumbers());
    }

    [Fact]
    public async Task A_row_that_grows_over_1_MiB_when_it_is_written_as_json_is_too_large()
    {
        var report = await _run.RunCsvAsync($"{Header}\ne,{ImportRun.Time},u,id,\"{new string('\u0001', 300_000)}\"\n{Some(0, 1)}");
        Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal("record_too_large", _run.DeadLetters()[0].GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("\n\n", 0)]
    [InlineData(Header, 0)]
    [InlineData(Header + "\n", 0)]
    [InlineData(Header + "\r", 0)]
    [InlineData("\n" + Header + "\n\n   \n\r\n", 3)]
    public async Task An_input_without_rows_is_an_empty_one(string text, int blank)
    {
        var report = await _run.RunCsvAsync(text);
        Assert.Equal((RunOutcome.Damaged, blank, 0), (report.Outcome, report.Blank, report.Accepted));
        report = await _run.RunAsync(_run.RequestAll(_run.Folder.File("in.csv")) with { AllowEmpty = true });
        Assert.Equal((RunOutcome.Complete, blank, 0), (report.Outcome, report.Blank, report.Accepted));
    }

    [Theory]
    [InlineData("e,179", 0, 1, 6)]
    [InlineData("e,1790000000,u9,id-9,\"9", 0, 1, 6)] // the quote is open
    [InlineData("e,1790000000,u9,id-9,9", 1, 0, 0)]
    [InlineData("e,1790000000,u9,id-9,\"9\"", 1, 0, 0)]
    public async Task A_last_row_without_its_end_counts_when_it_has_all_its_cells(string last, int accepted, int pending, int exit)
    {
        var report = await _run.RunCsvAsync($"{Header}\n{Some(0, 2)}{last}");
        Assert.Equal((exit, accepted + 2, pending), ((int)report.Outcome, report.Accepted, report.Pending));
    }

    [Fact]
    public async Task A_row_of_a_profile_sets_every_other_column()
    {
        var request = _run.RequestAll(_run.Folder.Write("people.csv", "name,distinct_id,age,$email\nAnn,007,41,\n")) with { Type = ImportType.Profiles };
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(request)).Outcome);
        Assert.Equal(["""{"$token":"token","$distinct_id":"007","$set":{"name":"Ann","age":41}}"""], _run.Mixpanel.Stored);
    }

    [Fact]
    public async Task Two_runs_give_the_same_ids_and_two_equal_rows_two()
    {
        var text = $"event,time,distinct_id\n{string.Concat(Enumerable.Repeat($"e,{ImportRun.Time},x\n", 5))}";
        await _run.RunCsvAsync(text);
        await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.csv.gz", Gzip(text))));
        var ids = _run.Mixpanel.Stored.Select(record => Properties(record).GetProperty("$insert_id").GetString()).ToList();
        Assert.Equal(5, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(ids[..5], ids[5..]);
    }

    [Fact]
    public async Task Standard_input_can_be_csv()
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes($"{Header}\n{Some(0, 3)}"));
        var report = await _run.RunAsync(_run.RequestAll("-") with { StandardInput = stream });
        Assert.Equal((RunOutcome.Complete, 3), (report.Outcome, report.Accepted));
    }

    static byte[] Gzip(string text)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return buffer.ToArray();
    }
}
