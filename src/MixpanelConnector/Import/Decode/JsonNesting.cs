using System.Buffers;

namespace MixpanelConnector.Import.Decode;

/// <summary>Tracks the strings and brackets of a JSON text that arrives in parts, to determine whether it is complete.</summary>
struct JsonNesting
{
    static readonly SearchValues<byte> Marks = SearchValues.Create("\"[]{}"u8);

    long _depth;
    bool _inString;
    bool _escaped;
    bool _begun;
    bool _spoilt;

    /// <summary>Whether the text is complete with its last part: a single closed object or array, with nothing after it.</summary>
    public readonly bool IsWhole(ReadOnlySpan<byte> last)
    {
        var whole = this;
        whole.Pass(last);
        return whole is { _begun: true, _spoilt: false, _depth: 0, _inString: false };
    }

    public void Pass(ReadOnlySpan<byte> part)
    {
        while (!part.IsEmpty && !_spoilt)
        {
            var used = _inString ? PassString(part) : PassMark(part);
            part = part[used..];
        }
    }

    int PassString(ReadOnlySpan<byte> part)
    {
        if (_escaped)
        {
            _escaped = false;
            return 1;
        }

        var stop = part.IndexOfAny((byte)'"', (byte)'\\');
        if (stop < 0) return part.Length;
        _inString = _escaped = part[stop] == '\\';
        return stop + 1;
    }

    int PassMark(ReadOnlySpan<byte> part)
    {
        if (_depth == 0)
        {
            // Outside all brackets, only white space and one opening bracket are allowed.
            var first = part.IndexOfAnyExcept((byte)' ', (byte)'\t', (byte)'\r');
            if (first < 0) return part.Length;
            _spoilt = _begun || part[first] is not ((byte)'{' or (byte)'[');
            (_begun, _depth) = (true, 1);
            return first + 1;
        }

        var mark = part.IndexOfAny(Marks);
        if (mark < 0) return part.Length;
        if (part[mark] == '"') _inString = true;
        else _depth += part[mark] is (byte)'{' or (byte)'[' ? 1 : -1;
        return mark + 1;
    }
}
