using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace MixpanelConnector.Import.Source;

/// <summary>
/// A tar archive, plain or compressed as a whole, expanded to the inputs in it. It is read once to find them, up to its checksum if it is
/// compressed. Small files are kept in memory. A larger one is read in place, after skipping what precedes it, so that nothing is unpacked.
/// </summary>
static class TarArchiveFile
{
    const int Block = 512;
    const int LongestName = 64 << 10;
    const int MostNames = 64 << 20;

    /// <summary>Limits for keeping files in memory, which are meant for lookup files next to those with records.</summary>
    const int LargestKept = 4 << 20, MostKept = 32 << 20;

    /// <summary>Whether the name has the extension of a tar archive.</summary>
    public static bool IsNamedSo(string name, ImportRequest request) =>
        name.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase)
            || InputList.WithoutCompression(name, request).EndsWith(".tar", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a text begins like an archive.</summary>
    public static bool Begins(ReadOnlySpan<byte> head) => head.Length >= Block && head[257..].StartsWith("ustar"u8) && IsHeader(head[..Block]);

    /// <summary>Whether an input begins like an archive; one whose name tells may also be empty, which is blocks of zeros.</summary>
    public static async ValueTask<bool> IsAsync(InputFile input, ImportRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var (source, _) = await Decompression.OpenAsync(input, request, cancellationToken).ConfigureAwait(false);
            using (source)
            {
                var head = new byte[Block];
                return await ZipArchiveFile.ReadAsync(source, head, cancellationToken).ConfigureAwait(false) == Block
                    && (Begins(head) || (IsNamedSo(input.FileName, request) && !head.AsSpan().ContainsAnyExcept((byte)0)));
            }
        }
        catch (InputException)
        {
            return false; // reported when it is read
        }
    }

    /// <summary>The inputs in an archive; or the archive itself, with the problem, if it cannot be read.</summary>
    public static async Task<IEnumerable<InputFile>> OpenAsync(InputFile archive, ImportRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var (source, _) = await Decompression.OpenAsync(archive, request, cancellationToken).ConfigureAwait(false);
            using (source)
                return ArchivedFiles.Inputs(archive, await FilesAsync(source, Again, cancellationToken).ConfigureAwait(false), request.MaxDecompressedBytes);
        }
        catch (Exception e) when (e is InputException or InvalidDataException)
        {
            return ArchivedFiles.Unreadable(archive, "a tar archive", e);
        }

        async ValueTask<ByteSource> Again(CancellationToken token) =>
            (await Decompression.OpenAsync(archive, request, token).ConfigureAwait(false)).Item1;
    }

    static async Task<List<ArchivedFile>> FilesAsync(ByteSource source, Func<CancellationToken, ValueTask<ByteSource>> again,
        CancellationToken cancellationToken)
    {
        var files = new List<ArchivedFile>();
        var (header, pass) = (new byte[Block], new byte[64 << 10]);
        var (names, kept, at) = (0, 0, 0L);
        string? name = null;
        long? size = null;
        var hasEnded = false;
        while (true)
        {
            var given = await ZipArchiveFile.ReadAsync(source, header, cancellationToken).ConfigureAwait(false);
            var isZero = !header.AsSpan(0, given).ContainsAnyExcept((byte)0);
            if (given < Block && hasEnded && isZero) return files;
            if (given < Block && !hasEnded) throw new InvalidDataException("its end is missing: it was truncated");
            at += Block;
            if (isZero)
            {
                hasEnded = true; // another archive may follow
                continue;
            }

            if (given < Block || !IsHeader(header))
                throw new InvalidDataException(hasEnded ? "its end is followed by something that is not an archive" : "it is damaged");
            hasEnded = false;
            var type = (char)header[156];
            var length = size is { } said && type is not ('x' or 'g' or 'L' or 'K')
                ? said
                : Number(header.AsSpan(124, 12)) ?? throw new InvalidDataException("it is damaged");
            var padded = length + ((Block - (length % Block)) % Block);
            if (length < 0 || padded < 0 || at > long.MaxValue - padded) throw new InvalidDataException("it is damaged");
            byte[]? content = null;
            if (type is 'x' or 'L')
            {
                if (length > LongestName) throw new InvalidDataException("it has a name that is too long");
                content = await TakeAsync((int)length).ConfigureAwait(false);
                if (type is 'L') name = Encoding.UTF8.GetString(content).TrimEnd('\0');
                else
                    (name,
                        size) = (Extended(content, "path") ?? name,
                            Extended(content, "size") is { } text
                                ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var large)
                                    ? large
                                    : throw new InvalidDataException("it is damaged")
                                : size);
            }
            else if (type is '1' or '2' or '3' or '4' or '5' or '6' or 'g' or 'K')
            {
                if (type is not ('g' or 'K')) (name, size) = (null, null); // a link, a folder or a device
            }
            else
            {
                var full = Relative(name ?? NameIn(header));
                (name, size) = (null, null);
                names += full.Length;
                if (files.Count == ArchivedFiles.Most || names > MostNames)
                    throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                        $"it contains more than {ArchivedFiles.Most} files, or their names are too long"));
                if (length <= LargestKept && kept + length <= MostKept)
                {
                    content = await TakeAsync((int)length).ConfigureAwait(false);
                    kept += (int)length;
                }

                var (offset, own, hash) = (at, content, Hash128.Of(header));
                files.Add(new(full, length, type is 'S' ? "is a sparse file in the archive, and is not read" : null,
                    () => own is not null ? new StreamByteSource(new MemoryStream(own)) : new TarEntrySource(again, offset, length, hash)));
            }

            var left = content is null ? padded : padded - length;
            at += padded;
            while (left > 0)
            {
                var read = await source.ReadAsync(pass.AsMemory(0, (int)Math.Min(left, pass.Length)), cancellationToken).ConfigureAwait(false);
                if (read == 0) throw new InvalidDataException("it was truncated");
                left -= read;
            }
        }

        async Task<byte[]> TakeAsync(int count)
        {
            var bytes = new byte[count];
            return await ZipArchiveFile.ReadAsync(source, bytes, cancellationToken).ConfigureAwait(false) == count
                ? bytes
                : throw new InvalidDataException("it was truncated");
        }
    }

    /// <summary>Whether the checksum of a header is correct.</summary>
    static bool IsHeader(ReadOnlySpan<byte> header)
    {
        var sum = 8L * ' ';
        for (var at = 0; at < Block; at++)
            if (at is < 148 or >= 156) sum += header[at];
        return Number(header.Slice(148, 8)) == sum;
    }

    /// <summary>Parses an octal number in text, or a binary one when that is too small; null for neither.</summary>
    static long? Number(ReadOnlySpan<byte> field)
    {
        if (field[0] == 0x80)
        {
            long value = 0;
            foreach (var part in field[1..])
            {
                if (value > long.MaxValue >> 8) return null;
                value = (value << 8) | part;
            }

            return value;
        }

        var text = field.Trim(" \0"u8);
        long number = 0;
        foreach (var digit in text)
        {
            if (digit is < (byte)'0' or > (byte)'7' || number > long.MaxValue >> 3) return null;
            number = (number << 3) | (uint)(digit - '0');
        }

        return number;
    }

    static string NameIn(ReadOnlySpan<byte> header)
    {
        var (name, prefix) = (Text(header[..100]), header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.Slice(345, 155)) : "");
        return prefix.Length == 0 ? name : $"{prefix}/{name}";

        static string Text(ReadOnlySpan<byte> field) => Encoding.UTF8.GetString(field.IndexOf((byte)0) is var end and >= 0 ? field[..end] : field);
    }

    static string Relative(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;

    /// <summary>Reads a value of an extended header, whose lines have a length, a name and a value.</summary>
    static string? Extended(ReadOnlySpan<byte> header, string name)
    {
        string? found = null;
        while (Utf8Parser.TryParse(header, out int length, out var digits) && digits < length && length <= header.Length)
        {
            var line = Encoding.UTF8.GetString(header[digits..length]).TrimStart(' ').TrimEnd('\n');
            if (line.StartsWith($"{name}=", StringComparison.Ordinal)) found = line[(name.Length + 1)..];
            header = header[length..];
        }

        return found;
    }
}

/// <summary>A large file in a tar archive, with exactly the length in its header.</summary>
/// <param name="open">Opens the archive at its beginning, decompressed.</param>
/// <param name="offset">The offset of the file in it.</param>
/// <param name="length">The size of the file in bytes.</param>
/// <param name="header">The hash of the header before it.</param>
sealed class TarEntrySource(Func<CancellationToken, ValueTask<ByteSource>> open, long offset, long length, Hash128 header) : ByteSource
{
    const int Block = 512;

    ByteSource? _archive;
    long _given;

    public override long RawPosition => _given;

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        _archive ??= await BeginAsync(cancellationToken).ConfigureAwait(false);
        var most = (int)Math.Min(target.Length, length - _given);
        if (most == 0) return 0;
        var read = await _archive.ReadAsync(target[..most], cancellationToken).ConfigureAwait(false);
        if (read == 0) throw new InputException("is truncated in the archive");
        _given += read;
        return read;
    }

    public override void Dispose() => _archive?.Dispose();

    async ValueTask<ByteSource> BeginAsync(CancellationToken cancellationToken)
    {
        var archive = await open(cancellationToken).ConfigureAwait(false);
        try
        {
            var pass = new byte[64 << 10];
            for (var left = offset - Block; left > 0;)
            {
                var read = await archive.ReadAsync(pass.AsMemory(0, (int)Math.Min(left, pass.Length)), cancellationToken).ConfigureAwait(false);
                if (read == 0) throw InputException.Changed("is no longer in the archive");
                left -= read;
            }

            if (await ZipArchiveFile.ReadAsync(archive, pass.AsMemory(0, Block), cancellationToken).ConfigureAwait(false) < Block
                || Hash128.Of(pass.AsSpan(0, Block)) != header)
                throw InputException.Changed("is at another position in the archive than before");
            return archive;
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }
}
