using MixpanelConnector.Import.Batch;

namespace MixpanelConnector.Tracking;

/// <summary>
/// Where records of one kind gather: in an open chunk, which is taken when it is full or has waited long enough, but not before
/// somebody has time for it. In an outage chunks thus fill up instead of multiplying.
/// </summary>
sealed class Gathering : IDisposable
{
    const int FirstBuffer = 60 << 10;

    readonly Lock _lock = new();
    readonly int _chunkRecords;
    readonly int _chunkBytes;
    readonly TimeSpan _patience;
    readonly BufferPool _buffers;
    readonly TimeProvider _time;
    readonly ITimer _timer;
    readonly Signal _signal;
    readonly Queue<Chunk> _full = [];
    readonly SortedSet<long> _unsettled = [];
    readonly List<Flush> _flushes = [];
    readonly Dictionary<long, long> _openedAt = [];
    Chunk? _open;
    bool _isDue;
    bool _isClosed;
    Exception? _abandoned;
    long _numbers;
    long _records;
    int _bufferHint = FirstBuffer;

    public Gathering(int chunkRecords, int chunkBytes, TimeSpan patience, BufferPool buffers, TimeProvider time, Signal signal)
    {
        (_chunkRecords, _chunkBytes, _patience, _buffers, _time, _signal) = (chunkRecords, chunkBytes, patience, buffers, time, signal);
        _timer = time.CreateTimer(static intake => ((Gathering)intake!).BeDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The records that are not settled yet.</summary>
    public long Records => Volatile.Read(ref _records);

    /// <summary>How long the oldest unsettled record has waited.</summary>
    public TimeSpan OldestAge
    {
        get
        {
            lock (_lock) return _unsettled.Count == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_openedAt[_unsettled.Min]);
        }
    }

    /// <summary>Adds a record.</summary>
    /// <param name="record">Its bytes.</param>
    /// <param name="entry">What is known of it.</param>
    /// <param name="wantsToKnow">Whether to say when it is safe.</param>
    /// <param name="safe">Completes when it is safe; null when that was not asked for.</param>
    /// <returns>False when the gathering is closed.</returns>
    public bool TryAdd(ReadOnlySpan<byte> record, in Entry entry, bool wantsToKnow, out Task? safe)
    {
        safe = null;
        bool opened;
        bool filled;
        lock (_lock)
        {
            if (_isClosed) return false;
            opened = _open is null;
            var chunk = _open ??= Open();
            chunk.Batch.Add(entry with { Offset = chunk.Records }, record, [], []);
            chunk.Bytes += record.Length;
            chunk.Records++;
            _records++;
            if (wantsToKnow) safe = chunk.Safe;
            filled = chunk.Batch.Count >= _chunkRecords || chunk.Batch.Length >= _chunkBytes;
            if (filled) CloseOpen();
        }

        if (filled) _signal.Set();
        else if (opened)
        {
            if (_patience <= TimeSpan.Zero) BeDue();
            else _timer.Change(_patience, Timeout.InfiniteTimeSpan);
        }

        return true;
    }

    /// <summary>The oldest chunk that is full or has waited long enough; null when there is none.</summary>
    public Chunk? Take()
    {
        lock (_lock)
        {
            if (_full.Count == 0 && _isDue && _open is not null) CloseOpen();
            return _full.TryDequeue(out var chunk) ? chunk : null;
        }
    }

    /// <summary>Nothing is left to do for the chunk. Its buffers are given back.</summary>
    /// <param name="chunk">The chunk.</param>
    /// <param name="lost">Why its records were given up; null when they were not.</param>
    public void Settle(Chunk chunk, Exception? lost = null)
    {
        chunk.Batch.Release();
        List<Flush>? done = null;
        lock (_lock)
        {
            _unsettled.Remove(chunk.Number);
            _openedAt.Remove(chunk.Number);
            _records -= chunk.Records;
            for (var i = _flushes.Count - 1; i >= 0; i--)
            {
                if (chunk.Number <= _flushes[i].Number) _flushes[i].Lost ??= lost;
                if (_unsettled.Count > 0 && _unsettled.Min <= _flushes[i].Number) continue;
                (done ??= []).Add(_flushes[i]);
                _flushes.RemoveAt(i);
            }
        }

        done?.ForEach(flush => flush.End());
    }

    /// <summary>So many records of the chunk are left; what became of the others is known.</summary>
    public void Keep(Chunk chunk, int left)
    {
        lock (_lock)
        {
            _records -= chunk.Records - left;
            chunk.Records = left;
        }
    }

    /// <summary>Completes when everything that is here now is settled; fails when some of it was given up.</summary>
    public Task FlushAsync()
    {
        Flush flush;
        lock (_lock)
        {
            if (_open is not null) CloseOpen();
            if (_unsettled.Count == 0) return Task.CompletedTask;
            if (_abandoned is not null) return Task.FromException(_abandoned);
            flush = new Flush(_numbers);
            _flushes.Add(flush);
        }

        _signal.Set();
        return flush.Ended;
    }

    /// <summary>Takes nothing more.</summary>
    public void Close()
    {
        lock (_lock) _isClosed = true;
    }

    /// <summary>Whoever waits for records that are left learns that they are not safe.</summary>
    public void Abandon(Exception reason)
    {
        List<Flush> given;
        lock (_lock)
        {
            (_isClosed, _abandoned) = (true, reason);
            if (_open is not null) CloseOpen();
            while (_full.TryDequeue(out var chunk)) chunk.IsLost(reason);
            given = [.. _flushes];
            _flushes.Clear();
        }

        foreach (var flush in given)
        {
            flush.Lost ??= reason;
            flush.End();
        }
    }

    public void Dispose() => _timer.Dispose();

    Chunk Open()
    {
        var openedAt = _time.GetTimestamp();
        var chunk = new Chunk(new RecordBatch(++_numbers, _chunkRecords, _bufferHint, _buffers), _numbers, openedAt);
        _unsettled.Add(_numbers);
        _openedAt.Add(_numbers, openedAt);
        _isDue = false;
        return chunk;
    }

    void CloseOpen()
    {
        var chunk = _open!;
        chunk.Batch.Close();
        _bufferHint = Math.Clamp(chunk.Batch.Length, FirstBuffer, _chunkBytes); // the next will be much like it
        _full.Enqueue(chunk);
        (_open, _isDue) = (null, false);
    }

    void BeDue()
    {
        lock (_lock) _isDue = _open is not null;
        _signal.Set();
    }

    /// <summary>Somebody who waits until all up to a chunk is settled.</summary>
    sealed class Flush(long number)
    {
        readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Number => number;

        public Exception? Lost { get; set; }

        public Task Ended => _ended.Task;

        public void End()
        {
            if (Lost is null) _ended.TrySetResult();
            else _ended.TrySetException(Lost);
            _ = _ended.Task.Exception; // those who wait see it; nobody else must
        }
    }
}
