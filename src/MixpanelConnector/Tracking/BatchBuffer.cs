using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;

namespace MixpanelConnector.Tracking;

/// <summary>
/// Collects records of one kind in an open batch. The batch is taken when it is full or has waited long enough, but only when a
/// sender is free: in an outage, batches fill up instead of multiplying.
/// </summary>
sealed class BatchBuffer : IDisposable
{
    const int FirstBuffer = 60 << 10;

    readonly Lock _lock = new();
    readonly int _batchRecords;
    readonly int _batchBytes;
    readonly TimeSpan _patience;
    readonly BufferPool _buffers;
    readonly TimeProvider _time;
    readonly ITimer _timer;
    readonly AsyncAutoResetEvent _signal;
    readonly Queue<PendingBatch> _full = [];
    readonly SortedSet<long> _unsettled = [];
    readonly List<Flush> _flushes = [];
    readonly Dictionary<long, long> _openedAt = [];
    PendingBatch? _open;
    bool _isDue;
    bool _isClosed;
    Exception? _abandoned;
    long _numbers;
    long _records;
    int _bufferHint = FirstBuffer;

    public BatchBuffer(int batchRecords, int batchBytes, TimeSpan patience, BufferPool buffers, TimeProvider time, AsyncAutoResetEvent signal)
    {
        (_batchRecords, _batchBytes, _patience, _buffers, _time, _signal) = (batchRecords, batchBytes, patience, buffers, time, signal);
        _timer = time.CreateTimer(static buffer => ((BatchBuffer)buffer!).BeDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The number of records that are not settled yet.</summary>
    public long Records => Volatile.Read(ref _records);

    /// <summary>The time that the oldest unsettled record has waited.</summary>
    public TimeSpan OldestAge
    {
        get
        {
            lock (_lock) return _unsettled.Count == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_openedAt[_unsettled.Min]);
        }
    }

    /// <summary>Adds a record.</summary>
    /// <param name="record">Its bytes.</param>
    /// <param name="entry">Its metadata.</param>
    /// <param name="wantsToKnow">Whether to report when it is safe.</param>
    /// <param name="safe">Completes when it is safe; null when that was not requested.</param>
    /// <returns>False when the buffer is closed.</returns>
    public bool TryAdd(ReadOnlySpan<byte> record, in Entry entry, bool wantsToKnow, out Task? safe)
    {
        safe = null;
        bool opened;
        bool filled;
        lock (_lock)
        {
            if (_isClosed) return false;
            opened = _open is null;
            var pending = _open ??= Open();
            pending.Batch.Add(entry with { Offset = pending.Records }, record, [], []);
            pending.Bytes += record.Length;
            pending.Records++;
            _records++;
            if (wantsToKnow) safe = pending.Safe;
            filled = pending.Batch.Count >= _batchRecords || pending.Batch.Length >= _batchBytes;
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

    /// <summary>The oldest batch that is full or has waited long enough; null when there is none.</summary>
    public PendingBatch? Take()
    {
        lock (_lock)
        {
            if (_full.Count == 0 && _isDue && _open is not null) CloseOpen();
            return _full.TryDequeue(out var pending) ? pending : null;
        }
    }

    /// <summary>Completes a batch and returns its buffers.</summary>
    /// <param name="pending">The batch.</param>
    /// <param name="lost">Why its records were given up; null when they were not.</param>
    public void Settle(PendingBatch pending, Exception? lost = null)
    {
        pending.Batch.Release();
        List<Flush>? done = null;
        lock (_lock)
        {
            _unsettled.Remove(pending.Number);
            _openedAt.Remove(pending.Number);
            _records -= pending.Records;
            for (var i = _flushes.Count - 1; i >= 0; i--)
            {
                if (pending.Number <= _flushes[i].Number) _flushes[i].Lost ??= lost;
                if (_unsettled.Count > 0 && _unsettled.Min <= _flushes[i].Number) continue;
                (done ??= []).Add(_flushes[i]);
                _flushes.RemoveAt(i);
            }
        }

        done?.ForEach(flush => flush.End());
    }

    /// <summary>Reduces the batch to the records that are left; the fate of the others is known.</summary>
    public void Keep(PendingBatch pending, int left)
    {
        lock (_lock)
        {
            _records -= pending.Records - left;
            pending.Records = left;
        }
    }

    /// <summary>Completes when everything added so far is settled; fails when some of it was given up.</summary>
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

    /// <summary>Accepts no more records.</summary>
    public void Close()
    {
        lock (_lock) _isClosed = true;
    }

    /// <summary>Fails the waits for the remaining records: they are not safe.</summary>
    public void Abandon(Exception reason)
    {
        List<Flush> given;
        lock (_lock)
        {
            (_isClosed, _abandoned) = (true, reason);
            if (_open is not null) CloseOpen();
            while (_full.TryDequeue(out var pending)) pending.IsLost(reason);
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

    PendingBatch Open()
    {
        var openedAt = _time.GetTimestamp();
        var pending = new PendingBatch(new RecordBatch(++_numbers, _batchRecords, _bufferHint, _buffers), _numbers, openedAt);
        _unsettled.Add(_numbers);
        _openedAt.Add(_numbers, openedAt);
        _isDue = false;
        return pending;
    }

    void CloseOpen()
    {
        var pending = _open!;
        pending.Batch.Close();
        _bufferHint = Math.Clamp(pending.Batch.Length, FirstBuffer, _batchBytes); // the next batch will be of a similar size
        _full.Enqueue(pending);
        (_open, _isDue) = (null, false);
    }

    void BeDue()
    {
        lock (_lock) _isDue = _open is not null;
        _signal.Set();
    }

    /// <summary>A wait until everything up to a batch is settled.</summary>
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
            _ = _ended.Task.Exception; // observed: a flush that nobody awaits must not raise an unobserved exception
        }
    }
}
