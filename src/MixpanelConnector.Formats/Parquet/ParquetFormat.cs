using System.IO.Hashing;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;
using Parquet;
using Parquet.Meta;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>Parquet files, one row group after the other. They are read from their end, so that a stream will not do.</summary>
sealed class ParquetFormat() : ImportFormat("parquet")
{
    static readonly ParquetOptions Options = new() { UseBigDecimal = true, UseDateOnlyTypeForDates = true };

    internal override bool IsText => false;

    internal override bool HasColumns => true;

    internal override bool Recognizes(in ImportHead head) => head.Text.StartsWith("PAR1"u8);

    internal override async ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken)
    {
        if (!input.Window.Unread.StartsWith("PAR1"u8)) throw new InputException("is no Parquet file");
        if (input.Compressed) throw new InputException("is a Parquet file that was compressed as a whole. Decompress it first: its pages have a compression of their own");
        if (input.File.Path is null) throw new InputException("is a Parquet file, which cannot be read from a stream. Name the file");

        var file = Open(input.File.Path);
        try
        {
            var fingerprint = await FingerprintAsync(file, cancellationToken).ConfigureAwait(false);
            if (input.Reached is { Offset: > 0 } && fingerprint != input.Fingerprint) throw new InputException("has changed since a part of it was imported. Restore it, or begin again with --restart");
            file.Position = 0;
            var parquet = await ParquetReader.CreateAsync(file, Options, leaveStreamOpen: true, cancellationToken).ConfigureAwait(false);
            KeepTextAsBytes(parquet.Metadata!.Schema);
            var columns = new ColumnMap([.. parquet.Schema.Fields.Select(field => field.Name)], input.Request);
            var reader = new ParquetRecordReader(file, parquet, columns, fingerprint, input.Reached?.Offset ?? 0);
            input.Window.Dispose();
            return reader;
        }
        catch (Exception e)
        {
            await file.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException or InputException) throw;
            throw Damaged(e);
        }
    }

    /// <summary>The parser meets damaged bytes with exceptions of many types.</summary>
    public static InputException Damaged(Exception cause) => new($"is a Parquet file that is damaged, cut short, or of a kind that is not supported: {cause.Message.ReplaceLineEndings(" ")}", cause);

    /// <summary>Text is read as the bytes that it is: decoded, what is no UTF-8 would be mended in silence.</summary>
    static void KeepTextAsBytes(List<SchemaElement> columns)
    {
        foreach (var column in columns)
        {
            if (column.ConvertedType is ConvertedType.UTF8 or ConvertedType.ENUM or ConvertedType.JSON) column.ConvertedType = null;
            if (column.LogicalType is { STRING: not null } or { ENUM: not null } or { JSON: not null }) column.LogicalType = null;
        }
    }

    static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot be opened: {e.Message}", e);
        }
    }

    static async ValueTask<UInt128> FingerprintAsync(FileStream file, CancellationToken cancellationToken)
    {
        var hash = new XxHash128();
        await hash.AppendAsync(file, cancellationToken).ConfigureAwait(false);
        return hash.GetCurrentHashAsUInt128();
    }
}
