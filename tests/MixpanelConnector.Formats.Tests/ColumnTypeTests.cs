using System.Text;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Formats.Delimited;
using MixpanelConnector.Import.Columns;

namespace MixpanelConnector.Formats.Tests;

/// <summary>The conversion of the values of columns.</summary>
public class ColumnTypeTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "-0")]
    [InlineData("42", "42")]
    [InlineData("-7", "-7")]
    [InlineData("1.10", "1.10")]
    [InlineData("0.30000000000000004", "0.30000000000000004")]
    [InlineData("1e5", "\"1e5\"")]
    [InlineData("12E5", "\"12E5\"")]
    [InlineData("0E12", "\"0E12\"")]
    [InlineData("1.5E+3", "\"1.5E+3\"")]
    [InlineData("9007199254740992", "9007199254740992")]
    [InlineData("-9007199254740992", "-9007199254740992")]
    [InlineData("0.00", "0.00")]
    [InlineData("9007199254740993", "\"9007199254740993\"")]
    [InlineData("-9223372036854775808", "\"-9223372036854775808\"")]
    [InlineData("12345678901234567890", "\"12345678901234567890\"")]
    [InlineData("1.234567890123456789", "\"1.234567890123456789\"")]
    [InlineData("1e400", "\"1e400\"")]
    [InlineData("1e-400", "\"1e-400\"")]
    [InlineData("007", "\"007\"")]
    [InlineData("-01", "\"-01\"")]
    [InlineData("+1", "\"+1\"")]
    [InlineData("1,000", "\"1,000\"")]
    [InlineData("1.", "\"1.\"")]
    [InlineData(".5", "\".5\"")]
    [InlineData("-", "\"-\"")]
    [InlineData("--1", "\"--1\"")]
    [InlineData("1e", "\"1e\"")]
    [InlineData("1e+", "\"1e+\"")]
    [InlineData("1.2.3", "\"1.2.3\"")]
    [InlineData("0x1F", "\"0x1F\"")]
    [InlineData(" 1", "\" 1\"")]
    [InlineData("1 ", "\"1 \"")]
    [InlineData("NaN", "\"NaN\"")]
    [InlineData("Infinity", "\"Infinity\"")]
    [InlineData("١", "\"١\"")]
    [InlineData("true", "true")]
    [InlineData("False", "false")]
    [InlineData("TRUE", "true")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("true ", "\"true \"")]
    [InlineData("null", "\"null\"")]
    [InlineData("2026-09-21T14:13:20Z", "\"2026-09-21T14:13:20Z\"")]
    [InlineData("[1,2]", "\"[1,2]\"")]
    [InlineData("=1+1", "\"=1+1\"")]
    [InlineData("a\"b\\c\nd\te\u0001é😀", "\"a\\\"b\\\\c\\nd\\te\\u0001é😀\"")]
    public void A_cell_is_what_it_looks_like(string cell, string json)
    {
        var written = new JsonText(MessageWords.Default);
        Assert.Null(new InferredTypes(new ColumnMap(["x"], new ImportRequest())).Write(written, 0, Encoding.UTF8.GetBytes(cell)));
        Assert.Equal(json, Encoding.UTF8.GetString(written.Written));
    }

    [Theory]
    [InlineData("1 2.5 -3", "4", null)]
    [InlineData("1 2.5 -3", "x", ImportColumnType.Number)]
    [InlineData("1 2.5 -3", "12E5", ImportColumnType.Number)]
    [InlineData("1 2.5 -3", "007", ImportColumnType.Number)]
    [InlineData("1 2.5 -3", "true", ImportColumnType.Number)]
    [InlineData("1 2.5 -3", "12345678901234567890", ImportColumnType.Number)]
    [InlineData("1 x 3", "4", null)]
    [InlineData("1 true", "4", null)]
    [InlineData("true FALSE", "False", null)]
    [InlineData("true FALSE", "1", ImportColumnType.Boolean)]
    [InlineData("x", "true", null)]
    [InlineData("{}", "4", null)] // JSON is text, but in the column of the properties
    public void A_column_has_the_type_of_its_first_values(string first, string later, ImportColumnType? misfit)
    {
        var types = new InferredTypes(new ColumnMap(["x"], new ImportRequest()));
        foreach (var value in first.Split(' ')) types.Look(0, Encoding.UTF8.GetBytes(value));
        var written = new JsonText(MessageWords.Default);
        Assert.Equal(misfit, types.Write(written, 0, Encoding.UTF8.GetBytes(later)));
        if (misfit is not null) Assert.Equal($"\"{later}\"", Encoding.UTF8.GetString(written.Written));
    }

    [Theory]
    [InlineData(ImportColumnType.Text, "7", "\"7\"")]
    [InlineData(ImportColumnType.Text, "true", "\"true\"")]
    [InlineData(ImportColumnType.Text, "\"é\\n\"", "\"é\\n\"")]
    [InlineData(ImportColumnType.Text, "{}", null)]
    [InlineData(ImportColumnType.Number, "\"12E5\"", "12E5")]
    [InlineData(ImportColumnType.Number, "\"1.50\"", "1.50")]
    [InlineData(ImportColumnType.Number, "7", "7")]
    [InlineData(ImportColumnType.Number, "\"007\"", null)]
    [InlineData(ImportColumnType.Number, "\"9,5\"", null)]
    [InlineData(ImportColumnType.Number, "\"1e400\"", null)]
    [InlineData(ImportColumnType.Number, "true", null)]
    [InlineData(ImportColumnType.Number, "\"\"", "")]
    [InlineData(ImportColumnType.Number, "null", "")]
    [InlineData(ImportColumnType.Number, "[1]", null)]
    [InlineData(ImportColumnType.Boolean, "\"TRUE\"", "true")]
    [InlineData(ImportColumnType.Boolean, "\"f\"", "false")]
    [InlineData(ImportColumnType.Boolean, "\"Yes\"", "true")]
    [InlineData(ImportColumnType.Boolean, "0", "false")]
    [InlineData(ImportColumnType.Boolean, "\"2\"", null)]
    [InlineData(ImportColumnType.Boolean, "\"trues\"", null)]
    [InlineData(ImportColumnType.Boolean, "\"é\"", null)]
    [InlineData(ImportColumnType.Time, "\"2026-10-01\"", "\"2026-10-01T00:00:00\"")]
    [InlineData(ImportColumnType.Time, "\"2026-10-01T12:00:00.25+02:00\"", "\"2026-10-01T10:00:00.250\"")]
    [InlineData(ImportColumnType.Time, "\"1790812800\"", "\"2026-10-01T00:00:00\"")]
    [InlineData(ImportColumnType.Time, "1790812800123", "\"2026-10-01T00:00:00.123\"")]
    [InlineData(ImportColumnType.Time, "\"-1\"", "\"1969-12-31T23:59:59\"")]
    [InlineData(ImportColumnType.Time, "\"9223372036854775807\"", null)]
    [InlineData(ImportColumnType.Time, "\"soon\"", null)]
    [InlineData(ImportColumnType.Json, "\"{\\\"a\\\":[1,null]}\"", "{\"a\":[1,null]}")]
    [InlineData(ImportColumnType.Json, "\" 1 \"", "1")]
    [InlineData(ImportColumnType.Json, "{\"a\":1}", "{\"a\":1}")]
    [InlineData(ImportColumnType.Json, "\"{a:1}\"", null)]
    [InlineData(ImportColumnType.Json, "\"{} {}\"", null)]
    public void A_column_of_a_type_that_was_said_takes_what_is_of_it(ImportColumnType type, string value, string? json)
    {
        var taken = new ColumnValue(new ImportRequest()).TryConvert(Encoding.UTF8.GetBytes(value), type, isEventTime: false, out var converted);
        Assert.Equal(json is not null, taken);
        if (taken) Assert.Equal(json, Encoding.UTF8.GetString(converted));
    }

    [Theory]
    [InlineData("\"2026-10-01T00:00:00Z\"", "1790812800000")]
    [InlineData("\"1790812800\"", "1790812800")]
    [InlineData("1790812800123", "1790812800123")]
    public void The_time_of_an_event_is_an_integer(string value, string json)
    {
        Assert.True(new ColumnValue(new ImportRequest()).TryConvert(Encoding.UTF8.GetBytes(value), ImportColumnType.Time, isEventTime: true,
            out var converted));
        Assert.Equal(json, Encoding.UTF8.GetString(converted));
    }
}
