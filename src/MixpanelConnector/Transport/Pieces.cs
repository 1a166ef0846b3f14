using System.Buffers;

namespace MixpanelConnector.Transport;

/// <summary>A buffer of unknown length, in chunks: a growing array would be in memory twice, and twice as large, at each growth.</summary>
sealed class Pieces : Stream
{
    const int Size = 64 << 10;

    readonly List<byte[]> _pieces = [];
    int _length;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    /// <summary>Returns free memory for more bytes.</summary>
    public Memory<byte> Free()
    {
        if (_length == _pieces.Count * Size) _pieces.Add(ArrayPool<byte>.Shared.Rent(Size));
        return _pieces[^1].AsMemory(_length % Size, Size - (_length % Size));
    }

    /// <summary>Marks bytes of the free memory as used.</summary>
    public void Advance(int count) => _length += count;

    public byte[] ToArray()
    {
        var all = GC.AllocateUninitializedArray<byte>(_length);
        for (var at = 0; at < _length; at += Size) _pieces[at / Size].AsSpan(0, Math.Min(Size, _length - at)).CopyTo(all.AsSpan(at));
        return all;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var free = Free().Span;
            var count = Math.Min(free.Length, buffer.Length);
            buffer[..count].CopyTo(free);
            Advance(count);
            buffer = buffer[count..];
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is buffered.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        foreach (var piece in _pieces) ArrayPool<byte>.Shared.Return(piece);
        _pieces.Clear();
        base.Dispose(disposing);
    }
}
