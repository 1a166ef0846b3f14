using System.Text.Json;
using Avro;
using Avro.File;
using Avro.Generic;
using MixpanelConnector.Testing;
using static MixpanelConnector.Formats.Tests.HandMadeAvro;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Avro files, written by Apache's library and by hand.</summary>
public sealed class AvroTests : IDisposable
{
    const string Event = """{"name":"event","type":"string"},{"name":"time","type":"long"},{"name":"distinct_id","type":"string"}""";

    readonly ImportRun _run = new();
    readonly InMemoryImportState _state = new();

    public void Dispose()
    {
        _run.Dispose();
        _state.Dispose();
    }

    static string Schema(string fields) =>
        $$"""{"type":"record","name":"Row","namespace":"x.y","fields":[{{Event}}{{(fields.Length > 0 ? "," : "")}}{{fields}}]}""";

    static byte[] Row(int number, params byte[] rest) => [.. Text("e"), .. Long(ImportRun.Time), .. Text($"u{number}"), .. rest];

    static byte[] Rows(int from, int count) =>
        [.. Enumerable.Range(from, count).SelectMany(number => (byte[])[.. Row(number), .. Text($"id-{number}"), .. Long(number)])];

    static readonly string Numbered = Schema("""{"name":"$insert_id","type":"string"},{"name":"n","type":"int"}""");

    Task<ImportReport> RunAsync(byte[] file, Func<ImportRequest, ImportRequest>? change = null)
    {
        var request = _run.RequestAll(_run.Folder.Write("in.avro", file));
        return _run.RunAsync(change?.Invoke(request) ?? request, _state);
    }

    string Property => Tests.Rows.Properties(Assert.Single(_run.Mixpanel.Stored)).TryGetProperty("v", out var value) ? value.GetRawText() : "absent";

    public static TheoryData<string, byte[], string> Values => new()
    {
        { "\"boolean\"", [1], "true" },
        { "\"int\"", Long(int.MinValue), "-2147483648" },
        { "\"long\"", Long(long.MaxValue), "9223372036854775807" },
        { "\"long\"", Long(long.MinValue), "-9223372036854775808" },
        { "\"float\"", BitConverter.GetBytes(0.1f), "0.1" },
        { "\"double\"", BitConverter.GetBytes(1e300), "1E+300" },
        { "\"double\"", BitConverter.GetBytes(double.NaN), "absent" },
        { "\"string\"", Text("a\"b\\c\né😀"), "\"a\\\"b\\\\c\\né😀\"" },
        { "\"bytes\"", Text("as text"), "\"as text\"" },
        { "\"null\"", [], "absent" },
        { """["null","string"]""", [0], "absent" },
        { """["null","string"]""", [2, .. Text("x")], "\"x\"" },
        { """["null","long","string",{"type":"array","items":"int"}]""", [6, .. Long(2), .. Long(7), .. Long(-8), 0], "[7,-8]" },
        { """{"type":"enum","name":"E","symbols":["A","B"]}""", [2], "\"B\"" },
        { """{"type":"fixed","name":"F","size":3}""", [.. "abc"u8], "\"abc\"" },
        { """{"type":"array","items":["null","int"]}""", [.. Long(2), 0, 2, .. Long(5), .. Long(-1), .. Long(2), 2, .. Long(6), 0], "[null,5,6]" },
        { """{"type":"array","items":"int"}""", [0], "[]" },
        { """{"type":"map","values":"long"}""", [.. Long(1), .. Text("k"), .. Long(3), .. Long(1), .. Text("l"), .. Long(4), 0], """{"k":3,"l":4}""" },
        { """{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","int"]},{"name":"c","type":{"type":"array","items":"string"}}]}""",
            [.. Long(1), 0, .. Long(1), .. Text("x"), 0], """{"a":1,"c":["x"]}""" },
        { """{"type":"record","name":"L","fields":[{"name":"a","type":"int"},{"name":"next","type":["null","L"]}]}""",
            [.. Long(1), 2, .. Long(2), 2, .. Long(3), 0], """{"a":1,"next":{"a":2,"next":{"a":3}}}""" },
        { """[{"type":"record","name":"other.P","fields":[{"name":"q","type":{"type":"enum","name":"Q","symbols":["S"]}},{"name":"r","type":"Q"}]},"other.P"]""",
            [2, 0, 0], """{"q":"S","r":"S"}""" },
        { """{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}""", Sized([0xff, 0xfb]), "-0.05" },
        { """{"type":"fixed","name":"D","size":16,"logicalType":"decimal","precision":38,"scale":9}""",
            [.. new byte[8], 0x0d, 0xe0, 0xb6, 0xb3, 0xa7, 0x64, 0, 0], "1000000000.000000000" },
        { """{"type":"fixed","name":"D","size":400,"logicalType":"decimal","precision":900,"scale":1}""", [.. new byte[399], 15], "1.5" },
        { """{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}""", Text("abc"), "\"abc\"" },
        { """{"type":"bytes","logicalType":"decimal","precision":2,"scale":-1}""", Text("abc"), "\"abc\"" },
        { """{"type":"bytes","logicalType":"decimal","precision":2,"scale":"1"}""", Text("abc"), "\"abc\"" },
        { """{"type":"bytes","logicalType":"decimal","scale":1}""", Text("abc"), "\"abc\"" },
        { """{"type":"fixed","name":"D","size":3,"logicalType":"decimal"}""", [.. "abc"u8], "\"abc\"" },
        { """{"type":"int","logicalType":"date"}""", Long(20_638), "\"2026-07-04\"" },
        { """{"type":"int","logicalType":"time-millis"}""", Long(51_200_500), "\"14:13:20.5\"" },
        { """{"type":"long","logicalType":"time-micros"}""", Long(1), "\"00:00:00.000001\"" },
        { """{"type":"long","logicalType":"timestamp-millis"}""", Long(1_782_907_200_500), "\"2026-07-01T12:00:00.5\"" },
        { """{"type":"long","logicalType":"timestamp-micros"}""", Long(-1), "\"1969-12-31T23:59:59.999999\"" },
        { """{"type":"long","logicalType":"local-timestamp-nanos"}""", Long(1), "\"1970-01-01T00:00:00.000000001\"" },
        { """{"type":"string","logicalType":"uuid"}""", Text("6f1c2c2e-0000-4000-8000-000000000001"), "\"6f1c2c2e-0000-4000-8000-000000000001\"" },
        { """{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}""", [0x6f, 0x1c, 0x2c, 0x2e, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1],
            "\"6f1c2c2e-0000-4000-8000-000000000001\"" },
        { """{"type":"fixed","name":"I","size":12,"logicalType":"duration"}""", [1, 0, 0, 0, 2, 0, 0, 0, 0x10, 0x27, 0, 0], "\"P1M2DT10S\"" },
        { """{"type":"string","logicalType":"of another world"}""", Text("x"), "\"x\"" },
        { """{"type":{"type":"string","avro.java.string":"String"}}""", Text("x"), "\"x\"" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task A_value_becomes(string type, byte[] value, string json)
    {
        var report = await RunAsync(new HandMadeAvro(Schema($$"""{"name":"v","type":{{type}}}""")).Block(1, Row(1, value)).Bytes);
        Assert.Equal((RunOutcome.Complete, 1L, json), (report.Outcome, report.Accepted, Property));
    }

    public static TheoryData<string, byte[]> DecimalsThatAreNoNumbers => new()
    {
        { """{"type":"bytes","logicalType":"decimal","precision":4}""", [0] },
        { """{"type":"fixed","name":"D","size":400,"logicalType":"decimal","precision":900}""", [1, .. new byte[399]] },
        { """{"type":"bytes","logicalType":"decimal","precision":900,"scale":154}""", Sized([1, .. new byte[64]]) },
    };

    [Theory]
    [MemberData(nameof(DecimalsThatAreNoNumbers))]
    public async Task A_decimal_that_is_no_number_rejects_its_record_alone(string type, byte[] value)
    {
        var schema = Schema($$"""{"name":"v","type":["null",{{type}}]}""");
        var report = await RunAsync(new HandMadeAvro(schema).Block(3, [.. Row(1, 0), .. Row(2, [2, .. value]), .. Row(3, 0)]).Bytes);
        Assert.Equal((RunOutcome.Rejected, 2L, 1L), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal(("number_range", "v"), report.Reasons is [var reason] ? (reason.Code, reason.Field) : default);

        var letters = await File.ReadAllTextAsync(_run.DeadLetterPath, TestContext.Current.CancellationToken);
        var again = await _run.RunAsync(_run.RequestAll() with { Replay = _run.Folder.Write("again", letters) });
        Assert.Equal((RunOutcome.Rejected, 0L), (again.Outcome, again.Accepted));
        var text = JsonElement.Parse(letters).GetProperty("raw").GetProperty("properties").GetProperty("v").GetRawText();
        var mended =
            await _run.RunAsync(_run.RequestAll() with { Replay = _run.Folder.Write("mended", letters.Replace(text, "1.5", StringComparison.Ordinal)) });
        Assert.Equal((RunOutcome.Complete, 1L), (mended.Outcome, mended.Accepted));
    }

    [Theory]
    [InlineData("distinct_id", "\"double\"", "infinity", "-1e999")]
    [InlineData("event", "\"double\"", "infinity", "-1e999")]
    [InlineData("$insert_id", "\"double\"", "infinity", "-1e999")]
    [InlineData("distinct_id", """{"type":"bytes","logicalType":"decimal","precision":4}""", "no digits", "0x")]
    [InlineData("$insert_id", """{"type":"bytes","logicalType":"decimal","precision":4}""", "no digits", "0x")]
    public async Task An_id_or_a_name_that_is_no_number_rejects_its_record(string field, string type, string value, string kept)
    {
        // Avro's names have no $.
        var schema = $$"""{"type":"record","name":"R","fields":[{"name":"{{(field == "event" ? "n" : "event")}}","type":"string"},{"name":"time","type":"long"},{"name":"x","type":{{type}}}]}""";
        byte[] bad = value == "infinity" ? [.. BitConverter.GetBytes(double.NegativeInfinity)] : [0];
        var report = await RunAsync(new HandMadeAvro(schema).Block(1, [.. Text("e"), .. Long(ImportRun.Time), .. bad]).Bytes,
            request => request with { Columns = new Dictionary<string, string>(StringComparer.Ordinal) { [field] = "x" } });

        Assert.Equal((RunOutcome.Rejected, 1L, "number_range"), (report.Outcome, report.Rejected, report.Reasons![0].Code));
        Assert.Contains($"\"{kept}\"", Assert.Single(_run.DeadLetters()).GetProperty("raw").GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("null")]
    [InlineData("deflate")]
    [InlineData("snappy")]
    [InlineData("zstandard")]
    public async Task Blocks_are_read_in_each_compression(string? codec)
    {
        var report = await RunAsync(new HandMadeAvro(Numbered, codec).Block(3, Rows(0, 3)).Block(0, []).Block(4000, Rows(3, 4000)).Bytes);
        Assert.Equal((RunOutcome.Complete, 4003L), (report.Outcome, report.Accepted));
        Assert.Equal(Enumerable.Range(0, 4003), _run.StoredNumbers().Order());
    }

    [Theory]
    [InlineData("null")]
    [InlineData("deflate")]
    public async Task What_Apaches_writer_writes_is_read(string codec)
    {
        var schema = (RecordSchema)global::Avro.Schema.Parse("""
            {"type":"record","name":"Root","fields":[{"name":"event","type":["null","string"]},{"name":"time","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"distinct_id","type":"string"},
              {"name":"params","type":{"type":"array","items":{"type":"record","name":"Param","namespace":"root","fields":[{"name":"key","type":["null","string"]},{"name":"value","type":{"type":"map","values":"double"}}]}}},
              {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["gift","own"]}},{"name":"note","type":["null","string"]}]}
            """);
        var param = (RecordSchema)((ArraySchema)schema["params"].Schema).ItemSchema;
        using var file = new MemoryStream();
        using (var writer = DataFileWriter<GenericRecord>.OpenWriter(new GenericDatumWriter<GenericRecord>(schema), file,
            Codec.CreateCodec(codec == "null" ? Codec.Type.Null : Codec.Type.Deflate), leaveOpen: true))
        {
            for (var number = 0; number < 300; number++)
            {
                var inner = new GenericRecord(param);
                inner.Add("key", "plan");
                inner.Add("value", new Dictionary<string, object>(StringComparer.Ordinal) { ["x"] = 0.5 });
                var record = new GenericRecord(schema);
                record.Add("event", "e");
                record.Add("time", DateTimeOffset.FromUnixTimeSeconds(ImportRun.Time).UtcDateTime);
                record.Add("distinct_id", $"u{number}");
                record.Add("params", new object[] { inner });
                record.Add("price", new AvroDecimal(12.50m));
                record.Add("kind", new GenericEnum((EnumSchema)schema["kind"].Schema, "own"));
                record.Add("note", null);
                writer.Append(record);
            }
        }

        var report = await RunAsync(file.ToArray());
        Assert.Equal((RunOutcome.Complete, 300L), (report.Outcome, report.Accepted));
        Assert.Contains(
            $$$"""{"event":"e","properties":{"time":{{{ImportRun.Time}}}000,"distinct_id":"u7","params":[{"key":"plan","value":{"x":0.5}}],"price":12.50,"kind":"own"}}""",
            _run.StoredWithoutIds().Select(record => record.Replace(",}", "}", StringComparison.Ordinal)), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Names_ids_and_times_are_those_of_records_and_columns_can_be_mapped_and_dropped()
    {
        var schema = """{"type":"record","name":"Row","fields":[{"name":"action","type":"int"},{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"who","type":["null","long"]},{"name":"secret","type":{"type":"bytes","logicalType":"big-decimal"}},{"name":"on","type":{"type":"int","logicalType":"date"}}]}""";
        byte[] row = [.. Long(7), .. Long(1_782_907_200_500_000), 2, .. Long(42), .. Text("x"), .. Long(20_638)];
        var file = new HandMadeAvro(schema).Block(1, row).Bytes;
        var columns = new Dictionary<string, string>(StringComparer.Ordinal) { ["event"] = "action", ["time"] = "at", ["distinct_id"] = "who" };

        Assert.Contains("secret of a type that is not supported", (await RunAsync(file, request => request with { Columns = columns })).Problems[0],
            StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Complete, (await RunAsync(file, request => request with { Columns = columns, Drop = ["secret"], Restart = true })).Outcome);
        Assert.Equal("""{"event":"7","properties":{"time":1782907200500,"distinct_id":"42","on":"2026-07-04"}}""",
            Assert.Single(_run.StoredWithoutIds()).Replace(",}", "}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"type":"map","values":"string"}""")]
    [InlineData("\"string\"")]
    [InlineData("""["null","string"]""")]
    [InlineData("""{"type":"record","name":"P","fields":[{"name":"plan","type":"string"},{"name":"n","type":"string"}]}""")]
    public async Task Properties_in_one_column_are_the_records_but_for_those_with_a_column_of_their_own(string type)
    {
        byte[] value = type switch
        {
            "\"string\"" => Text("""{"plan":"pro","n":"no"}"""),
            ['[', ..] => [2, .. Text("""{"plan":"pro","n":"no"}""")],
            _ when type.Contains("map", StringComparison.Ordinal) => [.. Long(2), .. Text("plan"), .. Text("pro"), .. Text("n"), .. Text("no"), 0],
            _ => [.. Text("pro"), .. Text("no")],
        };
        Assert.Equal(RunOutcome.Complete,
            (await RunAsync(new HandMadeAvro(Schema($$"""{"name":"n","type":"int"},{"name":"properties","type":{{type}}}""")).Block(1,
                Row(1, [.. Long(7), .. value])).Bytes)).Outcome);
        var properties = Tests.Rows.Properties(Assert.Single(_run.Mixpanel.Stored));
        Assert.Equal(("pro", 7), (properties.GetProperty("plan").GetString(), properties.GetProperty("n").GetInt32()));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("snappy")]
    public async Task An_import_goes_on_within_and_between_blocks_and_tells_a_file_that_changed(string codec)
    {
        for (var stopAt = 1; stopAt < 12; stopAt++)
        {
            using var run = new ImportRun();
            using var state = new InMemoryImportState();
            var file = new HandMadeAvro(Numbered, codec).Block(4, Rows(0, 4)).Block(0, []).Block(4, Rows(4, 4));
            var whole = file.Block(4, Rows(8, 4)).Bytes;
            var path = run.Folder.Write("in.avro", whole);
            var request = run.RequestAll(path) with { BatchEvents = 1, Senders = 1 };
            using var stop = new CancellationTokenSource();
            run.Mixpanel.Script = _ =>
            {
                if (run.Mixpanel.Requests.Count == stopAt) stop.Cancel();
                return null;
            };
            await run.RunAsync(request, state, stop.Token);
            run.Mixpanel.Script = _ => null;

            var inFirst = new HandMadeAvro(Numbered, codec).Bytes.Length + 12;
            whole[inFirst] ^= 1;
            File.WriteAllBytes(path, whole);
            Assert.Equal(RunOutcome.Damaged, (await run.RunAsync(request, state)).Outcome);
            whole[inFirst] ^= 1;
            File.WriteAllBytes(path,
                [.. whole, .. new HandMadeAvro(Numbered, codec).Block(2, Rows(12, 2)).Bytes.AsSpan(new HandMadeAvro(Numbered, codec).Bytes.Length)]);
            var done = await run.RunAsync(request, state);
            Assert.Equal((RunOutcome.Complete, 14L), (done.Outcome, done.Accepted));
            Assert.Equal(Enumerable.Range(0, 14), run.StoredNumbers().Distinct().Order());
        }
    }

    public static TheoryData<string, byte[], string> Hostile()
    {
        var numbered = new HandMadeAvro(Numbered).Block(3, Rows(0, 3)).Bytes;
        var head = new HandMadeAvro(Numbered).Bytes.Length;
        byte[] otherMarker = [.. numbered];
        otherMarker[^1] ^= 1;
        byte[] Block(string fields, long count, byte[] values, string? codec = null) => new HandMadeAvro(Schema(fields), codec).Block(count, values).Bytes;
        string Nested(int depth) => depth == 0 ? "\"int\"" : $$"""{"type":"array","items":{{Nested(depth - 1)}}}""";
        string Record(int level, params string[] parts) =>
            $",{{\"name\":\"f{level}\",\"type\":{{\"type\":\"record\",\"name\":\"T{level}\",\"fields\":[{string.Join(',', parts.Select((part, at) => $"{{\"name\":\"a{at}\",\"type\":{part}}}"))}]}}}}";
        var doubling = string.Concat(Enumerable.Range(1, 60)
            .Select(level => (level == 1 ? "\"null\"" : $"\"T{level - 1}\"") is var inner ? Record(level, inner, inner) : ""));
        var chain = string.Concat(Enumerable.Range(1, 20_000).Select(level => Record(level, level == 1 ? "\"int\"" : $"[\"null\",\"T{level - 1}\"]")));
        return new()
        {
            { "cut in the head", numbered[..20], "truncated" },
            { "the least count in the head", [.. "Obj"u8, 1, .. Long(long.MinValue)], "damaged" },
            { "cut in a block", numbered[..^20], "truncated" },
            { "cut in the marker", numbered[..^1], "truncated" },
            { "cut after a count", [.. numbered, 2], "truncated" },
            { "another marker", otherMarker, "damaged" },
            { "fewer records than bytes", Block("", 1, [.. Row(1), .. Row(2)]), "damaged" },
            { "more records than bytes", Block("", 3, [.. Row(1), .. Row(2)]), "damaged" },
            { "records without a byte", new HandMadeAvro("""{"type":"record","name":"N","fields":[{"name":"v","type":"null"}]}""").Block(1L << 40, []).Bytes,
                "damaged" },
            { "a count below zero", Block("", -1, Row(1)), "damaged" },
            { "a size below zero", new HandMadeAvro(Numbered).Block(1, Rows(0, 1), size: -1).Bytes, "damaged" },
            { "a size that does not come", new HandMadeAvro(Numbered).Block(1, Rows(0, 1), size: 30 << 20).Bytes, "truncated" },
            { "a block that is too large", new HandMadeAvro(Numbered).Block(1, Rows(0, 1), size: 40L << 20).Bytes, "smaller blocks" },
            { "a block that becomes too large", Block("""{"name":"v","type":"string"}""", 1, [.. Row(1), .. Text(new string('x', 70 << 20))], "zstandard"),
                "smaller blocks" },
            { "deflate that becomes too large", Block("""{"name":"v","type":"string"}""", 1, [.. Row(1), .. Text(new string('x', 70 << 20))], "deflate"),
                "smaller blocks" },
            { "a text longer than the block", Block("""{"name":"v","type":"string"}""", 1, Row(1, Long(long.MaxValue))), "damaged" },
            { "a number that does not end", Block("""{"name":"v","type":"long"}""", 1, Row(1, [.. Enumerable.Repeat((byte)0xff, 11)])), "damaged" },
            { "an int beyond its range", Block("""{"name":"v","type":"int"}""", 1, Row(1, Long(1L << 40))), "damaged" },
            { "a branch that is none", Block("""{"name":"v","type":["null","int"]}""", 1, Row(1, 4)), "damaged" },
            { "a symbol that is none", Block("""{"name":"v","type":{"type":"enum","name":"E","symbols":["A"]}}""", 1, Row(1, 2)), "damaged" },
            { "a list of nothing without end", Block("""{"name":"v","type":{"type":"array","items":"null"}}""", 1, Row(1, [.. Long(1L << 50), 0])), "damaged" },
            { "the least count", Block("""{"name":"v","type":{"type":"array","items":"int"}}""", 1, Row(1, [.. Long(long.MinValue), 0, 0])), "damaged" },
            { "types that double", Block(doubling[1..], 1, Row(1)), "damaged" },
            { "types in a long chain", Block(chain[1..], 1, Row(1)), "damaged" },
            { "types too deep", Block($$"""{"name":"v","type":{{Nested(70)}}}""", 1, Row(1, 0)), "nested" },
            { "values too deep",
                Block("""{"name":"v","type":{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}}""", 1,
                    Row(1, [.. Enumerable.Repeat((byte)2, 100_000), 0])),
                "nested more than 64 deep" },
            { "a schema that is no JSON", new HandMadeAvro("{").Bytes, "schema" },
            { "a schema without fields", new HandMadeAvro("""{"type":"record","name":"R","fields":[]}""").Bytes, "no fields" },
            { "a schema of texts", new HandMadeAvro("\"string\"").Bytes, "no fields" },
            { "a type that is not there", new HandMadeAvro(Schema("""{"name":"v","type":"Gone"}""")).Bytes, "does not define" },
            { "a name that is too long", new HandMadeAvro(Schema($$"""{"name":"{{new string('n', 2000)}}","type":"int"}""")).Bytes, "name" },
            { "a schema of megabytes", new HandMadeAvro(Schema($$"""{"name":"v","type":"int","doc":"{{new string('d', 5 << 20)}}"}""")).Bytes, "4 MB" },
            { "a codec that is not known", new HandMadeAvro(Numbered, "bzip2").Bytes, "bzip2" },
            { "Snappy that is cut", [.. new HandMadeAvro(Numbered, "snappy").Bytes, .. Long(1), .. Long(3), 1, 2, 3, .. numbered.AsSpan(numbered.Length - 16)],
                "damaged" },
            { "Snappy that says too much",
                [
                    .. new HandMadeAvro(Numbered, "snappy").Bytes, .. Long(1), .. Long(9), 0xff, 0xff, 0xff, 0x1f, 0, 0, 0, 0, 0,
                    .. numbered.AsSpan(numbered.Length - 16),
                ],
                "damaged" },
            { "nothing but the head", numbered[..head], "no record" },
        };
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task What_is_damaged_or_hostile_ends_with_6_and_says_what_it_is(string what, byte[] file, string reason)
    {
        var before = GC.GetTotalAllocatedBytes();
        var report = await RunAsync(file).WaitAsync(Hang.Limit, TestContext.Current.CancellationToken);
        Assert.True(report.Outcome is RunOutcome.Damaged, $"{what}: {report.Outcome}");
        Assert.Contains(reason, string.Join(' ', report.Problems), StringComparison.Ordinal);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 700L << 20);
    }

    [Fact]
    public async Task Records_before_the_damage_are_in_and_the_mended_file_goes_on()
    {
        var sound = new HandMadeAvro(Numbered, "deflate").Block(5, Rows(0, 5)).Block(5, Rows(5, 5)).Bytes;
        Assert.Equal((RunOutcome.Damaged, 5L), (await RunAsync(sound[..^20])) is var cut ? (cut.Outcome, cut.Accepted) : default);
        Assert.Equal((RunOutcome.Complete, 10L), (await RunAsync(sound)) is var whole ? (whole.Outcome, whole.Accepted) : default);
        Assert.Equal(Enumerable.Range(0, 10), _run.StoredNumbers().Order());
    }

    [Fact]
    public async Task A_record_that_cannot_be_sent_is_a_dead_letter_and_hides_no_other()
    {
        var schema = Schema("""{"name":"v","type":"bytes"},{"name":"on","type":{"type":"int","logicalType":"date"}},{"name":"x","type":"double"}""");
        byte[] Of(byte[] value, int day, double x) => [.. Sized(value), .. Long(day), .. BitConverter.GetBytes(x)];
        byte[] rows =
        [
            .. Row(1, Of([0xff, 0xfe], 1, 1)), .. Row(2, Of([], int.MaxValue, 1)), .. Row(3, Of([], 1, double.PositiveInfinity)),
            .. Row(4, Of([.. Enumerable.Repeat((byte)1, 3 << 20)], 1, 1)), .. Row(5, Of([], 1, 1)),
        ];
        var report = await RunAsync(new HandMadeAvro(schema).Block(5, rows).Bytes);
        Assert.Equal((RunOutcome.Rejected, 1L, 4L), (report.Outcome, report.Accepted, report.Rejected));
        Assert.Equal(["invalid_utf8", "date_range", "number_range", "record_too_large"],
            _run.DeadLetters().ConvertAll(letter => letter.GetProperty("code").GetString()!), StringComparer.Ordinal);
        Assert.Equal([1L, 2L, 3L, 4L], _run.DeadLetters().ConvertAll(letter => letter.GetProperty("line").GetInt64()));
    }

    [Fact]
    public async Task A_body_may_not_give_more_than_it_may()
    {
        var file = new HandMadeAvro(Numbered, "deflate").Block(1000, Rows(0, 1000)).Block(1000, Rows(1000, 1000)).Bytes;
        var report = await RunAsync(file, request => request with { MaxDecompressedBytes = 40_000 });
        Assert.Equal(RunOutcome.Damaged, report.Outcome);
        Assert.Contains("40000 bytes", report.Problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Snappy_gives_back_what_another_one_packed()
    {
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var bytes = new byte[random.Next(200_000)];
            random.NextBytes(bytes);
            for (var at = 0; at < bytes.Length; at++)
                if (random.Next(4) > 0) bytes[at] = at < 70_000 ? (byte)(at % 7) : bytes[at - random.Next(1, 70_000)];
            var packed = Snappier.Snappy.CompressToArray(bytes);
            var (length, begin) = Avro.Snappy.LengthOf(packed)!.Value;
            var target = new byte[length];
            Assert.True(Avro.Snappy.TryDecompress(packed.AsSpan(begin), target));
            Assert.Equal(bytes, target);
            packed[random.Next(begin, packed.Length)] ^= (byte)(1 << random.Next(8));
            Avro.Snappy.TryDecompress(packed.AsSpan(begin), target); // whatever it gives, it ends
        }
    }
}
