using System.Globalization;
using System.IO.Compression;
using System.Text;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Compress;

namespace MixpanelConnector.Tests.Import;

/// <summary>A third-party decoder restores what the encoder wrote: any bytes, of any length.</summary>
public sealed class GzipEncoderTests
{
    const int Seed = 20_261_123;

    static readonly int[] Lengths =
    [
        0, 1, 2, 3, 4, 31, 63, 64, 65, 66, 95, 96, 97, 127, 128, 129, 1000, 32_767, 32_768, 32_769, 65_535, 65_536, 131_071, 131_072, 131_073, 131_135, 131_136,
        131_137, 262_144, 400_000,
    ];

    readonly BufferPool _buffers = new(8 << 20);

    [Fact]
    public void Any_bytes_come_back_at_every_length_where_something_begins_or_ends()
    {
        var random = new Random(Seed);
        foreach (var length in Lengths)
        {
            var noise = new byte[length];
            random.NextBytes(noise);
            Check(noise, "noise");
            Check(Enumerable.Repeat((byte)'a', length).ToArray(), "one letter");
            Check([.. Enumerable.Range(0, length).Select(i => (byte)i)], "every byte in turn");
            Check([.. Enumerable.Range(0, length).Select(i => (byte)"\"key\":1,"[i % 8])], "one property");
            Check([.. Enumerable.Range(0, length).Select(_ => (byte)(random.Next(2) == 0 ? ' ' : '"'))], "nothing but marks");
            Check([.. Enumerable.Range(0, length).Select(_ => (byte)('a' + random.Next(26)))], "no marks");
            Check(Events(random, length), "events");
        }
    }

    [Fact]
    public void Any_mixture_of_pieces_comes_back()
    {
        var random = new Random(Seed);
        for (var run = 0; run < 400; run++)
        {
            var text = new MemoryStream();
            var pieces = Enumerable.Range(0, random.Next(1, 30)).Select(_ => Piece(random)).ToArray();
            for (var length = random.Next(300_000); text.Length < length;)
            {
                if (random.Next(50) == 0) text.Write(Piece(random));
                text.Write(pieces[random.Next(pieces.Length)]);
            }

            Check(text.ToArray(), string.Create(CultureInfo.InvariantCulture, $"run {run}"));
        }
    }

    [Fact]
    public void What_was_there_before_is_found_up_to_32_KiB_away_and_not_beyond()
    {
        var random = new Random(Seed);
        foreach (var distance in Lengths[10..])
        {
            var noise = new byte[distance];
            random.NextBytes(noise);
            Check([.. noise, .. noise, .. noise], string.Create(CultureInfo.InvariantCulture, $"distance {distance}"));
        }
    }

    /// <summary>Fibonacci counts result in the deepest Huffman trees: the codes must be limited to the maximum length.</summary>
    [Fact]
    public void The_most_uneven_letters_come_back()
    {
        var text = new List<byte>();
        var (few, more) = (1, 1);
        for (var letter = 0; text.Count < 120_000; letter++)
        {
            text.AddRange(Enumerable.Repeat((byte)(0x80 + letter), few));
            (few, more) = (more, few + more);
        }

        var shuffled = text.ToArray();
        new Random(Seed).Shuffle(shuffled);
        Check(shuffled, "uneven letters");
    }

    [Fact]
    public void Nothing_grows_by_more_than_a_thousandth_and_the_frame()
    {
        var random = new Random(Seed);
        foreach (var length in Lengths)
        {
            var noise = new byte[length];
            random.NextBytes(noise);
            Assert.InRange(Compress(noise).Length, 0, length + (length / 1000) + 40);
        }
    }

    [Fact]
    public void Events_become_smaller_than_with_GZipStream_at_its_fastest()
    {
        var events = Events(new Random(Seed), 1_000_000);
        using var other = new MemoryStream();
        using (var gzip = new GZipStream(other, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(events);
        Assert.True(Compress(events).Length < 0.9 * other.Length,
            string.Create(CultureInfo.InvariantCulture, $"{Compress(events).Length} bytes instead of {other.Length}"));
    }

    [Fact]
    public void The_same_text_gives_the_same_bytes_whatever_was_compressed_before()
    {
        var random = new Random(Seed);
        var events = Events(random, 300_000);
        var first = Compress(events);
        Compress(Events(random, 200_000));
        Assert.Equal(first, Compress(events));
    }

    [Fact]
    public void Many_threads_compress_at_once()
    {
        var texts = Enumerable.Range(0, 64).Select(seed => Events(new Random(seed), 50_000)).ToArray();
        Parallel.ForEach(texts, text => Check(text, "at once"));
    }

    void Check(byte[] text, string what)
    {
        var packed = Compress(text);
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress)) gzip.CopyTo(unpacked);
        Assert.True(unpacked.ToArray().AsSpan().SequenceEqual(text),
            string.Create(CultureInfo.InvariantCulture, $"{what}, {text.Length} bytes: {unpacked.Length} bytes came back"));
        Assert.Equal((uint)text.Length, BitConverter.ToUInt32(packed, packed.Length - 4));
    }

    byte[] Compress(byte[] text)
    {
        using var body = CompressedBody.Gzip(text, _buffers);
        return body.Bytes.ToArray();
    }

    static byte[] Events(Random random, int length)
    {
        var text = new StringBuilder("[");
        while (text.Length < length)
            text.Append(CultureInfo.InvariantCulture,
                $$$"""{"event":"Page Viewed","properties":{"time":{{{random.Next()}}},"distinct_id":"user-{{{random.Next(100_000)}}}","$insert_id":"{{{random.NextInt64():x16}}}","$city":"{{{(random.Next(2) == 0 ? "Zürich" : "東京")}}}","price":{{{random.NextDouble()}}},"url":"https://www.example.com/products/{{{random.Next(1000)}}}/reviews?page={{{random.Next(9)}}}"}},""");
        return Encoding.UTF8.GetBytes(text.ToString())[..length];
    }

    static byte[] Piece(Random random)
    {
        var piece = new byte[random.Next(1, random.Next(4) == 0 ? 2000 : 40)];
        var letters = random.Next(1, 256);
        for (var i = 0; i < piece.Length; i++) piece[i] = (byte)random.Next(letters);
        return piece;
    }
}
