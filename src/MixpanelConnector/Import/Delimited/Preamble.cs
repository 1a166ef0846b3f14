using System.Text;

namespace MixpanelConnector.Import.Delimited;

/// <summary>Passes by what stands before the first row of a text: lines that are to be skipped, blank lines, and the line by which a spreadsheet program tells the delimiter.</summary>
/// <param name="request">Says how many lines are skipped.</param>
sealed class Preamble(ImportRequest request)
{
    int _toSkip = request.SkipLines;
    bool _looked;

    /// <summary>The lines that were passed.</summary>
    public long Lines { get; private set; }

    /// <summary>Whether all of it was passed.</summary>
    public bool IsPassed { get; private set; }

    /// <summary>Whether anything but blank lines was.</summary>
    public bool HoldsText => request.SkipLines > 0 || Delimiter is not null;

    /// <summary>The delimiter that a line <c>sep=;</c> tells; null for none.</summary>
    public byte? Delimiter { get; private set; }

    /// <summary>How much of a text is passed by now; the next call goes on after that.</summary>
    /// <param name="text">The text, from where the last call stopped.</param>
    /// <param name="ended">Whether nothing follows it.</param>
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

    /// <summary>The length of a first line <c>sep=;</c>, which may stand in quotes; 0 when it is another, null when it is not all there.</summary>
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
