using System.IO.Hashing;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Decode;
using MixpanelConnector.Import.Source;

namespace MixpanelConnector.Formats.Parquet;

/// <summary>
/// Parquet files, read row by row. Reading starts at the end of the file, so a stream,
/// or a file that was compressed as a whole, is copied to a temporary file first.
/// </summary>
sealed class ParquetFormat() : ImportFormat("parquet")
{
    const int LongestReason = 300;

    internal override bool IsText => false;

    internal override bool HasColumns => true;

    internal override bool Recognizes(in ImportHead head) => IsParquet(head.Text);

    internal override async ValueTask<RecordReader> OpenAsync(FormatInput input, CancellationToken cancellationToken)
    {
        if (!IsParquet(input.Window.Unread)) throw new InputException("is not a Parquet file");
        var path = input.Compressed ? null : input.File.SeekablePath;
        var (stream, fingerprint) = path is null
            ? await SpoolAsync(input.Window, cancellationToken).ConfigureAwait(false)
            : await OpenAsync(path, hashes: input.Request.Look is null, cancellationToken).ConfigureAwait(false); // an inspection is never resumed
        var file = new ParquetFile(stream, isTemporary: path is null);
        try
        {
            if (input.Reached is { Offset: > 0 } && fingerprint != input.Fingerprint)
                throw InputException.Changed("has changed since a part of it was imported");
            var reader = new ParquetRecordReader(file, ParquetFooter.Read(file), input.Request, fingerprint, input.Reached?.Offset ?? 0,
                input.Compressed ? input.Window.RawPosition : file.Length);
            input.Window.Dispose();
            return reader;
        }
        catch (Exception e)
        {
            await file.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException or InputException) throw;
            throw Damaged(file, e);
        }
    }

    /// <summary>The error for an exception caused by damaged bytes, or by the disk.</summary>
    public static InputException Damaged(ParquetFile file, Exception cause)
    {
        file.ThrowIfFailed();
        if (cause is DllNotFoundException or TypeInitializationException { InnerException: DllNotFoundException })
            return new("is a Parquet file, which cannot be read on this system, such as one without glibc. Convert it to NDJSON or CSV first", cause);
        return new($"is a Parquet file that is damaged, truncated or not supported: {ReasonOf(cause)}", cause);
    }

    static bool IsParquet(ReadOnlySpan<byte> head) => head.StartsWith("PAR1"u8) || head.StartsWith("PARE"u8);

    /// <summary>Extracts the package's message, which is in quotes between names of its own types; it may contain text from the file.</summary>
    public static string ReasonOf(Exception cause)
    {
        const string Begin = "(message: '";
        var message = cause.Message;
        if (message.IndexOf(Begin, StringComparison.Ordinal) is var begin and >= 0 && message.LastIndexOf("')", StringComparison.Ordinal) is var end
            && end >= begin + Begin.Length)
            message = message[(begin + Begin.Length)..end];
        return UnsafeText.Replaced(message, ' ', LongestReason).TrimEnd(' ', '.');
    }

    static async ValueTask<(FileStream, Hash128)> OpenAsync(string path, bool hashes, CancellationToken cancellationToken)
    {
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var hash = new XxHash128();
            if (hashes) await hash.AppendAsync(file, cancellationToken).ConfigureAwait(false);
            return (file, Hash128.Of(hash));
        }
        catch (Exception e)
        {
            if (file is not null) await file.DisposeAsync().ConfigureAwait(false);
            if (e is IOException or UnauthorizedAccessException) throw new InputException($"cannot be read: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Copies the rest of the input to a temporary file.</summary>
    static async ValueTask<(FileStream, Hash128)> SpoolAsync(InputWindow window, CancellationToken cancellationToken)
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
            throw new InputException(
                $"is a Parquet file in a stream, or compressed as a whole: it needs a temporary file, "
                + $"which cannot be written in {TemporaryFile.Folder}: {e.Message} Free space there, or name another folder in TMPDIR",
                e)
            { Outcome = RunOutcome.DiskFailed };
        }
    }
}
