using System.Collections.Frozen;

namespace MixpanelConnector;

/// <summary>Where an import keeps how far it has come, so that it can be resumed. Used by one import at a time, one call at a time.</summary>
public interface IImportState : IDisposable
{
    /// <summary>Where the dead-letter file is written when the caller names no place; null for nowhere.</summary>
    string? DeadLetterPath { get; }

    /// <summary>The files that it consists of, which are never inputs. Default: none.</summary>
    IReadOnlyCollection<string> Files => [];

    /// <summary>The last checkpoint with the progress of every source, without dead letters; null when nothing was saved yet.</summary>
    /// <exception cref="ImportStateException">The state is damaged or cannot be read.</exception>
    ImportCheckpoint? Load();

    /// <summary>Makes a checkpoint durable: all of it or, when this throws, nothing.</summary>
    /// <param name="checkpoint">The totals so far, the sources that moved, and the new dead letters.</param>
    /// <exception cref="ImportStateException">The state cannot be written.</exception>
    void Save(ImportCheckpoint checkpoint);

    /// <summary>Every dead letter saved so far, in order: each one line of JSON without its line end.</summary>
    /// <exception cref="ImportStateException">The state is damaged or cannot be read.</exception>
    IEnumerable<ReadOnlyMemory<byte>> DeadLetters();

    /// <summary>Forgets everything.</summary>
    /// <exception cref="ImportStateException">The state cannot be written.</exception>
    void Clear();
}

/// <summary>How far an import is, at a moment when every record before it has its final outcome.</summary>
public sealed record ImportCheckpoint
{
    /// <summary>The options that shape the records; a checkpoint is only good for the same.</summary>
    public required string OptionsFingerprint { get; init; }

    /// <summary>The counts of all runs so far.</summary>
    public required ImportTotals Totals { get; init; }

    /// <summary>Whether every input was read to its end.</summary>
    public bool Finished { get; init; }

    /// <summary>Where the dead letters go; null for <see cref="IImportState.DeadLetterPath"/>.</summary>
    public string? DeadLetterPath { get; init; }

    /// <summary>The sources that moved since the last checkpoint; from <see cref="IImportState.Load"/>, all of them.</summary>
    public IReadOnlyList<ImportSourceProgress> Sources { get; init; } = [];

    /// <summary>The dead letters since the last checkpoint; from <see cref="IImportState.Load"/>, none.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> DeadLetters { get; init; } = [];
}

/// <summary>Counts over all runs of an import, of settled records only.</summary>
public sealed record ImportTotals
{
    /// <summary>Records that Mixpanel accepted.</summary>
    public long Accepted { get; init; }

    /// <summary>Records that were not accepted.</summary>
    public long Rejected { get; init; }

    /// <summary>Lines with nothing on them.</summary>
    public long Blank { get; init; }

    /// <summary>Decompressed bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>Requests sent.</summary>
    public long Requests { get; init; }

    /// <summary>Requests that repeated one whose outcome was not final.</summary>
    public long Retries { get; init; }

    /// <summary>How many records were settled when the latest run that did anything began.</summary>
    public long ResumedFrom { get; init; }

    /// <summary>The time spent.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Events whose event, time, <c>distinct_id</c> and <c>$insert_id</c> are those of one before them, so that Mixpanel counts the two once.</summary>
    public long SameIdentity { get; init; }

    /// <summary>Records that were cleaned, by what was asked for; null when nothing was.</summary>
    public ImportFixed? Fixed { get; init; }

    /// <summary>Records that become nothing by the mapping that was asked for, by reason; null when none was.</summary>
    public IReadOnlyDictionary<string, long>? LeftOut { get; init; }

    /// <summary>What was done to records as they were mapped, and to how many or how often; null when no mapping was asked for.</summary>
    public IReadOnlyDictionary<string, long>? Mapped { get; init; }

    /// <summary>All settled records.</summary>
    public long Read => Accepted + Rejected + Blank + (LeftOut?.Values.Sum() ?? 0);

    /// <summary>What was counted, and some more of it; null where neither was.</summary>
    internal static IReadOnlyDictionary<string, long>? Sum(IReadOnlyDictionary<string, long>? counts, Dictionary<string, long>? more)
    {
        if (more is null) return counts;
        var sums = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, count) in (counts ?? FrozenDictionary<string, long>.Empty).Concat(more)) sums[name] = sums.GetValueOrDefault(name) + count;
        return sums;
    }
}

/// <summary>What the <c>$insert_id</c>s of a source come from that were computed, beside the source's id and the how-manieth equal record it is; of several, the last here.</summary>
public enum ImportIds
{
    /// <summary>None was computed: each record has its own.</summary>
    None,

    /// <summary>The record's bytes as they were read. They come out the same, whatever options say and whatever changes in other records.</summary>
    OfBytes,

    /// <summary>The record as it was built of columns: also of how these are mapped.</summary>
    OfColumns,

    /// <summary>Some also the record's place: there were more different records than can be told apart.</summary>
    OfPlaces,
}

/// <summary>How far one source is.</summary>
public sealed record ImportSourceProgress
{
    /// <summary>The name of the source: its path relative to the input that it was found by.</summary>
    public required string Id { get; init; }

    /// <summary>The decompressed bytes whose records are settled; of a Parquet file, the records.</summary>
    public required long Offset { get; init; }

    /// <summary>The lines that lie whole within <see cref="Offset"/>.</summary>
    public required long Line { get; init; }

    /// <summary>Of the record that follows, how many of those that it becomes by a mapping are settled. 0 where none are, or it becomes one.</summary>
    public int Parts { get; init; }

    /// <summary>Whether the last settled record stood at the end of the source without a line end.</summary>
    public bool OpenLine { get; init; }

    /// <summary>Whether the end of the source was reached.</summary>
    public bool Ended { get; init; }

    /// <summary>What the <c>$insert_id</c>s come from that were computed for its settled records; null when that is not known, as in states of earlier versions and for records that have none.</summary>
    public ImportIds? ComputedIds { get; init; }

    /// <summary>XxHash128 of the first <see cref="Offset"/> bytes, of a Parquet file of all bytes, in hex: shows a source whose beginning has changed.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The types of its columns, one letter each, as the first values have shown them; null where they have none.</summary>
    public string? ColumnTypes { get; init; }

    /// <summary>The object that it is, as it was first listed; null when it does not lie in object storage.</summary>
    public ImportObject? Pinned { get; init; }

    /// <summary>Records before this offset may have been sent without an answer: those that cannot be repeated safely are not sent again. 0 when there are none.</summary>
    public long SentTo { get; init; }
}
