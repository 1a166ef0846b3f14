using MixpanelConnector.Import.Map;

namespace MixpanelConnector.Tests.Import;

public sealed class ExportTablesTests
{
    static readonly ExportTables Tables = new(new MappingTables([], ["sync_*"]));

    [Theory]
    [InlineData("order_placed.avro", "order_placed")]
    [InlineData("2.checkout.csv.gz", "2.checkout")]
    [InlineData("20260301.json", "20260301")] // a date is not a number of a part
    [InlineData("added.json", "added")] // hexadecimal digits, but a word
    [InlineData("partners.json", "partners")]
    [InlineData("2_step_login.json", "2_step_login")]
    [InlineData("deadbeefcafe.json", "deadbeefcafe")]
    [InlineData("sync_7/order_placed/584cdba3973c32.avro", "order_placed")]
    [InlineData("sync_7/2026/name.avro", "2026")] // the folder of a dump, whatever the file is called
    [InlineData("s3://bucket/sync_7/v1.2 started/0.avro", "v1.2 started")]
    [InlineData("sync_7/users.avro", "users")]
    [InlineData("in/users/part-00000-2c8c1f0e.snappy.avro", "users")]
    [InlineData("in/users/000000_0", "users")]
    [InlineData("in/users/0000_part_00.gz", "users")]
    [InlineData("in/users/part_3.csv", "users")]
    [InlineData("in/users/0a1b2c3d-0000-11f1-8000-000000000001.json", "users")]
    [InlineData("part-00000.avro", null)]
    [InlineData("584cdba3973c32.avro", null)]
    [InlineData("sync_7/part-00000.avro", null)]
    [InlineData("dump.zip/part-00000.avro", null)]
    [InlineData("./part-00000.avro", null)]
    [InlineData("584cdba3973c32/0.avro", null)]
    public void A_table_is_named_by_its_file_or_by_its_folder(string path, string? table) => Assert.Equal(table, Tables.TableOf(path));
}
