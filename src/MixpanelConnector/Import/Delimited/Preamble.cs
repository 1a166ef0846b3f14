using System.Text;

namespace MixpanelConnector.Import.Delimited;

/// <summary>
/// Skips everything before the first row of a text: lines to skip, blank lines, and the line with which a spreadsheet program specifies the delimiter.
/// </summary>
/// <param name="request">Specifies how many lines to skip.</param>
sealed class Preamble(ImportRequest request)
{
    int _toSkip = request.SkipLines;
    bool _looked;

    /// <summary>The number of lines skipped.</summary>
    public long Lines { get; private set; }

    /// <summary>Whether the whole preamble was skipped.</summary>
    public bool IsPassed { get; private set; }

    /// <summary>Whether the preamble contains anything but blank lines.</summary>
    public bool HoldsText => request.SkipLines > 0 || Delimiter is not null;

    /// <summary>The delimiter specified by a line such as <c>sep=;</c>; null for none.</summary>
    public byte? Delimiter { get; private set; }

    /// <summary>Returns how much of a text to skip now; the next call continues after that.</summary>
    /// <param name="text">The text, from where the last call stopped.</param>
    /// <param name="ended">Whether this is the end of the text.</param>
    public int Pass(ReadOnlySpan<byte> text, bool ended)
    {
        var at = 0;
        for (; _toSkip > 0; _toSkip--)
        {
            var end = text[at..].IndexOfAny((byte)'\r', (byte)'\n');
            if (end < 0) return text.Length;
            at += end;
            if (text[at..] is [(byte)'\r'] && !ended) return at; // its LF may follow
            at += LengthOfEnd(text[at..]);
            Lines++;
        }

        at += PassBlank(text[at..], ended);
        if (_looked || at == text.Length)
        {
            IsPassed = at < text.Length || ended;
            return at;
        }

        if (LengthOfTelling(text[at..], ended) is not { } telling) return at;
        _looked = true;
        Lines += telling > 0 ? 1 : 0;
        return telling > 0 ? at + telling + Pass(text[(at + telling)..], ended) : Passed(at);
    }

    int Passed(int at)
    {
        IsPassed = true;
        return at;
    }

    int PassBlank(ReadOnlySpan<byte> text, bool ended)
    {
        var blank = text.IndexOfAnyExcept((byte)'\r', (byte)'\n');
        if (blank < 0) blank = text.Length - (!ended && text.EndsWith("\r"u8) ? 1 : 0); // its LF may follow
        var passed = text[..blank];
        Lines += passed.Count((byte)'\n') + passed.Count((byte)'\r') - passed.Count("\r\n"u8);
        return blank;
    }

    /// <summary>The length of a first line such as <c>sep=;</c>, which may be quoted; 0 when it is a different line, null when it is incomplete.</summary>
    int? LengthOfTelling(ReadOnlySpan<byte> text, bool ended)
    {
        const int Longest = 9;
        var line = text[..Math.Min(text.Length, Longest)];
        var end = line.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0 && !ended && text.Length < Longest) return null;
        if (end == text.Length - 1 && text[end] == '\r' && !ended) return null; // its LF may follow
        line = end < 0 ? line : line[..end];
        if (line is [(byte)'"', .., (byte)'"']) line = line[1..^1];
        if (line.Length != 5 || !Ascii.EqualsIgnoreCase(line[..4], "sep="u8) || !Dialect.CanPart((char)line[4])) return 0;
        Delimiter = line[4];
        return end < 0 ? text.Length : end + LengthOfEnd(text[end..]);
    }

    static int LengthOfEnd(ReadOnlySpan<byte> text) => text.StartsWith("\r\n"u8) ? 2 : 1;
}
