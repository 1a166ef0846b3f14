using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace MixpanelConnector.Import.Source;

/// <summary>
/// A ZIP archive as the inputs that are in it, in the order of their names. Its directory is read here, so that each file in it is
/// opened where it lies, and so that what is read is bounded: at most 100,000 files, named in 64 MB.
/// </summary>
static class ZipArchiveFile
{
    const int MostFiles = 100_000;
    const int LargestDirectory = 64 << 20;
    const int EndLength = 22;
    const int LongestComment = ushort.MaxValue;
    const int LocatorLength = 20;

    /// <summary>Whether a file begins as an archive, be it an empty one.</summary>
    public static bool IsAt(string path)
    {
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> head = stackalloc byte[4];
            return RandomAccess.Read(file, head, 0) == 4 && head is [(byte)'P', (byte)'K', 3, 4] or [(byte)'P', (byte)'K', 5, 6];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // it is told when it is read
        }
    }

    /// <summary>The inputs in an archive; the archive itself, with what is wrong, where it cannot be read.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="most">How many bytes one of its files may give; null for any number.</param>
    public static IEnumerable<InputFile> Open(InputFile archive, long? most)
    {
        var path = archive.SeekablePath!;
        List<Entry> entries;
        try
        {
            entries = Read(path);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            return [archive with { Fault = $"is a ZIP archive that cannot be read: {e.Message.TrimEnd('.')}" }];
        }

        var names = entries.Select(entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var number = 1;
        return
        [
            .. entries.Where(entry => !entry.Name.EndsWith('/') && !IsHidden(entry.Name)).OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(entry =>
            {
                var isFirst = seen.Add(entry.Name);
                var name = isFirst ? entry.Name : Another(entry.Name);
                return archive with
                {
                    Relative = $"{archive.Relative}/{entry.Name}",
                    Id = $"{archive.Id}/{name}",
                    Place = $"{path}/{name}",
                    Folder = null,
                    RealName = null,
                    Length = entry.Packed,
                    Opened = () => most is { } bytes ? new BoundedByteSource(new ZipEntrySource(path, entry), bytes) : new ZipEntrySource(path, entry),
                    Fault = isFirst ? entry.Fault : "is in the archive twice, and the first one of that name is read",
                };
            }),
        ];

        // What is told of one of that name is not told of the other.
        string Another(string name)
        {
            while (true)
                if (string.Create(CultureInfo.InvariantCulture, $"{name}#{++number}") is var other && names.Add(other)) return other;
        }
    }

    static bool IsHidden(string name) => name.StartsWith("__MACOSX/", StringComparison.Ordinal) || Path.GetFileName(name).StartsWith('.');

    static List<Entry> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var (begin, end, count) = Directory(file);
        if (count > MostFiles) throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"it holds {count} files, more than the {MostFiles} that are read"));
        if (begin < 0 || end < begin || end - begin > LargestDirectory) throw new InvalidDataException("its directory is damaged, or too large");
        var text = new byte[end - begin];
        file.Position = begin;
        file.ReadExactly(text);
        var entries = new List<Entry>();
        ReadOnlySpan<byte> rest = text;
        while (entries.Count < count)
        {
            if (!rest.StartsWith("PK\u0001\u0002"u8)) throw new InvalidDataException("its directory is damaged");
            var (flags, method) = (Short(rest, 8), Short(rest, 10));
            var (name, extra, comment) = (Short(rest, 28), Short(rest, 30), Short(rest, 32));
            long packed = Int(rest, 20), length = Int(rest, 24), offset = Int(rest, 42);
            Widen(rest.Slice(46 + name, extra), ref length, ref packed, ref offset);
            entries.Add(new Entry(Encoding.UTF8.GetString(rest.Slice(46, name)), Int(rest, 16), packed, length, offset, method)
            {
                Fault = (flags & 1) != 0 ? "is encrypted, and cannot be read" : method is 0 or 8 ? null : string.Create(CultureInfo.InvariantCulture, $"is compressed in a way that is not read here (method {method})"),
            });
            rest = rest[(46 + name + extra + comment)..];
        }

        return entries;
    }

    /// <summary>Where the directory begins and ends, and how many files it names.</summary>
    static (long Begin, long End, long Count) Directory(FileStream file)
    {
        var length = (int)Math.Min(file.Length, EndLength + LongestComment);
        var tail = new byte[length];
        file.Position = file.Length - length;
        file.ReadExactly(tail);
        var at = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (at < 0 || at + EndLength > length) throw new InvalidDataException("its end is missing: it was cut short");
        var (begin, count) = ((long)Int(tail, at + 16), (long)Short(tail, at + 10));
        var end = file.Length - length + at;
        if (begin != uint.MaxValue && count != ushort.MaxValue) return (begin, end, count);

        var locator = new byte[LocatorLength];
        file.Position = end - LocatorLength;
        file.ReadExactly(locator);
        if (!locator.AsSpan().StartsWith("PK\u0006\u0007"u8)) return (begin, end, count);
        var large = new byte[56];
        end = file.Position = BinaryPrimitives.ReadInt64LittleEndian(locator.AsSpan(8));
        file.ReadExactly(large);
        if (!large.AsSpan().StartsWith("PK\u0006\u0006"u8)) throw new InvalidDataException("its directory is damaged");
        return (BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(48)), end, BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(32)));
    }

    /// <summary>Takes sizes over 4 GB from where they stand.</summary>
    static void Widen(ReadOnlySpan<byte> extra, ref long length, ref long packed, ref long offset)
    {
        while (extra.Length >= 4)
        {
            var (id, size) = (Short(extra, 0), Short(extra, 2));
            var field = extra.Slice(4, size);
            if (id == 1)
            {
                Take(ref length, ref field);
                Take(ref packed, ref field);
                Take(ref offset, ref field);
                return;
            }

            extra = extra[(4 + size)..];
        }

        static void Take(ref long value, ref ReadOnlySpan<byte> field)
        {
            if (value != uint.MaxValue) return;
            value = BinaryPrimitives.ReadInt64LittleEndian(field);
            field = field[8..];
        }
    }

    static int Short(ReadOnlySpan<byte> text, int at) => BinaryPrimitives.ReadUInt16LittleEndian(text[at..]);

    static uint Int(ReadOnlySpan<byte> text, int at) => BinaryPrimitives.ReadUInt32LittleEndian(text[at..]);

    sealed record Entry(string Name, uint Checksum, long Packed, long Length, long Offset, int Method)
    {
        public string? Fault { get; init; }
    }

    /// <summary>A file in an archive: neither more nor less than its directory says, and the bytes that were put in.</summary>
    sealed class ZipEntrySource : ByteSource
    {
        readonly FileStream _file;
        readonly Stream _content;
        readonly PartOfFile _part;
        readonly Crc32 _checksum = new();
        readonly Entry _entry;
        long _given;

        public ZipEntrySource(string path, Entry entry)
        {
            _entry = entry;
            try
            {
                _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new InputException($"cannot be opened: {e.Message.TrimEnd('.')}", e);
            }

            try
            {
                Span<byte> head = stackalloc byte[30];
                _file.Position = entry.Offset;
                _file.ReadExactly(head);
                if (!head.StartsWith("PK\u0003\u0004"u8)) throw new InputException("is not where the archive's directory says: the archive is damaged");
                _part = new PartOfFile(_file, entry.Offset + 30 + Short(head, 26) + Short(head, 28), entry.Packed);
                _content = entry.Method == 0 ? _part : new DeflateStream(_part, CompressionMode.Decompress);
            }
            catch (Exception e) when (e is IOException or ArgumentOutOfRangeException)
            {
                _file.Dispose();
                throw new InputException("is not where the archive's directory says: the archive is damaged, or cut short", e);
            }
            catch
            {
                _file.Dispose();
                throw;
            }
        }

        public override long RawPosition => _part.Taken;

        public override ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read;
            try
            {
                read = _content.Read(target.Span);
            }
            catch (Exception e) when (e is IOException or InvalidDataException)
            {
                throw new InputException($"is damaged in the archive: {e.Message.TrimEnd('.')}", e);
            }

            _given += read;
            _checksum.Append(target.Span[..read]);
            if (_given > _entry.Length || (read == 0 && target.Length > 0 && (_given != _entry.Length || _checksum.GetCurrentHashAsUInt32() != _entry.Checksum)))
                throw new InputException("is damaged in the archive: it holds other bytes than were put in");
            return new(read);
        }

        public override void Dispose()
        {
            _content.Dispose();
            _file.Dispose();
        }
    }

    /// <summary>A stretch of a file.</summary>
    sealed class PartOfFile(FileStream file, long start, long length) : Stream
    {
        public long Taken { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position
        {
            get => Taken;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            var most = (int)Math.Min(buffer.Length, length - Taken);
            if (most <= 0) return 0;
            file.Position = start + Taken;
            var read = file.Read(buffer[..most]);
            Taken += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
