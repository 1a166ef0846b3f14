namespace MixpanelConnector.Formats.Delimited;

/// <summary>Splits text into rows and rows into cells, after RFC 4180: a quote at the beginning of a cell opens it, and is written twice inside.</summary>
sealed class RowSplitter(byte delimiter)
{
    readonly record struct Span(int Start, int Length, bool Doubled);

    Span[] _cells = new Span[32];
    byte[] _unquoted = [];

    // Of the row whose end is looked for.
    int _scanned;
    bool _inQuotes;
    bool _inCell;

    public byte Delimiter => delimiter;

    public int Count { get; private set; }

    /// <summary>Whether a cell of the row goes on after its closing quote.</summary>
    public bool Malformed { get; private set; }

    /// <summary>How much of the text was looked at, without finding the row's end.</summary>
    public int Scanned => _scanned;

    /// <summary>Whether the row that was looked at so far ends within a quoted cell.</summary>
    public bool InQuotes => _inQuotes;

    /// <summary>Forgets bytes at the beginning of the text that were looked at.</summary>
    public void Forget(int count) => _scanned -= count;

    /// <summary>Begins another row.</summary>
    public void Reset() => (_scanned, _inQuotes, _inCell) = (0, false, false);

    /// <summary>The length of the row that the text begins with, without its line feed; -1 when its end is not there. Goes on where it stopped.</summary>
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

            var mark = text[_scanned..].IndexOfAny(delimiter, (byte)'\n');
            if (mark < 0)
            {
                _scanned = text.Length;
                break;
            }

            _scanned += mark;
            if (text[_scanned] == '\n') return _scanned;
            _scanned++;
            _inCell = false;
        }

        return -1;
    }

    /// <summary>Finds the cells of a row without its line end.</summary>
    public void Split(ReadOnlySpan<byte> row)
    {
        (Count, Malformed) = (0, false);
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
        var (start, length, doubled) = _cells[index];
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

    Span Plain(ReadOnlySpan<byte> row, ref int at)
    {
        var start = at;
        var length = row[at..].IndexOf(delimiter);
        if (length < 0) length = row.Length - at;
        at += length;
        return new(start, length, Doubled: false);
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
                Malformed = true;
                at = row.Length;
                return new(start, at - start, doubled);
            }

            at += quote + 1;
            if (at >= row.Length || row[at] != '"') break;
            doubled = true;
            at++;
        }

        var cell = new Span(start, at - 1 - start, doubled);
        if (at >= row.Length || row[at] == delimiter) return cell;
        Malformed = true;
        at += Math.Max(row[at..].IndexOf(delimiter), 0) is var rest and > 0 ? rest : row.Length - at;
        return cell;
    }
}
