using System.Text;
using MixpanelConnector.Import.Columns;

namespace MixpanelConnector.Import.Delimited;

/// <summary>What parts the cells of a row, and the rows.</summary>
/// <param name="Delimiter">Between two cells.</param>
/// <param name="EndsWithReturn">Whether a CR alone ends a row, as do LF and CR LF; otherwise it is text.</param>
readonly record struct Dialect(byte Delimiter, bool EndsWithReturn)
{
    /// <summary>The delimiters that are found out, in the order in which they are likely.</summary>
    static ReadOnlySpan<byte> Usual => ",;\t|"u8;

    /// <summary>Whether a character can part cells.</summary>
    public static bool CanPart(char text) => char.IsAscii(text) && !char.IsAsciiLetterOrDigit(text) && text is not ('"' or '\r' or '\n' or '\0');

    /// <summary>The delimiter of a header: the one that gives the most names which are known, else the most names, with no quote where none can be.</summary>
    /// <param name="line">The first line. A name may go on after it.</param>
    /// <param name="request">Says which names are known.</param>
    public static byte DelimiterOf(ReadOnlySpan<byte> line, ImportRequest request)
    {
        var (best, delimiter) = ((Known: -1, Clean: false, Names: 0), Usual[0]);
        foreach (var candidate in Usual)
        {
            var splitter = new RowSplitter(new Dialect(candidate, EndsWithReturn: false));
            splitter.Split(line);
            var known = 0;
            for (var i = 0; i < splitter.Count; i++)
                if (RecordFields.IsKnown(Encoding.UTF8.GetString(splitter.Cell(line, i)), request)) known++;
            var score = (known, !splitter.HasLooseQuote(line) && (!splitter.Malformed || splitter.Unclosed), splitter.Count);
            if (score.CompareTo(best) > 0) (best, delimiter) = (score, candidate);
        }

        return delimiter;
    }

    /// <summary>As people call a delimiter.</summary>
    public static string NameOf(byte delimiter) => delimiter switch
    {
        (byte)',' => "commas",
        (byte)';' => "semicolons",
        (byte)'\t' => "tabs",
        (byte)'|' => "vertical bars",
        < (byte)' ' => $"the control character {delimiter}",
        _ => $"'{(char)delimiter}'",
    };
}
