using MixpanelConnector.Formats.Avro;
using MixpanelConnector.Formats.Delimited;
using MixpanelConnector.Formats.Parquet;
using MixpanelConnector.Formats.Zstd;

namespace MixpanelConnector.Formats;

/// <summary>
/// Formats and compressions for <see cref="ImportRequest.Formats"/> and <see cref="ImportRequest.Compressions"/>. The column
/// <c>event</c> supplies the event's name, and every other column a property of the same name. For profiles, <c>distinct_id</c> or
/// <c>$distinct_id</c> identifies the profile, and every other column is set on it. <see cref="ImportRequest.Columns"/> maps other names.
/// </summary>
public static class FileFormats
{
    /// <summary>
    /// Text rows with a header row, according to RFC 4180. The delimiter is <see cref="ImportRequest.Delimiter"/>, or that of a first line
    /// such as <c>sep=;</c>, or else a comma, semicolon, tab or vertical bar as detected from the header. <see cref="ImportRequest.Quote"/>,
    /// <see cref="ImportRequest.Escape"/>, <see cref="ImportRequest.SkipLines"/>, <see cref="ImportRequest.NoHeader"/> and
    /// <see cref="ImportRequest.ColumnNames"/> specify deviations. A first column without a name is skipped; any other one must be
    /// empty. Lines end with LF, CR LF, or CR alone. A column has one type, specified in
    /// <see cref="ImportRequest.ColumnTypes"/> or inferred from the first 1000 rows (of at most 1 MiB): numbers, with the cell's original text,
    /// if all are number literals without an exponent that a double can represent; booleans if all are true or false, case-insensitive;
    /// objects in the column <c>properties</c>; otherwise text. A later value that does not match is rejected. Empty cells are omitted.
    /// </summary>
    public static ImportFormat Csv { get; } = new DelimitedFormat("csv", delimiter: null, [".csv"]);

    /// <summary>Like <see cref="Csv"/>, separated by tabs.</summary>
    public static ImportFormat Tsv { get; } = new DelimitedFormat("tsv", (byte)'\t', [".tsv", ".tab"]);

    /// <summary>
    /// Parquet. A stream, or a file that was compressed as a whole, is copied to a temporary file first. Integers keep their exact text,
    /// decimals all their digits, and floating-point numbers get the shortest text that round-trips; NaN counts as null, and nulls
    /// are omitted. Timestamps become Mixpanel dates, and the event's time milliseconds since 1970. Times of day become text, intervals
    /// ISO 8601 durations, structs and maps objects, lists arrays, and columns of type JSON the values they hold.
    /// A struct, a map or JSON in the column <c>properties</c> supplies the record's properties. Binary values are read as text. A row with a
    /// date outside the years 1 to 9999 is rejected. Columns listed in <see cref="ImportRequest.Drop"/> are not read. Lines
    /// count rows from 1, offsets from 0. Damaged files are rejected: checksums are verified if there are any, and so are all counts.
    /// </summary>
    public static ImportFormat Parquet { get; } = new ParquetFormat();

    /// <summary>
    /// Avro object container files, whose blocks are uncompressed or compressed with deflate, Snappy or zstandard. The fields of their records are
    /// columns, and values are converted as with <see cref="Parquet"/>: nulls are omitted, the value of a union is that of its branch,
    /// and enumerations are text. Lines count records from 1, offsets from 0. Blocks of more than 32 MB, or 64 MB
    /// decompressed, and values nested more than 64 deep are rejected.
    /// </summary>
    public static ImportFormat Avro { get; } = new AvroFormat();

    /// <summary>zstd, with any number of frames.</summary>
    public static ImportCompression Zstd { get; } = new ZstdCompression();

    /// <summary>All formats, including those of the library.</summary>
    public static IReadOnlyList<ImportFormat> All { get; } = [ImportFormat.Ndjson, ImportFormat.Json, Parquet, Avro, Csv, Tsv];

    /// <summary>All compressions, including those of the library.</summary>
    public static IReadOnlyList<ImportCompression> AllCompressions { get; } = [ImportCompression.Gzip, Zstd];
}
