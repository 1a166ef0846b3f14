using System.IO.Compression;
using System.Runtime.InteropServices;
using DuckDB.NET.Data;
using MixpanelConnector.Testing;
using ParquetSharp;
using ParquetSharp.Schema;
using static MixpanelConnector.Formats.Tests.Rows;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Parquet files, most of them written by DuckDB: a writer that shares no code with the reader.</summary>
public sealed class ParquetTests : IDisposable
{
    const string Base = "'e' AS event, 1790000000 AS time, 'u' AS distinct_id";

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    /// <summary>Writes a query's rows.</summary>
    static string Write(ImportRun run, string query, string options = "", string name = "in.parquet")
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SET TimeZone='UTC'; COPY ({query}) TO '{run.Folder.File(name)}' (FORMAT parquet{options})";
        command.ExecuteNonQuery();
        return run.Folder.File(name);
    }

    static string Numbered(int from, int count) =>
        $"SELECT 'e' AS event, 1790000000 AS time, 'u' || i AS distinct_id, 'id-' || i AS \"$insert_id\", "
        + $"i AS n FROM range({from}, {from + count}) t(i) ORDER BY i";

    Task<ImportReport> RunAsync(string query, string options = "") => _run.RunAsync(_run.RequestAll(Write(_run, query, options)), _state);

    [Theory]
    [InlineData("true", "true")]
    [InlineData("(-7)::TINYINT", "-7")]
    [InlineData("255::UTINYINT", "255")]
    [InlineData("(-32768)::SMALLINT", "-32768")]
    [InlineData("65535::USMALLINT", "65535")]
    [InlineData("(-2147483648)::INTEGER", "-2147483648")]
    [InlineData("4294967295::UINTEGER", "4294967295")]
    [InlineData("9223372036854775807::BIGINT", "9223372036854775807")]
    [InlineData("18446744073709551615::UBIGINT", "18446744073709551615")]
    [InlineData("0.1::DOUBLE", "0.1")]
    [InlineData("1e300::DOUBLE", "1E+300")]
    [InlineData("5::DOUBLE", "5")]
    [InlineData("0.1::FLOAT", "0.1")]
    [InlineData("1.10::DECIMAL(4,2)", "1.10")]
    [InlineData("-0.05::DECIMAL(9,2)", "-0.05")]
    [InlineData("12345678901234.5678::DECIMAL(18,4)", "12345678901234.5678")]
    [InlineData("12345678901234567890123456.0123456789::DECIMAL(38,10)", "12345678901234567890123456.0123456789")]
    [InlineData("-7::DECIMAL(18,0)", "-7")]
    [InlineData("'a\"b\\c' || chr(10) || 'é😀'", "\"a\\\"b\\\\c\\né😀\"")]
    [InlineData("'007'", "\"007\"")]
    [InlineData("''", "\"\"")]
    [InlineData("''::BLOB", "\"\"")]
    [InlineData("repeat('x', 2000)", null)]
    [InlineData("TIMESTAMP '2026-09-21 14:13:20'", "\"2026-09-21T14:13:20\"")]
    [InlineData("TIMESTAMP '2026-09-21 14:13:20.123456'", "\"2026-09-21T14:13:20.123456\"")]
    [InlineData("TIMESTAMPTZ '2026-09-21 14:13:20+02'", "\"2026-09-21T12:13:20\"")]
    [InlineData("TIMESTAMP_MS '1969-12-31 23:59:59.999'", "\"1969-12-31T23:59:59.999\"")]
    [InlineData("TIMESTAMP_NS '2026-09-21 14:13:20.1234567'", "\"2026-09-21T14:13:20.1234567\"")]
    [InlineData("DATE '2026-09-21'", "\"2026-09-21\"")]
    [InlineData("'abc'::BLOB", "\"abc\"")]
    [InlineData("'00000000-0000-0000-0000-000000000001'::UUID", "\"00000000-0000-0000-0000-000000000001\"")]
    [InlineData("[1, NULL, 3]", "[1,null,3]")]
    [InlineData("[]::INTEGER[]", "[]")]
    [InlineData("[[1, 2], [], NULL, [3]]", "[[1,2],[],null,[3]]")]
    [InlineData("{'a': 1, 'b': 'x', 'c': NULL}", "{\"a\":1,\"b\":\"x\"}")]
    [InlineData("{'a': {'b': [{'c': 1}, NULL, {'c': 2}]}}", "{\"a\":{\"b\":[{\"c\":1},null,{\"c\":2}]}}")]
    [InlineData("[{'a': ['x', 'y']}, {'a': []}, {'a': NULL}]", "[{\"a\":[\"x\",\"y\"]},{\"a\":[]},{}]")]
    [InlineData("MAP {'k': 1, 'l': NULL}", "{\"k\":1,\"l\":null}")]
    [InlineData("MAP {7: ['x']}", "{\"7\":[\"x\"]}")]
    [InlineData("'nan'::DOUBLE", "")]
    [InlineData("NULL::INTEGER", "")]
    [InlineData("NULL::INTEGER[]", "")]
    public async Task A_value_is_written_by_its_type(string value, string? json)
    {
        // Rows with null before and after it would reveal a value that ends up in the wrong row.
        json ??= $"\"{new string('x', 2000)}\"";
        var report = await RunAsync(
            $"SELECT {Base}, NULL AS v, 0 AS n UNION ALL SELECT {Base}, {value}, 1 UNION ALL SELECT {Base}, NULL, 2 UNION ALL SELECT {Base}, {value}, 3");
        Assert.Equal("", string.Join(' ', report.Problems));
        var with = json.Length == 0 ? "" : $"\"v\":{json},";
        string Expected(int n, string v) => $$$"""{"event":"e","properties":{"time":1790000000,"distinct_id":"u",{{{v}}}"n":{{{n}}}}}""";
        Assert.Equal([Expected(0, ""), Expected(1, with), Expected(2, ""), Expected(3, with)], _run.StoredWithoutIds());
    }

    [Theory]
    [InlineData("1790000000::BIGINT", "1790000000")]
    [InlineData("1790000000::DOUBLE", "1790000000")]
    [InlineData("TIMESTAMP '2026-09-21 14:13:20.123'", "1790000000123")]
    [InlineData("TIMESTAMPTZ '2026-09-21 16:13:20+02'", "1790000000000")]
    [InlineData("TIMESTAMP_NS '2026-09-21 14:13:20.999999999'", "1790000000999")]
    [InlineData("DATE '2026-09-21'", "1789948800000")]
    public async Task The_time_of_an_event_is_a_number(string time, string json)
    {
        await RunAsync($"SELECT 'e' AS event, {time} AS time, 12345 AS distinct_id");
        Assert.Equal([$$$"""{"event":"e","properties":{"time":{{{json}}},"distinct_id":"12345"}}"""], _run.StoredWithoutIds());
    }

    [Theory]
    [InlineData("'inf'::DOUBLE", "number_range")]
    [InlineData("'\\xFF'::BLOB", "invalid_utf8")]
    [InlineData("repeat('x', 2000000)", "record_too_large")]
    public async Task A_value_that_cannot_be_sent_is_refused(string value, string code)
    {
        var report = await RunAsync($"SELECT {Base}, {value} AS v UNION ALL SELECT {Base}, NULL");
        Assert.Equal((RunOutcome.Rejected, 1, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = _run.DeadLetters()[0];
        Assert.Equal((code, 1, 0), (letter.GetProperty("code").GetString(), letter.GetProperty("line").GetInt32(), letter.GetProperty("offset").GetInt32()));
    }

    [Fact]
    public async Task Text_that_is_no_utf8_is_not_mended()
    {
        var file = Write(_run, $"SELECT {Base}, 'café' AS v", ", COMPRESSION uncompressed");
        var bytes = File.ReadAllBytes(file);
        for (var at = bytes.AsSpan().IndexOf("é"u8); at >= 0; at = bytes.AsSpan().IndexOf("é"u8)) bytes[at] = bytes[at + 1] = 0xff;
        File.WriteAllBytes(file, bytes);
        var report = await _run.RunAsync(_run.RequestAll(file));
        Assert.Equal((RunOutcome.Rejected, 1), (report.Outcome, report.Rejected));
        Assert.Equal("invalid_utf8", _run.DeadLetters()[0].GetProperty("code").GetString());
        Assert.Contains((byte)0xff, _run.DeadLetters()[0].GetProperty("raw_base64").GetBytesFromBase64());
    }

    [Fact]
    public async Task Columns_of_other_names_are_shown_with_the_mapping_that_works()
    {
        var file = Write(_run, "SELECT 'e' AS event_type, 'u' AS user_id, TIMESTAMP '2026-09-21' AS created_at FROM range(3)");
        var inspection = (await _run.RunAsync(_run.RequestAll(file) with { StopWhenRefusedAlike = true })).Inspection!;
        Assert.Equal("event_type:text user_id:text created_at:time", string.Join(' ', inspection.Columns.Select(column => $"{column.Name}:{column.Type}")));
        Assert.Equal("ImportRequest.Columns (event=event_type) ImportRequest.Columns (time=created_at) ImportRequest.Columns (distinct_id=user_id)",
            inspection.Proposal!.In(MessageWords.Default)); // mapped to the time, it is a number
        Assert.Equal(3, inspection.Proposal.Accepted);
    }

    [Theory]
    [InlineData("'{\"n\":' || i || ',\"time\":1,\"l\":[\"x\"]}'", "\"n\":0,\"l\":[\"x\"]")] // objects, without what there is a column for
    [InlineData("CASE WHEN i > 1500 THEN '{\"n\":' || i || '}' END", null)] // the first value there is
    [InlineData("CASE WHEN i > 0 THEN 'null' ELSE ' {} ' END", null)]
    public async Task Texts_are_properties_where_the_column_is_called_so(string text, string? first)
    {
        var report = await RunAsync($"SELECT {Base}, {text} AS properties FROM range(3000) t(i) ORDER BY i", ", ROW_GROUP_SIZE 2048");
        Assert.Equal((RunOutcome.Complete, 3000), (report.Outcome, report.Accepted));
        var stored = _run.StoredWithoutIds();
        Assert.Contains($$$"""{"event":"e","properties":{"time":1790000000,"distinct_id":"u"{{{(first is null ? "" : $",{first}")}}}}}""", stored,
            StringComparer.Ordinal);
        if (text.Contains("1500", StringComparison.Ordinal))
            Assert.Contains("""{"event":"e","properties":{"time":1790000000,"distinct_id":"u","n":2999}}""", stored, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_text_among_properties_that_is_no_object_is_refused_also_by_a_run_that_goes_on()
    {
        var file = Write(_run,
            $"SELECT {Base}, CASE WHEN i IN (1200, 2500) THEN 'oops' ELSE '{{\"n\":' || i || '}}' END AS properties FROM range(3000) t(i) ORDER BY i",
            ", ROW_GROUP_SIZE 2048");
        var request = _run.RequestAll(file) with { BatchEvents = 500, Senders = 1 };
        _run.Mixpanel.Script = call => call.Number <= 4 ? null : MixpanelDouble.Answer(401, "{}");
        Assert.Equal(RunOutcome.NotAllowed, (await _run.RunAsync(request, _state)).Outcome);
        _run.Mixpanel.Script = _ => null;
        var report = await _run.RunAsync(request, _state);
        Assert.Equal((RunOutcome.Rejected, 2998, 2), (report.Outcome, report.Accepted, report.Rejected));
        Assert.All(_run.DeadLetters(),
            letter => Assert.Contains("properties must contain the properties as a JSON object", letter.GetProperty("message").GetString(),
                StringComparison.Ordinal));
        Assert.Equal([1201, 2501], _run.DeadLetters().Select(letter => letter.GetProperty("line").GetInt32()));
        Assert.Equal(RunOutcome.Complete,
            (await _run.RunAsync(request with
            {
                ColumnTypes = new Dictionary<string, ImportColumnType>(StringComparer.Ordinal) { ["properties"] = ImportColumnType.Text },
                DryRun = true,
            })).Outcome);
    }

    [Fact]
    public async Task A_dead_letter_holds_the_event_that_was_built()
    {
        await RunAsync("SELECT CASE i WHEN 3 THEN NULL ELSE 'e' END AS event, 1790000000 AS time, 'u' AS distinct_id FROM range(0, 5) t(i) ORDER BY i");
        var letter = _run.DeadLetters().Single();
        Assert.Equal("""{"properties":{"time":1790000000,"distinct_id":"u"}}""", letter.Raw());
        Assert.Equal((4, 3), (letter.GetProperty("line").GetInt32(), letter.GetProperty("offset").GetInt32()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(", COMPRESSION zstd")]
    [InlineData(", COMPRESSION gzip")]
    [InlineData(", COMPRESSION lz4_raw")]
    [InlineData(", COMPRESSION uncompressed")]
    [InlineData(", PARQUET_VERSION v2")]
    public async Task Row_groups_follow_each_other(string options)
    {
        var report = await RunAsync(Numbered(0, 7000), $", ROW_GROUP_SIZE 2048{options}");
        Assert.Equal((RunOutcome.Complete, 7000), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 7000), _run.StoredNumbers().Order());
        Assert.InRange(report.Bytes, 7000 * 90, 7000 * 120); // of the records
    }

    [Fact]
    public async Task A_crash_at_any_checkpoint_is_resumed_without_loss()
    {
        for (var crash = 1; crash < 16; crash++)
        {
            using var run = new ImportRun();
            using var state = new CrashingState { CrashAtSave = crash };
            var request = run.RequestAll(Write(run, Numbered(0, 5000), ", ROW_GROUP_SIZE 2048")) with
            {
                BatchEvents = 401,
                Senders = 1,
                CheckpointInterval = TimeSpan.Zero,
            };
            var first = await run.RunAsync(request, state);
            state.CrashAtSave = 0;
            var second = first.Outcome is RunOutcome.DiskFailed ? await run.RunAsync(request, state) : first;
            Assert.Equal((RunOutcome.Complete, 5000), (second.Outcome, second.Accepted));
            Assert.Equal(Enumerable.Range(0, 5000), run.StoredNumbers().Distinct().Order());
        }
    }

    [Fact]
    public async Task A_finished_file_is_not_sent_again_and_a_changed_one_is_told()
    {
        var first = await RunAsync(Numbered(0, 10));
        var again = await RunAsync(Numbered(0, 10));
        Assert.Equal((RunOutcome.Complete, 10, 10), (again.Outcome, first.Accepted, again.Accepted));
        var changed = await RunAsync(Numbered(0, 11));
        Assert.Equal((RunOutcome.Damaged, 10), (changed.Outcome, changed.Accepted));
        Assert.Contains("has changed", changed.Problems[0], StringComparison.Ordinal);
        Assert.Equal(10, _run.Mixpanel.Stored.Count);
    }

    [Fact]
    public async Task Two_runs_give_the_same_ids_and_two_equal_rows_two()
    {
        var file = Write(_run, $"SELECT {Base} FROM range(0, 5)");
        await _run.RunAsync(_run.RequestAll(file));
        await _run.RunAsync(_run.RequestAll(file));
        var ids = _run.Mixpanel.Stored.Select(record => Properties(record).GetProperty("$insert_id").GetString()).ToList();
        Assert.Equal(5, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(ids[..5], ids[5..]);
    }

    [Fact]
    public async Task Columns_are_mapped_and_rows_set_profiles()
    {
        var file = Write(_run, "SELECT 7 AS id, 'Ann' AS name, [1] AS l");
        var request = _run.RequestAll(file) with
        {
            Type = ImportType.Profiles,
            Columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["distinct_id"] = "id", ["id"] = "id", ["$name"] = "name" },
        };
        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(request)).Outcome);
        Assert.Equal(["""{"$token":"token","$distinct_id":"7","$set":{"id":7,"$name":"Ann","l":[1]}}"""], _run.Mixpanel.Stored);
    }

    [Fact]
    public async Task A_file_cut_anywhere_is_refused_whole_and_read_when_it_is_mended()
    {
        var whole = File.ReadAllBytes(Write(_run, Numbered(0, 3)));
        for (var length = 4; length < whole.Length; length += 7)
        {
            var file = _run.Folder.Write("in.parquet", whole.AsSpan(0, length));
            var report = await _run.RunAsync(_run.RequestAll(file), _state);
            Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Read));
        }

        _run.Folder.Write("in.parquet", whole);
        Assert.Equal((RunOutcome.Complete, 3),
            await _run.RunAsync(_run.RequestAll(_run.Folder.File("in.parquet")), _state) is var last ? (last.Outcome, last.Accepted) : default);
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_ends_with_an_account()
    {
        var whole = File.ReadAllBytes(Write(_run, Numbered(0, 3)));
        for (var position = 4; position < whole.Length; position += 3)
        {
            using var run = new ImportRun();
            var damaged = whole.ToArray();
            damaged[position] ^= 0x10;
            var report = await run.RunAsync(run.RequestAll(run.Folder.Write("in.parquet", damaged)) with { DryRun = true });
            Assert.True(report.Outcome is RunOutcome.Complete or RunOutcome.Rejected or RunOutcome.Damaged, $"byte {position}: {report.Outcome}");
        }
    }

    /// <summary>Two row groups of 20 rows. In the second, the column <c>secret</c> declares 20 values, and contains one; compressed, in base64.</summary>
    const string FewerValuesThanItSays = """
        eNrtlr9rU1EUx29eXkONwdiW+9pARxMyNPDO+x2cRAIODqE6dBAc2jc80RSSKI619UfVqlXBP0E6FVycHYpDJwdnR/8Ax0yed989lyOxCoKDIBzO53veubn33Mc3JP0LqyCF3LIxVmQbZUVWhLCEEO
        3SLOYrvYurvasdl2lg2mPaZzpgOmQ6YjpmOmG6e4qd5fICeOHxwudFwIuQFxEvYl4kvOjie/hcwph6JSXMvb+c8MR9C2Pq8DzfdlUGlT2VfZUDlUOVI5VjlROVu2X1KbcAFPAK+AWCAmGBqEBcICmQ
        v5fdMsbUaDOYs47bcUkACY+ETyIgEZKISMQkEhLdCm3oGgVGeUb5RgVGhUZFRsVGJUbl1/pgYbBrbZ1/dwP74p7mtuaO5n3NB5oPNR9p7mo+1nyi+VRzT/OZ5nPNF5r7mi81X2m+1pS2rMrqZWlJLH
        Lb3MXJ5+V8foWzPzjWEv/d/EduBnIzkJuB3AzkZiA3A7kZyM1AbgZyM5CbwbgZjJvBuBmMm8G4GYybwbgZjJvBuBn+UTdbjZuX7OHm5lhWhaw1raXKKF0fpuOmKMqZ9E46MNXpjWw0zgbr4+vZBj2r
        nssGo3RIj+ymWLLH2a1UOP3GSuNaa3ZZ1hpSNGhnKZy289bGaOFvT+vQpn5xlGpPShjYwv5Bhfr8cLXqvYWBC3DVF3MKG0ctOixjYB8X7dWWpa0WqQFV+6uFgR0hnE91py1w4G9nfjbxmrPWelPHJm
        50XD9x5uM69o/mfjPz0Ryumiz8eubJQn79xZNmPlikmcVH/ML38Q/Fd+emUwU=
        """;

    [Fact]
    public async Task A_column_with_fewer_values_than_it_says_is_not_filled_up()
    {
        using var packed = new MemoryStream(Convert.FromBase64String(FewerValuesThanItSays));
        using var unpacking = new ZLibStream(packed, CompressionMode.Decompress);
        using var file = new MemoryStream();
        await unpacking.CopyToAsync(file, TestContext.Current.CancellationToken);

        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.parquet", file.ToArray())), _state);

        Assert.Equal((RunOutcome.Damaged, 20), (report.Outcome, report.Accepted));
        Assert.Contains("damaged, truncated or not supported: the column secret: ", Assert.Single(report.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-", "")]
    [InlineData("-", "gzip")]
    [InlineData("in.parquet", "gzip")]
    [InlineData("in.parquet", "zstd")]
    public async Task A_stream_and_a_file_compressed_as_a_whole_resume_like_any_other(string input, string compression)
    {
        async Task<ImportReport> RunAsync(int count)
        {
            var bytes = File.ReadAllBytes(Write(_run, Numbered(0, count), ", ROW_GROUP_SIZE 2048"));
            using var compressed = new MemoryStream();
            if (compression == "gzip")
                using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
            else if (compression == "zstd")
                using (var zstd = new ZstdSharp.CompressionStream(compressed, leaveOpen: true)) zstd.Write(bytes);
            else
                compressed.Write(bytes);
            if (input != "-") _run.Folder.Write(input, compressed.ToArray());
            compressed.Position = 0;
            var request = _run.RequestAll(input == "-" ? input : _run.Folder.File(input)) with
            {
                BatchEvents = 1000,
                Senders = 1,
                SourceId = "rows",
                StandardInput = compressed,
            };
            return await _run.RunAsync(request, _state);
        }

        _run.Mixpanel.Script = request => request.Number <= 3 ? null : MixpanelDouble.Answer(401, "{}");
        var stopped = await RunAsync(7000);
        Assert.Equal((RunOutcome.NotAllowed, 3000), (stopped.Outcome, stopped.Accepted));
        _run.Mixpanel.Script = _ => null;
        Assert.Equal((RunOutcome.Damaged, 3000), await RunAsync(6999) is var changed ? (changed.Outcome, changed.Accepted) : default);
        Assert.Equal((RunOutcome.Complete, 7000, 3000), await RunAsync(7000) is var report ? (report.Outcome, report.Accepted, report.ResumedFrom) : default);
        Assert.Equal(Enumerable.Range(0, 7000), _run.StoredNumbers());
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("")]
    public async Task A_stream_that_is_cut_is_told(string compression)
    {
        var bytes = File.ReadAllBytes(Write(_run, Numbered(0, 3000)));
        using var stream = new MemoryStream();
        if (compression == "gzip")
            using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        else
            stream.Write(bytes);
        stream.SetLength(stream.Length - 20);
        stream.Position = 0;
        var report = await _run.RunAsync(_run.RequestAll("-") with { StandardInput = stream });
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Accepted));
        Assert.Contains("truncated", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_does_not_make_a_parquet_file()
    {
        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.parquet", ImportRun.Events(2))) with { Format = "parquet" });
        Assert.Equal(RunOutcome.Damaged, report.Outcome);
    }

    [Fact]
    public async Task A_file_without_rows_is_an_empty_one() =>
        Assert.Equal((RunOutcome.Damaged, 0), await RunAsync(Numbered(0, 0)) is var report ? (report.Outcome, report.Read) : default);

    [Fact]
    public async Task Columns_that_must_have_a_value_and_old_repeated_ones_are_read()
    {
        using var text = LogicalType.String();
        using var none = LogicalType.None();
        using var schema = new GroupNode("schema", Repetition.Required,
        [
            new PrimitiveNode("time", Repetition.Required, none, PhysicalType.Int64),
            new PrimitiveNode("event", Repetition.Required, text, PhysicalType.ByteArray),
            new PrimitiveNode("distinct_id", Repetition.Optional, text, PhysicalType.ByteArray),
            new PrimitiveNode("list", Repetition.Repeated, none, PhysicalType.Int32),
        ]);
        using (var properties = WriterProperties.GetDefaultWriterProperties())
        using (var writer = new ParquetFileWriter(_run.Folder.File("in.parquet"), schema, properties))
        using (var group = writer.AppendRowGroup())
        {
            Append<long>(group, [], [], [ImportRun.Time, ImportRun.Time, ImportRun.Time]);
            Append<ByteArray>(group, [], [], [Text("a"), Text("b"), Text("c")]);
            Append<ByteArray>(group, [1, 1, 1], [], [Text("u"), Text("v"), Text("w")]);
            Append<int>(group, [1, 1, 1, 0], [0, 1, 0, 0], [1, 2, 3]);
        }

        Assert.Equal(RunOutcome.Complete, (await _run.RunAsync(_run.RequestAll(_run.Folder.File("in.parquet")))).Outcome);
        Assert.Equal(
            [
                $$$"""{"event":"a","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"u","list":[1,2]}}""",
                $$$"""{"event":"b","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"v","list":[3]}}""",
                $$$"""{"event":"c","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"w","list":[]}}""",
            ],
            _run.StoredWithoutIds());
    }

    static void Append<T>(RowGroupWriter group, short[] definitions, short[] repetitions, T[] values) where T : unmanaged
    {
        using var column = (ColumnWriter<T>)group.NextColumn();
        column.WriteBatch(Math.Max(definitions.Length, values.Length), definitions, repetitions, values);
    }

    static ByteArray Text(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var memory = Marshal.AllocHGlobal(bytes.Length); // a few bytes, until the process ends
        Marshal.Copy(bytes, 0, memory, bytes.Length);
        return new ByteArray(memory, bytes.Length);
    }
}
