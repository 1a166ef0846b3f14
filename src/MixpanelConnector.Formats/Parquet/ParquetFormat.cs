using System.IO.Hashing;
using MixpanelConnector.Formats.Columns;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;
using Parquet;
using Parquet.Meta;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>Parquet files, one row group after the other. They are read from their end, so that a stream, and a file that was compressed as a whole, is put into a temporary file first.</summary>
sealed class ParquetFormat() : ImportFormat("parquet")
{
    static readonly ParquetOptions Options = new() { UseBigDecimal = true, UseDateOnlyTypeForDates = true };

    internal override bool IsText => false;

    internal override bool HasColumns => true;

    internal override bool Recognizes(in ImportHead head) => head.Text.StartsWith("PAR1"u8);

    internal override async ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken)
    {
        if (!input.Window.Unread.StartsWith("PAR1"u8)) throw new InputException("is no Parquet file");
        var (file, fingerprint) = input.Compressed || input.File.SeekablePath is not { } path
            ? await SpoolAsync(input.Window, cancellationToken).ConfigureAwait(false)
            : await OpenAsync(path, cancellationToken).ConfigureAwait(false);
        try
        {
            if (input.Reached is { Offset: > 0 } && fingerprint != input.Fingerprint) throw new InputException("has changed since a part of it was imported. Restore it, or begin again with --restart");
            file.Position = 0;
            var parquet = await ParquetReader.CreateAsync(file, Options, leaveStreamOpen: true, cancellationToken).ConfigureAwait(false);
            KeepTextAsBytes(parquet.Metadata!.Schema);
            var columns = new ColumnMap([.. parquet.Schema.Fields.Select(field => field.Name)], input.Request);
            var reader = new ParquetRecordReader(file, parquet, columns, fingerprint, input.Reached?.Offset ?? 0, input.Compressed ? input.Window.RawPosition : file.Length);
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

    static async ValueTask<(FileStream, UInt128)> OpenAsync(string path, CancellationToken cancellationToken)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var hash = new XxHash128();
            await hash.AppendAsync(file, cancellationToken).ConfigureAwait(false);
            return (file, hash.GetCurrentHashAsUInt128());
        }
        catch (Exception e)
        {
            if (file is not null) await file.DisposeAsync().ConfigureAwait(false);
            if (e is IOException or UnauthorizedAccessException) throw new InputException($"cannot be read: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Puts all that is to come into a temporary file.</summary>
    static async ValueTask<(FileStream, UInt128)> SpoolAsync(InputWindow window, CancellationToken cancellationToken)
    {
        FileStream? file = null;
        try
        {
            file = TemporaryFile.Create();
            do
            {
                file.Write(window.Unread);
                window.Advance(window.Unread.Length);
            }
            while (await window.FillAsync(cancellationToken).ConfigureAwait(false));
            file.Flush();
            return (file, window.Fingerprint(window.Offset));
        }
        catch (Exception e)
        {
            if (file is not null) await file.DisposeAsync().ConfigureAwait(false);
            if (e is not (IOException or UnauthorizedAccessException)) throw;
            throw new InputException($"is a Parquet file in a stream, or compressed as a whole: it needs a temporary file, which cannot be written in {TemporaryFile.Folder}: {e.Message} Make room there, or name another folder in TMPDIR", e) { ExitCode = 7 };
        }
    }
}
