using MixpanelConnector.Formats.Exports;

namespace MixpanelConnector.Formats;

/// <summary>
/// Formats and a compression for <see cref="ExportRequest.Format"/> and <see cref="ExportRequest.Compression"/>. The columns of events are
/// <c>event</c>, <c>time</c>, <c>distinct_id</c>, <c>$insert_id</c> and <c>properties</c>: the other properties as one JSON object with
/// their own bytes. Profiles have <c>$distinct_id</c>, groups <c>$group_id</c>, and <c>$properties</c>.
/// </summary>
public static class ExportFormats
{
    /// <summary>Rows after RFC 4180, in UTF-8, with a header. <c>time</c> is the integer of milliseconds. What is absent is an empty cell; empty text is <c>""</c>, in quotes. No cell is altered: a spreadsheet may take one that begins with <c>=</c> for a formula.</summary>
    public static ExportFormat Csv { get; } = new CsvExport();

    /// <summary>Parquet. <c>time</c> is an INT64 of the type TIMESTAMP(MILLIS, UTC), the properties are text of the type JSON; what is absent is null. The compression is that of the pages.</summary>
    public static ExportFormat Parquet { get; } = new ParquetExport();

    /// <summary>zstd.</summary>
    public static ExportCompression Zstd { get; } = new ZstdExport();

    /// <summary>Every format there is, that of the library included.</summary>
    public static IReadOnlyList<ExportFormat> All { get; } = [ExportFormat.Ndjson, Csv, Parquet];

    /// <summary>Every compression there is, those of the library included.</summary>
    public static IReadOnlyList<ExportCompression> AllCompressions { get; } = [ExportCompression.None, ExportCompression.Gzip, Zstd];
}
