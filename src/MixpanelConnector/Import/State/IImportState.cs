using System.Collections.Frozen;

namespace MixpanelConnector;

/// <summary>Stores the progress of an import, so that it can be resumed. Used by one import at a time, one call at a time.</summary>
public interface IImportState : IDisposable
{
    /// <summary>The path of the dead-letter file when the caller specifies none; null for no file.</summary>
    string? DeadLetterPath { get; }

    /// <summary>The files that make up the state, which are never read as inputs. Default: none.</summary>
    IReadOnlyCollection<string> Files => [];

    /// <summary>Returns the last checkpoint with the progress of every source, without dead letters; null when nothing was saved yet.</summary>
    /// <exception cref="ImportStateException">The state is damaged or cannot be read.</exception>
    ImportCheckpoint? Load();

    /// <summary>Durably saves a checkpoint. Atomic: if this throws, nothing is saved.</summary>
    /// <param name="checkpoint">The totals so far, the sources that progressed, and the new dead letters.</param>
    /// <exception cref="ImportStateException">The state cannot be written.</exception>
    void Save(ImportCheckpoint checkpoint);

    /// <summary>Returns all dead letters saved so far, in order, each as one line of JSON without its line end.</summary>
    /// <exception cref="ImportStateException">The state is damaged or cannot be read.</exception>
    IEnumerable<ReadOnlyMemory<byte>> DeadLetters();

    /// <summary>Deletes all stored progress and dead letters.</summary>
    /// <exception cref="ImportStateException">The state cannot be written.</exception>
    void Clear();
}

/// <summary>The progress of an import at a point where every record before it has its final outcome.</summary>
public sealed record ImportCheckpoint
{
    /// <summary>The options that affect the records; the checkpoint is valid only for the same options.</summary>
    public required string OptionsFingerprint { get; init; }

    /// <summary>The counts over all runs so far.</summary>
    public required ImportTotals Totals { get; init; }

    /// <summary>Whether every input was read to its end.</summary>
    public bool Finished { get; init; }

    /// <summary>The dead-letter file; null for <see cref="IImportState.DeadLetterPath"/>.</summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>The sources that progressed since the last checkpoint; from <see cref="IImportState.Load"/>, all of them.</summary>
    public IReadOnlyList<ImportSourceProgress> Sources { get; init; } = [];

    /// <summary>The dead letters since the last checkpoint; from <see cref="IImportState.Load"/>, none.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> DeadLetters { get; init; } = [];
}

/// <summary>Counts over all runs of an import, for settled records only.</summary>
public sealed record ImportTotals
{
    /// <summary>Records that Mixpanel accepted.</summary>
    public long Accepted { get; init; }

    /// <summary>Records that were not accepted.</summary>
    public long Rejected { get; init; }

    /// <summary>Blank lines.</summary>
    public long Blank { get; init; }

    /// <summary>Bytes, decompressed.</summary>
    public long Bytes { get; init; }

    /// <summary>Requests sent.</summary>
    public long Requests { get; init; }

    /// <summary>Requests that retried one whose outcome was not final.</summary>
    public long Retries { get; init; }

    /// <summary>The number of records that were settled when the latest run that did anything began.</summary>
    public long ResumedFrom { get; init; }

    /// <summary>The elapsed time.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Events with the same event, time, <c>distinct_id</c> and <c>$insert_id</c> as an earlier one; Mixpanel counts such a pair once.</summary>
    public long SameIdentity { get; init; }

    /// <summary>Records that were cleaned, by kind of cleaning; null when no cleaning was requested.</summary>
    public ImportFixed? Fixed { get; init; }

    /// <summary>Records that the mapping left out, by reason; null when there was no mapping.</summary>
    public IReadOnlyDictionary<string, long>? LeftOut { get; init; }

    /// <summary>What the mapping did, by kind, and to how many records or how often; null when there was no mapping.</summary>
    public IReadOnlyDictionary<string, long>? Mapped { get; init; }

    /// <summary>All settled records.</summary>
    public long Read => Accepted + Rejected + Blank + (LeftOut?.Values.Sum() ?? 0);

    /// <summary>Adds counts to those so far; null when there are neither.</summary>
    internal static IReadOnlyDictionary<string, long>? Sum(IReadOnlyDictionary<string, long>? counts, Dictionary<string, long>? more)
    {
        if (more is null) return counts;
        var sums = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, count) in (counts ?? FrozenDictionary<string, long>.Empty).Concat(more)) sums[name] = sums.GetValueOrDefault(name) + count;
        return sums;
    }
}

/// <summary>
/// What the computed <c>$insert_id</c>s of a source are derived from, in addition to the source's
/// id and the number of the occurrence among equal records. If several apply, the last of these.
/// </summary>
public enum ImportIds
{
    /// <summary>No id was computed: each record has its own.</summary>
    None,

    /// <summary>The record's bytes as they were read. The ids are the same regardless of the options and of changes in other records.</summary>
    OfBytes,

    /// <summary>The record as built from columns, and so also how these are mapped.</summary>
    OfColumns,

    /// <summary>For some records also their position, because there were more distinct records than can be tracked.</summary>
    OfPlaces,
}

/// <summary>The progress of one source.</summary>
public sealed record ImportSourceProgress
{
    /// <summary>The fingerprint of a source of which nothing was read.</summary>
    internal static readonly string NothingRead = Hash128.Of([]).ToString();

    /// <summary>The id of the source: its path relative to the input that included it.</summary>
    public required string Id { get; init; }

    /// <summary>The number of decompressed bytes whose records are settled; for a Parquet file, the number of records.</summary>
    public required long Offset { get; init; }

    /// <summary>The number of complete lines within <see cref="Offset"/>.</summary>
    public required long Line { get; init; }

    /// <summary>The number of mapping results of the next record that are settled. 0 when there are none, or the record is mapped to only one.</summary>
    public int Parts { get; init; }

    /// <summary>Whether the last settled record was at the end of the source, without a line end.</summary>
    public bool OpenLine { get; init; }

    /// <summary>Whether the end of the source was reached.</summary>
    public bool Ended { get; init; }

    /// <summary>
    /// What the computed <c>$insert_id</c>s of its settled records are derived from; null
    /// when that is unknown, as in states of earlier versions, and for records without ids.
    /// </summary>
    public ImportIds? ComputedIds { get; init; }

    /// <summary>
    /// The XxHash128 of the first <see cref="Offset"/> bytes (for a Parquet file, of all bytes), in hex. Detects a source whose beginning has changed.
    /// </summary>
    public required string Fingerprint { get; init; }

    /// <summary>The types of its columns as inferred from the first values, one letter each; null when it has none.</summary>
    public string? ColumnTypes { get; init; }

    /// <summary>The object as it was first listed; null when the source is not in object storage.</summary>
    public ImportObject? Pinned { get; init; }

    /// <summary>
    /// Records before this offset may have been sent without an answer; those that cannot be safely retried are not resent. 0 when there are none.
    /// </summary>
    public long SentTo { get; init; }
}
