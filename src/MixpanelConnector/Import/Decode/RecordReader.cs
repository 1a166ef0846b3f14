using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Decode;

enum RecordKind
{
    Json,
    Blank,
    Oversized,
}

/// <summary>One record's own bytes, or those it was built as, and where it lies. Valid until the reader is filled again.</summary>
readonly ref struct Record
{
    public RecordKind Kind { get; init; }

    public ReadOnlySpan<byte> Bytes { get; init; }

    /// <summary>The record as it was read, when cleaning has changed it.</summary>
    public ReadOnlySpan<byte> Original { get; init; }

    /// <summary>The record as it was read.</summary>
    public ReadOnlySpan<byte> Raw => Original.IsEmpty ? Bytes : Original;

    /// <summary>Whether it was built of columns already.</summary>
    public bool IsBuilt { get; init; }

    /// <summary>Whether a property that is to be dropped was left out when it was built.</summary>
    public bool LacksDropped { get; init; }

    /// <summary>The row of text that it was built of, as it was read, but for commas between its cells, whatever parts them; otherwise empty.</summary>
    public ReadOnlySpan<byte> Row { get; init; }

    /// <summary>What is needed to read it without its file, where it is a row of text that gave no record; otherwise empty.</summary>
    public ReadOnlySpan<byte> Layout { get; init; }

    /// <summary>The bytes of the input that it takes, without its line end.</summary>
    public long LengthInInput => !Row.IsEmpty ? Row.Length : Oversized?.Length ?? Raw.Length;

    /// <summary>Where the record begins, in decompressed bytes, or in records.</summary>
    public required long Offset { get; init; }

    /// <summary>The line that it begins on, from 1.</summary>
    public required long Line { get; init; }

    /// <summary>What is left of a record that is too large to keep.</summary>
    public OversizedRecord? Oversized { get; init; }

    /// <summary>The source that it came from at first, when it is a dead letter's.</summary>
    public string? Origin { get; init; }

    /// <summary>The id it was given at first, when it is a dead letter's.</summary>
    public string? InsertId { get; init; }

    /// <summary>Why it cannot be imported, when that is known before it is looked into.</summary>
    public Rejection? Rejection { get; init; }
}

/// <summary>Where a reader stands between two records.</summary>
readonly record struct ReadPosition(long Offset, long Line, bool OpenLine);

/// <summary>Cuts an input into records. Parses no values, so that a bad record does not hide the next.</summary>
abstract class RecordReader : IDisposable
{
    /// <summary>Between the last record that was given and the next.</summary>
    public abstract ReadPosition Position { get; }

    /// <summary>The hash of every byte before the current position, or before the position that preceded the last record.</summary>
    public abstract UInt128 Fingerprint(ReadPosition position);

    /// <summary>Whether offsets count bytes of the input; otherwise they count its records.</summary>
    public virtual bool OffsetsAreBytes => true;

    /// <summary>Bytes taken from the disk.</summary>
    public abstract long RawPosition { get; }

    /// <summary>Whether the input has begun a record that it does not end.</summary>
    public abstract bool HasPartialRecord { get; }

    /// <summary>The last line of which something was read.</summary>
    public virtual long LastLine => Position.Line;

    /// <summary>The line that the record begins on which the input does not end.</summary>
    public virtual long PartialLine => Position.Line + 1;

    /// <summary>The types of its columns so far, for the next run; null when they have none.</summary>
    public virtual string? ColumnTypes => null;

    /// <summary>The format that it was opened in; null for dead letters.</summary>
    public ImportFormat? Format { get; set; }

    /// <summary>The names of its columns; null when it has none of its own.</summary>
    public virtual IReadOnlyList<string>? Columns => null;

    /// <summary>What parts its cells, as people call it; null when it has none.</summary>
    public virtual string? Delimiter => null;

    /// <summary>Whether it holds back records that are there, until more of them have shown how they are to be read.</summary>
    public virtual bool HoldsBack => false;

    /// <summary>As <see cref="FillAsync"/>, but when that takes longer than is reasonable, nothing is held back any more, and this gives true.</summary>
    public virtual ValueTask<bool> FillWithinAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellationToken) => FillAsync(cancellationToken);

    /// <summary>Gives the next record of what is buffered; false when more bytes are needed, or none are left.</summary>
    public abstract bool TryRead(out Record record);

    /// <summary>Reads more; false at the end of the input.</summary>
    public abstract ValueTask<bool> FillAsync(CancellationToken cancellationToken);

    public abstract void Dispose();
}
