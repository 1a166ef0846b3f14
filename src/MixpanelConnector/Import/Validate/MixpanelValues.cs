using System.Buffers;
using System.Text;

namespace MixpanelConnector.Import.Validate;

/// <summary>The values that Mixpanel rejects as ids: see https://developer.mixpanel.com/reference/import-events.</summary>
static class MixpanelValues
{
    public const int LongestInsertId = 36;
    public const int LongestDistinctId = 255;

    static readonly byte[][] Banned =
    [
        .. "00000000-0000-0000-0000-000000000000 anon anonymous nil none null n/a na undefined unknown <nil> 0 -1 true false [] {}"
            .Split(' ').Select(Encoding.UTF8.GetBytes),
    ];

    static readonly SearchValues<byte> InsertIdBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"u8);

    static readonly int LongestBanned = Banned.Max(value => value.Length);

    // A bitmap of the lengths of banned values.
    static readonly ulong BannedLengths = Banned.Aggregate(0UL, (lengths, value) => lengths | (1UL << value.Length));

    /// <param name="text">The id.</param>
    /// <param name="ignoreCase">Whether the comparison is case-insensitive; the documentation does not say.</param>
    public static bool IsBanned(in JsonToken text, bool ignoreCase = false)
    {
        // An escape takes at most six bytes per character.
        if (text.IsEscaped ? text.Text.Length > 6 * LongestBanned : text.Text.Length > LongestBanned || (BannedLengths >> text.Text.Length & 1) == 0)
            return false;
        foreach (var value in Banned)
            if (text.Is(value) || (ignoreCase && Ascii.EqualsIgnoreCase(text.IsEscaped ? Encoding.UTF8.GetBytes(text.Unescape()) : text.Text, value)))
                return true;
        return false;
    }

    public static bool IsInsertId(string text) => IsInsertId(Encoding.UTF8.GetBytes(text));

    public static bool IsInsertId(in JsonToken text) =>
        text.IsEscaped
            ? text.Text.Length <= 6 * LongestInsertId && IsInsertId(Encoding.UTF8.GetBytes(text.Unescape()))
            : IsInsertId(text.Text);

    /// <summary>Characters are counted as UTF-16 code units.</summary>
    public static bool IsTooLongForDistinctId(in JsonToken text) =>
        text.Text.Length > LongestDistinctId
        && (text.IsEscaped ? text.Unescape().Length : Encoding.UTF8.GetCharCount(text.Text)) > LongestDistinctId;

    public static bool IsBlank(in JsonToken text)
    {
        if (!text.IsEscaped) return text.Text.IndexOfAnyExcept(" \t\r\n"u8) < 0;
        return text.Text.Length <= 1024 && string.IsNullOrWhiteSpace(text.Unescape());
    }

    static bool IsInsertId(ReadOnlySpan<byte> text) =>
        text.Length is > 0 and <= LongestInsertId && !text.ContainsAnyExcept(InsertIdBytes);
}
