using System.Security.Cryptography;
using DuckDB.NET.Data;
using MixpanelConnector.Testing;
using ParquetSharp;
using ParquetSharp.Schema;
using static MixpanelConnector.Formats.Tests.HandMadeParquet;

namespace MixpanelConnector.Formats.Tests;

/// <summary>Damaged and malicious Parquet files: the import ends with 6, and what was sent matches their content.</summary>
public sealed class ParquetDamageTests : IDisposable
{
    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    Task<ImportReport> RunAsync(byte[] file) => _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.parquet", file)));

    async Task<string> RefusedAsync(byte[] file, int accepted = 0)
    {
        var report = await RunAsync(file);
        Assert.Equal((RunOutcome.Damaged, accepted, 0), (report.Outcome, report.Accepted, report.Rejected));
        return Assert.Single(report.Problems);
    }

    public static TheoryData<string, byte[]> HostileFooters
    {
        get
        {
            byte[] Nested(int depth) => WithFooter("PAR1"u8.ToArray(), footer => footer.Structs(2,
            [
                root => root.Bytes(4, "schema").I32(5, 1),
                .. Enumerable.Repeat<Action<Thrift>>(group => group.I32(3, 1).Bytes(4, "g").I32(5, 1), depth),
                leaf => leaf.I32(1, AsInt32).I32(3, 1).Bytes(4, "x"),
            ]).I64(3, 0).Structs(4, []));
            byte[] Raw(params byte[] footer) => WithFooter("PAR1"u8.ToArray(), footer);
            byte[] Schema(int children) =>
                [0x15, 4, 0x19, 0x2c, .. new Thrift().Bytes(4, "s").I32(5, children).End(), .. new Thrift().I32(1, 1).Bytes(4, "x").End()];

            var data = new TheoryData<string, byte[]>();
            void Add(string name, byte[] file) =>
                data.Add(new TheoryDataRow<string, byte[]>(name, file) { TestDisplayName = $"{nameof(A_hostile_footer_is_refused_at_once)}({name})" });
            Add("lists in lists, 100,000 deep", Raw([.. Enumerable.Repeat((byte)0x19, 100_000)]));
            Add("structures in structures, 100,000 deep", Raw([.. Enumerable.Repeat((byte)0x1c, 100_000)]));
            Add("structures in structures that go beyond the end", Raw([.. Enumerable.Repeat((byte)0x1c, 112)]));
            Add("structures in lists of an unknown field", Raw([0x99, .. Enumerable.Repeat((byte)0x19, 100_000)]));
            Add("numbers of fields in full, and no end of them", Raw([.. Enumerable.Repeat<byte[]>([0x0c, 0x02], 50_000).SelectMany(bytes => bytes)]));
            Add("maps in maps", Raw([.. Enumerable.Repeat<byte[]>([0x1b, 0x01, 0xbb], 30_000).SelectMany(bytes => bytes)]));
            Add("more elements than there are bytes", Raw([0x29, 0xfc, .. Thrift.Varint(1UL << 40)]));
            Add("a text longer than the file", Raw([0x18, .. Thrift.Varint(1UL << 31)]));
            Add("a million empty row groups", Raw([.. Schema(1), 0x16, 0, 0x19, 0xfc, .. Thrift.Varint(900_000), .. new byte[900_000]]));
            Add("a number that does not end", Raw([0x15, .. Enumerable.Repeat((byte)0xff, 100)]));
            Add("columns nested 65 deep", Nested(65));
            Add("columns nested 100,000 deep", Nested(100_000));
            Add("a column of no parts",
                WithFooter("PAR1"u8.ToArray(), footer => footer.Structs(2, [root => root.Bytes(4, "s").I32(5, 1), group => group.Bytes(4, "g").I32(5, 0)])));
            Add("fewer columns than announced", Raw([.. Schema(2), 0]));
            Add("more columns than announced", Raw([0x15, 4, 0x19, 0x3c, .. Schema(1)[4..], .. new Thrift().I32(1, 1).Bytes(4, "y").End(), 0]));
            Add("a column without a type or parts",
                WithFooter("PAR1"u8.ToArray(), footer => footer.Structs(2, [root => root.Bytes(4, "s").I32(5, 1), column => column.Bytes(4, "x")])));
            Add("a name that is no text", Raw([0x15, 4, 0x19, 0x2c, .. new Thrift().Bytes(4, "s").I32(5, 1).End(), 0x15, 2, 0x38, 1, 0xff, 0, 0]));
            Add("a length beyond the file", [.. "PAR1PAR1"u8, 0xff, 0xff, 0xff, 0x7f, .. "PAR1"u8]);
            return data;
        }
    }

    [Theory, MemberData(nameof(HostileFooters))]
    public async Task A_hostile_footer_is_refused_at_once(string name, byte[] file)
    {
        Assert.NotEmpty(name);
        var report = await RunAsync(file);
        Assert.Equal((RunOutcome.Damaged, 0), (report.Outcome, report.Read));
    }

    [Fact]
    public async Task Fields_that_say_their_number_in_full_are_read()
    {
        var sound = Events(1).ToArray();
        var report = await RunAsync(sound);
        Assert.Equal((RunOutcome.Complete, 1), (report.Outcome, report.Accepted));

        // The same with one row group without column values, and the full id of each field.
        var footer = new Thrift { LongIds = true }
            .I32(1, 2)
            .Structs(2, [root => root.Bytes(4, "schema").I32(5, 1), column => column.I32(1, AsInt32).I32(3, 0).Bytes(4, "time")])
            .I64(3, 0)
            .Structs(4, []);
        Assert.StartsWith("There was no record", Assert.Single((await RunAsync(WithFooter("PAR1"u8.ToArray(), footer.End()))).Problems),
            StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Disagreements => new()
    {
        { "group says fewer", "has 400 values in a row group of 100 rows" },
        { "group says none", "has 400 values in a row group of 0 rows" },
        { "group is lost", "declares 700 rows, but its row groups declare 400" },
        { "group and column say fewer", "has pages of more than the 100 values" },
        { "group and column say none", "has pages of more than the 0 values" },
        { "column says more", "has 500 values in a row group of 400 rows" },
        { "page says fewer", "has pages of 300 values, but declares 400" },
        { "page says more", "has pages of more than the 400 values" },
        { "page says other rows", "has a page of 400 values for 100 rows" },
        { "page lies elsewhere", "has a page that is not where the file says" },
    };

    [Theory, MemberData(nameof(Disagreements))]
    public async Task Counts_that_disagree_are_the_files_fault(string what, string said)
    {
        var file = Events(400);
        var values = Longs(Enumerable.Range(0, 400).Select(row => (long)row));
        byte[] PageV2(int rows) =>
            [
                .. new Thrift()
                    .I32(1, 3)
                    .I32(2, values.Length)
                    .I32(3, values.Length)
                    .Struct(8, header => header.I32(1, 400).I32(2, 0).I32(3, rows).I32(4, 0).I32(5, 0).I32(6, 0).Bool(7, false)).End(),
                .. values,
            ];
        switch (what)
        {
            case "group says fewer": (file.GroupRows, file.FileRows) = (100, 100); break;
            case "group says none": (file.GroupRows, file.FileRows) = (0, 0); break;
            case "group is lost": file.FileRows = 700; break;
            case "group and column say fewer" or "group and column say none":
                var rows = what.EndsWith("none", StringComparison.Ordinal) ? 0 : 100;
                file = new HandMadeParquet { GroupRows = rows, FileRows = rows };
                file.Add("event", AsText, Texts(Enumerable.Repeat("e", 400)), 400, converted: 0, announced: rows);
                break;
            case "column says more": file.Add("n", AsInt64, values, 500); break;
            case "page says fewer": file.Add("n", AsInt64, values, 300, announced: 400); break;
            case "page says more": file.Add("n", AsInt64, values, 500, announced: 400); break;
            case "page says other rows": file.AddPages("n", AsInt64, PageV2(100), 400); break;
            case "page lies elsewhere":
                file.AddPages("n", AsInt64, new Thrift().I32(1, 0).I32(2, 1 << 20).I32(3, 1 << 20).Struct(5, header => header.I32(1, 400).I32(2, 0)).End(),
                    400);
                break;
        }

        Assert.Contains(said, await RefusedAsync(file.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_that_would_take_too_much_memory_are_refused_before_they_are_read()
    {
        var file = Events(1);
        file.AddPages("n", AsText, [.. new Thrift().I32(1, 0).I32(2, 500 << 20).I32(3, 1).Struct(5, header => header.I32(1, 1).I32(2, 0)).End(), 0], 1);
        Assert.Contains("pages that take 500 MB", await RefusedAsync(file.ToArray()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(7, true)]
    [InlineData(6, false)]
    [InlineData(7, false)]
    public async Task Lengths_that_no_page_can_hold_are_refused_before_room_is_made_for_them(int encoding, bool tooMany)
    {
        // Empty texts, in blocks of a size that allows two billion lengths to be declared in 20 bytes.
        byte[] Lengths(uint count) => [.. Thrift.Varint(1 << 28), .. Thrift.Varint(4), .. Thrift.Varint(count), 0, 0, 0, 0, 0, 0];
        var count = tooMany ? int.MaxValue : 3u;
        var file = Events(3);
        file.Add("v", AsText, encoding == 6 ? Lengths(count) : [.. Lengths(3), .. Lengths(count)], 3, converted: 0, encoding: encoding);
        if (tooMany) Assert.Contains("has a page of more texts than values", await RefusedAsync(file.ToArray()), StringComparison.Ordinal);
        else Assert.Equal((RunOutcome.Complete, 3), await RunAsync(file.ToArray()) is var report ? (report.Outcome, report.Accepted) : default);
    }

    [Theory]
    [InlineData("uncompressed")]
    [InlineData("snappy")]
    [InlineData("gzip")]
    [InlineData("zstd")]
    [InlineData("brotli")]
    [InlineData("lz4_raw")]
    public async Task Texts_with_their_lengths_apart_are_read_in_every_compression(string compression)
    {
        using (var connection = new DuckDBConnection("Data Source=:memory:"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"COPY (SELECT 'e' AS event, {ImportRun.Time} AS time, CASE WHEN i % 10 > 0 THEN repeat('text', "
                + $"i % 50) || i ELSE NULL END AS v, 'u' || i AS distinct_id, [i::VARCHAR, repeat('x', i % 300)] AS l FROM range(3000) t(i) ORDER BY i) TO '{_run.Folder.File("in.parquet")}' (FORMAT parquet, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1, COMPRESSION {compression})";
            command.ExecuteNonQuery();
            command.CommandText = $"SELECT count(*) FROM parquet_metadata('{_run.Folder.File("in.parquet")}') WHERE encodings LIKE '%DELTA%BYTE_ARRAY%'";
            Assert.InRange((long)command.ExecuteScalar()!, 2, 5);
        }

        Assert.Equal((RunOutcome.Complete, 3000),
            await _run.RunAsync(_run.RequestAll(_run.Folder.File("in.parquet")) with { Senders = 1 }) is var report
                ? (report.Outcome, report.Accepted)
                : default);
        var row = string.Concat(Enumerable.Repeat("text", 2999 % 50)) + 2999;
        Assert.Contains($"\"v\":\"{row}\",\"distinct_id\":\"u2999\",\"l\":[\"2999\",\"{new string('x', 299)}\"]", _run.Mixpanel.Stored[^1],
            StringComparison.Ordinal);
    }

    /// <summary>300 rows in two row groups with page checksums, numbers and text, with and without dictionaries.</summary>
    byte[] Checked()
    {
        using var none = LogicalType.None();
        using var schema = new GroupNode("schema", Repetition.Required,
        [
            new PrimitiveNode("time", Repetition.Required, none, PhysicalType.Int64),
            new PrimitiveNode("distinct_id", Repetition.Required, none, PhysicalType.Int64),
            new PrimitiveNode("$insert_id", Repetition.Required, none, PhysicalType.Int64),
            new PrimitiveNode("n", Repetition.Optional, none, PhysicalType.Double),
            new PrimitiveNode("event", Repetition.Required, none, PhysicalType.Int32),
        ]);
        var path = _run.Folder.File("checked.parquet");
        using (var builder = new WriterPropertiesBuilder().EnablePageChecksum().Compression(Compression.Snappy).DisableDictionary("n"))
        using (var properties = builder.Build())
        using (var writer = new ParquetFileWriter(path, schema, properties))
        {
            for (var at = 0; at < 300; at += 150)
            {
                using var group = writer.AppendRowGroup();
                void Write<T>(short[] definitions, T[] values) where T : unmanaged
                {
                    using var column = (ColumnWriter<T>)group.NextColumn();
                    column.WriteBatch(150, definitions, [], values);
                }

                var rows = Enumerable.Range(at, 150).ToArray();
                Write<long>([], [.. rows.Select(_ => ImportRun.Time)]);
                Write<long>([], [.. rows.Select(row => 5000L + row)]);
                Write<long>([], [.. rows.Select(row => 1000L + row)]);
                Write<double>([.. rows.Select(row => (short)(row % 3 == 0 ? 0 : 1))], [.. rows.Where(row => row % 3 != 0).Select(row => row * 1.25)]);
                Write<int>([], [.. rows.Select(row => row % 7)]);
            }
        }

        return File.ReadAllBytes(path);
    }

    [Fact]
    public async Task A_flipped_bit_in_a_file_with_checksums_is_never_sent()
    {
        var sound = Checked();
        Assert.Equal(RunOutcome.Complete, (await RunAsync(sound)).Outcome);
        var right = _run.Mixpanel.Stored.ToList();
        var random = new Random(20);
        var refused = 0;
        for (var i = 0; i < 250; i++)
        {
            using var run = new ImportRun();
            var damaged = sound.ToArray();
            var (place, bit) = (random.Next(4, damaged.Length - 8), random.Next(8));
            damaged[place] ^= (byte)(1 << bit);
            var report = await run.RunAsync(run.RequestAll(run.Folder.Write("in.parquet", damaged)));
            Assert.True(run.Mixpanel.Stored.SequenceEqual(right.Take(run.Mixpanel.Stored.Count), StringComparer.Ordinal) || Renamed(damaged),
                $"bit {bit} of byte {place} changed what was sent");
            Assert.True(report.Outcome is RunOutcome.Damaged || report.Accepted == 300 || Renamed(damaged),
                $"bit {bit} of byte {place}: exit {report.Outcome}, {report.Accepted} accepted");
            if (report.Outcome is RunOutcome.Damaged) refused++;
        }

        Assert.InRange(refused, 100, 250);

        // The footer has no checksum: a renamed column cannot be distinguished from one that always had that name.
        bool Renamed(byte[] damaged)
        {
            var names = sound.AsSpan().IndexOf("schema"u8);
            return !damaged.AsSpan(names, 120).SequenceEqual(sound.AsSpan(names, 120));
        }
    }

    [Fact]
    public async Task A_row_with_more_than_can_be_sent_is_refused_alone_and_never_whole_in_memory()
    {
        using (var connection = new DuckDBConnection("Data Source=:memory:"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"COPY (SELECT 'e' AS event, {ImportRun.Time} AS time, 'u' AS distinct_id, "
                + $"CASE i WHEN 1 THEN range(3000000) ELSE [i] END AS l FROM range(3) t(i) ORDER BY i) TO '{_run.Folder.File("in.parquet")}' (FORMAT parquet)";
            command.ExecuteNonQuery();
        }

        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.File("in.parquet")));
        Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
        var letter = Assert.Single(_run.DeadLetters());
        Assert.Equal(("record_too_large", 2), (letter.GetProperty("code").GetString(), letter.GetProperty("line").GetInt32()));
        var record =
            $$$"""{"event":"e","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"u","l":[{{{string.Join(',', Enumerable.Range(0, 3_000_000))}}}]}}""";
        Assert.Equal(record.Length, letter.GetProperty("length").GetInt64());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(record))), letter.GetProperty("sha256").GetString());
        Assert.Equal(record[..(64 << 10)], letter.Raw());
    }
}
