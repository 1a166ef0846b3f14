using System.IO.Compression;
using MixpanelConnector.Export;

namespace MixpanelConnector;

/// <summary>A file format for the records of an export. NDJSON is built in; the package MixpanelConnector.Formats provides CSV and Parquet.</summary>
public abstract class ExportFormat
{
    private protected ExportFormat(string name) => Name = name;

    /// <summary>One record per line, byte for byte as Mixpanel returned it.</summary>
    public static ExportFormat Ndjson { get; } = new NdjsonExport();

    /// <summary>The name, which is also the file extension, such as <c>ndjson</c>.</summary>
    public string Name { get; }

    /// <summary>Whether the compression is part of the format, rather than applied to the file.</summary>
    internal virtual bool CompressesItself => false;

    /// <summary>The compression when none is specified.</summary>
    internal virtual string UsualCompression => ExportCompression.Gzip.Name;

    /// <summary>Whether its writer needs the members of a record individually.</summary>
    internal virtual bool HasColumns => false;

    /// <summary>Starts a file.</summary>
    /// <param name="content">Receives the bytes, and stays open.</param>
    /// <param name="request">The request.</param>
    internal abstract ExportWriter Open(Stream content, ExportRequest request);

    /// <summary>The format's name.</summary>
    public override string ToString() => Name;
}

/// <summary>A compression for the files of an export. None and gzip are built in; the package MixpanelConnector.Formats provides zstd.</summary>
public abstract class ExportCompression
{
    private protected ExportCompression(string name) => Name = name;

    /// <summary>No compression.</summary>
    public static ExportCompression None { get; } = new NoCompression();

    /// <summary>gzip.</summary>
    public static ExportCompression Gzip { get; } = new GzipCompression();

    /// <summary>The name, such as <c>gzip</c>.</summary>
    public string Name { get; }

    /// <summary>The file extension, such as <c>.gz</c>.</summary>
    internal abstract string Extension { get; }

    /// <summary>Returns a stream that writes its bytes compressed to another one, which stays open; null for no compression.</summary>
    /// <param name="content">Receives the bytes.</param>
    /// <param name="files">The number of files that may be written at once; bounds their total memory.</param>
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
