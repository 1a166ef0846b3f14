using System.Globalization;
using MixpanelConnector.Emulator.Rules;

namespace MixpanelConnector.Emulator.Selectors;

/// <summary>The type casts. Casts that are missing in Mixpanel's tables (of dates, lists and objects) result in undefined.</summary>
static class Casts
{
    const double LargestUnixSeconds = uint.MaxValue;

    static readonly string[] DateTimeFormats = ["yyyy-MM-ddTHH:mm:ss", "yyyy-MM-dd"];

    public static SelectorValue ToText(SelectorValue value) => value.Kind switch
    {
        SelectorKind.Text or SelectorKind.Null => value,
        SelectorKind.Number or SelectorKind.Boolean => SelectorValue.FromText(value.ToString()),
        _ => SelectorValue.Undefined,
    };

    public static SelectorValue ToNumber(SelectorValue value) => value.Kind switch
    {
        SelectorKind.Number => value,
        SelectorKind.Boolean => SelectorValue.FromNumber(value.IsTrue ? 1 : 0),
        SelectorKind.Text => ParseDecimal(value.Text),
        _ => SelectorValue.Undefined,
    };

    // Mixpanel has no table for this cast. According to its page on data types, "false", 0, null, undefined and "" are false, and all other values true.
    public static SelectorValue ToBoolean(SelectorValue value) => SelectorValue.FromBoolean(value.Kind switch
    {
        SelectorKind.Boolean => value.IsTrue,
        SelectorKind.Number => value.Number != 0,
        SelectorKind.Text => value.Text is not ("" or "false"),
        SelectorKind.Undefined or SelectorKind.Null => false,
        _ => true,
    });

    // Undocumented: a list is unchanged, a single value becomes a list of one, and a missing value is not a list.
    public static SelectorValue ToList(SelectorValue value) => value.Kind switch
    {
        SelectorKind.List => value,
        SelectorKind.Undefined or SelectorKind.Null => SelectorValue.Undefined,
        _ => SelectorValue.FromList([value]),
    };

    public static SelectorValue ToDateTime(SelectorValue value, TimeZoneInfo timeZone) => value.Kind switch
    {
        SelectorKind.DateTime => value,
        SelectorKind.Number => FromUnixTime(value.Number),
        SelectorKind.Text => ParseDateTime(value.Text, timeZone),
        _ => SelectorValue.Undefined,
    };

    // "A decimal" is parsed as a sign, digits, a point and an exponent: without white space, thousands separators, or names of infinity.
    static SelectorValue ParseDecimal(string text)
    {
        const NumberStyles Decimal = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(text, Decimal, CultureInfo.InvariantCulture, out var number)
            ? SelectorValue.FromNumber(number)
            : SelectorValue.Undefined;
    }

    // Seconds up to 2^32 - 1, milliseconds above, undefined up to 0; values between 0 and 1 are undocumented, and treated as undefined too.
    static SelectorValue FromUnixTime(double number) => number switch
    {
        < 1 => SelectorValue.Undefined,
        <= LargestUnixSeconds => SelectorValue.FromUnixSeconds(number),
        _ => SelectorValue.FromUnixSeconds(number / 1000),
    };

    // Only the two known formats.
    static SelectorValue ParseDateTime(string text, TimeZoneInfo timeZone)
    {
        if (!DateTime.TryParseExact(text, DateTimeFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)) return SelectorValue.Undefined;
        var (local, offset) = LocalTime.Resolve(time, timeZone);
        return SelectorValue.FromUnixSeconds((local - DateTime.UnixEpoch - offset).TotalSeconds);
    }
}
