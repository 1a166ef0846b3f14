using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace MixpanelConnector.Import.Source;

/// <summary>A file in an archive, as listed in the archive's directory.</summary>
/// <param name="Name">Its path in the archive.</param>
/// <param name="Checksum">The CRC-32 of its bytes.</param>
/// <param name="Packed">Its size in the archive, in bytes.</param>
/// <param name="Length">Its decompressed size in bytes.</param>
/// <param name="Offset">The offset of its local header in the archive.</param>
/// <param name="Method">Its compression method.</param>
sealed record ZipEntry(string Name, uint Checksum, long Packed, long Length, long Offset, int Method)
{
    /// <summary>Why it cannot be read; null when it can.</summary>
    public string? Fault { get; init; }
}

/// <summary>A file in an archive, with exactly the length and checksum in the directory.</summary>
/// <param name="open">Opens the archive at an offset.</param>
/// <param name="entry">The file.</param>
sealed class ZipEntrySource(Func<long, ByteSource> open, ZipEntry entry) : ByteSource
{
    const int HeaderLength = 30;
    internal const string Misplaced = "is not where the archive's directory says: the archive is damaged";

    readonly Crc32 _checksum = new();
    Packed? _packed;
    Stream? _content;
    long _given;

    public override long RawPosition => _packed?.Position ?? 0;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        int read;
        try
        {
            _content ??= await BeginAsync(cancellationToken).ConfigureAwait(false);
            read = await _content.ReadAsync(target, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw new InputException($"is damaged in the archive: {e.Message.TrimEnd('.')}", e);
        }

        _given += read;
        _checksum.Append(target.Span[..read]);
        if (_given > entry.Length || (read == 0 && target.Length > 0 && (_given != entry.Length || _checksum.GetCurrentHashAsUInt32() != entry.Checksum)))
            throw new InputException("is damaged in the archive: its length or checksum does not match");
        return read;
    }

    public override void Dispose()
    {
        _content?.Dispose();
        _packed?.Dispose();
    }

    /// <summary>Opens the archive at the file's local header, and skips that.</summary>
    async ValueTask<Stream> BeginAsync(CancellationToken cancellationToken)
    {
        var archive = open(entry.Offset);
        try
        {
            var head = new byte[HeaderLength];
            if (await ZipArchiveFile.ReadAsync(archive, head, cancellationToken).ConfigureAwait(false) < HeaderLength)
                throw new InputException($"{Misplaced}, or truncated");
            if (!head.AsSpan().StartsWith("PK\u0003\u0004"u8)) throw new InputException(Misplaced);
            var names = new byte[BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(26)) + BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(28))];
            if (await ZipArchiveFile.ReadAsync(archive, names, cancellationToken).ConfigureAwait(false) < names.Length)
                throw new InputException($"{Misplaced}, or truncated");
        }
        catch
        {
            archive.Dispose();
            throw;
        }

        _packed = new Packed(archive, entry.Packed);
        return entry.Method == 0 ? _packed : new DeflateStream(_packed, CompressionMode.Decompress, leaveOpen: true);
    }

    /// <summary>A stream of the next bytes of the archive, up to a length. Owns the source.</summary>
    sealed class Packed(ByteSource archive, long length) : Stream
    {
        long _taken;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => _taken; set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var most = (int)Math.Min(buffer.Length, length - _taken);
            if (most <= 0) return 0;
            var read = await archive.ReadAsync(buffer[..most], cancellationToken).ConfigureAwait(false);
            _taken += read;
            return read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) archive.Dispose();
            base.Dispose(disposing);
        }
    }
}
