using MixpanelConnector.Emulator.Selectors;
using static MixpanelConnector.Emulator.Tests.Selectors.SelectorTesting;

namespace MixpanelConnector.Emulator.Tests.Selectors;

public sealed class OperatorTests
{
    /// <summary>One value of each type, in the order of the rows and columns below.</summary>
    static readonly string[] OneOfEachType =
    [
        """properties["missing"]""", """properties["null"]""", "true", "5", "\"text\"", "datetime(5)", "[5]", """properties["object"]""",
    ];

    const string Properties = """{"null":null,"object":{"a":[1]}}""";

    // Rows are the left operand, columns the right one, both in the order undefined, null, boolean, number, string, datetime, list, object.
    // A cell is T true, F false, N a number, S a string, E an error, a point undefined.
    [Theory]
    [InlineData("+", "........ ........ ........ ...N.... ....S... ........ ........ ........")]
    [InlineData("-", "........ ........ ........ ...N.... ........ ........ ........ ........")]
    [InlineData("*", "........ ........ ........ ...N.... ........ ........ ........ ........")]
    [InlineData("/", "........ ........ ........ ...N.... ........ ........ ........ ........")]
    [InlineData("%", "........ ........ ........ ...N.... ........ ........ ........ ........")]
    [InlineData("==", "TFFFFFFF FTFFFFFF FFTFFFFF FFFTFFFF FFFFTFFF FFFFFTFF FFFFFFTF FFFFFFFT")]
    [InlineData("!=", "FTTTTTTT TFTTTTTT TTFTTTTT TTTFTTTT TTTTFTTT TTTTTFTT TTTTTTFT TTTTTTTF")]
    [InlineData(">", "........ ........ ........ ...F.... ....F... .....F.. ........ ........")]
    [InlineData(">=", "........ ........ ........ ...T.... ....T... .....T.. ........ ........")]
    [InlineData("<", "........ ........ ........ ...F.... ....F... .....F.. ........ ........")]
    [InlineData("<=", "........ ........ ........ ...T.... ....T... .....T.. ........ ........")]
    [InlineData("in", "......F. ......F. ......F. ......T. ....T.F. ......F. ......F. ......F.")]
    [InlineData("and", "FFFFFFFF EEEEEEEE FETEEEEE EEEEEEEE EEEEEEEE EEEEEEEE EEEEEEEE EEEEEEEE")]
    [InlineData("or", "FETEEEEE EEEEEEEE TTTTTTTT EEEEEEEE EEEEEEEE EEEEEEEE EEEEEEEE EEEEEEEE")]
    public void A_binary_operator_knows_every_pair_of_types(string symbol, string table)
    {
        var actual = OneOfEachType.Select(left => string.Concat(OneOfEachType.Select(right => Cell($"{left} {symbol} {right}"))));

        Assert.Equal(table, string.Join(' ', actual));
    }

    // The operand's type, in the same order as above.
    [Theory]
    [InlineData("-x", "...N....")]
    [InlineData("not x", "T.F.....")]
    [InlineData("floor(x)", "...N....")]
    [InlineData("round(x)", "...N....")]
    [InlineData("ceil(x)", "...N....")]
    [InlineData("string(x)", ".0SSS...")]
    [InlineData("number(x)", "..NN....")]
    [InlineData("boolean(x)", "FFTTTTTT")]
    [InlineData("defined(x)", "FFTTTTTT")]
    [InlineData("datetime(x)", "...D.D..")]
    [InlineData("list(x)", "..LLLLLL")]
    public void A_unary_operator_or_function_knows_every_type(string template, string expected) => Assert.Equal(
        expected,
        string.Concat(OneOfEachType.Select(operand => Cell(template.Replace("x", operand, StringComparison.Ordinal)))));

    static char Cell(string expression)
    {
        try
        {
            var value = Evaluate(expression, Properties);
            return value.Kind switch
            {
                SelectorKind.Undefined => '.',
                SelectorKind.Null => '0',
                SelectorKind.Boolean => value.IsTrue ? 'T' : 'F',
                SelectorKind.Number => 'N',
                SelectorKind.Text => 'S',
                SelectorKind.DateTime => 'D',
                SelectorKind.List => 'L',
                _ => 'O',
            };
        }
        catch (SelectorException)
        {
            return 'E';
        }
    }

    [Theory]
    // Arithmetic.
    [InlineData("1 + 2", "3")]
    [InlineData("\"ab\" + \"cd\"", "\"abcd\"")]
    [InlineData("7 - 10", "-3")]
    [InlineData("6 * 7", "42")]
    [InlineData("7 / 2", "3.5")]
    [InlineData("7 / 0", "undefined")]
    [InlineData("0 / 0", "undefined")]
    [InlineData("7 % 3", "1")]
    [InlineData("-7 % 3", "-1")]
    [InlineData("7 % -3", "1")]
    [InlineData("7 % 0", "undefined")]
    [InlineData("properties[\"huge\"] * 10", "undefined")]
    [InlineData("- -3", "3")]
    [InlineData("floor(-1.5)", "-2")]
    [InlineData("ceil(-1.5)", "-1")]
    [InlineData("round(1.4)", "1")]
    [InlineData("round(2.5)", "3")]
    [InlineData("round(-2.5)", "-3")]
    // Precedence and associativity.
    [InlineData("1 + 2 * 3", "7")]
    [InlineData("(1 + 2) * 3", "9")]
    [InlineData("10 - 3 - 2", "5")]
    [InlineData("16 / 4 / 2", "2")]
    [InlineData("7 * 5 % 4", "3")]
    [InlineData("-2 * 3", "-6")]
    [InlineData("1 + 1 == 2", "true")]
    [InlineData("true or false and false", "true")]
    [InlineData("(true or false) and false", "false")]
    [InlineData("not false and false", "false")]
    [InlineData("not (false and false)", "true")]
    [InlineData("not 1 == 2", "true")]
    [InlineData("not not true", "true")]
    [InlineData("NOT false AND true OR false", "true")]
    // Equality.
    [InlineData("1 == 1.0", "true")]
    [InlineData("\"a\" == \"A\"", "false")]
    [InlineData("\"1\" == 1", "false")]
    [InlineData("true == 1", "false")]
    [InlineData("0 == -0", "true")]
    [InlineData("9007199254740993 == 9007199254740992", "true")]
    [InlineData("[1,\"a\"] == [1,\"a\"]", "true")]
    [InlineData("[1,\"a\"] == [\"a\",1]", "false")]
    [InlineData("[1] == [1,1]", "false")]
    [InlineData("[[1 + 1]] == [[2]]", "true")]
    [InlineData("properties[\"object\"] == properties[\"other object\"]", "true")]
    // Order.
    [InlineData("2 > 1", "true")]
    [InlineData("2 < 1", "false")]
    [InlineData("2 >= 2", "true")]
    [InlineData("2 <= 1", "false")]
    [InlineData("\"b\" > \"a\"", "true")]
    [InlineData("\"B\" > \"a\"", "false")]
    [InlineData("\"10\" < \"9\"", "true")]
    [InlineData("datetime(10) < datetime(11)", "true")]
    [InlineData("datetime(10.9) >= datetime(10.1)", "true")]
    [InlineData("datetime(10.9) == datetime(10.1)", "true")]
    // Membership.
    [InlineData("\"bc\" in \"abcd\"", "true")]
    [InlineData("\"BC\" in \"abcd\"", "false")]
    [InlineData("\"\" in \"abcd\"", "true")]
    [InlineData("\"red\" in properties[\"colours\"]", "true")]
    [InlineData("\"re\" in properties[\"colours\"]", "false")]
    [InlineData("2 in [1, 1 + 1]", "true")]
    [InlineData("\"2\" in [1, 2]", "false")]
    [InlineData("1 in []", "false")]
    [InlineData("[1] in [[1], 2]", "true")]
    [InlineData("1 in \"1\"", "undefined")]
    // Logic short-circuits.
    [InlineData("true or 5", "true")]
    [InlineData("false and 5", "false")]
    [InlineData("properties[\"missing\"] or true", "true")]
    public void A_calculation_gives(string expression, string expected) => Assert.Equal(
        expected,
        Evaluate(expression, """{"huge":1e308,"object":{"a":1,"b":[2]},"other object":{"b":[2],"a":1},"colours":["red","blue"]}""").ToString());

    [Theory]
    [InlineData("5 and true", 0, "'and' takes booleans, not a number")]
    [InlineData("true and \"x\"", 9, "'and' takes booleans, not a string")]
    [InlineData("false or properties[\"null\"]", 9, "'or' takes booleans, not null")]
    [InlineData("false or ([1] or true)", 10, "'or' takes booleans, not a list")]
    [InlineData("false or datetime(5)", 9, "'or' takes booleans, not a datetime")]
    [InlineData("properties[\"object\"] or true", 0, "'or' takes booleans, not an object")]
    public void Logic_on_what_is_not_boolean_fails(string expression, int position, string reason)
    {
        var failure = Assert.Throws<SelectorException>(() => Evaluate(expression, Properties));

        Assert.Equal((position, reason), (failure.Position, failure.Reason));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("\"true\"")]
    [InlineData("""properties["missing"]""")]
    [InlineData("""properties["null"]""")]
    [InlineData("[true]")]
    public void Only_true_itself_keeps_a_record(string expression) => Assert.False(Matches(expression, Properties));
}
