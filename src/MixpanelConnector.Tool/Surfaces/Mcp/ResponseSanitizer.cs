using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>
/// Sanitizes a result for a language model. Text in events and profiles is untrusted and may try to steer the model: characters that hide or reorder text,
/// terminal escape sequences and Markdown links are removed. A string is limited to 1 KB, and the whole result to 64 KB as it is sent, in every encoding it has
/// there. If anything was cut, <c>truncated</c> says so. The structure of the JSON is preserved.
/// </summary>
sealed class ResponseSanitizer
{
    public const int MostBytes = 64 << 10;
    public const int MostTextBytes = 1 << 10;
    const int LongestTagName = 64;
    static readonly SearchValues<char> TagNames = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._%");
    public const string Truncated = "truncated";

    /// <summary>Bytes for the envelope of the protocol, and the text that accompanies the result.</summary>
    const int Reserve = 2 << 10;

    readonly WireSize _size;
    int _left = MostBytes - Reserve;
    bool _cut;

    ResponseSanitizer(WireSize size) => _size = size;

    public static JsonObject Around(ReadOnlySpan<byte> json, WireSize size)
    {
        var reader = new Utf8JsonReader(json);
        var element = JsonElement.ParseValue(ref reader);
        var sanitizer = new ResponseSanitizer(size);
        // Scalar members first: lists and objects get what is left.
        var members = element.EnumerateObject().ToList();
        var cleaned = members.OrderBy(member => member.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object)
            .ToDictionary(member => member.Name, sanitizer.CleanMember, StringComparer.Ordinal);
        var answer = new JsonObject();
        foreach (var member in members) answer[member.Name] = cleaned[member.Name];
        if (sanitizer._cut) answer[Truncated] = true;
        return answer;
    }

    /// <summary>A text of our own that may quote external text.</summary>
    public static string Text(string text) => new ResponseSanitizer(WireSize.AsText).CleanText(text);

    /// <summary>An error whose texts may all quote external text.</summary>
    public static MixpanelError Problem(MixpanelError error) =>
        error with
        {
            Message = Text(error.Message),
            Field = error.Field is { } field ? Text(field) : null,
            RequestId = error.RequestId is { } id ? Text(id) : null,
        };

    JsonNode? CleanMember(JsonProperty member)
    {
        Take(_size.OfPlain(member.Name) + _size.OfString + _size.OfSign);
        return Clean(member.Value);
    }

    JsonNode? Clean(JsonElement element)
    {
        Take(_size.OfSign); // the separator from the next item
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                return CleanText(element.GetString()!);
            case JsonValueKind.Array:
                Take(2 * _size.OfSign);
                return CleanItems(element);
            case JsonValueKind.Object:
                Take(2 * _size.OfSign);
                return CleanMembers(element);
            case JsonValueKind.Null:
                Take(4 * _size.OfSign);
                return null;
            default:
                Take(element.GetRawText().Length * _size.OfSign);
                return JsonValue.Create(element);
        }
    }

    JsonArray CleanItems(JsonElement element)
    {
        var items = new JsonArray();
        foreach (var item in element.EnumerateArray())
        {
            if (IsSpent(item)) break;
            items.Add(Clean(item));
        }

        return items;
    }

    JsonObject CleanMembers(JsonElement element)
    {
        var members = new JsonObject();
        foreach (var member in element.EnumerateObject())
        {
            if (IsSpent(member.Value)) break;
            Take(_size.OfSign);
            var name = CleanText(member.Name);
            if (!members.ContainsKey(name)) members[name] = Clean(member.Value);
            else _cut = true;
        }

        return members;
    }

    string CleanText(string text)
    {
        Take(_size.OfString);
        var clean = new StringBuilder(Math.Min(text.Length, MostTextBytes));
        var bytes = 0;
        for (var index = 0; index < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(index), out var rune, out var consumed) is not OperationStatus.Done) rune = Rune.ReplacementChar;
            if (rune.Value is 0x1B) consumed = EscapeLength(text.AsSpan(index));
            index += consumed;
            if (HiddenText.Contains(rune)) continue;
            var breaks = clean.Length > 0 && IsMarkup(clean[^1], text.AsSpan(index - consumed));
            var size = _size.Of(rune) + (breaks ? _size.OfSign : 0);
            bytes += rune.Utf8SequenceLength + (breaks ? 1 : 0);
            if (bytes > MostTextBytes || size > _left)
            {
                _cut = true;
                break;
            }

            if (breaks) clean.Append(' ');
            clean.Append(rune.ToString());
            Take(size);
        }

        return clean.ToString();
    }

    /// <summary>Whether two adjacent characters make a Markdown link or image, its address, or a tag that can contain one.</summary>
    static bool IsMarkup(char last, ReadOnlySpan<char> rest) => last switch
    {
        ']' => rest[0] is '(' or ':',
        '<' => rest[0] is '/' or '!'
            || (char.IsAsciiLetter(rest[0]) && rest[..Math.Min(rest.Length, LongestTagName)].IndexOfAnyExcept(TagNames) is >= 0 and var end
                && rest[end] is ' ' or '\t' or '\n' or '/' or ':' or '=' or '@'),
        _ => false,
    };

    /// <summary>The length of a terminal escape sequence: CSI up to its final letter, OSC and similar ones up to their terminator.</summary>
    static int EscapeLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2) return 1;
        if (text[1] == '[')
        {
            var final = text[2..].IndexOfAnyInRange('@', '~');
            return final < 0 ? text.Length : final + 3;
        }

        if (text[1] is not (']' or 'P' or '^' or '_' or 'X')) return 2;
        var end = text[2..].IndexOfAny('\a', '\u001b', '\u009c');
        return end < 0 ? text.Length : end + 3;
    }

    void Take(int bytes) => _left -= bytes;

    /// <summary>Whether the next value cannot fit any more, even if it is emptied.</summary>
    bool IsSpent(JsonElement next)
    {
        var least = 8 * _size.OfString;
        if (next.ValueKind is JsonValueKind.Number) least += next.GetRawText().Length * _size.OfSign;
        if (_left > least) return false;
        _cut = true;
        return true;
    }
}

/// <summary>
/// Characters that are invisible, or that reorder the text around them: invisible text can carry instructions to a model that a person does not see.
/// </summary>
static class HiddenText
{
    // All of Unicode's Default_Ignorable_Code_Point, including its reserved ranges: joiners, fillers, variation selectors and tags among them. Scripts that
    // join with U+200C and U+200D, and emoji sequences, remain readable without them.
    static readonly (int First, int Last)[] Ignorable =
    [
        (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    ];

    public static bool Contains(Rune rune) => rune.Value is not ('\n' or '\t') && ((UnsafeText.IsUnsafe(rune) && !IsVisibleFormat(rune.Value))
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        || Array.Exists(Ignorable, range => rune.Value >= range.First && rune.Value <= range.Last) || rune.Value is 0x2800); // the blank Braille pattern

    /// <summary>Unicode's Prepended_Concatenation_Mark: signs of Arabic, Syriac and Kaithi numbers and verses, which are visible.</summary>
    static bool IsVisibleFormat(int value) => value is (>= 0x0600 and <= 0x0605) or 0x06DD or 0x070F or 0x0890 or 0x0891 or 0x08E2 or 0x110BD or 0x110CD;
}
