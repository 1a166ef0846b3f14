using System.Collections;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Delimited;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Lookup;

/// <summary>The position of a row of a lookup table.</summary>
/// <param name="Index">Its number below the header, from 0.</param>
/// <param name="Start">Its offset in the table.</param>
/// <param name="Length">Its length without the line end; 0 for an empty line, which is no row.</param>
/// <param name="Line">The line on which it begins.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct LookupRow(int Index, int Start, int Length, long Line);

/// <summary>
/// A lookup table in CSV (RFC 4180), scanned to find the rows that break a rule. Rows are counted without the header and without empty
/// lines. Nothing is changed. What it needs besides the text is bounded: a bit for each row, and while it is read, 64 MB for keys.
/// </summary>
sealed class LookupTable
{
    /// <summary>How many keys are compared with all others in one pass: 28 bytes each. In a table with more rows, only keys that may be repeated are.</summary>
    const int KeysPerPass = 1_000_000;

    /// <summary>How often a stop is looked for.</summary>
    const int RowsPerCheck = 1 << 16;

    static readonly Rejection InvalidCsv = new("invalid_csv", null, "a quote is out of place");
    static readonly Rejection InvalidUtf8 = new("invalid_utf8", null, "the row is not valid UTF-8");
    static readonly Rejection TooLarge = new("record_too_large", null, "the row has more than 1 MiB");
    static readonly Rejection WrongNumberOfFields = new("wrong_number_of_fields", null, "the row does not have as many fields as the header");
    static readonly Rejection KeyMissing = new("primary_key_missing", null, "the first field is the row's key, and must not be blank");
    static readonly Rejection KeyTwice = new("primary_key_twice", null, "an earlier row has the same key");

    readonly ReadOnlyMemory<byte> _csv;
    byte[][] _nulls = [];
    DelimitedHeader? _header;
    BitArray _rejected = new(0);
    bool _hasPreamble;
    int _headerAt;
    long _firstLine;

    LookupTable(ReadOnlyMemory<byte> csv) => _csv = csv;

    /// <summary>Whether there is a first row, which names the columns.</summary>
    public bool HasHeader => _header is not null;

    /// <summary>The number of rows below the header.</summary>
    public int Count { get; private set; }

    /// <summary>The number of rows that break a rule.</summary>
    public int RejectedCount { get; private set; }

    /// <summary>The number of empty lines.</summary>
    public long Blank { get; private set; }

    /// <exception cref="InputException">It is not a table.</exception>
    public static LookupTable Read(ReadOnlyMemory<byte> csv, ImportRequest request, CancellationToken cancellationToken) =>
        Read(csv, request, KeysPerPass, cancellationToken);

    /// <exception cref="InputException">It is not a table.</exception>
    internal static LookupTable Read(ReadOnlyMemory<byte> csv, ImportRequest request, int keysPerPass, CancellationToken cancellationToken)
    {
        var table = new LookupTable(csv);
        table.ReadHeader(csv.Span, request);
        if (table._header is not { } header) return table;
        table._nulls = [.. header.Dialect.Nulls.Select(Encoding.UTF8.GetBytes)];
        table.ReadRows(header, keysPerPass, cancellationToken);
        return table;
    }

    /// <summary>The rows below the header, in order.</summary>
    public IEnumerable<LookupRow> Rows() => _header is { } header ? Lines(FirstLine(header)).Where(line => line.Length > 0) : [];

    /// <summary>The rows that break a rule, in order.</summary>
    public IEnumerable<(LookupRow Row, Rejection Rejection)> Rejected()
    {
        if (RejectedCount == 0) return [];
        var splitter = new RowSplitter(_header!.Dialect);
        return Rows().Where(row => _rejected[row.Index]).Select(row => (row, Fault(row, splitter) ?? KeyTwice));
    }

    /// <summary>The bytes of a row, as they are in the file.</summary>
    public ReadOnlySpan<byte> TextOf(LookupRow row) => _csv.Span.Slice(row.Start, row.Length);

    /// <summary>The size of the table as Mixpanel accepts it. For a table that breaks no rule.</summary>
    public long LengthWithCommas()
    {
        if (_header is not { } header || IsSentAsItIs(header)) return _csv.Length;
        var splitter = new RowSplitter(header.Dialect);
        return HeaderAndRows().Sum(row => (long)LengthWithCommas(splitter, row.Span));
    }

    /// <summary>Returns the table as Mixpanel accepts it: cells separated by commas, rows ended by LF.</summary>
    /// <param name="length">Its <see cref="LengthWithCommas()"/>.</param>
    public ReadOnlyMemory<byte> WithCommas(long length)
    {
        if (_header is not { } header || IsSentAsItIs(header)) return _csv;
        var splitter = new RowSplitter(header.Dialect);
        var text = GC.AllocateUninitializedArray<byte>((int)length);
        var at = 0;
        foreach (var row in HeaderAndRows()) at += Write(text.AsSpan(at), splitter, row.Span);
        return text;
    }

    bool IsSentAsItIs(DelimitedHeader header) => header.Dialect == new Dialect((byte)',', EndsWithReturn: false) && !_hasPreamble;

    void ReadHeader(ReadOnlySpan<byte> csv, ImportRequest request)
    {
        var preamble = new Preamble(request);
        _headerAt = preamble.Pass(csv, ended: true);
        (_firstLine, _hasPreamble) = (preamble.Lines, preamble.HoldsText);
        if (!_hasPreamble) Blank = preamble.Lines;
        if (_headerAt == csv.Length) return;
        if (csv[_headerAt] is (byte)'{' or (byte)'[' && request.Format is null)
            throw new InputException("begins like JSON. A lookup table must be CSV: convert it, or, if it is CSV, name the format");
        byte? delimiter = request.Delimiter is { } asked ? (byte)asked : preamble.Delimiter ?? (request.Format is "tsv" ? (byte)'\t' : null);
        var header = DelimitedHeader.Read(csv[_headerAt..], ended: true, delimiter, request)!;
        if (header.Names.Distinct(StringComparer.Ordinal).Count() != header.Names.Count)
            throw new InputException("has a header with a duplicate name: the first row must name the columns, each with a unique name");
        if (delimiter is null && header.Dialect.Delimiter != ',')
            throw new InputException($"has cells that are separated by {Dialect.NameOf(header.Dialect.Delimiter)}, but Mixpanel accepts only commas. "
                + $"With {request.InWords[Setting.Delimiter.With(header.Dialect.Delimiter == '\t' ? "tab" : ((char)header.Dialect.Delimiter).ToString())]}, it is sent with commas");
        if (delimiter is null && header.Dialect.EndsWithReturn)
            throw new InputException(
                $"has lines that end with only CR, which Mixpanel does not accept. Convert them to LF; with {request.InWords[Setting.Delimiter.With(",")]}, it is sent with LF");
        _header = header;
    }

    void ReadRows(DelimitedHeader header, int keysPerPass, CancellationToken cancellationToken)
    {
        var splitter = new RowSplitter(header.Dialect);
        var most = _csv.Span.Count((byte)'\n') + (header.Dialect.EndsWithReturn ? _csv.Span.Count((byte)'\r') : 0) + 1;
        _rejected = new BitArray(most);
        var twice = most > keysPerPass ? new RepeatedHashes(most) : null;
        var keys = new HashSet<Hash128>(Math.Min(most, keysPerPass));
        LookupRow? next = null; // the first row whose key did not fit
        foreach (var line in Lines(FirstLine(header)))
        {
            if (Count % RowsPerCheck == 0) cancellationToken.ThrowIfCancellationRequested();
            if (line.Length == 0)
            {
                Blank++;
                continue;
            }

            Count++;
            if (Fault(line, splitter) is not null) Reject(line);
            else if (twice is not null) twice.Add(Hash(line));
            else if (!keys.Add(Hash(line))) Reject(line);
        }

        if (twice is not null) next = FirstLine(header);
        while (next is { } first)
        {
            next = null;
            keys.Clear();
            foreach (var row in Lines(first))
            {
                if (row.Index % RowsPerCheck == 0) cancellationToken.ThrowIfCancellationRequested();
                if (row.Length == 0 || _rejected[row.Index]) continue;
                splitter.Split(TextOf(row));
                var key = Hash(row);
                if (!twice!.Contains(key)) continue;
                if (keys.Contains(key)) Reject(row);
                else if (keys.Count < keysPerPass) keys.Add(key);
                else next ??= row;
            }
        }

        Hash128 Hash(LookupRow row) => Hash128.Of(Cell(splitter, TextOf(row), 0));
    }

    void Reject(LookupRow row)
    {
        _rejected[row.Index] = true;
        RejectedCount++;
    }

    LookupRow FirstLine(DelimitedHeader header) => new(0, _headerAt + header.Length, 0, _firstLine + header.Lines + 1);

    /// <summary>The lines from the given one on.</summary>
    /// <exception cref="InputException">A quote is not closed.</exception>
    IEnumerable<LookupRow> Lines(LookupRow first)
    {
        var splitter = new RowSplitter(_header!.Dialect);
        var next = first;
        while (next.Start < _csv.Length)
        {
            var line = Line(splitter, ref next);
            yield return line;
        }
    }

    /// <summary>Finds the end of a line, and the next one.</summary>
    LookupRow Line(RowSplitter splitter, ref LookupRow at)
    {
        var rest = _csv.Span[at.Start..];
        splitter.Reset();
        var length = splitter.LengthOfRow(rest, ended: true);
        if (length < 0 && splitter.IsOpen) throw new InputException("ends within quotes: it is truncated, or a quote is out of place");
        var text = length < 0 ? rest : rest[..length];
        var content = text.EndsWith("\r"u8) ? text[..^1] : text;
        var line = at with { Length = content.Length };
        at = new LookupRow(at.Index + (content.IsEmpty ? 0 : 1), at.Start + text.Length + (length < 0 ? 0 : splitter.EndLength), 0,
            at.Line + splitter.CountLines(text) + 1);
        return line;
    }

    /// <summary>The rule that a row breaks by itself; null if none. The splitter has its cells, unless it is too large.</summary>
    Rejection? Fault(LookupRow row, RowSplitter splitter)
    {
        if (row.Length > InputWindow.LargestRecord) return TooLarge;
        var text = TextOf(row);
        splitter.Split(text);
        if (splitter.Malformed || splitter.HasLooseQuote(text)) return InvalidCsv;
        if (!Utf8.IsValid(text)) return InvalidUtf8;
        if (splitter.Count != _header!.Names.Count) return WrongNumberOfFields;
        return Cell(splitter, text, 0).IndexOfAnyExcept(" \t\r\n"u8) < 0 ? KeyMissing : null;
    }

    /// <summary>The text of a cell; empty for one that the dialect writes as null.</summary>
    ReadOnlySpan<byte> Cell(RowSplitter splitter, ReadOnlySpan<byte> row, int index)
    {
        foreach (var written in _nulls)
            if (splitter.Spelling(row, index).SequenceEqual(written)) return default;
        return splitter.Cell(row, index);
    }

    IEnumerable<ReadOnlyMemory<byte>> HeaderAndRows() =>
        Rows().Select(row => _csv.Slice(row.Start, row.Length)).Prepend(_csv.Slice(_headerAt, _header!.Length).TrimEnd("\r\n"u8));

    int LengthWithCommas(RowSplitter splitter, ReadOnlySpan<byte> row)
    {
        splitter.Split(row);
        var length = splitter.Count;
        for (var i = 0; i < splitter.Count; i++)
        {
            var cell = Cell(splitter, row, i);
            length += cell.Length + (NeedsQuotes(cell) ? 2 + cell.Count((byte)'"') : 0);
        }

        return length;
    }

    int Write(Span<byte> text, RowSplitter splitter, ReadOnlySpan<byte> row)
    {
        splitter.Split(row);
        var at = 0;
        for (var i = 0; i < splitter.Count; i++)
        {
            var cell = Cell(splitter, row, i);
            if (!NeedsQuotes(cell))
            {
                cell.CopyTo(text[at..]);
                at += cell.Length;
            }
            else
            {
                text[at++] = (byte)'"';
                foreach (var one in cell)
                {
                    if (one == '"') text[at++] = one;
                    text[at++] = one;
                }

                text[at++] = (byte)'"';
            }

            text[at++] = (byte)(i + 1 < splitter.Count ? ',' : '\n');
        }

        return at;
    }

    static bool NeedsQuotes(ReadOnlySpan<byte> cell) => cell.IndexOfAny(",\"\r\n"u8) >= 0;
}
