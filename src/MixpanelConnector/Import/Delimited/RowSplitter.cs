using System.Runtime.InteropServices;

namespace MixpanelConnector.Import.Delimited;

/// <summary>Splits text into rows and rows into cells, after RFC 4180: a quote at the beginning of a cell opens it, and is written twice inside.</summary>
sealed class RowSplitter(Dialect dialect)
{
    [StructLayout(LayoutKind.Auto)]
    readonly record struct Span(int Start, int Length, bool Quoted, bool Doubled);

    Span[] _cells = new Span[32];
    byte[] _unquoted = [];

    // Of the row whose end is looked for.
    int _scanned;
    bool _inQuotes;
    bool _inCell;

    public int Count { get; private set; }

    /// <summary>Whether a cell of the row goes on after its closing quote, or has none.</summary>
    public bool Malformed { get; private set; }

    /// <summary>Whether the last cell of the row has no closing quote.</summary>
    public bool Unclosed { get; private set; }

    /// <summary>The length of the line end of the row that was found last.</summary>
    public int EndLength { get; private set; }

    /// <summary>How much of the text was looked at, without finding the row's end.</summary>
    public int Scanned => _scanned;

    /// <summary>Whether the row that was looked at so far ends within a quoted cell.</summary>
    public bool InQuotes => _inQuotes;

    /// <summary>Forgets bytes at the beginning of the text that were looked at.</summary>
    public void Forget(int count) => _scanned -= count;

    /// <summary>Begins another row.</summary>
    public void Reset() => (_scanned, _inQuotes, _inCell) = (0, false, false);

    /// <summary>The length of the row that the text begins with, without its line end; -1 when that is not there. Goes on where it stopped.</summary>
    /// <param name="text">The text.</param>
    /// <param name="ended">Whether nothing follows it.</param>
    public int LengthOfRow(ReadOnlySpan<byte> text, bool ended)
    {
        while (_scanned < text.Length)
        {
            if (_inQuotes)
            {
                var quote = text[_scanned..].IndexOf((byte)'"');
                if (quote < 0)
                {
                    _scanned = text.Length;
                    break;
                }

                _scanned += quote;
                if (_scanned + 1 == text.Length && !ended) break; // a second quote may follow
                if (_scanned + 1 < text.Length && text[_scanned + 1] == '"')
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
                if (text[_scanned] == '"')
                {
                    _inQuotes = true;
                    _scanned++;
                    continue;
                }
            }

            var mark = dialect.EndsWithReturn ? text[_scanned..].IndexOfAny(dialect.Delimiter, (byte)'\n', (byte)'\r') : text[_scanned..].IndexOfAny(dialect.Delimiter, (byte)'\n');
            if (mark < 0)
            {
                _scanned = text.Length;
                break;
            }

            _scanned += mark;
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

    /// <summary>The line ends in a text that does not part a CR from its LF.</summary>
    public int CountLines(ReadOnlySpan<byte> text) =>
        text.Count((byte)'\n') + (dialect.EndsWithReturn ? text.Count((byte)'\r') - text.Count("\r\n"u8) : 0);

    /// <summary>Finds the cells of a row without its line end.</summary>
    public void Split(ReadOnlySpan<byte> row)
    {
        (Count, Malformed, Unclosed) = (0, false, false);
        var at = 0;
        while (true)
        {
            var cell = at < row.Length && row[at] == '"' ? Quoted(row, ref at) : Plain(row, ref at);
            if (Count == _cells.Length) Array.Resize(ref _cells, Count * 2);
            _cells[Count++] = cell;
            if (at >= row.Length) return;
            at++; // the delimiter; a row that ends with one has an empty last cell
        }
    }

    /// <summary>A cell's text, without its quotes. Valid until the next is taken.</summary>
    public ReadOnlySpan<byte> Cell(ReadOnlySpan<byte> row, int index)
    {
        var (start, length, _, doubled) = _cells[index];
        var cell = row.Slice(start, length);
        if (!doubled) return cell;
        if (_unquoted.Length < length) _unquoted = new byte[Math.Max(length, 256)];
        var written = 0;
        while (cell.IndexOf((byte)'"') is var quote and >= 0)
        {
            cell[..(quote + 1)].CopyTo(_unquoted.AsSpan(written));
            written += quote + 1;
            cell = cell[Math.Min(quote + 2, cell.Length)..];
        }

        cell.CopyTo(_unquoted.AsSpan(written));
        return _unquoted.AsSpan(0, written + cell.Length);
    }

    /// <summary>Puts another delimiter between the cells of a row that is not malformed.</summary>
    public void Part(Span<byte> row, byte delimiter)
    {
        foreach (var (start, length, quoted, _) in _cells.AsSpan(0, Count - 1)) row[start + length + (quoted ? 1 : 0)] = delimiter;
    }

    /// <summary>Whether a cell that is not quoted holds a quote.</summary>
    public bool HasLooseQuote(ReadOnlySpan<byte> row)
    {
        for (var i = 0; i < Count; i++)
            if (!_cells[i].Quoted && row.Slice(_cells[i].Start, _cells[i].Length).Contains((byte)'"')) return true;
        return false;
    }

    Span Plain(ReadOnlySpan<byte> row, ref int at)
    {
        var start = at;
        var length = row[at..].IndexOf(dialect.Delimiter);
        if (length < 0) length = row.Length - at;
        at += length;
        return new(start, length, Quoted: false, Doubled: false);
    }

    Span Quoted(ReadOnlySpan<byte> row, ref int at)
    {
        var start = ++at;
        var doubled = false;
        while (true)
        {
            var quote = row[at..].IndexOf((byte)'"');
            if (quote < 0) // the quote is not closed
            {
                Malformed = Unclosed = true;
                at = row.Length;
                return new(start, at - start, Quoted: true, doubled);
            }

            at += quote + 1;
            if (at >= row.Length || row[at] != '"') break;
            doubled = true;
            at++;
        }

        var cell = new Span(start, at - 1 - start, Quoted: true, doubled);
        if (at >= row.Length || row[at] == dialect.Delimiter) return cell;
        Malformed = true;
        at += Math.Max(row[at..].IndexOf(dialect.Delimiter), 0) is var rest and > 0 ? rest : row.Length - at;
        return cell;
    }
}
