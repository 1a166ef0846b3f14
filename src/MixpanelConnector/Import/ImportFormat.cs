using System.Globalization;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector;

/// <summary>A format that the records of an import may be in. NDJSON and JSON arrays are here; the package MixpanelConnector.Formats holds more.</summary>
public abstract class ImportFormat
{
    private protected ImportFormat(string name) => Name = name;

    /// <summary>One record a line.</summary>
    public static ImportFormat Ndjson { get; } = new NdjsonFormat();

    /// <summary>One JSON array of records; or records one after the other, each over as many lines as it takes, as <c>jq .</c> writes them; or objects that have their records in a list called <c>data</c>, <c>events</c> or <c>results</c>, as the pages of an API.</summary>
    public static ImportFormat Json { get; } = new JsonFormat();

    /// <summary>What <see cref="ImportRequest.Format"/> and messages call it, such as <c>ndjson</c>.</summary>
    public string Name { get; }

    /// <summary>Whether its files are text in UTF-8.</summary>
    internal virtual bool IsText => true;

    /// <summary>Whether its records have columns, which <see cref="ImportRequest.Columns"/> can map.</summary>
    internal virtual bool HasColumns => false;

    /// <summary>Reads the rows that dead letters keep; null when its records are no rows of text.</summary>
    internal virtual RowParser? NewRowParser(ImportRequest request) => null;

    /// <summary>Tells the format by the beginning of an input.</summary>
    internal abstract bool Recognizes(in ImportHead head);

    /// <summary>Goes to where an earlier run stopped.</summary>
    /// <exception cref="InputException">The input is not of this format, or its beginning has changed.</exception>
    internal abstract ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken);

    /// <summary>The format's name.</summary>
    public override string ToString() => Name;
}

/// <summary>A compression that inputs may have, whatever their format. gzip is here; the package MixpanelConnector.Formats holds zstd.</summary>
public abstract class ImportCompression
{
    private protected ImportCompression(string name) => Name = name;

    /// <summary>gzip, with any number of members.</summary>
    public static ImportCompression Gzip { get; } = new GzipCompression();

    /// <summary>What messages call it, such as <c>gzip</c>.</summary>
    public string Name { get; }

    /// <summary>How its files' names end, such as <c>.gz</c>. Not part of a source's id.</summary>
    internal abstract string Extension { get; }

    /// <summary>What compressed data begins with.</summary>
    internal abstract ReadOnlySpan<byte> Magic { get; }

    /// <summary>Whether a file with this beginning is compressed so.</summary>
    internal virtual bool Recognizes(ReadOnlySpan<byte> head) => head.StartsWith(Magic);

    /// <summary>Decompresses a source, and owns it.</summary>
    internal abstract ByteSource Open(ByteSource compressed);

    /// <summary>The compression's name.</summary>
    public override string ToString() => Name;
}

/// <summary>What a format is told by.</summary>
/// <param name="text">The first bytes, decompressed, without a byte order mark.</param>
/// <param name="name">The file's name, without a compression suffix.</param>
/// <param name="request">What the import asks for.</param>
readonly ref struct ImportHead(ReadOnlySpan<byte> text, string name, ImportRequest request)
{
    public ReadOnlySpan<byte> Text { get; } = text;

    public string Name { get; } = name;

    public ImportRequest Request { get; } = request;

    /// <summary>The first byte that is no white space; 0 when there is none.</summary>
    public byte First => Text.TrimStart(" \t\r\n"u8) is [var first, ..] ? first : (byte)0;

    /// <summary>Whether it begins with a JSON object that has records in a list.</summary>
    public bool IsJsonEnvelope => JsonEnvelopeReader.Begins(Text, Request, isAll: true) == true;

    /// <summary>Whether it begins with a JSON object that takes several lines, or has another behind it on its line.</summary>
    public bool IsJsonSequence => JsonSequenceReader.Begins(Text, isAll: true) ?? false;
}

/// <summary>An input that is to be read in a format.</summary>
/// <param name="File">Where it lies.</param>
/// <param name="Window">Its bytes, decompressed. Stands at the beginning, with what the format was told by. The reader owns it.</param>
/// <param name="Start">The length of the byte order mark.</param>
/// <param name="Compressed">Whether it was decompressed.</param>
/// <param name="Reached">Where an earlier run stopped.</param>
/// <param name="Request">What the import asks for.</param>
sealed record FormatInput(InputFile File, InputWindow Window, int Start, bool Compressed, ImportSourceProgress? Reached, ImportRequest Request)
{
    /// <summary>What an earlier run has read, as a hash.</summary>
    public UInt128 Fingerprint => UInt128.Parse(Reached!.Fingerprint, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>Passes by the byte order mark, and what an earlier run has read.</summary>
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
