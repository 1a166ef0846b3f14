using System.Text;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Formats.Delimited;

namespace MixpanelConnector.Formats.Tests;

public class CellTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "-0")]
    [InlineData("42", "42")]
    [InlineData("-7", "-7")]
    [InlineData("1.10", "1.10")]
    [InlineData("0.30000000000000004", "0.30000000000000004")]
    [InlineData("1e5", "1e5")]
    [InlineData("1.5E+3", "1.5E+3")]
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
    [InlineData("", "")]
    [InlineData("2026-09-21T14:13:20Z", "\"2026-09-21T14:13:20Z\"")]
    [InlineData("[1,2]", "\"[1,2]\"")]
    [InlineData("=1+1", "\"=1+1\"")]
    [InlineData("a\"b\\c\nd\te\u0001é😀", "\"a\\\"b\\\\c\\nd\\te\\u0001é😀\"")]
    public void A_cell_is_what_it_looks_like(string cell, string json) => Assert.Equal(json, Written(cell, FieldKind.Value));

    [Theory]
    [InlineData("12345", "\"12345\"")]
    [InlineData("true", "\"true\"")]
    [InlineData("", "")]
    public void A_name_or_an_id_is_text(string cell, string json) => Assert.Equal(json, Written(cell, FieldKind.Text));

    static string Written(string cell, FieldKind kind)
    {
        var json = new JsonText();
        Cell.Write(json, Encoding.UTF8.GetBytes(cell), kind);
        return Encoding.UTF8.GetString(json.Written);
    }
}
