using System.Buffers;
using System.Text;
using System.Text.Json;

namespace MixpanelConnector.Import.Validate;

/// <summary>The values that Mixpanel refuses as ids: see https://developer.mixpanel.com/reference/import-events.</summary>
static class MixpanelValues
{
    public const int LongestInsertId = 36;
    public const int LongestDistinctId = 255;

    static readonly string[] Banned =
    [
        "00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown",
        "<nil>", "0", "-1", "true", "false", "[]", "{}",
    ];

    static readonly SearchValues<byte> InsertIdBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"u8);

    static readonly int LongestBanned = Banned.Max(value => value.Length);

    public static bool IsBanned(ref readonly Utf8JsonReader text)
    {
        // Six bytes of escape for one character is the most that a banned value can take.
        if (text.ValueSpan.Length > 6 * LongestBanned) return false;
        foreach (var value in Banned)
            if (text.ValueTextEquals(value)) return true;
        return false;
    }

    public static bool IsInsertId(string text) => IsInsertId(Encoding.UTF8.GetBytes(text));

    public static bool IsInsertId(ref readonly Utf8JsonReader text) =>
        text.ValueIsEscaped
            ? text.ValueSpan.Length <= 6 * LongestInsertId && IsInsertId(Encoding.UTF8.GetBytes(Unescape(in text)))
            : IsInsertId(text.ValueSpan);

    /// <summary>Characters are counted as UTF-16 code units.</summary>
    public static bool IsTooLongForDistinctId(ref readonly Utf8JsonReader text) =>
        text.ValueSpan.Length > LongestDistinctId
        && (text.ValueIsEscaped ? Unescape(in text).Length : Encoding.UTF8.GetCharCount(text.ValueSpan)) > LongestDistinctId;

    public static bool IsBlank(ref readonly Utf8JsonReader text)
    {
        if (!text.ValueIsEscaped) return text.ValueSpan.IndexOfAnyExcept(" \t\r\n"u8) < 0;
        return text.ValueSpan.Length <= 1024 && string.IsNullOrWhiteSpace(Unescape(in text));
    }

    static bool IsInsertId(ReadOnlySpan<byte> text) =>
        text.Length is > 0 and <= LongestInsertId && !text.ContainsAnyExcept(InsertIdBytes);

    static string Unescape(ref readonly Utf8JsonReader text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "?"; // half a surrogate pair: refused elsewhere
        }
    }
}
