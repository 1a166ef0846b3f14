using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;
using MixpanelConnector.Import.Outcome;
using MixpanelConnector.Import.Send;

namespace MixpanelConnector.Import.Settle;

/// <summary>
/// Tracks outcomes: accepts them in any order, and advances the durable state over the contiguous range of final ones.
/// The state may lag behind what Mixpanel has; it is never ahead.
/// </summary>
sealed class CheckpointTracker
{
    /// <summary>The number of bytes of dead letters in memory above which they are saved.</summary>
    const long MostDeadLetterBytes = 4 << 20;

    readonly Lock _lock = new();
    readonly IImportState _state;
    readonly ImportCounts _counts;
    readonly TimeProvider _time;
    readonly TimeSpan _interval;
    readonly string _optionsFingerprint;
    readonly string? _deadLetterPath;
    readonly bool _forgetsEnded; // when there is no end of sources
    readonly ImportTotals _before;
    readonly Dictionary<string, ImportSourceProgress> _sources;
    readonly Dictionary<string, long> _sentTo; // by source: the offset before which unsettled records may have been delivered, in this run or an earlier one
    readonly Dictionary<long, BatchOutcome> _waiting = [];
    readonly HashSet<string> _moved = new(StringComparer.Ordinal);
    readonly List<ReadOnlyMemory<byte>> _deadLetters = [];
    readonly List<MemoryLease> _leases = []; // for the dead letters
    readonly long _began;
    ImportTotals _totals;
    (RecordBatch Batch, List<(string Id, long SentTo)> Before)? _inFlight;
    long _deadLetterBytes;
    long _next;
    bool _isBehind;
    long _savedAt;

    public CheckpointTracker(IImportState state, ImportCheckpoint? loaded, string optionsFingerprint, ImportTotals none, ImportCounts counts, TimeProvider time,
        TimeSpan interval, string? deadLetterPath, bool discards = false, bool forgetsEnded = false)
    {
        IsToDiscard = discards;
        (_state, _optionsFingerprint, _counts, _time, _interval, _deadLetterPath, _forgetsEnded) =
            (state, optionsFingerprint, counts, time, interval, deadLetterPath, forgetsEnded);
        _before = loaded?.Totals ?? none;
        _totals = _before with { ResumedFrom = _before.Read };
        _sources = (loaded?.Sources ?? []).ToDictionary(source => source.Id, StringComparer.Ordinal);
        _sentTo = _sources.Values.Where(source => source.SentTo > source.Offset)
            .ToDictionary(source => source.Id, source => source.SentTo, StringComparer.Ordinal);
        Saved = _before;
        _began = _savedAt = time.GetTimestamp();
    }

    /// <summary>The totals at the last settled record, including what this run has spent.</summary>
    public ImportTotals Totals
    {
        get
        {
            lock (_lock) return Current();
        }
    }

    /// <summary>The number of batches that are settled, from the first on without a gap.</summary>
    public long Settled
    {
        get
        {
            lock (_lock) return _next;
        }
    }

    /// <summary>Whether the counts of a batch did not add up.</summary>
    public bool Broken { get; private set; }

    /// <summary>Whether what an earlier import saved is still there, and is to be discarded before anything is sent or saved.</summary>
    public bool IsToDiscard { get; private set; }

    /// <summary>Whether every update so far was completed; if not, nothing more must be saved.</summary>
    public bool IsSound { get; set; } = true;

    public ImportSourceProgress? ProgressOf(string source)
    {
        lock (_lock) return _sources.GetValueOrDefault(source);
    }

    /// <summary>The sources that an earlier run has begun; to be read before the first batch is.</summary>
    public IReadOnlyDictionary<string, ImportSourceProgress> Known => _sources;

    /// <summary>The totals that were certainly saved.</summary>
    public ImportTotals Saved { get; private set; }

    /// <summary>The number of records settled before this run.</summary>
    public long ReadBefore => _before.Read;

    /// <summary>The same, without blank lines.</summary>
    public long RecordsBefore => _before.Read - _before.Blank;

    /// <summary>The number of records settled in this run, without blank lines.</summary>
    public long Records => Totals.Read - Totals.Blank - RecordsBefore;

    /// <summary>Durably saves which sources there are, before the first is read.</summary>
    public void Pin(IEnumerable<ImportSourceProgress> sources)
    {
        lock (_lock)
        {
            foreach (var source in sources)
                if (_sources.TryAdd(source.Id, source)) _moved.Add(source.Id);
            if (_moved.Count > 0 && !IsToDiscard) Save(finished: false);
        }
    }

    /// <summary>Durably discards what an earlier import saved, before anything is sent.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (IsToDiscard) Save(finished: false);
        }
    }

    /// <summary>Durably saves, before a batch is sent or resent, that its records may have been delivered.</summary>
    public void MarkInFlight(RecordBatch batch)
    {
        lock (_lock)
        {
            _inFlight = (batch, [.. batch.Reached.Select(reached => (reached.Id, _sentTo.GetValueOrDefault(reached.Id)))]);
            foreach (var reached in batch.Reached)
            {
                MarkSent(reached);
                Tell(reached);
            }

            Save(finished: false);
        }
    }

    public void Settle(BatchOutcome outcome)
    {
        lock (_lock)
        {
            _waiting.Add(outcome.Batch.Number, outcome);
            if (outcome.MaybeDelivered || outcome.Accepted > 0) outcome.Batch.Reached.ForEach(MarkSent);
            while (_waiting.TryGetValue(_next, out var next) && next.Final)
            {
                _waiting.Remove(_next++);
                Take(next);
                _isBehind = true;
                next.Batch.Lease?.LeavePlace();
            }

            if (_deadLetterBytes > MostDeadLetterBytes || _time.GetElapsedTime(_savedAt) >= _interval) Save(finished: false);
        }
    }

    /// <summary>Whether there are settled records that were not saved yet.</summary>
    public bool IsBehind
    {
        get
        {
            lock (_lock) return _isBehind;
        }
    }

    /// <summary>Saves a checkpoint.</summary>
    public void Save()
    {
        lock (_lock) Save(finished: false);
    }

    /// <summary>Saves the last checkpoint of a run.</summary>
    public void Close(bool finished)
    {
        lock (_lock)
        {
            foreach (var outcome in _waiting.Values)
            {
                if (outcome.MaybeDelivered || outcome.Accepted > 0)
                {
                    outcome.Batch.Reached.ForEach(Tell);
                }
                else if (_inFlight is { } inFlight && inFlight.Batch == outcome.Batch)
                {
                    // It was not sent after all.
                    foreach (var (id, sentTo) in inFlight.Before)
                    {
                        _sentTo[id] = sentTo;
                        _moved.Add(id);
                    }
                }
            }

            Save(finished);
        }
    }

    void MarkSent(ImportSourceProgress reached) => _sentTo[reached.Id] = Math.Max(reached.Offset, _sentTo.GetValueOrDefault(reached.Id));

    /// <summary>Includes in the next checkpoint how far a source may have been delivered.</summary>
    void Tell(ImportSourceProgress reached)
    {
        _sources.TryAdd(reached.Id, reached with { Offset = 0, Line = 0, OpenLine = false, Ended = false, Fingerprint = ImportSourceProgress.NothingRead });
        _moved.Add(reached.Id);
    }

    void Take(BatchOutcome outcome)
    {
        var batch = outcome.Batch;
        var letters = outcome.Refused.Concat(batch.Rejected).OrderBy(letter => letter.Offset).Select(letter => (ReadOnlyMemory<byte>)letter.Json).ToList();
        Broken |= outcome.Accepted + outcome.Refused.Count != batch.Count;
        _deadLetters.AddRange(letters);
        _deadLetterBytes += letters.Sum(letter => (long)letter.Length);
        if (batch.Lease is { } lease) _leases.Add(lease);
        _totals = _totals with
        {
            Accepted = _totals.Accepted + outcome.Accepted,
            Rejected = _totals.Rejected + letters.Count,
            Blank = _totals.Blank + batch.Blank,
            Bytes = _totals.Bytes + batch.Bytes,
            SameIdentity = _totals.SameIdentity + batch.SameIdentity,
            Fixed = batch.Cleaned.AddedTo(_totals.Fixed),
            LeftOut = ImportTotals.Sum(_totals.LeftOut, batch.LeftOut),
            Mapped = ImportTotals.Sum(_totals.Mapped, batch.Mapped),
        };
        foreach (var reached in batch.Reached)
        {
            _sources[reached.Id] = reached;
            _moved.Add(reached.Id);
            if (_sentTo.GetValueOrDefault(reached.Id) <= reached.Offset) _sentTo.Remove(reached.Id);
        }
    }

    void Save(bool finished)
    {
        if (IsToDiscard) _state.Clear();
        IsToDiscard = false;
        var totals = Current();
        _state.Save(new ImportCheckpoint
        {
            OptionsFingerprint = _optionsFingerprint,
            Totals = totals,
            Finished = finished,
            DeadLetterPath = _deadLetterPath,
            Sources =
            [
                .. _moved.Select(id => _sources[id] with { SentTo = _sentTo.GetValueOrDefault(id) is var sent && sent > _sources[id].Offset ? sent : 0 }),
            ],
            DeadLetters = [.. _deadLetters],
        });
        if (_forgetsEnded)
        {
            foreach (var ended in _moved.Where(id => _sources[id].Ended)) _sources.Remove(ended);
        }

        _moved.Clear();
        _deadLetters.Clear();
        _leases.ForEach(lease => lease.Dispose());
        _leases.Clear();
        _deadLetterBytes = 0;
        _isBehind = false;
        Saved = totals;
        _savedAt = _time.GetTimestamp();
    }

    /// <summary>The current totals. A run that finds nothing to do leaves them unchanged.</summary>
    ImportTotals Current() => _next == 0 && _counts.Requests == 0
        ? _before
        : _totals with
        {
            Requests = _before.Requests + _counts.Requests,
            Retries = _before.Retries + _counts.Retries,
            Elapsed = _before.Elapsed + _time.GetElapsedTime(_began),
        };
}
