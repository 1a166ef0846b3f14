namespace MixpanelConnector.Export;

/// <summary>Writes records to a file.</summary>
abstract class ExportWriter : IDisposable
{
    /// <summary>Writes a record; returns false when the format cannot represent all of it.</summary>
    public abstract bool TryWrite(ReadOnlySpan<byte> record, RecordScanner scanned);

    /// <summary>Ends the file.</summary>
    public abstract void Complete();

    public abstract void Dispose();
}

/// <summary>Writes compressed text to a file, in blocks of equal size: the file is the same however its bytes arrived.</summary>
/// <param name="content">The file.</param>
/// <param name="request">The request.</param>
sealed class TextSink(Stream content, ExportRequest request) : IDisposable
{
    const int Block = 128 << 10;

    readonly Stream? _compressed = request.Compressed.Compress(content, request.Parallel);
    readonly byte[] _block = new byte[Block];
    int _length;

    public void Write(ReadOnlySpan<byte> text)
    {
        while (text.Length > Block - _length)
        {
            text[..(Block - _length)].CopyTo(_block.AsSpan(_length));
            Target.Write(_block);
            text = text[(Block - _length)..];
            _length = 0;
        }

        text.CopyTo(_block.AsSpan(_length));
        _length += text.Length;
    }

    /// <summary>Flushes the remaining text, and ends the compression.</summary>
    public void Complete()
    {
        Target.Write(_block, 0, _length);
        _length = 0;
        _compressed?.Dispose();
    }

    public void Dispose() => _compressed?.Dispose();

    Stream Target => _compressed ?? content;
}

sealed class NdjsonExport() : ExportFormat("ndjson")
{
    internal override ExportWriter Open(Stream content, ExportRequest request) => new Writer(new TextSink(content, request));

    sealed class Writer(TextSink text) : ExportWriter
    {
        public override bool TryWrite(ReadOnlySpan<byte> record, RecordScanner scanned)
        {
            text.Write(record);
            text.Write("\n"u8);
            return true;
        }

        public override void Complete() => text.Complete();

        public override void Dispose() => text.Dispose();
    }
}
