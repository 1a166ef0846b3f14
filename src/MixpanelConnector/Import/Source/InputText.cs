using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace MixpanelConnector.Import.Source;

/// <summary>Tells text from everything else by the first bytes of an input.</summary>
static class InputText
{
    /// <summary>A tenth of random bytes are control characters: binary data is recognized long before this.</summary>
    const int BinaryShowsWithin = 4096;

    const string Spreadsheet = "is a spreadsheet or another office document, not text. Open it and save the sheet as CSV (in Excel: \"CSV UTF-8\")";

    /// <summary>Characters that do not occur in text, unlike line and page breaks, tabs, and the escape of ANSI colors.</summary>
    static readonly SearchValues<byte> Controls =
        SearchValues.Create([1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 29, 30, 31, 127]);

    public static ReadOnlySpan<byte> ByteOrderMark => [0xef, 0xbb, 0xbf];

    /// <exception cref="InputException">The input is not UTF-8 text.</exception>
    public static void EnsureText(ReadOnlySpan<byte> head, MessageWords words)
    {
        var hint = head switch
        {
            _ when TarArchiveFile.Begins(head) =>
                "is a tar archive. Save it to a file whose name ends with .tar (.tar.gz, .tgz or .tar.zst if it is compressed), or unpack it first",
            [0xff, 0xfe, 0, 0, ..] or [0, 0, 0xfe, 0xff, ..] => "is UTF-32 text. Convert it to UTF-8, for example with iconv",
            [(byte)'P', (byte)'K', 3, 4, ..] when IsSpreadsheet(head) => Spreadsheet,
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Spreadsheet,
            [(byte)'P', (byte)'K', 3, 4, ..] or [(byte)'P', (byte)'K', 5, 6, ..] => "is a ZIP archive. Give it a name that ends with .zip, or unpack it first",
            [0x28, 0xb5, 0x2f, 0xfd, ..] => "is compressed with zstd. Decompress it first, or import with the formats of MixpanelConnector.Formats",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] =>
                "is a Parquet file. Import it with the formats of MixpanelConnector.Formats, or convert it to NDJSON first",
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] or [0xff, 0xd8, 0xff, ..] or [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] =>
                "is an image, not a file of records",
            [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "is a PDF, not a file of records",
            [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', ..] or [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', ..]
                or [(byte)'7', (byte)'z', 0xbc, 0xaf, ..] => "is compressed with bzip2, xz or 7-Zip. Decompress it first: gzip and zstd are read as they are",
            [0x04, 0x22, 0x4d, 0x18, ..] => "is compressed with LZ4. Decompress it first: gzip and zstd are read as they are",
            [0x1f, 0x8b, ..] => "is compressed twice. Decompress it once",
            [(byte)'O', (byte)'R', (byte)'C', ..] when !IsUtf8(head) || head.ContainsAny(Controls) || head.Contains((byte)0) =>
                "is an ORC file. Convert it to NDJSON or Parquet first",
            _ when IsMarkup(head.TrimStart(" \t\r\n"u8)) => "is XML or a web page, perhaps the error page of a server: it contains no records",
            _ when head.StartsWith("version https://git-lfs.github.com/spec/"u8) => "is a Git LFS pointer. Fetch the file with git lfs pull",
            [(byte)'O', (byte)'b', (byte)'j', 1, ..] => "is an Avro file. Convert it to NDJSON or Parquet first",
            _ when head[..Math.Min(head.Length, BinaryShowsWithin)].Contains((byte)0) =>
                $"is binary, or UTF-16 text without a byte order mark: for that, add {words[Setting.Encoding]} utf-16le or utf-16be",
            _ when IsBinary(head[..Math.Min(head.Length,
                BinaryShowsWithin)]) => "is binary: it begins with bytes that are not UTF-8 and with control characters. Use text, plain or compressed; "
                    + $"set {words[Setting.Encoding]} if it is not UTF-8",
            _ => null,
        };
        if (hint is not null) throw new InputException(hint);
    }

    /// <summary>Whether a ZIP archive is an Excel, OpenDocument or Numbers workbook, judging by the names of its first parts.</summary>
    static bool IsSpreadsheet(ReadOnlySpan<byte> head) =>
        head.IndexOf("[Content_Types].xml"u8) >= 0 || head.IndexOf("xl/"u8) >= 0 || head.IndexOf("vnd.oasis.opendocument.spreadsheet"u8) >= 0
            || head.IndexOf("Index/"u8) >= 0;

    static bool IsMarkup(ReadOnlySpan<byte> text) =>
        text.StartsWith("<?xml"u8) || Ascii.EqualsIgnoreCase(text[..Math.Min(text.Length, 5)], "<html"u8)
            || Ascii.EqualsIgnoreCase(text[..Math.Min(text.Length, 9)], "<!doctype"u8);

    /// <summary>
    /// Whether the beginning is binary. Text in another encoding is not UTF-8, and a damaged line may contain a control character: such records are reported
    /// individually. Both together, in a beginning that is not JSON, indicate compressed data, images and programs.
    /// </summary>
    static bool IsBinary(ReadOnlySpan<byte> head) =>
        head.TrimStart(" \t\r\n"u8) is not [(byte)'{' or (byte)'[', ..] && head.ContainsAny(Controls) && !IsUtf8(head);

    /// <summary>Whether it is UTF-8, except for an incomplete last character.</summary>
    public static bool IsUtf8(ReadOnlySpan<byte> head)
    {
        for (var cut = 0; cut < 4 && cut <= head.Length; cut++)
            if (Utf8.IsValid(head[..^cut])) return true;
        return false;
    }
}
