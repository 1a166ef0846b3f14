using MixpanelConnector.Formats.Delimited;
using MixpanelConnector.Formats.Parquet;
using MixpanelConnector.Formats.Zstd;

namespace MixpanelConnector.Formats;

/// <summary>
/// Formats and compressions for <see cref="ImportRequest.Formats"/> and <see cref="ImportRequest.Compressions"/>. The column
/// <c>event</c> gives the event's name, every other column a property of its own name; of profiles, <c>distinct_id</c> or
/// <c>$distinct_id</c> names the profile and every other column is set on it. <see cref="ImportRequest.Columns"/> maps other names.
/// </summary>
public static class FileFormats
{
    /// <summary>
    /// Comma-separated text with a header row, after RFC 4180. Cells that are number literals become numbers, with the cell's own
    /// text, when a double holds them; true and false in any case become booleans; empty cells are left out; all else is text.
    /// </summary>
    public static ImportFormat Csv { get; } = new DelimitedFormat("csv", ',', [".csv"]);

    /// <summary>As <see cref="Csv"/>, separated by tabs.</summary>
    public static ImportFormat Tsv { get; } = new DelimitedFormat("tsv", '\t', [".tsv", ".tab"]);

    /// <summary>
    /// Parquet. A stream, and a file that was compressed as a whole, is put into a temporary file first. Numbers keep their exact text,
    /// decimals with all their digits, floating-point numbers the shortest that gives the same again; NaN counts as null, and nulls
    /// are left out. Timestamps become Mixpanel dates, and the event's time milliseconds since 1970; times of day are text, intervals
    /// durations of ISO 8601; structs and maps become objects, lists become arrays, columns of the type JSON the values they hold.
    /// A struct, a map or JSON in the column <c>properties</c> gives the record's properties. Binary is taken for text. A row with a
    /// date outside the years 1 to 9999 is rejected. Columns named in <see cref="ImportRequest.Drop"/> are not read. Its lines and
    /// offsets count rows, from 1 and from 0. Damaged files are refused: checksums are checked where there are any, and so are all counts.
    /// </summary>
    public static ImportFormat Parquet { get; } = new ParquetFormat();

    /// <summary>zstd, with any number of frames.</summary>
    public static ImportCompression Zstd { get; } = new ZstdCompression();

    /// <summary>Every format there is, those of the library included.</summary>
    public static IReadOnlyList<ImportFormat> All { get; } = [ImportFormat.Ndjson, ImportFormat.Json, Parquet, Csv, Tsv];

    /// <summary>Every compression there is, those of the library included.</summary>
    public static IReadOnlyList<ImportCompression> AllCompressions { get; } = [ImportCompression.Gzip, Zstd];
}
