using System.Globalization;
using MixpanelConnector.Testing;
using ParquetSharp;
using ParquetSharp.Schema;
using static MixpanelConnector.Formats.Tests.HandMadeParquet;

namespace MixpanelConnector.Formats.Tests;

/// <summary>The conversion of rarely written types.</summary>
public sealed class ParquetValueTests : IDisposable
{
    const string DateRange = "date_range";
    const int JulianDayOf1970 = 2_440_588;

    readonly ImportRun _run = new();

    public void Dispose() => _run.Dispose();

    /// <summary>Values of a type, and the JSON of each; null if the record is refused for it.</summary>
    public static TheoryData<string, string?> Values => new()
    {
        { "time_ms 0", "\"00:00:00\"" },
        { "time_ms 51200123", "\"14:13:20.123\"" },
        { "time_us 51200000001", "\"14:13:20.000001\"" },
        { "time_ns 51200000000001", "\"14:13:20.000000001\"" },
        { "time_us 86400000000", "\"24:00:00\"" },
        { "time_us 86401000000", null },
        { "time_us -1", null },
        { "timestamp_us 0", "\"1970-01-01T00:00:00\"" },
        { "timestamp_us -1", "\"1969-12-31T23:59:59.999999\"" },
        { "timestamp_ns -1", "\"1969-12-31T23:59:59.999999999\"" },
        { "timestamp_us 253402300799999999", "\"9999-12-31T23:59:59.999999\"" },
        { "timestamp_us 253402300800000000", null },
        { "timestamp_us 9223372036854775807", null },
        { "timestamp_us -9223372036854775807", null },
        { "timestamp_us -9223372036854775808", null },
        { "timestamp_ms -62135596800000", "\"0001-01-01T00:00:00\"" },
        { "timestamp_ms -62135596800001", null },
        { "date 2932896", "\"9999-12-31\"" },
        { "date 2932897", null },
        { "date 2147483647", null },
        { "date -2147483648", null },
        { "int96 2440588 0", "\"1970-01-01T00:00:00\"" },
        { "int96 2460588 51200123456789", "\"2024-10-04T14:13:20.123456789\"" },
        { "int96 5373484 86399999999900", "\"9999-12-31T23:59:59.9999999\"" },
        { "int96 5373485 0", null },
        { "int96 1721426 0", "\"0001-01-01T00:00:00\"" },
        { "int96 1721425 0", null },
        { "int96 0 0", null },
        { "int96 2440588 90000000000000", "\"1970-01-02T01:00:00\"" },
        { "interval 0 0 0", "\"PT0S\"" },
        { "interval 14 3 4005", "\"P14M3DT4.005S\"" },
        { "interval 1 0 0", "\"P1M\"" },
        { "interval 4294967295 4294967295 4294967295", "\"P4294967295M4294967295DT4294967.295S\"" },
        { "half 0.1", "0.1" },
        { "half 65504", "65500" },
        { "half Infinity", null },
        { "half NaN", "" },
        { "uint8 255", "255" },
        { "uint32 4294967295", "4294967295" },
        { "uint64 18446744073709551615", "18446744073709551615" },
        { "json {\"a\":[1,2.50,null]}", "{\"a\":[1,2.50,null]}" },
        { "json \"text\"", "\"text\"" },
        { "json 1.10", "1.10" },
        { "json null", "" },
        { "json ", "\"\"" },
        { "json {\"a\":1", "\"{\\\"a\\\":1\"" },
        { "json 1,\"distinct_id\":\"x\"", "\"1,\\\"distinct_id\\\":\\\"x\\\"\"" },
    };

    [Theory, MemberData(nameof(Values))]
    public async Task A_value_is_what_its_type_says(string value, string? json)
    {
        var (type, rest) = value.Split(' ', 2) is [var kind, var text] ? (kind, text) : default;
        var file = Events(3);
        Action<Thrift> Unit(int type, int unit) =>
            logical => logical.Struct(type, time => time.Bool(1, true).Struct(2, unitOf => unitOf.Struct(unit, _ => { })));
        byte[] Of(Func<string, byte[]> bytes, string other) => [.. bytes(other), .. bytes(rest), .. bytes(other)];
        byte[] Int(string number) => BitConverter.GetBytes((int)long.Parse(number, CultureInfo.InvariantCulture));
        byte[] Long(string number) =>
            BitConverter.GetBytes(number[0] == '-'
                ? long.Parse(number, CultureInfo.InvariantCulture)
                : (long)ulong.Parse(number, CultureInfo.InvariantCulture));
        switch (type)
        {
            case "time_ms": file.Add("v", AsInt32, Of(Int, "1"), 3, converted: 7); break;
            case "time_us": file.Add("v", AsInt64, Of(Long, "1"), 3, converted: 8); break;
            case "time_ns": file.Add("v", AsInt64, Of(Long, "1"), 3, logical: Unit(7, 3)); break;
            case "timestamp_ms": file.Add("v", AsInt64, Of(Long, "1"), 3, converted: 9); break;
            case "timestamp_us": file.Add("v", AsInt64, Of(Long, "1"), 3, converted: 10); break;
            case "timestamp_ns": file.Add("v", AsInt64, Of(Long, "1"), 3, logical: Unit(8, 3)); break;
            case "date": file.Add("v", AsInt32, Of(Int, "1"), 3, converted: 6); break;
            case "int96":
                file.Add("v", AsInt96,
                    Of(pair =>
                    [
                        .. BitConverter.GetBytes(long.Parse(pair.Split(' ')[1], CultureInfo.InvariantCulture)),
                        .. BitConverter.GetBytes(int.Parse(pair.Split(' ')[0], CultureInfo.InvariantCulture)),
                    ],
                        $"{JulianDayOf1970} 1"),
                    3);
                break;
            case "interval":
                file.Add("v", AsFixed,
                    Of(parts => [.. parts.Split(' ').SelectMany(part => BitConverter.GetBytes(uint.Parse(part, CultureInfo.InvariantCulture)))], "0 1 0"), 3,
                    converted: 21, length: 12);
                break;
            case "half":
                file.Add("v", AsFixed, Of(number => BitConverter.GetBytes(Half.Parse(number, CultureInfo.InvariantCulture)), "1"), 3, length: 2,
                    logical: logical => logical.Struct(15, _ => { }));
                break;
            case "uint8": file.Add("v", AsInt32, Of(Int, "1"), 3, converted: 11); break;
            case "uint32": file.Add("v", AsInt32, Of(Int, "1"), 3, converted: 13); break;
            case "uint64": file.Add("v", AsInt64, Of(Long, "1"), 3, converted: 14); break;
            case "json": file.Add("v", AsText, Texts(["1", rest, "1"]), 3, converted: 19); break;
        }

        var report = await _run.RunAsync(_run.RequestAll(_run.Folder.Write("in.parquet", file.ToArray())));

        if (json is null)
        {
            // It affects only this row; if the column is dropped, the row is accepted.
            Assert.Equal((RunOutcome.Rejected, 2, 1), (report.Outcome, report.Accepted, report.Rejected));
            var letter = Assert.Single(_run.DeadLetters());
            Assert.Equal((type == "half" ? "number_range" : DateRange, 2), (letter.GetProperty("code").GetString(), letter.GetProperty("line").GetInt32()));
            Assert.Contains("\"v\":", letter.Raw(), StringComparison.Ordinal);
            using var dropping = new ImportRun();
            Assert.Equal((RunOutcome.Complete, 3),
                await dropping.RunAsync(dropping.RequestAll(_run.Folder.File("in.parquet")) with { Drop = ["v"] }) is var dropped
                    ? (dropped.Outcome, dropped.Accepted)
                    : default);
            return;
        }

        Assert.Equal((RunOutcome.Complete, 3), (report.Outcome, report.Accepted));
        Assert.Equal(
            $$$"""{"event":"e","properties":{"time":{{{ImportRun.Time}}},"distinct_id":"u1"{{{(json.Length > 0 ? ",\"v\":" : "")}}}{{{json}}}}}""",
            _run.StoredWithoutIds()[1]);
    }

    [Theory]
    [InlineData("bson")]
    [InlineData("geometry")]
    [InlineData("unheard of")]
    [InlineData("decimal of 1000 digits")]
    public async Task A_column_of_a_type_without_json_is_named_and_the_file_read_without_it(string type)
    {
        var file = Events(2);
        if (type is "bson") file.Add("odd", AsText, Texts(["a", "b"]), 2, converted: 20);
        else if (type is "geometry") file.Add("odd", AsText, Texts(["a", "b"]), 2, logical: logical => logical.Struct(17, _ => { }));
        else if (type is "unheard of") file.Add("odd", AsText, Texts(["a", "b"]), 2, logical: logical => logical.Struct(99, _ => { }));
        else file.Add("odd", AsText, Texts(["a", "b"]), 2, logical: logical => logical.Struct(5, of => of.I32(1, 1000).I32(2, 1000)));
        var request = _run.RequestAll(_run.Folder.Write("in.parquet", file.ToArray()));
        var refused = await _run.RunAsync(request);
        Assert.Equal((RunOutcome.Damaged, 0), (refused.Outcome, refused.Read));
        Assert.Contains("the column odd of a type that is not supported. Leave it out with ImportRequest.Drop", refused.Problems[0], StringComparison.Ordinal);
        Assert.Equal((RunOutcome.Complete, 2), await _run.RunAsync(request with { Drop = ["odd"] }) is var read ? (read.Outcome, read.Accepted) : default);
        Assert.Equal(2, read.Fixed!.Dropped);
    }

    [Fact]
    public async Task A_column_that_is_encrypted_is_named_and_the_file_read_without_it()
    {
        using var none = LogicalType.None();
        using var schema = new GroupNode("schema", Repetition.Required,
            [.. ((string[])["event", "time", "distinct_id", "secret"]).Select(name => new PrimitiveNode(name, Repetition.Required, none, PhysicalType.Int64))]);
        using var keys = new FileEncryptionPropertiesBuilder("0123456789012345"u8.ToArray());
        using var column = new ColumnEncryptionPropertiesBuilder("secret").Key("5432109876543210"u8.ToArray());
        using var encryptedColumn = column.Build();
        using var encryption = keys.SetPlaintextFooter().EncryptedColumns([encryptedColumn]).Build();
        using (var builder = new WriterPropertiesBuilder().Encryption(encryption))
        using (var properties = builder.Build())
        using (var writer = new ParquetFileWriter(_run.Folder.File("in.parquet"), schema, properties))
        using (var group = writer.AppendRowGroup())
        {
            for (var i = 0; i < 4; i++)
            {
                using var values = (ColumnWriter<long>)group.NextColumn();
                values.WriteBatch([ImportRun.Time]);
            }
        }

        var request = _run.RequestAll(_run.Folder.File("in.parquet"));
        var refused = await _run.RunAsync(request);
        Assert.Equal(RunOutcome.Damaged, refused.Outcome);
        Assert.Contains("the column secret, which is encrypted", refused.Problems[0], StringComparison.Ordinal);
        Assert.Equal((RunOutcome.Complete, 1), await _run.RunAsync(request with { Drop = ["secret"] }) is var read ? (read.Outcome, read.Accepted) : default);
    }
}
