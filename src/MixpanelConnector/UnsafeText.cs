using System.Globalization;
using System.Text;

namespace MixpanelConnector;

/// <summary>Makes text from outside safe to display. The program compiles the same source.</summary>
static class UnsafeText
{
    /// <summary>Whether a character could move the cursor, change a colour, reverse the text direction or start a new line.</summary>
    public static bool IsUnsafe(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator;

    /// <summary>Replaces each UTF-16 unit of such characters. Truncates a longer text and appends an ellipsis.</summary>
    public static string Replaced(ReadOnlySpan<char> text, char with, int longest = int.MaxValue)
    {
        var shown = new StringBuilder(Math.Min(text.Length, longest - 1) + 1);
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length >= longest) return shown.Append('…').ToString();
            if (IsUnsafe(rune)) shown.Append(with, rune.Utf16SequenceLength);
            else shown.Append(rune.ToString());
        }

        return shown.ToString();
    }
}
