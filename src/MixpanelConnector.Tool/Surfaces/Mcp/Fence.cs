using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MixpanelConnector.Tool.Surfaces.Mcp;

/// <summary>
/// Makes an answer fit for a model. What others wrote into events and profiles may try to steer it: characters that hide or
/// turn text, escape sequences of terminals and links of Markdown are taken out; a text has at most 1 KB and the whole 64 KB.
/// Where something was cut, <c>truncated</c> says so. The JSON keeps its form.
/// </summary>
sealed class Fence
{
    public const int MostBytes = 64 << 10;
    public const int MostTextBytes = 1 << 10;
    public const string Truncated = "truncated";
    const int Reserve = 1 << 10;

    int _left = MostBytes - Reserve;
    bool _cut;

    Fence() { }

    public static JsonObject Around(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var element = JsonElement.ParseValue(ref reader);
        var fence = new Fence();
        // Plain facts first: lists and what they hold take what is left.
        var members = element.EnumerateObject().ToList();
        var cleaned = members.OrderBy(member => member.Value.ValueKind is JsonValueKind.Array or JsonValueKind.Object).ToDictionary(member => member.Name, member => fence.Clean(member.Value), StringComparer.Ordinal);
        var answer = new JsonObject();
        foreach (var member in members) answer[member.Name] = cleaned[member.Name];
        if (fence._cut) answer[Truncated] = true;
        return answer;
    }

    /// <summary>A text of ours that may quote others.</summary>
    public static string Text(string text) => new Fence().Clean(text, MostTextBytes);

    JsonNode? Clean(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                return Clean(element.GetString()!, MostTextBytes);
            case JsonValueKind.Array:
                return CleanItems(element);
            case JsonValueKind.Object:
                return CleanMembers(element);
            case JsonValueKind.Null:
                Take(5);
                return null;
            default:
                Take(element.GetRawText().Length + 1);
                return JsonValue.Create(element);
        }
    }

    JsonArray CleanItems(JsonElement element)
    {
        var items = new JsonArray();
        foreach (var item in element.EnumerateArray())
        {
            if (Spent()) break;
            items.Add(Clean(item));
        }

        return items;
    }

    JsonObject CleanMembers(JsonElement element)
    {
        var members = new JsonObject();
        foreach (var member in element.EnumerateObject())
        {
            if (Spent()) break;
            var name = Clean(member.Name, MostTextBytes);
            Take(4);
            if (!members.ContainsKey(name)) members[name] = Clean(member.Value);
            else _cut = true;
        }

        return members;
    }

    string Clean(string text, int most)
    {
        most = Math.Clamp(_left - 4, 0, most);
        var clean = new StringBuilder(Math.Min(text.Length, most));
        var bytes = 0;
        for (var index = 0; index < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(index), out var rune, out var consumed) is not System.Buffers.OperationStatus.Done) rune = Rune.ReplacementChar;
            if (rune.Value is 0x1B) consumed = EscapeLength(text.AsSpan(index));
            index += consumed;
            if (IsHidden(rune)) continue;
            // What JSON escapes takes more room.
            var size = rune.Value is '"' or '\\' or '\n' or '\t' or '<' or '>' or '&' or '\'' or '+' or '`' ? 6 : rune.Utf8SequenceLength;
            if (bytes + size > most)
            {
                _cut = true;
                break;
            }

            // A link or an image of Markdown needs the two side by side.
            if (rune.Value is '(' && clean.Length > 0 && clean[^1] == ']') clean.Append(' ');
            clean.Append(rune.ToString());
            bytes += size;
        }

        Take(bytes + 4);
        return clean.ToString();
    }

    static bool IsHidden(Rune rune) => rune.Value is not ('\n' or '\t') && (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        || rune.Value is (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF) or 0x115F or 0x1160 or 0x3164 or 0xFFA0 or 0x2800); // variation selectors and blanks that look like nothing

    /// <summary>An escape sequence of a terminal, as a whole: CSI to its final letter, OSC and its kin to their end.</summary>
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

    bool Spent()
    {
        if (_left > 16) return false;
        _cut = true;
        return true;
    }
}
