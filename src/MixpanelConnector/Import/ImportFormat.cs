using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector;

/// <summary>A file format that an import can read. NDJSON and JSON are built in; the package MixpanelConnector.Formats provides more.</summary>
public abstract class ImportFormat
{
    private protected ImportFormat(string name) => Name = name;

    /// <summary>One record per line.</summary>
    public static ImportFormat Ndjson { get; } = new NdjsonFormat();

    /// <summary>
    /// One JSON array of records; or consecutive records, each spanning any number of lines, as <c>jq .</c> writes them; or objects that hold their records in
    /// a list named <c>data</c>, <c>events</c> or <c>results</c>, like the pages of an API.
    /// </summary>
    public static ImportFormat Json { get; } = new JsonFormat();

    /// <summary>The name used by <see cref="ImportRequest.Format"/> and in messages, such as <c>ndjson</c>.</summary>
    public string Name { get; }

    /// <summary>Whether its files are UTF-8 text.</summary>
    internal virtual bool IsText => true;

    /// <summary>Whether its records have columns that <see cref="ImportRequest.Columns"/> can map.</summary>
    internal virtual bool HasColumns => false;

    /// <summary>Creates a parser for the rows stored in dead letters; null when its records are not rows of text.</summary>
    internal virtual RowParser? NewRowParser(ImportRequest request) => null;

    /// <summary>Detects the format from the beginning of an input.</summary>
    internal abstract bool Recognizes(in ImportHead head);

    /// <summary>Opens an input, resuming where an earlier run stopped.</summary>
    /// <exception cref="InputException">The input is not in this format, or its beginning has changed.</exception>
    internal abstract ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken);

    /// <summary>The format's name.</summary>
    public override string ToString() => Name;
}

/// <summary>A compression that an input of any format may have. gzip is built in; the package MixpanelConnector.Formats provides zstd.</summary>
public abstract class ImportCompression
{
    private protected ImportCompression(string name) => Name = name;

    /// <summary>gzip, with any number of members.</summary>
    public static ImportCompression Gzip { get; } = new GzipCompression();

    /// <summary>The name used in messages, such as <c>gzip</c>.</summary>
    public string Name { get; }

    /// <summary>The file name extension, such as <c>.gz</c>. Not part of a source's id.</summary>
    internal abstract string Extension { get; }

    /// <summary>The magic number that compressed data begins with.</summary>
    internal abstract ReadOnlySpan<byte> Magic { get; }

    /// <summary>Whether a file that begins like this has this compression.</summary>
    internal virtual bool Recognizes(ReadOnlySpan<byte> head) => head.StartsWith(Magic);

    /// <summary>Wraps a source in a decompressing one, which owns it.</summary>
    internal abstract ByteSource Open(ByteSource compressed);

    /// <summary>The compression's name.</summary>
    public override string ToString() => Name;
}

/// <summary>The information by which a format is detected.</summary>
/// <param name="text">The first bytes, decompressed, without a byte order mark.</param>
/// <param name="name">The file's name, without a compression extension.</param>
/// <param name="request">The options of the import.</param>
readonly ref struct ImportHead(ReadOnlySpan<byte> text, string name, ImportRequest request)
{
    public ReadOnlySpan<byte> Text { get; } = text;

    public string Name { get; } = name;

    public ImportRequest Request { get; } = request;

    /// <summary>The first byte that is not white space; 0 when there is none.</summary>
    public byte First => Text.TrimStart(" \t\r\n"u8) is [var first, ..] ? first : (byte)0;

    /// <summary>Whether it begins with a JSON object that holds records in a list.</summary>
    public bool IsJsonEnvelope => JsonEnvelopeReader.Begins(Text, Request, isAll: true) == true;

    /// <summary>Whether it begins with a JSON object that spans several lines or is followed by another one on the same line.</summary>
    public bool IsJsonSequence => JsonSequenceReader.Begins(Text, isAll: true) ?? false;
}

/// <summary>An input to be read in a format.</summary>
/// <param name="File">The file.</param>
/// <param name="Window">Its bytes, decompressed. Positioned at the beginning, with the bytes from which the format was detected still buffered. The reader owns
/// it.</param>
/// <param name="Start">The length of the byte order mark.</param>
/// <param name="Compressed">Whether it was decompressed.</param>
/// <param name="Reached">Where an earlier run stopped.</param>
/// <param name="Request">The options of the import.</param>
sealed record FormatInput(InputFile File, InputWindow Window, int Start, bool Compressed, ImportSourceProgress? Reached, ImportRequest Request)
{
    /// <summary>The hash of what an earlier run has read.</summary>
    public Hash128 Fingerprint => Hash128.Parse(Reached!.Fingerprint);

    /// <summary>Skips the byte order mark and what an earlier run has read.</summary>
    /// <returns>Whether there was such a run.</returns>
    public async ValueTask<bool> ResumeAsync(CancellationToken cancellationToken)
    {
        if (Reached is null || Reached.Offset <= Start)
        {
            Window.Advance(Start);
            return false;
        }

        await Window.SkipAsync(Reached.Offset, Fingerprint, cancellationToken).ConfigureAwait(false);
        return true;
    }
}

sealed class NdjsonFormat() : ImportFormat("ndjson")
{
    internal override bool Recognizes(in ImportHead head) => head.First == '{' && !head.IsJsonEnvelope && !head.IsJsonSequence;

    internal override async ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken)
    {
        await input.ResumeAsync(cancellationToken).ConfigureAwait(false);
        return new NdjsonReader(input.Window, input.Reached?.Line ?? 0, input.Reached?.OpenLine ?? false);
    }
}

sealed class JsonFormat() : ImportFormat("json")
{
    internal override bool Recognizes(in ImportHead head) => head.First == '[' || head.IsJsonEnvelope || head.IsJsonSequence;

    internal override async ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken)
    {
        var isEnvelope = JsonEnvelopeReader.Begins(input.Window.Unread[input.Start..], input.Request, isAll: true) == true;
        var isSequence = !isEnvelope && input.Window.Unread[input.Start..].TrimStart(" \t\r\n\u001e"u8) is [(byte)'{', ..];
        var begun = await input.ResumeAsync(cancellationToken).ConfigureAwait(false);
        if (isEnvelope) return new JsonEnvelopeReader(input.Window, input.Reached?.Line ?? 0, begun);
        if (isSequence) return new JsonSequenceReader(input.Window, input.Reached?.Line ?? 0);
        return new JsonArrayReader(input.Window, input.Reached?.Line ?? 0, begun);
    }
}

sealed class GzipCompression() : ImportCompression("gzip")
{
    internal override string Extension => ".gz";

    internal override ReadOnlySpan<byte> Magic => [0x1f, 0x8b];

    internal override ByteSource Open(ByteSource compressed) => new GzipByteSource(compressed);
}
