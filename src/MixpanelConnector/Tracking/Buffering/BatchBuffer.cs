using MixpanelConnector.Import.Batch;
using MixpanelConnector.Import.Buffers;

namespace MixpanelConnector.Tracking.Buffering;

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
    readonly SortedList<long, PendingBatch> _pending = [];
    readonly Unsettled _unsettled = new();
    PendingBatch? _open;
    bool _isDue;
    bool _isClosed;
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
            lock (_lock) return _pending.Count == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_pending.GetValueAtIndex(0).OpenedAt);
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
        lock (_lock)
        {
            _pending.Remove(pending.Number);
            _records -= pending.Records;
        }

        _unsettled.Settle([pending.Number], lost);
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
        Task flushed;
        lock (_lock)
        {
            if (_open is not null) CloseOpen();
            flushed = _unsettled.FlushAsync(_unsettled.Known);
        }

        if (!flushed.IsCompleted) _signal.Set();
        return flushed;
    }

    /// <summary>Accepts no more records.</summary>
    public void Close()
    {
        lock (_lock) _isClosed = true;
    }

    /// <summary>Fails the waits for the remaining records: they are not safe.</summary>
    public void Abandon(Exception reason)
    {
        lock (_lock)
        {
            _isClosed = true;
            if (_open is not null) CloseOpen();
            while (_full.TryDequeue(out var pending)) pending.IsLost(reason);
        }

        _unsettled.Abandon(reason);
    }

    public void Dispose() => _timer.Dispose();

    PendingBatch Open()
    {
        var number = _unsettled.Known + 1;
        var pending = new PendingBatch(new RecordBatch(number, _batchRecords, _bufferHint, _buffers), number, _time.GetTimestamp());
        _pending[number] = pending;
        _unsettled.Add([number], number);
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
}
