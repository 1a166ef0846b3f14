using MixpanelConnector.Formats.Avro;
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
    /// Text in rows with a header row, after RFC 4180: cells parted by <see cref="ImportRequest.Delimiter"/>, else as a first line
    /// such as <c>sep=;</c> says, else by commas, semicolons, tabs or vertical bars as the header shows. <see cref="ImportRequest.Quote"/>,
    /// <see cref="ImportRequest.Escape"/>, <see cref="ImportRequest.SkipLines"/>, <see cref="ImportRequest.NoHeader"/> and
    /// <see cref="ImportRequest.ColumnNames"/> say what is otherwise. A first column without a name is left out, another one must be
    /// empty. Lines are ended by LF, CR LF, or CR alone. A column has one type, said in
    /// <see cref="ImportRequest.ColumnTypes"/> or shown by the first 1000 rows (of at most 1 MiB): numbers, with the cell's own text,
    /// where all are number literals without exponent that a double holds; booleans where all are true or false in any case;
    /// objects in the column <c>properties</c>; else text. A later value that does not fit is rejected. Empty cells are left out.
    /// </summary>
    public static ImportFormat Csv { get; } = new DelimitedFormat("csv", delimiter: null, [".csv"]);

    /// <summary>As <see cref="Csv"/>, separated by tabs.</summary>
    public static ImportFormat Tsv { get; } = new DelimitedFormat("tsv", (byte)'\t', [".tsv", ".tab"]);

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

    /// <summary>
    /// Avro's object container files, whose blocks are plain or compressed with deflate, Snappy or zstandard. The fields of their records are
    /// columns, and what becomes of values is as with <see cref="Parquet"/>: nulls are left out, whichever branch of a union holds a value gives
    /// it, enumerations are text. Its lines and offsets count records, from 1 and from 0. Blocks of more than 32 MB, or 64 MB when they are
    /// decompressed, and values nested more than 64 deep are refused.
    /// </summary>
    public static ImportFormat Avro { get; } = new AvroFormat();

    /// <summary>zstd, with any number of frames.</summary>
    public static ImportCompression Zstd { get; } = new ZstdCompression();

    /// <summary>Every format there is, those of the library included.</summary>
    public static IReadOnlyList<ImportFormat> All { get; } = [ImportFormat.Ndjson, ImportFormat.Json, Parquet, Avro, Csv, Tsv];

    /// <summary>Every compression there is, those of the library included.</summary>
    public static IReadOnlyList<ImportCompression> AllCompressions { get; } = [ImportCompression.Gzip, Zstd];
}
