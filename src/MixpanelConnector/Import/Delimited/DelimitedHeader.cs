using System.Text;
using System.Text.Unicode;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Delimited;

/// <summary>
/// The first row of a delimited text. It names the columns, unless the request does, and determines the dialect. All readers of delimited text start here.
/// </summary>
/// <param name="Names">The columns' names.</param>
/// <param name="Dialect">How the text is delimited.</param>
/// <param name="Length">Its length in bytes, including the line end; 0 when it is an ordinary row.</param>
/// <param name="Lines">The number of lines it spans.</param>
sealed record DelimitedHeader(IReadOnlyList<string> Names, Dialect Dialect, int Length, long Lines)
{
    /// <summary>Reads the header from the beginning of a text, without leading blank lines; null when more text is needed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ended">Whether this is the end of the text.</param>
    /// <param name="delimiter">The cell delimiter; null to detect it.</param>
    /// <param name="request">Specifies which names are known.</param>
    /// <exception cref="InputException">It is not a header.</exception>
    public static DelimitedHeader? Read(ReadOnlySpan<byte> text, bool ended, byte? delimiter, ImportRequest request)
    {
        var isLong = text.Length > InputWindow.LargestRecord;
        return Find(isLong ? text[..InputWindow.LargestRecord] : text, ended && !isLong, delimiter, request)
            ?? (isLong ? throw new InputException("has a header row of more than 1 MiB: it is not delimited text, or a quote is not closed") : null);
    }

    static DelimitedHeader? Find(ReadOnlySpan<byte> text, bool ended, byte? delimiter, ImportRequest request)
    {
        var line = text.IndexOfAny((byte)'\r', (byte)'\n');
        if (line < 0 && !ended) return null;
        var dialect = Dialect.Of(delimiter ?? Dialect.DelimiterOf(line < 0 ? text : text[..line], request), request) with { EndsWithReturn = true };
        var splitter = new RowSplitter(dialect);
        var length = splitter.LengthOfRow(text, ended);
        if (length < 0 && !ended) return null;
        if (request.NoHeader)
            return new DelimitedHeader(request.ColumnNames, dialect with { EndsWithReturn = length >= 0 && splitter.EndLength == 1 && text[length] == '\r' },
                Length: 0, Lines: 0);
        if (length < 0 && splitter.IsOpen) throw new InputException("ends within its header row: a quote is not closed there");

        var end = length < 0 ? 0 : splitter.EndLength;
        var row = length < 0 ? text : text[..length];
        var names = NamesOf(splitter, row);
        if (!Utf8.IsValid(row)) throw new InputException($"has a header row that is not UTF-8: {request.InWords[Setting.Encoding]} sets the encoding, such as windows-1252");
        if (splitter.Malformed) throw new InputException("has a header row with a quote in the wrong place");
        if (names.Exists(name => HoldsRows(name, dialect, names.Count)))
            throw new InputException("has a column whose name contains whole rows: a quote is not closed in the header row");
        if (request.ColumnNames.Count > 0)
        {
            if (request.ColumnNames.Count != names.Count)
                throw new InputException($"has a header row with {Counted.Of(names.Count, "cell")}, but {request.InWords[Setting.ColumnNames]} has {request.ColumnNames.Count}")
                {
                    Option = length < 0 ? null : "column_names",
                };
            names = [.. request.ColumnNames];
        }
        else if (names.TrueForAll(string.IsNullOrWhiteSpace))
        {
            throw new InputException("has a header row without a name");
        }

        if (names is [var only] && only.AsSpan().IndexOfAny(",;\t|") is var other and >= 0)
            throw new InputException($"has only one column: its cells are not "
                + $"separated by {Dialect.NameOf(dialect.Delimiter)}{(request.Delimiter is null ? "" : $", the {request.InWords[Setting.Delimiter]}")}, but perhaps by {Dialect.NameOf((byte)only[other])}{(request.Delimiter is null ? $". If so, set {request.InWords[Setting.Delimiter]}" : "")}")
            {
                Option = request.Delimiter is null || length < 0 ? null : "delimiter",
            };
        return new DelimitedHeader(names, dialect with { EndsWithReturn = end == 1 && text[length] == '\r' }, row.Length + end,
            splitter.CountLines(text[..(row.Length + end)]));
    }

    static List<string> NamesOf(RowSplitter splitter, ReadOnlySpan<byte> row)
    {
        splitter.Split(row);
        var names = new List<string>(splitter.Count);
        for (var i = 0; i < splitter.Count; i++) names.Add(Encoding.UTF8.GetString(splitter.Cell(row, i)));
        return names;
    }

    /// <summary>Whether one line of a multi-line name has as many cells as a row: then it is a row.</summary>
    static bool HoldsRows(string name, Dialect dialect, int columns) =>
        columns > 1 && name.AsSpan().ContainsAny('\r', '\n')
            && Array.Exists(name.Split('\r', '\n'), line => line.AsSpan().Count((char)dialect.Delimiter) >= columns - 1);
}
