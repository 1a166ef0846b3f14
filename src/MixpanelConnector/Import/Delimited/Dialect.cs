using System.Text;
using MixpanelConnector.Import.Columns;

namespace MixpanelConnector.Import.Delimited;

/// <summary>How cells and rows are delimited.</summary>
/// <param name="Delimiter">The character between two cells.</param>
/// <param name="EndsWithReturn">Whether a CR alone ends a row, as do LF and CR LF; otherwise it is text.</param>
readonly record struct Dialect(byte Delimiter, bool EndsWithReturn)
{
    /// <summary>The quote character, around a cell that contains delimiters; doubled within a cell. Null for none.</summary>
    public byte? Quote { get; init; } = (byte)'"';

    /// <summary>
    /// The escape character, which makes a delimiter, a quote, a line end or another escape
    /// literal; null for none. A backslash has more meanings: see <see cref="RowSplitter"/>.
    /// </summary>
    public byte? Escape { get; init; }

    /// <summary>The cells that are null in this dialect: MySQL and PostgreSQL write them like this when the escape is a backslash.</summary>
    public IReadOnlyList<string> Nulls => Escape == '\\' ? ["\\N"] : [];

    /// <summary>The delimiters that are detected, the most likely first.</summary>
    static ReadOnlySpan<byte> Usual => ",;\t|"u8;

    /// <summary>Whether a character can be a delimiter, a quote or an escape.</summary>
    public static bool CanPart(char text) => char.IsAscii(text) && !char.IsAsciiLetterOrDigit(text) && text is not ('\r' or '\n' or '\0');

    /// <summary>Creates the dialect from a delimiter and the request.</summary>
    public static Dialect Of(byte delimiter, ImportRequest request) => new(delimiter, EndsWithReturn: false)
    {
        Quote = (byte?)request.Quote,
        Escape = request.Escape == request.Quote ? null : (byte?)request.Escape,
    };

    /// <exception cref="MixpanelException">The dialect in the request contradicts itself.</exception>
    public static void EnsureSense(ImportRequest request)
    {
        if (request.Delimiter is { } delimiter && (!CanPart(delimiter) || delimiter == request.Quote || delimiter == request.Escape))
            throw MixpanelException.Invalid("delimiter",
                "The delimiter must be one ASCII character other than a letter, a digit, a line end, the quote or the escape.");
        if (request.Quote is { } quote && (!CanPart(quote) || quote == ' '))
            throw MixpanelException.Invalid("quote", "The quote must be one ASCII character other than a letter, a digit, a space or a line end.");
        if (request.Escape is { } escape && (!CanPart(escape) || escape == ' '))
            throw MixpanelException.Invalid("escape", "The escape must be one ASCII character other than a letter, a digit, a space or a line end.");
        if (request.Delimiter is not (null or '\t') && request.Format is "tsv")
            throw MixpanelException.Invalid("delimiter", "TSV is separated by tabs: omit the format or the delimiter.");
        if (request.DecimalSeparator is not ('.' or ',')) throw MixpanelException.Invalid("decimal", "The decimal separator must be a point or a comma.");
        if (request.SkipLines < 0) throw MixpanelException.Invalid("skip_lines", "The number of lines to skip must not be negative.");
        if (request.NoHeader && request.ColumnNames.Count == 0)
            throw MixpanelException.Invalid("column_names", $"Without a header, the columns need names: {request.InWords[Setting.ColumnNames]} A,B,…");
        if (request.ColumnNames.Count > 0 && request.ColumnNames.All(string.IsNullOrWhiteSpace))
            throw MixpanelException.Invalid("column_names", "None of the columns has a name.");
        if (request.ColumnNames.Where(name => name.Length > 0)
            .GroupBy(name => name, StringComparer.Ordinal)
            .FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw MixpanelException.Invalid("column_names", $"Two columns are named {RecordFields.Shown(twice.Key)}.");
    }

    /// <summary>Whether the request specifies how rows are delimited or whether there is a header: then any text is taken for rows.</summary>
    public static bool IsSaid(ImportRequest request) =>
        request is not { Delimiter: null, Quote: '"', Escape: null, SkipLines: 0, NoHeader: false, ColumnNames.Count: 0 };

    /// <summary>Detects the delimiter from a header: the one that yields the most known names, or else the most names without a misplaced quote.</summary>
    /// <param name="line">The first line. A name may continue after it.</param>
    /// <param name="request">Specifies which names are known.</param>
    public static byte DelimiterOf(ReadOnlySpan<byte> line, ImportRequest request)
    {
        var (best, delimiter) = ((Known: -1, Clean: false, Names: 0), Usual[0]);
        foreach (var candidate in Usual)
        {
            var dialect = Of(candidate, request);
            if (candidate == dialect.Quote || candidate == dialect.Escape) continue;
            var splitter = new RowSplitter(dialect);
            splitter.Split(line);
            var known = request.ColumnNames.Count == splitter.Count ? 1 : 0;
            for (var i = 0; i < splitter.Count && request.ColumnNames.Count == 0; i++)
                if (RecordFields.IsKnown(Encoding.UTF8.GetString(splitter.Cell(line, i)), request)) known++;
            var score = (known, !splitter.HasLooseQuote(line) && (!splitter.Malformed || splitter.Unclosed), splitter.Count);
            if (score.CompareTo(best) > 0) (best, delimiter) = (score, candidate);
        }

        return delimiter;
    }

    /// <summary>The common name of a delimiter.</summary>
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
