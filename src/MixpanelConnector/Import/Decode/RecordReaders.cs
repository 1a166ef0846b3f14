using System.Globalization;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>Opens an input: tells compression and format by content, and goes to where an earlier run stopped.</summary>
static class RecordReaders
{
    /// <summary>An array that begins after more white space than this is taken for lines.</summary>
    const int MostLeadingSpace = 64 << 10;

    static ReadOnlySpan<byte> ByteOrderMark => [0xef, 0xbb, 0xbf];

    /// <exception cref="InputException">The input cannot be read, is of an unknown format, or its beginning has changed.</exception>
    public static async ValueTask<RecordReader> OpenAsync(InputFile input, ImportSourceProgress? reached, bool deadLetters, CancellationToken cancellationToken)
    {
        var window = new InputWindow(await DecompressAsync(input, cancellationToken).ConfigureAwait(false));
        try
        {
            while ((window.Unread.Length < 4 || IsBlank(window.Unread)) && window.Unread.Length < MostLeadingSpace)
                if (!await window.FillAsync(cancellationToken).ConfigureAwait(false)) break;

            EnsureText(window.Unread);
            var start = window.Unread.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
            var isArray = window.Unread[start..].TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
            if (reached?.Offset > start) await window.SkipAsync(reached.Offset, UInt128.Parse(reached.Fingerprint, NumberStyles.HexNumber, CultureInfo.InvariantCulture), cancellationToken).ConfigureAwait(false);
            else window.Advance(start);

            if (deadLetters) return new DeadLetterReader(new NdjsonReader(window, reached?.Line ?? 0, reached?.OpenLine ?? false, DeadLetterReader.LargestLine));
            if (isArray) return new JsonArrayReader(window, reached?.Line ?? 0, begun: reached?.Offset > start);
            return new NdjsonReader(window, reached?.Line ?? 0, reached?.OpenLine ?? false);
        }
        catch
        {
            window.Dispose();
            throw;
        }
    }

    public static async ValueTask<ByteSource> DecompressAsync(InputFile input, CancellationToken cancellationToken)
    {
        var source = input.Open();
        try
        {
            var head = new byte[4];
            var length = 0;
            while (length < head.Length && await source.ReadAsync(head.AsMemory(length), cancellationToken).ConfigureAwait(false) is var read and > 0) length += read;
            if (length == 0 && input.Name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)) throw new InputException("gzip: the file is cut short, at compressed byte 0");
            var joined = new RejoinedByteSource(head.AsMemory(0, length), source);
            return head.AsSpan(0, length) is [0x1f] or [0x1f, 0x8b, ..] ? new GzipByteSource(joined) : joined;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    static void EnsureText(ReadOnlySpan<byte> head)
    {
        var hint = head switch
        {
            [0xff, 0xfe, ..] or [0xfe, 0xff, ..] or [0, 0, 0xfe, 0xff, ..] => "is UTF-16 or UTF-32 text. Convert it to UTF-8, for example with iconv",
            [(byte)'P', (byte)'K', 3, 4, ..] => "is a ZIP archive. Unpack it first",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "is compressed with zstd. Decompress it first",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "is a Parquet file. Convert it to NDJSON first",
            _ when head[..Math.Min(head.Length, 4096)].Contains((byte)0) => "is binary, or text in UTF-16. NDJSON or a JSON array in UTF-8 is needed, plain or compressed with gzip",
            _ => null,
        };
        if (hint is not null) throw new InputException(hint);
    }

    static bool IsBlank(ReadOnlySpan<byte> text) => text.IndexOfAnyExcept(" \t\r\n"u8) < 0;
}
