using System.IO.Compression;
using System.Text;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Fuzz;

/// <summary>Gzip with its members, checked to the end, compared with a simple inflater in this project. The first byte chooses the chunks.</summary>
sealed class GzipTarget : Target
{
    static readonly string Text =
        string.Concat(Enumerable.Range(0, 12).Select(i => $$$"""{"event":"e","properties":{"time":1790000000,"distinct_id":"u{{{i}}}"}}""" + "\n"));

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        [0, .. Zip(Text, CompressionLevel.Optimal)],
        [1, .. Zip(Text, CompressionLevel.Fastest)],
        [5, .. Zip(Text[..200], CompressionLevel.NoCompression)],
        [0, .. Zip("", CompressionLevel.Optimal)],
        [0, .. Zip("a", CompressionLevel.Optimal), .. Zip("b", CompressionLevel.NoCompression), 0, 0, 0],
        [9, .. Zip(Text, CompressionLevel.SmallestSize), .. Zip("", CompressionLevel.Optimal), .. Zip(Text[..50], CompressionLevel.Optimal)],
        [0, 0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3, .. "name\0comment\0"u8, 9, 9, .. Zip("ab", CompressionLevel.Optimal)[10..]],
        [0, .. Zip(Convert.ToHexString(Enumerable.Range(0, 600).Select(i => (byte)(i * i)).ToArray()), CompressionLevel.SmallestSize)],
    ];

    public override IReadOnlyList<byte[]> Dictionary { get; } =
    [
        [0x1f, 0x8b, 8, 0], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], [0, 0, 0, 0, 0, 0, 0, 0], [3, 0], [1, 0, 0, 0xff, 0xff], [0, 0, 0, 0xff, 0xff],
        [1, 1, 0, 0xfe, 0xff, (byte)'a'], [0x1f], [0x1f, 0x8b],
        Zip("", CompressionLevel.Optimal), Zip("a", CompressionLevel.Optimal), Zip("a", CompressionLevel.NoCompression),
    ];

    public override IReadOnlyList<byte[]> Regressions { get; } =
    [
        [0, .. Zip("a", CompressionLevel.Optimal), 0, .. Zip("a", CompressionLevel.Optimal)],
        [0, .. Zip("a", CompressionLevel.Optimal), 0, 0, 0, 0, .. Zip("a", CompressionLevel.Optimal)],
    ];

    static byte[] Zip(string text, CompressionLevel level)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, level, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(text));
        // .NET compresses empty input to no bytes.
        return buffer.Length > 0 ? buffer.ToArray() : [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    }

    public override void Run(byte[] input)
    {
        if (input.Length == 0) return;
        var bytes = input[1..];
        var (expected, whole) = new Inflater(bytes).Run();
        using var source = new GzipByteSource(new StreamByteSource(new Pieces(bytes, input[0] == 0 ? int.MaxValue : input[0])));
        using var output = new MemoryStream();
        var read = true;
        try
        {
            var buffer = new byte[1 + (input[0] * 37)];
            while (source.ReadAsync(buffer, default).AsTask().GetAwaiter().GetResult() is var count and > 0) output.Write(buffer, 0, count);
        }
        catch (InputException)
        {
            read = false;
        }

        Same(whole, read, "whole and sound");
        if (whole) Hold(output.ToArray().AsSpan().SequenceEqual(expected), "other bytes came out");
        else
            Hold(output.Length <= expected.Length && output.ToArray().AsSpan().SequenceEqual(expected.AsSpan(0, (int)output.Length)),
                "before the break, other bytes came out");
    }

    sealed class Pieces(byte[] bytes, int length) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, length)], cancellationToken);
    }
}
