using System.Buffers;
using System.Buffers.Text;
using System.Text;
using MixpanelConnector.Export;

namespace MixpanelConnector.Formats.Exports;

/// <summary>
/// CSV according to RFC 4180, with a header. A missing value is an empty cell, empty text is
/// <c>""</c>, and no cell is altered, not even one that a spreadsheet would interpret as a formula.
/// </summary>
sealed class CsvExport() : ExportFormat("csv")
{
    internal override bool HasColumns => true;

    internal override ExportWriter Open(Stream content, ExportRequest request) => new Writer(new TextSink(content, request), request);

    sealed class Writer : ExportWriter
    {
        static readonly SearchValues<byte> Special = SearchValues.Create("\",\r\n"u8);

        readonly TextSink _text;
        readonly bool _ofEvents;
        readonly RecordCells _cells = new();
        readonly byte[] _time = new byte[32];

        public Writer(TextSink text, ExportRequest request)
        {
            (_text, _ofEvents) = (text, request.Kind is ExportKind.Events);
            _text.Write(Encoding.UTF8.GetBytes(string.Join(',', RecordCells.Names(request)) + "\r\n"));
        }

        public override bool TryWrite(ReadOnlySpan<byte> record, RecordScanner scanned)
        {
            if (scanned.HasMore) return false;
            WriteText(_cells.Id(record, scanned));
            if (_ofEvents)
            {
                _text.Write(","u8);
                Utf8Formatter.TryFormat(scanned.Time, _time, out var length);
                _text.Write(_time.AsSpan(0, length));
                _text.Write(","u8);
                if (!scanned.DistinctId.IsNone) WriteText(_cells.DistinctId(record, scanned));
                _text.Write(","u8);
                if (!scanned.InsertId.IsNone) WriteText(_cells.InsertId(record, scanned));
            }

            _text.Write(","u8);
            WriteText(_cells.Properties(record, scanned));
            _text.Write("\r\n"u8);
            return true;
        }

        public override void Complete() => _text.Complete();

        public override void Dispose() => _text.Dispose();

        void WriteText(ReadOnlySpan<byte> text)
        {
            // Leading and trailing spaces are text, and so is what looks like a byte order mark; not every reader knows either.
            if (text is not ([] or [(byte)' ' or 0xef, ..] or [.., (byte)' ']) && !text.ContainsAny(Special))
            {
                _text.Write(text);
                return;
            }

            _text.Write("\""u8);
            while (text.IndexOf((byte)'"') is var quote and >= 0)
            {
                _text.Write(text[..(quote + 1)]);
                _text.Write("\""u8);
                text = text[(quote + 1)..];
            }

            _text.Write(text);
            _text.Write("\""u8);
        }
    }
}
