using System.Globalization;
using System.Text;

namespace MixpanelConnector;

/// <summary>Text from outside that is shown. The program compiles the same source.</summary>
static class UnsafeText
{
    /// <summary>Whether a character could move a cursor, change a colour, turn the line or begin another.</summary>
    public static bool IsUnsafe(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>A text with something in the place of each unit of such characters; of a longer one its beginning, and an ellipsis.</summary>
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
