using System.Buffers;
using System.Runtime.InteropServices;

namespace MixpanelConnector.Import.Delimited;

/// <summary>
/// Splits text into rows and rows into cells according to RFC 4180: a quote at the beginning of a cell opens it, and is doubled within it.
/// If the dialect has an escape, it makes delimiters, quotes and line ends literal; before anything else it is literal itself. A backslash is also
/// interpreted as in the text formats of MySQL and PostgreSQL: before certain letters it forms a control character, before any other character it is removed.
/// </summary>
sealed class RowSplitter(Dialect dialect)
{
    [StructLayout(LayoutKind.Auto)]
    readonly record struct Span(int Start, int Length, bool Quoted, bool Doubled, bool Escaped);

    // -1 for none: no byte has this value.
    readonly int _quote = dialect.Quote ?? -1;
    readonly int _escape = dialect.Escape ?? -1;
    readonly bool _readsLetters = dialect.Escape == '\\';
    readonly SearchValues<byte> _marks = SearchValues.Create([dialect.Delimiter, (byte)'\n', .. dialect.EndsWithReturn
        ? "\r"u8
        : [], .. dialect.Escape is { } escape ? [escape] : (ReadOnlySpan<byte>)[]]);

    Span[] _cells = new Span[32];
    byte[] _unquoted = [];

    // The state of the search for the end of the current row.
    int _scanned;
    bool _inQuotes;
    bool _inCell;
    bool _endsWithEscape;

    public int Count { get; private set; }

    /// <summary>Whether a cell of the row continues after its closing quote, or has none.</summary>
    public bool Malformed { get; private set; }

    /// <summary>Whether the last cell of the row has no closing quote.</summary>
    public bool Unclosed { get; private set; }

    /// <summary>The length of the line end of the last row found.</summary>
    public int EndLength { get; private set; }

    /// <summary>How much of the text was scanned without finding the end of the row.</summary>
    public int Scanned => _scanned;

    /// <summary>Whether the row as scanned so far ends within a quoted cell, or with an incomplete escape.</summary>
    public bool IsOpen => _inQuotes || _endsWithEscape;

    /// <summary>Discards scanned bytes at the beginning of the text.</summary>
    public void Forget(int count) => _scanned -= count;

    /// <summary>Begins a new row.</summary>
    public void Reset() => (_scanned, _inQuotes, _inCell, _endsWithEscape) = (0, false, false, false);

    /// <summary>
    /// The length of the row at the beginning of the text, without its line end; -1 when the row is incomplete. Continues where the last call stopped.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="ended">Whether this is the end of the text.</param>
    public int LengthOfRow(ReadOnlySpan<byte> text, bool ended)
    {
        _endsWithEscape = false;
        while (_scanned < text.Length)
        {
            if (_inQuotes)
            {
                var quote = _escape < 0 ? text[_scanned..].IndexOf((byte)_quote) : text[_scanned..].IndexOfAny((byte)_quote, (byte)_escape);
                if (quote < 0)
                {
                    _scanned = text.Length;
                    break;
                }

                _scanned += quote;
                if (text[_scanned] == _escape)
                {
                    if (!PassEscape(text, ended)) break;
                    continue;
                }

                if (_scanned + 1 == text.Length && !ended) break; // a second quote may follow
                if (_scanned + 1 < text.Length && text[_scanned + 1] == _quote)
                {
                    _scanned += 2;
                    continue;
                }

                _inQuotes = false;
                _scanned++;
                continue;
            }

            if (!_inCell)
            {
                _inCell = true;
                if (text[_scanned] == _quote)
                {
                    _inQuotes = true;
                    _scanned++;
                    continue;
                }
            }

            var mark = Mark(text[_scanned..]);
            if (mark < 0)
            {
                _scanned = text.Length;
                break;
            }

            _scanned += mark;
            if (text[_scanned] == _escape)
            {
                if (!PassEscape(text, ended)) break;
                continue;
            }

            if (text[_scanned] != dialect.Delimiter)
            {
                var isReturn = text[_scanned] == '\r';
                if (isReturn && _scanned + 1 == text.Length && !ended) break; // a line feed may follow
                EndLength = isReturn && text[(_scanned + 1)..].StartsWith("\n"u8) ? 2 : 1;
                return _scanned;
            }

            _scanned++;
            _inCell = false;
        }

        return -1;
    }

    /// <summary>Finds the end of a cell, or an escape. Few cells are long enough to justify the setup cost of searching for a set of values.</summary>
    int Mark(ReadOnlySpan<byte> text) =>
        _escape >= 0 ? text.IndexOfAny(_marks)
        : dialect.EndsWithReturn ? text.IndexOfAny(dialect.Delimiter, (byte)'\n', (byte)'\r')
        : text.IndexOfAny(dialect.Delimiter, (byte)'\n');

    /// <summary>Skips an escape and the character it escapes; false when that is not available yet.</summary>
    bool PassEscape(ReadOnlySpan<byte> text, bool ended)
    {
        var next = text[(_scanned + 1)..];
        _endsWithEscape = next.IsEmpty || (next is [(byte)'\r'] && !ended); // a line feed may follow
        if (_endsWithEscape) return false;
        _scanned += LengthOfEscaped(next) + 1;
        return true;
    }

    static int LengthOfEscaped(ReadOnlySpan<byte> text) => text.StartsWith("\r\n"u8) ? 2 : 1;

    /// <summary>Counts the line ends in a text that does not split a CR from its LF.</summary>
    public int CountLines(ReadOnlySpan<byte> text) =>
        text.Count((byte)'\n') + (dialect.EndsWithReturn ? text.Count((byte)'\r') - text.Count("\r\n"u8) : 0);

    /// <summary>Finds the cells of a row without its line end.</summary>
    public void Split(ReadOnlySpan<byte> row)
    {
        (Count, Malformed, Unclosed) = (0, false, false);
        var at = 0;
        while (true)
        {
            var cell = at < row.Length && row[at] == _quote ? Quoted(row, ref at) : Plain(row, ref at);
            if (Count == _cells.Length) Array.Resize(ref _cells, Count * 2);
            _cells[Count++] = cell;
            if (at >= row.Length) return;
            at++; // the delimiter; a row that ends with one has an empty last cell
        }
    }

    /// <summary>Whether a cell is quoted.</summary>
    public bool IsQuoted(int index) => _cells[index].Quoted;

    /// <summary>The text of a cell, without its quotes. Valid until the next call.</summary>
    public ReadOnlySpan<byte> Cell(ReadOnlySpan<byte> row, int index)
    {
        var (start, length, quoted, doubled, escaped) = _cells[index];
        var cell = row.Slice(start, length);
        if (!doubled && !escaped) return cell;
        if (_unquoted.Length < length) _unquoted = new byte[Math.Max(length, 256)];
        if (escaped) return Unescaped(cell, quoted);
        var written = 0;
        while (cell.IndexOf((byte)_quote) is var quote and >= 0)
        {
            cell[..(quote + 1)].CopyTo(_unquoted.AsSpan(written));
            written += quote + 1;
            cell = cell[Math.Min(quote + 2, cell.Length)..];
        }

        cell.CopyTo(_unquoted.AsSpan(written));
        return _unquoted.AsSpan(0, written + cell.Length);
    }

    /// <summary>A cell as written in the row, with its quotes and escapes.</summary>
    public ReadOnlySpan<byte> Spelling(ReadOnlySpan<byte> row, int index)
    {
        var (start, length, quoted, _, _) = _cells[index];
        return quoted ? row.Slice(start - 1, length + 2) : row.Slice(start, length);
    }

    ReadOnlySpan<byte> Unescaped(ReadOnlySpan<byte> cell, bool quoted)
    {
        var written = 0;
        for (var i = 0; i < cell.Length; i++)
        {
            var isLast = i + 1 == cell.Length;
            if (!isLast && _readsLetters && cell[i] == _escape) _unquoted[written++] = Meaning(cell[++i]);
            else if (!isLast && ((cell[i] == _escape && IsSpecial(cell[i + 1])) || (quoted && cell[i] == _quote && cell[i + 1] == _quote)))
                _unquoted[written++] = cell[++i];
            else _unquoted[written++] = cell[i];
        }

        return _unquoted.AsSpan(0, written);
    }

    /// <summary>
    /// The meaning of a character after a backslash in MySQL and PostgreSQL. Sequences that only one of the two writes have no meaning in the other.
    /// </summary>
    static byte Meaning(byte escaped) => escaped switch
    {
        (byte)'n' => (byte)'\n',
        (byte)'r' => (byte)'\r',
        (byte)'t' => (byte)'\t',
        (byte)'0' => 0,
        (byte)'b' => (byte)'\b',
        (byte)'f' => (byte)'\f',
        (byte)'v' => (byte)'\v',
        (byte)'Z' => 0x1a,
        _ => escaped,
    };

    bool IsSpecial(byte text) => text == _escape || text == _quote || text == dialect.Delimiter || text is (byte)'\r' or (byte)'\n';

    /// <summary>Replaces the delimiter between the cells of a row that is not malformed.</summary>
    public void Part(Span<byte> row, byte delimiter)
    {
        foreach (var (start, length, quoted, _, _) in _cells.AsSpan(0, Count - 1)) row[start + length + (quoted ? 1 : 0)] = delimiter;
    }

    /// <summary>Whether a cell that is not quoted contains a quote.</summary>
    public bool HasLooseQuote(ReadOnlySpan<byte> row)
    {
        for (var i = 0; i < Count && _quote >= 0; i++)
            if (_cells[i] is { Quoted: false, Escaped: false } && row.Slice(_cells[i].Start, _cells[i].Length).Contains((byte)_quote)) return true;
        return false;
    }

    Span Plain(ReadOnlySpan<byte> row, ref int at)
    {
        var start = at;
        var length = 0;
        var escaped = false;
        while (true)
        {
            var next = _escape < 0 ? row[(at + length)..].IndexOf(dialect.Delimiter) : row[(at + length)..].IndexOfAny(dialect.Delimiter, (byte)_escape);
            length = next < 0 ? row.Length - at : length + next;
            if (next < 0 || row[at + length] != _escape) break;
            escaped = true;
            length += Math.Min(1 + LengthOfEscaped(row[(at + length + 1)..]), row.Length - at - length);
        }

        at += length;
        return new(start, length, Quoted: false, Doubled: false, escaped);
    }

    Span Quoted(ReadOnlySpan<byte> row, ref int at)
    {
        var start = ++at;
        var (doubled, escaped) = (false, false);
        while (true)
        {
            var quote = _escape < 0 ? row[at..].IndexOf((byte)_quote) : row[at..].IndexOfAny((byte)_quote, (byte)_escape);
            if (quote < 0) // the quote is not closed
            {
                Malformed = Unclosed = true;
                at = row.Length;
                return new(start, at - start, Quoted: true, doubled, escaped);
            }

            at += quote + 1;
            if (row[at - 1] == _escape)
            {
                escaped = true;
                at = Math.Min(at + LengthOfEscaped(row[at..]), row.Length);
                continue;
            }

            if (at >= row.Length || row[at] != _quote) break;
            doubled = true;
            at++;
        }

        var cell = new Span(start, at - 1 - start, Quoted: true, doubled, escaped);
        if (at >= row.Length || row[at] == dialect.Delimiter) return cell;
        Malformed = true;
        at += Math.Max(row[at..].IndexOf(dialect.Delimiter), 0) is var rest and > 0 ? rest : row.Length - at;
        return cell;
    }
}
