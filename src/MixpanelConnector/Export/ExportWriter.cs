namespace MixpanelConnector.Export;

/// <summary>Writes records into a file.</summary>
abstract class ExportWriter : IDisposable
{
    /// <summary>Writes a record; false when the format cannot hold all of it.</summary>
    public abstract bool TryWrite(ReadOnlySpan<byte> record, RecordScanner scanned);

    /// <summary>Ends the file.</summary>
    public abstract void Complete();

    public abstract void Dispose();
}

/// <summary>Text that goes compressed into a file, in blocks of one size: so that the file is the same however its bytes came in.</summary>
/// <param name="content">The file.</param>
/// <param name="request">What is exported, and how.</param>
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

    /// <summary>Writes what is left, and ends the compression.</summary>
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
