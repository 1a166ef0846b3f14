using System.Buffers.Binary;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.State;

/// <summary>
/// The state of a dry run: the counts, and the dead letters only if they are to be written.
/// These go to a temporary file, so that memory stays bounded regardless of their number.
/// </summary>
sealed class DryRunState(bool keepsDeadLetters) : IImportState, ICountsReasons
{
    FileStream? _spool;

    public string? DeadLetterPath => null;

    /// <summary>The dead letters by reason, whether stored or not.</summary>
    public ReasonCounts Reasons { get; } = new();

    public ImportCheckpoint? Load() => null;

    public void Save(ImportCheckpoint checkpoint)
    {
        foreach (var letter in checkpoint.DeadLetters) Reasons.Add(letter.Span);
        if (!keepsDeadLetters || checkpoint.DeadLetters.Count == 0) return;
        try
        {
            _spool ??= TemporaryFile.Create();
            Span<byte> length = stackalloc byte[sizeof(int)];
            foreach (var line in checkpoint.DeadLetters)
            {
                BinaryPrimitives.WriteInt32LittleEndian(length, line.Length);
                _spool.Write(length);
                _spool.Write(line.Span);
            }

            _spool.Flush(); // a full disk is reported here, not when the file is read
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(e);
        }
    }

    public IEnumerable<ReadOnlyMemory<byte>> DeadLetters()
    {
        if (_spool is null) yield break;
        _spool.Position = 0;
        var length = new byte[sizeof(int)];
        while (_spool.ReadAtLeast(length, length.Length, throwOnEndOfStream: false) == length.Length)
        {
            var line = new byte[BinaryPrimitives.ReadInt32LittleEndian(length)];
            _spool.ReadExactly(line);
            yield return line;
        }
    }

    public void Clear() { }

    public void Dispose() => _spool?.Dispose();

    static ImportStateException Unwritable(Exception cause) =>
        new(ImportStateFault.Unwritable,
            $"The dead letters of the dry run cannot be stored in {TemporaryFile.Folder}: {cause.Message} Free space there, or name another folder in TMPDIR.",
            cause);
}
