using MixpanelConnector.Formats.Exports;

namespace MixpanelConnector.Formats;

/// <summary>
/// Formats and a compression for <see cref="ExportRequest.Format"/> and <see cref="ExportRequest.Compression"/>. The columns of events are
/// <c>event</c>, <c>time</c>, <c>distinct_id</c>, <c>$insert_id</c> and <c>properties</c>, which holds all other properties as one JSON object,
/// byte for byte. Profiles have <c>$distinct_id</c> and <c>$properties</c>, groups <c>$group_id</c> and <c>$properties</c>.
/// </summary>
public static class ExportFormats
{
    /// <summary>
    /// CSV according to RFC 4180, in UTF-8, with a header. <c>time</c> is an integer in milliseconds. A missing value is an empty cell; empty text is
    /// <c>""</c>, in quotes. No cell is altered: a spreadsheet may interpret one that begins with <c>=</c> as a formula.
    /// </summary>
    public static ExportFormat Csv { get; } = new CsvExport();

    /// <summary>
    /// Parquet. <c>time</c> is an INT64 of type TIMESTAMP(MILLIS, UTC), the properties are
    /// text of type JSON, and a missing value is null. The compression applies to the pages.
    /// </summary>
    public static ExportFormat Parquet { get; } = new ParquetExport();

    /// <summary>zstd.</summary>
    public static ExportCompression Zstd { get; } = new ZstdExport();

    /// <summary>All formats, including those of the library.</summary>
    public static IReadOnlyList<ExportFormat> All { get; } = [ExportFormat.Ndjson, Csv, Parquet];

    /// <summary>All compressions, including those of the library.</summary>
    public static IReadOnlyList<ExportCompression> AllCompressions { get; } = [ExportCompression.None, ExportCompression.Gzip, Zstd];
}
