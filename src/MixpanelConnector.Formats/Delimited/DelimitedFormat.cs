using System.Text;
using System.Text.Unicode;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Delimited;

/// <summary>Text in rows and columns, with the columns' names in the first row.</summary>
sealed class DelimitedFormat(string name, char delimiter, string[] extensions) : ImportFormat(name)
{
    static readonly string[] AllExtensions = [".csv", ".tsv", ".tab"];

    internal override bool HasColumns => true;

    internal override bool Recognizes(in ImportHead head)
    {
        if (head.First is (byte)'{' or (byte)'[') return false;
        var file = head.Name;
        if (Array.Exists(AllExtensions, extension => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase)))
            return Array.Exists(extensions, extension => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase));

        var splitter = new RowSplitter((byte)delimiter);
        var text = head.Text.TrimStart("\r\n"u8);
        var length = splitter.LengthOfRow(text, ended: false);
        if (length < 0) return false;
        var row = text[..length].TrimEnd((byte)'\r');
        splitter.Split(row);
        return splitter is { Count: > 1, Malformed: false } && Utf8.IsValid(row) && ColumnMap.IsKnown(Names(splitter, row), head.Request);
    }

    internal override async ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken)
    {
        var window = input.Window;
        window.Advance(input.Start);
        var splitter = new RowSplitter((byte)delimiter);
        var lines = 0L;
        while (true)
        {
            var length = splitter.LengthOfRow(window.Unread, window.Ended);
            if (length < 0)
            {
                if (window.Unread.Length > InputWindow.LargestRecord) throw new InputException($"has a header row of more than 1 MiB. Is it {Name}?");
                if (await window.FillAsync(cancellationToken).ConfigureAwait(false)) continue;
                if (input.Reached is { Offset: > 0 }) throw new InputException("is shorter than when it was imported: its header row is all that is left. Restore it, or begin again with --restart");
                return new EmptyReader(window); // a header without rows, or not even that: it may grow
            }

            splitter.Reset();
            lines += 1 + window.Unread[..length].Count((byte)'\n');
            var header = window.Unread[..length].TrimEnd((byte)'\r');
            window.Advance(length + 1);
            if (header.IsEmpty) continue;

            var columns = new ColumnMap(Header(splitter, header), input.Request);
            if (input.Reached is not { Offset: > 0 } reached) return new DelimitedReader(window, splitter, columns, splitter.Count, lines, openLine: false);
            if (reached.Offset < window.Offset) throw new InputException("has changed: its header row is longer than all that was already imported. Restore it, or begin again with --restart");
            var count = splitter.Count;
            await window.SkipAsync(reached.Offset, input.Fingerprint, cancellationToken).ConfigureAwait(false);
            return new DelimitedReader(window, splitter, columns, count, reached.Line, reached.OpenLine);
        }
    }

    List<string> Header(RowSplitter splitter, ReadOnlySpan<byte> row)
    {
        splitter.Split(row);
        if (!Utf8.IsValid(row)) throw new InputException("has a header row that is not UTF-8");
        if (splitter.Malformed) throw new InputException("has a header row with a quote in the wrong place");
        var names = Names(splitter, row);
        if (names.Exists(name => name.Contains('\r'))) throw new InputException("has lines that end with CR alone. Convert them to LF");
        if (names is [var only] && only.AsSpan().IndexOfAny(",;\t|") >= 0) throw new InputException($"has one column only: its cells are not separated as in {Name}. Name the right format, or convert it");
        return names;
    }

    static List<string> Names(RowSplitter splitter, ReadOnlySpan<byte> row)
    {
        var names = new List<string>(splitter.Count);
        for (var i = 0; i < splitter.Count; i++) names.Add(Encoding.UTF8.GetString(splitter.Cell(row, i)));
        return names;
    }
}
