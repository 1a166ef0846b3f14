using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>
/// Walks the page headers of a column in a row group before any page is decoded. The decoding package does not check them
/// against the row group, and allocates as much memory as a header announces.
/// </summary>
static class ParquetPages
{
    const int DataPage = 0;
    const int DictionaryPage = 2;
    const int DataPageV2 = 3;
    const int DeltaLengthByteArray = 6;
    const int DeltaByteArray = 7;

    /// <summary>The size limit of a compressed page whose lengths are inspected.</summary>
    const int MostPacked = 64 << 20;

    /// <summary>The size limit of a header, which also contains the minimum and maximum value.</summary>
    const int MostHeader = 8 << 20;

    /// <summary>The overhead of the decoding package per dictionary entry, in bytes.</summary>
    const int EntryOverhead = 24;

    /// <summary>
    /// The memory that the decoding package uses per column of the row group to decompress its pages; for zstd, a context larger than many pages.
    /// </summary>
    static int DecompressionMemory(int codec) => codec switch
    {
        2 => 48 << 10, // gzip
        6 => 192 << 10, // zstd
        _ => 0,
    };

    /// <summary>The memory needed for the pages of a column, in bytes.</summary>
    /// <param name="Memory">The largest page and the dictionary, which stay in memory while their values are read, and the decompression memory.</param>
    /// <param name="Packed">The largest compressed page, which is in memory until it is decompressed.</param>
    /// <param name="LargestPage">The size of the largest page.</param>
    /// <param name="Expands">Whether values are stored as differences from the previous one, so that together they may be much larger than their page.</param>
    public readonly record struct Needs(long Memory, long Packed, long LargestPage, bool Expands);

    /// <exception cref="InvalidDataException">The pages do not match the row group.</exception>
    public static Needs Follow(ParquetFile file, ParquetFooter footer, ParquetGroup group, ParquetField leaf, CancellationToken cancellationToken)
    {
        var chunk = group.Chunks[leaf.Leaf];
        if (chunk is { Values: 0, Length: <= 0 }) return default;
        var (position, values, rows, largest, packed, dictionary, expands) = (chunk.Begin, 0L, 0L, 0L, 0L, 0L, false);
        var first = true;
        var buffer = new byte[Math.Clamp(chunk.Length, 64, 1024)];
        while (values < chunk.Values || position < chunk.Begin + chunk.Length) // some old writers omit the length of a header from the total
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (position >= footer.Begin) break;
            var page = ReadHeader(file, footer, leaf, ref buffer, ref position);
            if (page.Unpacked < 0 || page.Packed < 0 || page.Packed > footer.Begin - position)
                throw Damaged(leaf, "has a page that is not where the file says");
            if (page.Values < 0) throw Damaged(leaf, "has a page with a negative number of values");
            switch (page.Type)
            {
                case DictionaryPage when first:
                    dictionary = (2L * page.Unpacked) + ((long)EntryOverhead * Math.Min(page.Values, page.Unpacked));
                    break;
                case DictionaryPage:
                    throw Damaged(leaf, "has a dictionary after its values");
                case DataPage or DataPageV2:
                    values += page.Values;
                    rows += page.Rows;
                    largest = Math.Max(largest, page.Unpacked);
                    packed = Math.Max(packed, page.Packed);
                    expands |= page.Encoding == DeltaByteArray;
                    if (page.Encoding is DeltaLengthByteArray or DeltaByteArray) CheckLengths(file, leaf, page, chunk.Codec, position);
                    if (values > chunk.Values) throw Damaged(leaf, $"has pages of more than the {Counted.Of(chunk.Values, "value")} that it declares");
                    if (page.Type is DataPageV2 && leaf.Repetition == 0 && page.Rows != page.Values)
                        throw Damaged(leaf, $"has a page of {Counted.Of(page.Values, "value")} for {Counted.Of(page.Rows, "row")}");
                    if (page.Type is DataPage) rows = long.MinValue; // these pages do not specify it
                    break;
            }

            first = false;
            position += page.Packed;
        }

        if (values != chunk.Values) throw Damaged(leaf, $"has pages of {Counted.Of(values, "value")}, but declares {chunk.Values}");
        if (rows > 0 && rows != group.Rows) throw Damaged(leaf, $"has pages of {Counted.Of(rows, "row")} in a row group of {group.Rows}");
        return new Needs(largest + dictionary + DecompressionMemory(chunk.Codec), packed, largest, expands);
    }

    static void CheckLengths(ParquetFile file, ParquetField leaf, Page page, int codec, long position)
    {
        if (page.Packed > MostPacked) throw Damaged(leaf, "has a page of texts that is too large");
        var bytes = new byte[page.Packed];
        file.ReadExactly(bytes, position);
        var levels = page.Type is DataPageV2 ? 0 : (leaf.Definition > 0 ? 1 : 0) + (leaf.Repetition > 0 ? 1 : 0);
        if (!ParquetLengths.Fit(bytes, page.Levels, page.IsPacked ? codec : 0, page.Unpacked, levels, page.Values,
            lists: page.Encoding is DeltaByteArray ? 2 : 1))
            throw Damaged(leaf, "has a page of more texts than values");
    }

    /// <summary>Checks the footer's description of a column in a row group against that of the row group and of the column.</summary>
    /// <exception cref="InputException">The column is encrypted.</exception>
    /// <exception cref="InvalidDataException">They are inconsistent.</exception>
    public static void Check(ParquetFooter footer, ParquetGroup group, ParquetField leaf, MessageWords words)
    {
        var chunk = group.Chunks[leaf.Leaf];
        if (chunk.Encrypted)
            throw new InputException(
                $"has the column {leaf.Path}, which is encrypted and not supported. Write it without encryption, or leave the column out with {words[Setting.Drop]}");
        if (leaf.Repetition == 0 ? chunk.Values != group.Rows : chunk.Values < group.Rows)
            throw Damaged(leaf, $"has {Counted.Of(chunk.Values, "value")} in a row group of {Counted.Of(group.Rows, "row")}");
        if (chunk is { Values: 0, Length: <= 0 }) return;
        if (chunk.Type != (int)leaf.Type) throw Damaged(leaf, "has another type in a row group than in the file");
        if (chunk.Begin < 4 || chunk.Length < 0 || chunk.Length > footer.Begin - chunk.Begin) throw Damaged(leaf, "is not where the file says");
    }

    public static InvalidDataException Damaged(ParquetField leaf, string what) => new($"the column {leaf.Path} {what}");

    sealed class Page
    {
        public int Type { get; set; } = -1;

        public int Unpacked { get; set; } = -1;

        public int Packed { get; set; } = -1;

        public int Values { get; set; }

        public int Rows { get; set; }

        public int Encoding { get; set; } = -1;

        /// <summary>The size of the levels before the compressed part, in bytes.</summary>
        public int Levels { get; set; }

        public bool IsPacked { get; set; } = true;
    }

    static Page ReadHeader(ParquetFile file, ParquetFooter footer, ParquetField leaf, ref byte[] buffer, ref long position)
    {
        while (true)
        {
            var length = (int)Math.Min(buffer.Length, footer.Begin - position);
            file.ReadExactly(buffer.AsSpan(0, length), position);
            try
            {
                var thrift = new ThriftReader(buffer.AsSpan(0, length));
                var page = ReadHeader(ref thrift);
                position += thrift.Position;
                return page;
            }
            catch (ThriftEndException) when (length == buffer.Length && length < MostHeader)
            {
                buffer = new byte[buffer.Length * 8];
            }
            catch (ThriftEndException)
            {
                throw Damaged(leaf, "has a page whose header cannot be read");
            }
        }
    }

    static Page ReadHeader(ref ThriftReader thrift)
    {
        var page = new Page();
        for (var id = 0; thrift.TryReadField(ref id, out var type);)
        {
            switch (id, type)
            {
                case (1, ThriftType.Int32): page.Type = thrift.ReadInt32(); break;
                case (2, ThriftType.Int32): page.Unpacked = thrift.ReadInt32(); break;
                case (3, ThriftType.Int32): page.Packed = thrift.ReadInt32(); break;
                case (5 or 7, ThriftType.Struct): ReadKind(ref thrift, page); break;
                case (8, ThriftType.Struct): ReadSecondKind(ref thrift, page); break;
                default: thrift.Skip(type); break;
            }
        }

        return page;
    }

    /// <summary>Reads the header of a version 1 data page or a dictionary page.</summary>
    static void ReadKind(ref ThriftReader thrift, Page page)
    {
        for (var id = 0; thrift.TryReadField(ref id, out var type);)
        {
            switch (id, type)
            {
                case (1, ThriftType.Int32): page.Values = thrift.ReadInt32(); break;
                case (2, ThriftType.Int32): page.Encoding = thrift.ReadInt32(); break;
                default: thrift.Skip(type); break;
            }
        }
    }

    /// <summary>Reads the header of a version 2 data page.</summary>
    static void ReadSecondKind(ref ThriftReader thrift, Page page)
    {
        for (var id = 0; thrift.TryReadField(ref id, out var type);)
        {
            switch (id, type)
            {
                case (1, ThriftType.Int32): page.Values = thrift.ReadInt32(); break;
                case (3, ThriftType.Int32): page.Rows = thrift.ReadInt32(); break;
                case (4, ThriftType.Int32): page.Encoding = thrift.ReadInt32(); break;
                case (5 or 6, ThriftType.Int32):
                    var length = thrift.ReadInt32();
                    if (length < 0 || length > int.MaxValue - page.Levels) throw ThriftReader.Damaged();
                    page.Levels += length;
                    break;
                case (7, ThriftType.True or ThriftType.False): page.IsPacked = type is ThriftType.True; break;
                default: thrift.Skip(type); break;
            }
        }
    }
}
