using System.Buffers;
using System.Text.Json;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>
/// Reads consecutive JSON objects, each spanning any number of lines, as <c>jq .</c> writes them, or several per line. An unclosed object
/// ends where a line begins another object in a place where none is allowed.
/// </summary>
/// <param name="window">Positioned where reading begins.</param>
/// <param name="line">The number of line ends before it.</param>
sealed class JsonSequenceReader(InputWindow window, long line) : JsonValueReader(window, line)
{
    static readonly SearchValues<byte> Marks = SearchValues.Create("\"[]{}"u8);

    // 0x1e begins each text in JSON text sequences (RFC 7464).
    static readonly SearchValues<byte> Spaces = SearchValues.Create(" \t\r\n\u001e"u8);

    int _depth;
    ulong _objects; // one bit per open bracket, the innermost last: 1 for an object

    public override ValueTask<bool> FillAsync(CancellationToken cancellationToken) => Window.FillAsync(cancellationToken);

    /// <summary>Whether a text is such a sequence, judging by its beginning; null when that is not clear yet.</summary>
    /// <remarks>
    /// If the first object ends on the line on which it begins, each line is one record,
    /// unless lines end with CR alone or another object follows on the same line.
    /// </remarks>
    /// <param name="text">The beginning.</param>
    /// <param name="isAll">Whether there is no more text.</param>
    public static bool? Begins(ReadOnlySpan<byte> text, bool isAll = false)
    {
        text = text.TrimStart(" \t\r\n"u8);
        if (text is [0x1e, ..]) return text.IndexOfAnyExcept(Spaces) is var first && first >= 0 ? text[first] == '{' : isAll ? false : null;
        if (text is not [(byte)'{', ..]) return false;
        try
        {
            var reader = new Utf8JsonReader(text, isFinalBlock: false, default);
            reader.Read();
            if (!reader.TrySkip()) return isAll ? GoesOnWithName(text) : null;
            if (text[..(int)reader.BytesConsumed].Contains((byte)'\n')) return true;
            var rest = text[(int)reader.BytesConsumed..].TrimStart(" \t"u8);
            return rest is [] or [(byte)'\r'] && !isAll ? null : rest is [(byte)'\r', not (byte)'\n', ..] or [(byte)'{', ..];
        }
        catch (JsonException)
        {
            return GoesOnWithName(text);
        }
    }

    /// <summary>A truncated first line is followed by an object; the first line of a multi-line object, by a name.</summary>
    static bool GoesOnWithName(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)'\n');
        return end > 0 && text[..end].TrimEnd(" \t\r"u8) is [.., (byte)'{' or (byte)'[' or (byte)','] && text[end..].TrimStart(" \t\r\n"u8) is [(byte)'"', ..];
    }

    protected override void EndValue() => (_depth, _objects) = (0, 0);

    protected override bool FindValue()
    {
        var unread = Window.Unread;
        var space = unread.IndexOfAnyExcept(Spaces);
        Pass(unread[..(space < 0 ? unread.Length : space)]);
        return space >= 0;
    }

    protected override int? ValueLength()
    {
        var unread = Window.Unread;
        if (_depth == 0 && !IsOversized && unread[0] is not ((byte)'{' or (byte)'[')) return LineLength(unread);
        while (Scanned < unread.Length)
        {
            if (InString)
            {
                if (!PassString(unread, "\"\\\r\n"u8)) break; // strings contain no line ends: the quote before it was stray
                continue;
            }

            var mark = unread[Scanned..].IndexOfAny(Marks);
            if (mark < 0)
            {
                Scanned = unread.Length;
                break;
            }

            Scanned += mark;
            switch (unread[Scanned])
            {
                case (byte)'"':
                    InString = true;
                    break;
                case (byte)'{' when _depth > 0 && BeginsAnother(unread):
                    return unread[..Scanned].TrimEnd(" \t\r\n"u8).Length;
                case (byte)'{' or (byte)'[':
                    _depth++;
                    _objects = (_objects << 1) | (unread[Scanned] == '{' ? 1UL : 0);
                    break;
                default:
                    _objects >>= 1;
                    if (--_depth == 0) return ++Scanned;
                    break;
            }

            Scanned++;
        }

        PassBy(unread);
        return null;
    }

    /// <summary>The length of a value that is not an object or array: it ends with its line.</summary>
    int? LineLength(ReadOnlySpan<byte> unread)
    {
        var end = unread.IndexOfAny((byte)'\r', (byte)'\n');
        if (end >= 0 || Window.Ended) return unread[..(end < 0 ? unread.Length : end)].TrimEnd(" \t\r"u8).Length;
        Scanned = unread.Length;
        if (unread.Length > InputWindow.LargestRecord) throw new InputException($"is not a sequence of JSON objects: there is no object on line {ValueLine}");
        return null;
    }

    /// <summary>Whether a brace begins a line where no object is allowed: then the current value was not closed.</summary>
    bool BeginsAnother(ReadOnlySpan<byte> unread)
    {
        var indent = unread[..Scanned].TrimEnd(" \t"u8);
        if (indent is not [.., (byte)'\r' or (byte)'\n']) return false;
        var before = indent.TrimEnd(" \t\r\n"u8);
        if (before.IsEmpty) return false; // already released
        return before[^1] switch
        {
            (byte)':' or (byte)'[' => false,
            (byte)',' => (_objects & 1) == 1,
            _ => true,
        };
    }
}
