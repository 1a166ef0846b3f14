using System.IO.Compression;
using System.Text;
using MixpanelConnector.Import.Lookup;
using MixpanelConnector.Testing;

namespace MixpanelConnector.Tests.Import;

/// <summary>A lookup table is replaced atomically, and its rows are accounted for either way.</summary>
public sealed class LookupTableTests : IDisposable
{
    const string Done = """{"code":200,"status":"OK"}""";
    const string Table = "id,name\r\na,\"1,\"\"x\"\"\ny\"\r\n\r\nb,\"\"\r\n";
    static readonly Guid Id = new("7b6c1f0e-0b5b-4c5e-9a39-3e4f0c6f2a11");

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    ImportRequest Request(string csv) => _run.Request(_run.Folder.Write("table.csv", csv)) with { Type = ImportType.LookupTable, TableId = Id };

    async Task<ImportReport> RunAsync(ImportRequest request, RecordingServer? server, bool writesDeadLetters = true,
        CancellationToken cancellationToken = default)
    {
        var options = Given.Account() with { Endpoint = server?.Address };
        using var client = new MixpanelClient(options);
        var report = await client.ImportAsync(request, _state, cancellationToken);
        Assert.Equal(report.Read, report.Accepted + report.Rejected + report.Pending + report.Blank);
        Assert.Equal(writesDeadLetters ? report.Rejected : 0, File.Exists(_run.DeadLetterPath) ? File.ReadLines(_run.DeadLetterPath).LongCount() : 0);
        if (report.Outcome is RunOutcome.Complete) Assert.Equal(0, report.Rejected + report.Pending);
        else Assert.NotEmpty(report.Problems);
        return report;
    }

    Task<ImportReport> RunAsync(string csv, RecordingServer? server) => RunAsync(Request(csv), server);

    [Fact]
    public async Task A_table_is_put_whole_as_it_is()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var report = await RunAsync(Table, server);
        Assert.Equal((RunOutcome.Complete, 3, 2, 1, 1), (report.Outcome, report.Read, report.Accepted, report.Blank, report.Requests));
        Assert.Equal($"PUT /lookup-tables/{Id}?project_id=12345", server.Lines);
        Assert.Equal(("text/csv", "gzip", Given.AccountHeader),
            (server.Request.Header("Content-Type"), server.Request.Header("Content-Encoding"), server.Request.Header("Authorization")));
        Assert.Equal(Table, server.Request.Text);
    }

    [Fact]
    public async Task A_compressed_table_with_a_byte_order_mark_is_sent_without_either()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write([0xef, 0xbb, 0xbf, .. Encoding.UTF8.GetBytes(Table)]);
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var report = await RunAsync(Request("") with { Inputs = [_run.Folder.Write("table.csv.gz", packed.ToArray())] }, server);
        Assert.Equal((RunOutcome.Complete, 2), (report.Outcome, report.Accepted));
        Assert.Equal(Table, server.Request.Text);
    }

    [Fact]
    public async Task An_accepted_table_is_not_sent_again_until_it_changes()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var first = await RunAsync(Table, server);
        Assert.Equal(first, await RunAsync(Table, server) with { Problems = first.Problems });
        Assert.Single(server.Requests);
        var changed = await RunAsync(Table + "c,d\n", server);
        Assert.Equal((RunOutcome.Complete, 3, 0, 2), (changed.Outcome, changed.Accepted, changed.ResumedFrom, server.Requests.Count));
    }

    [Fact]
    public async Task Rows_that_mixpanel_refuses_are_dead_letters_and_all_others_pending_until_the_table_is_mended()
    {
        await using var server = await RecordingServer.StartAsync(
            Answer.Json("""{"code":400,"error":"Some data points in the request failed validation","failed_records":[{"index":1,"message":"odd"}],"status":0}""",
                400),
            Answer.Json(Done));
        var report = await RunAsync("id,n\na,1\n\n\"b\",\"2\n\"\nc,3\n", server);
        Assert.Equal((RunOutcome.Rejected, 4, 0, 1, 2, 1), (report.Outcome, report.Read, report.Accepted, report.Rejected, report.Pending, report.Blank));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(
            ("\"b\",\"2\n\"", "rejected", "odd", 4, 10, 400, 1),
            (letter.Raw(), letter.GetProperty("code").GetString(), letter.GetProperty("message").GetString(), letter.GetProperty("line").GetInt32(),
                letter.GetProperty("offset").GetInt32(), letter.GetProperty("http_status").GetInt32(), letter.GetProperty("attempts").GetInt32()));
        Assert.Contains("nothing was imported", report.Problems[0], StringComparison.Ordinal);

        var mended = await RunAsync("id,n\na,1\n\nb,2\nc,3\n", server);
        Assert.Equal((RunOutcome.Complete, 4, 3, 0, 2), (mended.Outcome, mended.Read, mended.Accepted, mended.Rejected, mended.Requests));
    }

    [Theory]
    [InlineData("""{"code":400,"error":"no","status":"Bad Request"}""", 400)]
    [InlineData("""{"code":400,"error":"no","failed_records":[{"index":7,"message":"m"}]}""", 400)]
    [InlineData("""{"code":413,"error":"large","status":"Request Entity Too Large"}""", 413)]
    public async Task A_table_that_is_refused_as_a_whole_is_in_the_dead_letters_until_it_is_mended(string answer, int status)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json(answer, status), Answer.Json(Done));
        var report = await RunAsync(Table, server);
        Assert.Equal((RunOutcome.Rejected, 0, 2, 0, 1), (report.Outcome, report.Accepted, report.Rejected, report.Pending, report.Blank));
        Assert.All(_run.DeadLetters(),
            letter => Assert.Equal((status == 413 ? "table_too_large" : "rejected", status),
                (letter.GetProperty("code").GetString(), letter.GetProperty("http_status").GetInt32())));
        Assert.Equal<string[]>(["a,\"1,\"\"x\"\"\ny\"", "b,\"\""], [.. _run.DeadLetters().Select(letter => letter.Raw())]);
        Assert.Contains("make the same call again", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Equal((RunOutcome.Complete, 2, 0), await RunAsync(Table, server) is var again ? (again.Outcome, again.Accepted, again.Rejected) : default);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    public async Task Refused_credentials_or_an_unknown_table_end_the_import(int status)
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json("""{"error":"no"}""", status));
        Assert.Equal((RunOutcome.NotAllowed, 2, 1), await RunAsync(Table, server) is var report ? (report.Outcome, report.Pending, report.Requests) : default);
    }

    [Fact]
    public async Task Rate_limits_server_errors_and_cut_answers_are_tried_again()
    {
        await using var server =
            await RecordingServer.StartAsync(Answer.Json("{}", 429), Answer.Json("", 502), Answer.Json("""{"code":200,"sta"""), Answer.Json(Done));
        var report = await RunAsync(Table, server);
        Assert.Equal((RunOutcome.Complete, 2, 4, 3), (report.Outcome, report.Accepted, report.Requests, report.Retries));
    }

    /// <summary>As in an import of records, an answer that may come from anywhere is no proof of Mixpanel.</summary>
    [Fact]
    public async Task An_unavailable_server_among_answers_that_are_not_mixpanels_does_not_prolong_the_import()
    {
        var (foreign, unavailable) = (Answer.Plain("<html>hello</html>"), Answer.Json("", 502));
        await using var server = await RecordingServer.StartAsync(foreign, unavailable, foreign, unavailable, foreign, Answer.Json(Done));
        Assert.Equal((RunOutcome.Unavailable, 0, 5),
            await RunAsync(Table, server) is var report ? (report.Outcome, report.Accepted, report.Requests) : default);
    }

    [Fact]
    public async Task Something_else_that_answers_in_mixpanels_place_is_not_trusted()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Plain("<html>hello</html>"));
        Assert.Equal((RunOutcome.Unavailable, 0, 2), await RunAsync(Table, server) is var report ? (report.Outcome, report.Accepted, report.Pending) : default);
    }

    [Theory]
    [InlineData("id,n\na\n", "wrong_number_of_fields", "a")]
    [InlineData("id,n\na,1\nb,1,2", "wrong_number_of_fields", "b,1,2")]
    [InlineData("id,n\n ,1\n", "primary_key_missing", " ,1")]
    [InlineData("id,n\n\"\",1\n", "primary_key_missing", "\"\",1")]
    [InlineData("id,n\na,1\n\"a\",2\n", "primary_key_twice", "\"a\",2")]
    [InlineData("id,n\n\"a\"\"\",1\r\n\"a\"\"\",2\r\n", "primary_key_twice", "\"a\"\"\",2")]
    [InlineData("id,n\na,x\"y\nb,1\n", "invalid_csv", "a,x\"y")]
    [InlineData("id,n\n\"a\"b,1\n", "invalid_csv", "\"a\"b,1")]
    public async Task A_row_that_breaks_a_rule_is_found_before_anything_is_sent(string csv, string code, string raw)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        foreach (var dryRun in (bool[])[true, false])
        {
            File.Delete(_run.DeadLetterPath);
            var report = await RunAsync(Request(csv) with { DryRun = dryRun }, server);
            Assert.Equal((RunOutcome.Rejected, 0, 1), (report.Outcome, report.Accepted, report.Rejected));
            var letter = Assert.Single(_run.DeadLetters());
            Assert.Equal((code, raw), (letter.GetProperty("code").GetString(), letter.Raw()));
        }

        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("", 6)]
    [InlineData("\n\n", 6)]
    [InlineData("id,id\na,1\n", 6)]
    [InlineData("id,n\na,\"1", 6)]
    [InlineData("\"id,n\na,1\n", 6)]
    [InlineData("id,n\n", 6)]
    [InlineData("id,n", 6)]
    [InlineData("id,n\ra,1\r", 6)]
    [InlineData("id;n\na;1\n", 6)]
    [InlineData("id\tn\na\t1\n", 6)]
    [InlineData("id|n\na|1\n", 6)]
    [InlineData("\"id\";\"n, EUR\"\na;1\n", 6)]
    [InlineData("{\"id\":1,\"n\":2}\n", 6)]
    [InlineData("id,n\0\na,1\n", 6)]
    public async Task A_file_that_is_no_table_is_not_sent(string csv, int exitCode)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        Assert.Equal((exitCode, 0, 0), await RunAsync(csv, server) is var report ? ((int)report.Outcome, report.Accepted, report.Rejected) : default);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("id,n\n", 1)]
    [InlineData("", 0)] // there is nothing to send
    public async Task A_table_without_rows_is_taken_only_where_it_is_meant(string csv, int requests)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var report = await RunAsync(Request(csv) with { AllowEmpty = true }, server);
        Assert.Equal((RunOutcome.Complete, 0, requests), (report.Outcome, report.Read, server.Requests.Count));
        Assert.Equal(RunOutcome.Damaged, (await RunAsync(Request(csv) with { Restart = true }, server)).Outcome);
        Assert.Equal(requests, server.Requests.Count);
    }

    [Fact]
    public async Task A_table_without_rows_that_mixpanel_refuses_ends_with_6()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json("""{"code":400,"error":"no rows","status":"Bad Request"}""", 400));
        Assert.Equal((RunOutcome.Damaged, 0),
            await RunAsync(Request("id,n\n") with { AllowEmpty = true }, server) is var report ? (report.Outcome, report.Read) : default);
    }

    [Theory]
    [InlineData(';', "id;n, EUR\r\na;\"1;2\"\r\n\r\nb;\"x \"\"y\"\"\nz\"\r\n", "id,\"n, EUR\"\na,1;2\nb,\"x \"\"y\"\"\nz\"\n")]
    [InlineData('\t', "id\tn\na\t1,5\nb\t\n", "id,n\na,\"1,5\"\nb,\n")]
    [InlineData(',', "id,n\ra,\"1\r2\"\rb,2", "id,n\na,\"1\r2\"\nb,2\n")]
    [InlineData('~', "id~n\na~1\n", "id,n\na,1\n")]
    [InlineData(',', "id,n\r\na,1", "id,n\r\na,1")] // as it is
    public async Task A_table_whose_delimiter_is_said_is_sent_with_commas(char delimiter, string csv, string sent)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var report = await RunAsync(Request(csv) with { Delimiter = delimiter }, server);
        Assert.Equal((RunOutcome.Complete, sent, 0), (report.Outcome, server.Request.Text, report.Rejected));
    }

    [Fact]
    public async Task A_row_that_breaks_a_rule_is_kept_as_it_was_whatever_parts_it()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var report = await RunAsync(Request("id;n\n\na;1\nb\n") with { Delimiter = ';' }, server);
        Assert.Equal((RunOutcome.Rejected, 1, 1, 1), (report.Outcome, report.Rejected, report.Pending, report.Blank));
        Assert.Equal(("b", 4), (_run.DeadLetters()[0].Raw(), _run.DeadLetters()[0].GetProperty("line").GetInt32()));
    }

    [Fact]
    public async Task A_large_table_that_is_refused_as_a_whole_has_a_dead_letter_for_every_row()
    {
        await using var server = await RecordingServer.StartAsync(Answer.Json("""{"code":400,"error":"no","status":"Bad Request"}""", 400));
        var report = await RunAsync("id,n\n" + string.Concat(Enumerable.Range(0, 2500).Select(i => $"{i},x\n")), server);
        Assert.Equal((RunOutcome.Rejected, 2500, 0), (report.Outcome, report.Rejected, report.Pending));
        Assert.Equal<string[]>([.. Enumerable.Range(0, 2500).Select(i => $"{i},x")], [.. _run.DeadLetters().Select(letter => letter.Raw())]);
        Assert.False(_state.Load()!.Finished);
    }

    [Theory]
    [InlineData("a", "wrong_number_of_fields")]
    [InlineData(",1", "primary_key_missing")]
    [InlineData("\"a\"b,1", "invalid_csv")]
    public async Task A_table_whose_first_thousand_rows_break_the_same_rule_is_interpreted_wrongly(string row, string code)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        string Table(int bad, int good) =>
            $"id,n\n{string.Concat(Enumerable.Repeat($"{row}\n", bad))}{string.Concat(Enumerable.Range(0, good).Select(i => $"k{i},1\n"))}";
        foreach (var dryRun in (bool[])[true, false])
        {
            var report = await RunAsync(Request(Table(1000, 5)) with { DryRun = dryRun, StopWhenRefusedAlike = true }, server, writesDeadLetters: false);
            Assert.Equal((RunOutcome.Invalid, 0, 1005), (report.Outcome, report.Rejected, report.Pending));
            Assert.Contains(code, Assert.Single(report.Problems), StringComparison.Ordinal);
        }

        Assert.Equal((RunOutcome.Rejected, 999, 5),
            await RunAsync(Request(Table(999, 5)) with { StopWhenRefusedAlike = true }, server) is var few
                ? (few.Outcome, few.Rejected, few.Pending)
                : default);
        Assert.Equal((RunOutcome.Rejected, 1000, 5),
            await RunAsync(Table(1000, 5), server) is var all ? (all.Outcome, all.Rejected, all.Pending) : default); // the caller wants each
        Assert.Equal((RunOutcome.Rejected, 1000, 1),
            await RunAsync($"id,n\nfirst,1\n{Table(1000, 0)[5..]}", server) is var later ? (later.Outcome, later.Rejected, later.Pending) : default);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("id\tn\na\t\\N\nN\t\\\\N\n", "id,n\na,\nN,\\N\n", null)]
    [InlineData("id\tn\n\\N\t1\nN\t2\n", null, "primary_key_missing")]
    public async Task What_an_escape_writes_as_null_is_empty(string csv, string? sent, string? code)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        await RunAsync(Request(csv) with { Delimiter = '\t', Escape = '\\', Quote = null }, server);
        Assert.Equal(sent, server.Requests.Count == 0 ? null : server.Request.Text);
        Assert.Equal(code,
            _run.DeadLetters().SingleOrDefault() is { ValueKind: not System.Text.Json.JsonValueKind.Undefined } letter
                ? letter.GetProperty("code").GetString()
                : null);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_table_that_is_too_large_with_commas_is_refused_before_anything_is_sent(bool dryRun)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var row = new string('"', 1_000_000);
        var request =
            Request($"id;n\n{string.Concat(Enumerable.Range(0, 53).Select(i => $"{i};{row}\n"))}") with { Delimiter = ';', Quote = null, DryRun = dryRun };
        var report = await RunAsync(request, server);
        Assert.Equal((RunOutcome.Invalid, 53, 53), (report.Outcome, report.Read, report.Pending));
        Assert.Contains("100 MB", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
        Assert.Null(_state.Load());
    }

    [Fact]
    public async Task A_row_that_mixpanel_names_twice_is_one_dead_letter()
    {
        await using var server = await RecordingServer.StartAsync(_ =>
            Answer.Json("""{"code":400,"error":"no","failed_records":[{"index":1,"message":"first"},{"index":1,"message":"second"}],"status":0}""", 400));
        Assert.Equal((RunOutcome.Rejected, 1, 2),
            await RunAsync("id,n\na,1\nb,2\nc,3\n", server) is var report ? (report.Outcome, report.Rejected, report.Pending) : default);
        Assert.Equal("first", Assert.Single(_run.DeadLetters()).GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_stop_while_rejected_rows_are_written_leaves_the_others_pending()
    {
        using var stop = new CancellationTokenSource();
        var written = 0;
        var diagnostics = new Told(_ =>
        {
            if (++written == 1500) stop.Cancel();
        });
        var report = await RunAsync(Request($"id,n\nfirst,1\n{string.Concat(Enumerable.Repeat("a\n", 5000))}") with { Diagnostics = diagnostics }, server: null,
            cancellationToken: stop.Token);
        Assert.Equal((RunOutcome.Stopped, 1500, 3501), (report.Outcome, report.Rejected, report.Pending));
    }

    sealed class Told(Action<ImportDiagnostic> tell) : IProgress<ImportDiagnostic>
    {
        public void Report(ImportDiagnostic value) => tell(value);
    }

    /// <summary>Keys are compared in several passes when there are more than one pass takes, which gives the same result.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(100_000)]
    public void Repeated_keys_are_found_whatever_fits_into_a_pass(int keysPerPass)
    {
        var random = new Random(11);
        var rows = Enumerable.Range(0, 3000).Select(_ => random.Next(10) switch
        {
            0 => "",
            1 => " ,blank key",
            2 => "one field",
            3 => $"\"k{random.Next(2000)}\",quoted",
            _ => $"k{random.Next(2000)},n",
        }).ToList();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var expected = rows.Where(row => row.Length > 0).Index()
            .Select(row => (row.Index,
                Code: row.Item.StartsWith(' ') ? "primary_key_missing"
                    : !row.Item.Contains(',', StringComparison.Ordinal) ? "wrong_number_of_fields"
                    : seen.Add(row.Item.Split(',')[0].Trim('"')) ? null
                    : "primary_key_twice"))
            .Where(row => row.Code is not null).ToList();

        var table = LookupTable.Read(Encoding.UTF8.GetBytes($"id,n\n{string.Join('\n', rows)}"), Request(""), keysPerPass, CancellationToken.None);

        Assert.Equal((rows.Count(row => row.Length > 0), expected.Count), (table.Count, table.RejectedCount));
        Assert.Equal(expected, table.Rejected().Select(rejected => (rejected.Row.Index, (string?)rejected.Rejection.Code)));
    }

    [Fact]
    public async Task A_dry_run_checks_and_sends_nothing()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var report = await RunAsync(Request(Table) with { DryRun = true }, server);
        Assert.Equal((RunOutcome.Complete, 2, 0), (report.Outcome, report.Accepted, report.Requests));
        Assert.Empty(server.Requests);
        Assert.Null(_state.Load());
    }

    [Fact]
    public async Task A_table_over_100_megabytes_is_refused_before_anything_is_sent()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            for (var i = 0; i < 101; i++) gzip.Write(new byte[1 << 20]);
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        var input = _run.Folder.Write("large.csv.gz", packed.ToArray());
        var report = await RunAsync(Request("") with { Inputs = [input] }, server);
        Assert.Equal((RunOutcome.Invalid, 0), (report.Outcome, report.Read)); // no row was looked for
        Assert.Contains("100 MB", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
        Assert.Null(_state.Load());
    }

    /// <summary>As for records, a stop that leaves nothing undone is none.</summary>
    [Fact]
    public async Task A_stop_while_the_table_is_sent_waits_for_the_reply()
    {
        using var stop = new CancellationTokenSource();
        await using var server = await RecordingServer.StartAsync(_ =>
        {
            stop.Cancel();
            return Answer.Json(Done);
        });
        var report = await RunAsync(Request(Table), server, cancellationToken: stop.Token);
        Assert.Equal((RunOutcome.Complete, 3, 2, 0), (report.Outcome, report.Read, report.Accepted, report.Pending));
        Assert.Empty(report.Problems);
        Assert.True(_state.Load()!.Finished);
        Assert.Equal(RunOutcome.Complete, (await RunAsync(Table, server)).Outcome);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_stop_while_the_table_is_sent_leaves_it_pending_when_no_reply_comes()
    {
        using var stop = new CancellationTokenSource();
        var isFirst = true;
        await using var server = await RecordingServer.StartAsync(_ =>
        {
            if (!isFirst) return Answer.Json(Done);
            isFirst = false;
            stop.Cancel();
            return Answer.Stall;
        });
        var report = await RunAsync(Request(Table) with { Grace = TimeSpan.Zero }, server, cancellationToken: stop.Token);
        Assert.Equal((RunOutcome.Stopped, 3, 0, 2, 1), (report.Outcome, report.Read, report.Accepted, report.Pending, report.Blank));
        Assert.Equal((RunOutcome.Complete, 2, 2), await RunAsync(Table, server) is var again ? (again.Outcome, again.Accepted, again.Requests) : default);
    }

    [Fact]
    public async Task A_stop_before_a_table_that_is_tried_again_ends_the_tries()
    {
        using var stop = new CancellationTokenSource();
        await using var server = await RecordingServer.StartAsync(_ =>
        {
            stop.Cancel();
            return Answer.Json("", 502);
        });
        Assert.Equal((RunOutcome.Stopped, 0, 2, 1),
            await RunAsync(Request(Table), server, cancellationToken: stop.Token) is var report
                ? (report.Outcome, report.Accepted, report.Pending, report.Requests)
                : default);
    }

    [Theory]
    [InlineData("""{"code":200,"status":"OK","num_records_imported":1}""")]
    [InlineData("""{"code":200,"status":"OK","num_records_imported":0}""")]
    [InlineData("""{"code":200,"status":"OK","num_records_imported":"3"}""")]
    public async Task A_count_of_other_rows_than_were_sent_is_doubted(string answer)
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(answer));
        var report = await RunAsync(Table, server);
        Assert.Equal((RunOutcome.Unavailable, 0, 2, 2), (report.Outcome, report.Accepted, report.Pending, report.Requests));
        Assert.Contains("of 2 rows as imported", report.Problems[0], StringComparison.Ordinal);
        Assert.Contains("may have been replaced", report.Problems[0], StringComparison.Ordinal);
        Assert.False(_state.Load()!.Finished);
    }

    [Theory]
    [InlineData(1, """{"code":200,"status":"OK","num_records_imported":2}""")]
    [InlineData(2, """{"code":200,"status":"OK","num_records_imported":1}""", """{"code":200,"status":"OK","num_records_imported":2}""")]
    [InlineData(2, """{"code":200,"status":"OK","num_records_imported":1}""", Done)]
    public async Task A_count_of_all_rows_is_believed(int requests, params string[] answers)
    {
        await using var server = await RecordingServer.StartAsync([.. answers.Select(answer => Answer.Json(answer))]);
        Assert.Equal((RunOutcome.Complete, 2, requests),
            await RunAsync(Table, server) is var report ? (report.Outcome, report.Accepted, report.Requests) : default);
    }

    /// <summary>Rows that were read are in the report, whatever cannot be written.</summary>
    [Theory]
    [InlineData(1, 0, 2503)]
    [InlineData(2, 1000, 1503)]
    [InlineData(3, 2000, 503)]
    public async Task A_disk_that_fails_leaves_the_rows_in_the_report(int save, int rejected, int pending)
    {
        using var state = new CrashingState { CrashAtSave = save };
        using var client = new MixpanelClient(Given.Account());
        var rows = string.Concat(Enumerable.Range(0, 2500).Select(i => $"{i}\n"));
        var report =
            await client.ImportAsync(Request($"id,n\na,1\n\nb,1\n{rows}") with { DeadLetterPath = null }, state, TestContext.Current.CancellationToken);
        var blank = rejected == 0 ? 0 : 1; // settled with the first save
        Assert.Equal((RunOutcome.DiskFailed, 2503, 0, rejected, pending - blank, blank),
            (report.Outcome, report.Read, report.Accepted, report.Rejected, report.Pending, report.Blank));
    }

    [Fact]
    public async Task An_accepted_table_that_cannot_be_saved_is_pending()
    {
        using var state = new CrashingState { CrashAtSave = 1 };
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        using var client = new MixpanelClient(Given.Account().At(server));
        var report = await client.ImportAsync(Request(Table) with { DeadLetterPath = null }, state, TestContext.Current.CancellationToken);
        Assert.Equal((RunOutcome.DiskFailed, 3, 0, 3, 1), (report.Outcome, report.Read, report.Accepted, report.Pending, report.Requests));
    }

    [Fact]
    public async Task Dead_letters_that_cannot_be_written_leave_the_rows_in_the_report()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "It is on Linux only.");
        var report = await RunAsync(Request("id,n\na,1\nb\n") with { DeadLetterPath = "/dev/full" }, server: null, writesDeadLetters: false);
        Assert.Equal((RunOutcome.DiskFailed, 2, 1, 1, null), (report.Outcome, report.Read, report.Rejected, report.Pending, report.DeadLetter));
        Assert.Equal((RunOutcome.Rejected, 2, 1),
            await RunAsync(Request("id,n\na,1\nb\n"), server: null) is var again ? (again.Outcome, again.Read, again.Rejected) : default);
    }

    [Fact]
    public async Task A_stopped_import_leaves_every_row_pending()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var report = await RunAsync(Request(Table), server, cancellationToken: stop.Token);
        Assert.Equal((RunOutcome.Stopped, 0), (report.Outcome, report.Accepted));
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_checkpoint_belongs_to_its_table()
    {
        await using var server = await RecordingServer.StartAsync(_ => Answer.Json(Done));
        await RunAsync(Table, server);
        Assert.Equal("restart",
            (await Assert.ThrowsAsync<MixpanelException>(() => RunAsync(Request(Table) with { TableId = Guid.Empty }, server))).Error.Field);
        Assert.Equal(RunOutcome.Complete, (await RunAsync(Request(Table) with { TableId = Guid.Empty, Restart = true }, server)).Outcome);
    }

    public static TheoryData<string, ImportRequest> Contradictions => new()
    {
        { "table_id", new() { Type = ImportType.LookupTable } },
        { "table_id", new() { TableId = Id } },
        { "fix", new() { Type = ImportType.LookupTable, TableId = Id, Drop = ["a"] } },
        { "map", new() { Type = ImportType.LookupTable, TableId = Id, Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["a"] = "b" } } },
        { "column_type",
            new()
            {
                Type = ImportType.LookupTable,
                TableId = Id,
                ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["a"] = ImportColumnType.Text },
            } },
        { "null_values", new() { Type = ImportType.LookupTable, TableId = Id, NullValues = ["NULL"] } },
        { "format", new() { Type = ImportType.LookupTable, TableId = Id, Format = "ndjson" } },
        { "delimiter", new() { Type = ImportType.LookupTable, TableId = Id, Delimiter = '"' } },
        { "event", new() { Type = ImportType.LookupTable, TableId = Id, Event = "e" } },
        { "properties", new() { Type = ImportType.LookupTable, TableId = Id, Properties = "{}" } },
        { "group_key", new() { Type = ImportType.LookupTable, TableId = Id, GroupKey = "company" } },
        { "input", new() { Type = ImportType.LookupTable, TableId = Id, Inputs = ["a.csv", "b.csv"] } },
    };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public async Task What_makes_no_sense_is_refused_before_anything_is_read(string field, ImportRequest options)
    {
        var error = await Assert.ThrowsAsync<MixpanelException>(() =>
            RunAsync(options.Inputs.Count > 0
                ? options with { Inputs = [.. options.Inputs.Select(name => _run.Folder.Write(name, Table))] }
                : options with { Inputs = ["missing"] },
                server: null));
        Assert.Equal(field, error.Error.Field);
    }
}
