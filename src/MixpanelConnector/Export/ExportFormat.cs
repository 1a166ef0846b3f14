using System.IO.Compression;
using MixpanelConnector.Export;

namespace MixpanelConnector;

/// <summary>A format that the records of an export are written in. NDJSON is here; the package MixpanelConnector.Formats holds CSV and Parquet.</summary>
public abstract class ExportFormat
{
    private protected ExportFormat(string name) => Name = name;

    /// <summary>One record a line, byte for byte as Mixpanel gave it.</summary>
    public static ExportFormat Ndjson { get; } = new NdjsonExport();

    /// <summary>What it is called, and how its files' names end, such as <c>ndjson</c>.</summary>
    public string Name { get; }

    /// <summary>Whether a compression is within its files, and not around them.</summary>
    internal virtual bool CompressesItself => false;

    /// <summary>The compression where none is asked for.</summary>
    internal virtual string UsualCompression => ExportCompression.Gzip.Name;

    /// <summary>Whether its writer asks for the members of a record one by one.</summary>
    internal virtual bool HasColumns => false;

    /// <summary>Begins a file.</summary>
    /// <param name="content">Takes the bytes, and stays open.</param>
    /// <param name="request">What is exported, and how.</param>
    internal abstract ExportWriter Open(Stream content, ExportRequest request);

    /// <summary>The format's name.</summary>
    public override string ToString() => Name;
}

/// <summary>A compression of the files of an export. None and gzip are here; the package MixpanelConnector.Formats holds zstd.</summary>
public abstract class ExportCompression
{
    private protected ExportCompression(string name) => Name = name;

    /// <summary>None.</summary>
    public static ExportCompression None { get; } = new NoCompression();

    /// <summary>gzip.</summary>
    public static ExportCompression Gzip { get; } = new GzipCompression();

    /// <summary>What it is called, such as <c>gzip</c>.</summary>
    public string Name { get; }

    /// <summary>How its files' names end, such as <c>.gz</c>.</summary>
    internal abstract string Extension { get; }

    /// <summary>A stream whose bytes come compressed into another one, which stays open; null where they come as they are.</summary>
    /// <param name="content">Takes the bytes.</param>
    /// <param name="files">How many files may be written at once: the memory of all of them is bounded.</param>
    internal abstract Stream? Compress(Stream content, int files);

    /// <summary>The compression's name.</summary>
    public override string ToString() => Name;

    sealed class NoCompression() : ExportCompression("none")
    {
        internal override string Extension => "";

        internal override Stream? Compress(Stream content, int files) => null;
    }

    sealed class GzipCompression() : ExportCompression("gzip")
    {
        internal override string Extension => ".gz";

        internal override Stream? Compress(Stream content, int files) => new GZipStream(content, CompressionLevel.Fastest, leaveOpen: true);
    }
}
