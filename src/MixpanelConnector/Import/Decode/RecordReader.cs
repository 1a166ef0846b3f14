using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Decode;

enum RecordKind
{
    Json,
    Blank,
    Oversized,
}

/// <summary>A record's bytes, as read or as built, and its position. Valid until the reader is filled again.</summary>
readonly ref struct Record
{
    public RecordKind Kind { get; init; }

    public ReadOnlySpan<byte> Bytes { get; init; }

    /// <summary>The record as it was read, if cleaning changed it.</summary>
    public ReadOnlySpan<byte> Original { get; init; }

    /// <summary>The record as it was read.</summary>
    public ReadOnlySpan<byte> Raw => Original.IsEmpty ? Bytes : Original;

    /// <summary>Whether it was already built from columns.</summary>
    public bool IsBuilt { get; init; }

    /// <summary>Whether a dropped property was omitted when it was built.</summary>
    public bool LacksDropped { get; init; }

    /// <summary>The row of text that it was built from, as read, but with commas between its cells regardless of the delimiter; otherwise empty.</summary>
    public ReadOnlySpan<byte> Row { get; init; }

    /// <summary>What is needed to parse it without its file, for a row of text that yielded no record; otherwise empty.</summary>
    public ReadOnlySpan<byte> Layout { get; init; }

    /// <summary>
    /// The fields that do not match their columns, for a row that became a record nevertheless, as its dead letter stores them; otherwise empty.
    /// </summary>
    public ReadOnlySpan<byte> Misfits { get; init; }

    /// <summary>Its length in the input in bytes, without its line end.</summary>
    public long LengthInInput => !Row.IsEmpty ? Row.Length : Oversized?.Length ?? Raw.Length;

    /// <summary>The offset of the record, in decompressed bytes or in records.</summary>
    public required long Offset { get; init; }

    /// <summary>The line on which it begins, from 1.</summary>
    public required long Line { get; init; }

    /// <summary>The retained part of a record that is too large to keep.</summary>
    public OversizedRecord? Oversized { get; init; }

    /// <summary>The original source of a record from a dead letter.</summary>
    public string? Origin { get; init; }

    /// <summary>The original id of a record from a dead letter.</summary>
    public string? InsertId { get; init; }

    /// <summary>Why it cannot be imported, if that is known before it is validated.</summary>
    public Rejection? Rejection { get; init; }
}

/// <summary>The position of a reader between two records.</summary>
readonly record struct ReadPosition(long Offset, long Line, bool OpenLine);

/// <summary>Splits an input into records. Parses no values, so that a bad record does not hide the next.</summary>
abstract class RecordReader : IDisposable
{
    /// <summary>The position between the last record read and the next.</summary>
    public abstract ReadPosition Position { get; }

    /// <summary>The hash of all bytes before the current position, or before the position that preceded the last record.</summary>
    public abstract Hash128 Fingerprint(ReadPosition position);

    /// <summary>Whether offsets count bytes of the input; otherwise they count its records.</summary>
    public virtual bool OffsetsAreBytes => true;

    /// <summary>The number of bytes read from disk.</summary>
    public abstract long RawPosition { get; }

    /// <summary>Whether the input ends within a record.</summary>
    public abstract bool HasPartialRecord { get; }

    /// <summary>The last line that was read, at least in part.</summary>
    public virtual long LastLine => Position.Line;

    /// <summary>Why that record is incomplete; null when nothing more is known.</summary>
    public virtual string? PartialReason => null;

    /// <summary>The line on which that incomplete record begins.</summary>
    public virtual long PartialLine => Position.Line + 1;

    /// <summary>The types of its columns so far, for the next run; null when it has none.</summary>
    public virtual string? ColumnTypes => null;

    /// <summary>The format in which it was opened; null for dead letters.</summary>
    public ImportFormat? Format { get; set; }

    /// <summary>The names of its columns; null when it has none.</summary>
    public virtual IReadOnlyList<string>? Columns => null;

    /// <summary>The common name of its cell delimiter; null when it has none.</summary>
    public virtual string? Delimiter => null;

    /// <summary>Whether it holds back available records until there are enough to infer how to read them.</summary>
    public virtual bool HoldsBack => false;

    /// <summary>Like <see cref="FillAsync"/>, but when that exceeds a timeout, nothing is held back any more, and this returns true.</summary>
    public virtual ValueTask<bool> FillWithinAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken) => FillAsync(cancellationToken);

    /// <summary>Reads the next buffered record; false when more bytes are needed, or none are left.</summary>
    public abstract bool TryRead(out Record record);

    /// <summary>Reads more; false at the end of the input.</summary>
    public abstract ValueTask<bool> FillAsync(CancellationToken cancellationToken);

    public abstract void Dispose();
}
