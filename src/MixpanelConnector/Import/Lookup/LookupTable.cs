using System.Buffers;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Lookup;

/// <summary>The position of a row of a lookup table.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct LookupRow(int Start, int Length, long Line);

/// <summary>
/// A lookup table in CSV (RFC 4180), scanned once to find its rows and those that break a rule. Rows are counted
/// without the header and without empty lines. Nothing is changed.
/// </summary>
sealed class LookupTable
{
    static readonly Rejection InvalidCsv = new("invalid_csv", null, "a quote is out of place");
    static readonly Rejection InvalidUtf8 = new("invalid_utf8", null, "the row is not valid UTF-8");
    static readonly Rejection TooLarge = new("record_too_large", null, "the row has more than 1 MiB");
    static readonly Rejection WrongNumberOfFields = new("wrong_number_of_fields", null, "the row does not have as many fields as the header");
    static readonly Rejection KeyMissing = new("primary_key_missing", null, "the first field is the row's key, and must not be blank");
    static readonly Rejection KeyTwice = new("primary_key_twice", null, "an earlier row has the same key");

    readonly HashSet<UInt128> _keys = [];
    DelimitedHeader? _header;
    bool _hasPreamble;
    int _headerAt;
    long _firstLine;

    /// <summary>The rows below the header, in order.</summary>
    public List<LookupRow> Rows { get; } = [];

    /// <summary>The rows that break a rule, by index.</summary>
    public List<(int Index, Rejection Rejection)> Rejected { get; } = [];

    /// <summary>Whether there is a first row, which names the columns.</summary>
    public bool HasHeader => _header is not null;

    /// <summary>The number of empty lines.</summary>
    public long Blank { get; private set; }

    /// <exception cref="InputException">It is not a table.</exception>
    public static LookupTable Read(ReadOnlySpan<byte> csv, ImportRequest request)
    {
        var table = new LookupTable();
        table.ReadHeader(csv, request);
        if (table._header is { } header) table.ReadRows(csv, header);
        return table;
    }

    /// <summary>Returns the table as Mixpanel accepts it: cells separated by commas, rows ended by LF.</summary>
    public ReadOnlyMemory<byte> WithCommas(ReadOnlyMemory<byte> csv)
    {
        if (_header is not { } header || header.Dialect == new Dialect((byte)',', EndsWithReturn: false) && !_hasPreamble) return csv;
        var text = new ArrayBufferWriter<byte>(csv.Length + 16);
        var splitter = new RowSplitter(header.Dialect);
        Write(text, splitter, csv.Span.Slice(_headerAt, header.Length).TrimEnd("\r\n"u8));
        foreach (var row in Rows) Write(text, splitter, Of(csv.Span, row));
        return text.WrittenMemory;
    }

    void ReadHeader(ReadOnlySpan<byte> csv, ImportRequest request)
    {
        var preamble = new Preamble(request);
        _headerAt = preamble.Pass(csv, ended: true);
        (_firstLine, _hasPreamble) = (preamble.Lines, preamble.HoldsText);
        if (!_hasPreamble) Blank = preamble.Lines;
        if (_headerAt == csv.Length) return;
        if (csv[_headerAt] is (byte)'{' or (byte)'[' && request.Format is null) throw new InputException("begins like JSON. A lookup table must be CSV: convert it, or, if it is CSV, name the format");
        byte? delimiter = request.Delimiter is { } asked ? (byte)asked : preamble.Delimiter ?? (request.Format is "tsv" ? (byte)'\t' : null);
        var header = DelimitedHeader.Read(csv[_headerAt..], ended: true, delimiter, request)!;
        if (header.Names.Distinct(StringComparer.Ordinal).Count() != header.Names.Count) throw new InputException("has a header with a duplicate name: the first row must name the columns, each with a unique name");
        if (delimiter is null && header.Dialect.Delimiter != ',')
            throw new InputException($"has cells that are separated by {Dialect.NameOf(header.Dialect.Delimiter)}, but Mixpanel accepts only commas. With --delimiter '{(header.Dialect.Delimiter == '\t' ? "tab" : ((char)header.Dialect.Delimiter).ToString())}', it is sent with commas");
        if (delimiter is null && header.Dialect.EndsWithReturn)
            throw new InputException("has lines that end with only CR, which Mixpanel does not accept. Convert them to LF; with --delimiter ',', it is sent with LF");
        _header = header;
    }

    void ReadRows(ReadOnlySpan<byte> csv, DelimitedHeader header)
    {
        var splitter = new RowSplitter(header.Dialect);
        var at = _headerAt + header.Length;
        var line = _firstLine + header.Lines;
        while (at < csv.Length)
        {
            var rest = csv[at..];
            splitter.Reset();
            var length = splitter.LengthOfRow(rest, ended: true);
            if (length < 0 && splitter.IsOpen) throw new InputException("ends within quotes: it is truncated, or a quote is out of place");
            var text = length < 0 ? rest : rest[..length];
            var end = length < 0 ? 0 : splitter.EndLength;
            var content = text.EndsWith("\r"u8) ? text[..^1] : text;
            if (content.IsEmpty) Blank++;
            else Take(csv, new LookupRow(at, content.Length, line + 1), splitter, header.Names.Count);
            line += splitter.CountLines(text) + 1;
            at += text.Length + end;
        }
    }

    void Take(ReadOnlySpan<byte> csv, LookupRow row, RowSplitter splitter, int columns)
    {
        var text = Of(csv, row);
        if (row.Length > InputWindow.LargestRecord)
        {
            Rejected.Add((Rows.Count, TooLarge));
            Rows.Add(row);
            return;
        }

        splitter.Split(text);
        var key = splitter.Cell(text, 0);
        if (splitter.Malformed || splitter.HasLooseQuote(text)) Rejected.Add((Rows.Count, InvalidCsv));
        else if (!Utf8.IsValid(text)) Rejected.Add((Rows.Count, InvalidUtf8));
        else if (splitter.Count != columns) Rejected.Add((Rows.Count, WrongNumberOfFields));
        else if (key.IndexOfAnyExcept(" \t\r\n"u8) < 0) Rejected.Add((Rows.Count, KeyMissing));
        else if (!_keys.Add(XxHash128.HashToUInt128(key))) Rejected.Add((Rows.Count, KeyTwice));
        Rows.Add(row);
    }

    static void Write(ArrayBufferWriter<byte> text, RowSplitter splitter, ReadOnlySpan<byte> row)
    {
        splitter.Split(row);
        for (var i = 0; i < splitter.Count; i++)
        {
            if (i > 0) text.Write(","u8);
            var cell = splitter.Cell(row, i);
            if (cell.IndexOfAny(",\"\r\n"u8) < 0)
            {
                text.Write(cell);
                continue;
            }

            text.Write("\""u8);
            while (cell.IndexOf((byte)'"') is var quote and >= 0)
            {
                text.Write(cell[..(quote + 1)]);
                text.Write("\""u8);
                cell = cell[(quote + 1)..];
            }

            text.Write(cell);
            text.Write("\""u8);
        }

        text.Write("\n"u8);
    }

    static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> csv, LookupRow row) => csv.Slice(row.Start, row.Length);
}
