using System.Buffers;
using System.Globalization;
using System.Text;

namespace MixpanelConnector;

/// <summary>Names that others chose, as messages show them. The program compiles the same source.</summary>
static class GivenName
{
    /// <summary>The maximum length of a name that is shown, in characters.</summary>
    public const int Longest = 64;

    static readonly SearchValues<char> OfWords = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$.:/@-");

    /// <summary>
    /// A name as it is, if it is a word of ordinary length; any other in quotes, so that it is seen where it begins and ends: escaped, and cut.
    /// </summary>
    public static string Shown(string name)
    {
        if (name.Length is > 0 and <= Longest && !name.AsSpan().ContainsAnyExcept(OfWords)) return name;
        var shown = new StringBuilder("\"");
        var left = Longest;
        foreach (var rune in name.EnumerateRunes())
        {
            if (left-- == 0)
            {
                shown.Append('…');
                break;
            }

            if (rune.Value is '"' or '\\') shown.Append('\\').Append((char)rune.Value);
            else if (UnsafeText.IsUnsafe(rune)) foreach (var unit in rune.ToString()) shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
            else shown.Append(rune.ToString());
        }

        return shown.Append('"').ToString();
    }
}
