using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MixpanelConnector.Import.Source;

/// <summary>
/// A ZIP archive, expanded to the inputs in it, ordered by name. Its directory is parsed here, so that each file in it can be
/// opened in place, even in object storage, and so that the amount read is bounded: at most 100,000 files, with a directory of 64 MB.
/// </summary>
static class ZipArchiveFile
{
    const int LargestDirectory = 64 << 20;
    const int EndLength = 22;
    const int LongestComment = ushort.MaxValue;
    const int LocatorLength = 20;
    const int LargeEndLength = 56;

    /// <summary>Whether an input begins like an archive, even an empty one.</summary>
    public static async ValueTask<bool> IsAsync(InputFile input, CancellationToken cancellationToken)
    {
        try
        {
            using var file = input.OpenAt(0);
            var head = new byte[4];
            return await ReadAsync(file, head, cancellationToken).ConfigureAwait(false) == 4
                && head is [(byte)'P', (byte)'K', 3, 4] or [(byte)'P', (byte)'K', 5, 6];
        }
        catch (InputException)
        {
            return false; // reported when it is read
        }
    }

    /// <summary>The inputs in an archive; or the archive itself, with the problem, if it cannot be read.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="most">The maximum decompressed size of all its files in bytes; null for no limit.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    public static async Task<IEnumerable<InputFile>> OpenAsync(InputFile archive, long? most, CancellationToken cancellationToken)
    {
        try
        {
            var entries = await EntriesAsync(archive, cancellationToken).ConfigureAwait(false);
            if (most is { } total && entries.Sum(entry => (decimal)Math.Max(0, entry.Length)) > total)
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                    $"its files have more than {total} bytes in total when decompressed, which is the limit"));
            return ArchivedFiles.Inputs(archive,
                entries.ConvertAll(entry => new ArchivedFile(entry.Name, entry.Packed, entry.Fault, () => new ZipEntrySource(archive.OpenAt, entry))), most);
        }
        catch (Exception e) when (e is InputException or InvalidDataException or IOException or ArgumentOutOfRangeException)
        {
            return ArchivedFiles.Unreadable(archive, "a ZIP archive", e);
        }
    }

    static async Task<List<ZipEntry>> EntriesAsync(InputFile archive, CancellationToken cancellationToken)
    {
        var length = archive.Object?.Length ?? new FileInfo(archive.SeekablePath!).Length;
        var (begin, end, count) = await DirectoryAsync(archive, length, cancellationToken).ConfigureAwait(false);
        if (count > ArchivedFiles.Most)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"it contains {count} files, more than the limit of {ArchivedFiles.Most}"));
        if (begin < 0 || end < begin || end > length || end - begin > LargestDirectory)
            throw new InvalidDataException("its directory is damaged, or too large");
        return EntriesOf(await TakeAsync(archive, begin, (int)(end - begin), cancellationToken).ConfigureAwait(false), count, begin);
    }

    static List<ZipEntry> EntriesOf(ReadOnlySpan<byte> rest, long count, long begin)
    {
        var entries = new List<ZipEntry>();
        while (entries.Count < count)
        {
            if (!rest.StartsWith("PK\u0001\u0002"u8)) throw new InvalidDataException("its directory is damaged");
            var (flags, method) = (Short(rest, 8), Short(rest, 10));
            var (name, extra, comment) = (Short(rest, 28), Short(rest, 30), Short(rest, 32));
            long packed = Int(rest, 20), length = Int(rest, 24), offset = Int(rest, 42);
            Widen(rest.Slice(46 + name, extra), ref length, ref packed, ref offset);
            entries.Add(new ZipEntry(Encoding.UTF8.GetString(rest.Slice(46, name)), Int(rest, 16), packed, length, offset, method)
            {
                Fault = (flags & 1) != 0 ? "is encrypted, and cannot be read"
                    : method is not (0 or 8) ? string.Create(CultureInfo.InvariantCulture, $"has an unsupported compression (method {method})")
                    : offset < 0 || offset >= begin ? ZipEntrySource.Misplaced
                    : null,
            });
            rest = rest[(46 + name + extra + comment)..];
        }

        return entries;
    }

    /// <summary>The beginning and end of the directory, and the number of files in it.</summary>
    static async Task<(long Begin, long End, long Count)> DirectoryAsync(InputFile archive, long all, CancellationToken cancellationToken)
    {
        var length = (int)Math.Min(all, EndLength + LongestComment);
        var tail = await TakeAsync(archive, all - length, length, cancellationToken).ConfigureAwait(false);
        var at = tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        if (at < 0 || at + EndLength > length) throw new InvalidDataException("its end is missing: it was truncated");
        var (begin, count) = ((long)Int(tail, at + 16), (long)Short(tail, at + 10));
        var end = all - length + at;
        if ((begin != uint.MaxValue && count != ushort.MaxValue) || end < LocatorLength) return (begin, end, count);

        var locator = await TakeAsync(archive, end - LocatorLength, LocatorLength, cancellationToken).ConfigureAwait(false);
        if (!locator.AsSpan().StartsWith("PK\u0006\u0007"u8)) return (begin, end, count);
        end = BinaryPrimitives.ReadInt64LittleEndian(locator.AsSpan(8));
        var large = end >= 0 && end <= all - LargeEndLength ? await TakeAsync(archive, end, LargeEndLength, cancellationToken).ConfigureAwait(false) : [];
        if (!large.AsSpan().StartsWith("PK\u0006\u0006"u8)) throw new InvalidDataException("its directory is damaged");
        return (BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(48)), end, BinaryPrimitives.ReadInt64LittleEndian(large.AsSpan(32)));
    }

    /// <summary>Reads a number of bytes at an offset.</summary>
    static async Task<byte[]> TakeAsync(InputFile archive, long offset, int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        if (count == 0) return bytes;
        using var source = archive.OpenAt(offset);
        return await ReadAsync(source, bytes, cancellationToken).ConfigureAwait(false) == count
            ? bytes
            : throw new InvalidDataException("it was truncated while it was read");
    }

    /// <summary>Fills a buffer as far as possible.</summary>
    internal static async ValueTask<int> ReadAsync(ByteSource source, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = 0;
        while (count < buffer.Length && await source.ReadAsync(buffer[count..], cancellationToken).ConfigureAwait(false) is var read and > 0) count += read;
        return count;
    }

    /// <summary>Reads sizes over 4 GB from the extra field.</summary>
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
}
