using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Import.Decode;

/// <summary>Opens an input: tells compression and format by content, and goes to where an earlier run stopped.</summary>
static class RecordReaders
{
    /// <summary>What a format is told by is within these first bytes.</summary>
    const int LongestHead = 64 << 10;

    static ReadOnlySpan<byte> ByteOrderMark => [0xef, 0xbb, 0xbf];

    /// <exception cref="InputException">The input cannot be read, is of an unknown format, or its beginning has changed.</exception>
    public static async ValueTask<RecordReader> OpenAsync(InputFile input, ImportSourceProgress? reached, ImportRequest request, CancellationToken cancellationToken)
    {
        var (source, compression) = await DecompressAsync(input, request, cancellationToken).ConfigureAwait(false);
        var window = new InputWindow(source);
        try
        {
            while (NeedsMore(window.Unread) && window.Unread.Length < LongestHead)
                if (!await window.FillAsync(cancellationToken).ConfigureAwait(false)) break;

            var name = compression is null ? input.Name : compression.Without(input.Name);
            var start = window.Unread.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
            var format = request.Replay is null ? FormatOf(new ImportHead(window.Unread[start..], name, request)) : ImportFormat.Ndjson;
            if (format.IsText) EnsureText(window.Unread);
            if (request.Columns.Count > 0 && !format.HasColumns) throw new InputException($"has no columns to map: it is read as {format.Name}. Leave the mapping out, or name its format");

            var opened = new FormatInput(input, window, start, compression is not null, reached, request);
            if (request.Replay is null) return await format.OpenAsync(opened, cancellationToken).ConfigureAwait(false);
            await opened.ResumeAsync(cancellationToken).ConfigureAwait(false);
            return new DeadLetterReader(new NdjsonReader(window, reached?.Line ?? 0, reached?.OpenLine ?? false, DeadLetterReader.LargestLine));
        }
        catch
        {
            window.Dispose();
            throw;
        }
    }

    /// <summary>A name without the suffix of a compression.</summary>
    public static string Without(this ImportCompression compression, string name) =>
        name.EndsWith(compression.Extension, StringComparison.OrdinalIgnoreCase) ? name[..^compression.Extension.Length] : name;

    static ImportFormat FormatOf(in ImportHead head)
    {
        if (head.Request.Format is { } named) return head.Request.Formats.First(format => format.Name == named);
        foreach (var format in head.Request.Formats)
            if (format.Recognizes(in head)) return format;
        return ImportFormat.Ndjson;
    }

    /// <summary>A first line tells most formats; JSON shows itself in its first character.</summary>
    static bool NeedsMore(ReadOnlySpan<byte> head)
    {
        if (head.Length < 4) return true;
        var text = head.StartsWith(ByteOrderMark) ? head[ByteOrderMark.Length..] : head;
        text = text.TrimStart(" \t\r\n"u8);
        return text is [] || (text[0] is not ((byte)'{' or (byte)'[') && !text.Contains((byte)'\n'));
    }

    public static async ValueTask<(ByteSource, ImportCompression?)> DecompressAsync(InputFile input, ImportRequest request, CancellationToken cancellationToken)
    {
        var source = input.Open();
        try
        {
            var head = new byte[4];
            var length = 0;
            while (length < head.Length && await source.ReadAsync(head.AsMemory(length), cancellationToken).ConfigureAwait(false) is var read and > 0) length += read;
            var joined = new RejoinedByteSource(head.AsMemory(0, length), source);
            foreach (var compression in request.Compressions)
            {
                // So few bytes are a file that was cut short.
                var named = input.Name.EndsWith(compression.Extension, StringComparison.OrdinalIgnoreCase);
                if (length == 0 && named) throw new InputException($"{compression.Name}: the file is cut short, at compressed byte 0");
                if (head.AsSpan(0, length).StartsWith(compression.Magic) || (length > 0 && (named || length == 1) && compression.Magic.StartsWith(head.AsSpan(0, length)))) return (compression.Open(joined), compression);
            }

            return (joined, null);
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
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "is compressed with zstd. Decompress it first, or import with the formats of MixpanelConnector.Formats",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "is a Parquet file. Import it with the formats of MixpanelConnector.Formats, or convert it to NDJSON first",
            _ when head[..Math.Min(head.Length, 4096)].Contains((byte)0) => "is binary, or text in UTF-16. Text in UTF-8 is needed, plain or compressed",
            _ => null,
        };
        if (hint is not null) throw new InputException(hint);
    }
}
