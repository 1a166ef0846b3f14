using System.Text;

namespace MixpanelConnector.Tracking.Screening;

/// <summary>Finds payment card numbers in a text: 13 to 19 digits, grouped or not, with the check digit of ISO/IEC 7812.</summary>
static class CardNumbers
{
    const int Fewest = 13, Most = 19;

    /// <summary>Replaces each number in a text.</summary>
    public static string Replace(string text, string replacement)
    {
        StringBuilder? replaced = null;
        var kept = 0;
        for (var at = 0; at < text.Length; at++)
        {
            if (!char.IsAsciiDigit(text[at]) || (at > 0 && char.IsAsciiDigit(text[at - 1]))) continue; // a number starts only at the start of a digit group
            if (EndOf(text, at) is not { } end) continue;
            (replaced ??= new()).Append(text, kept, at - kept).Append(replacement);
            kept = end;
            at = end - 1;
        }

        return replaced is null ? text : replaced.Append(text, kept, text.Length - kept).ToString();
    }

    /// <summary>Returns the end of the longest number that starts here; null when none does.</summary>
    static int? EndOf(string text, int start)
    {
        if (text[start] is < '2' or > '6') return null; // first digits of card networks
        Span<char> digits = stackalloc char[Most];
        int? end = null;
        var count = 0;
        for (var at = start; at < text.Length; at++)
        {
            if (!char.IsAsciiDigit(text[at]))
            {
                if (text[at] is ' ' or '-' or '.' or '\u00a0' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1])) continue;
                break;
            }

            if (count == Most) break;
            digits[count++] = text[at];
            var isEndOfGroup = at + 1 == text.Length || !char.IsAsciiDigit(text[at + 1]);
            if (isEndOfGroup && count >= Fewest && IsChecked(digits[..count])) end = at + 1;
        }

        return end;
    }

    static bool IsChecked(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[^(i + 1)] - '0';
            sum += i % 2 == 0 ? digit : digit > 4 ? (2 * digit) - 9 : 2 * digit;
        }

        return sum % 10 == 0;
    }
}
