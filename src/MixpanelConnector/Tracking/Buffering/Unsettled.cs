namespace MixpanelConnector.Tracking.Buffering;

/// <summary>Numbered work that is not settled yet, and the flushes that wait until everything up to a number is.</summary>
sealed class Unsettled
{
    readonly Lock _lock = new();
    readonly SortedSet<long> _numbers = [];
    readonly List<Flush> _flushes = [];
    Exception? _abandoned;
    long _known;

    /// <summary>The number up to which the work is known.</summary>
    public long Known
    {
        get
        {
            lock (_lock) return _known;
        }
    }

    /// <summary>Adds work.</summary>
    /// <param name="numbers">Its numbers.</param>
    /// <param name="known">The number up to which nothing else has to be waited for.</param>
    public void Add(IEnumerable<long> numbers, long known)
    {
        lock (_lock)
        {
            _numbers.UnionWith(numbers);
            _known = Math.Max(_known, known);
        }

        EndFlushes();
    }

    /// <summary>Settles work.</summary>
    /// <param name="numbers">Its numbers.</param>
    /// <param name="lost">Why it was given up; null when it was not.</param>
    public void Settle(IEnumerable<long> numbers, Exception? lost = null)
    {
        lock (_lock)
        {
            foreach (var number in numbers)
            {
                _numbers.Remove(number);
                if (lost is not null) _flushes.FindAll(flush => flush.Last >= number).ForEach(flush => flush.Lost ??= lost);
            }
        }

        EndFlushes();
    }

    /// <summary>Completes when everything up to a number is settled; fails when some of it was given up meanwhile.</summary>
    public Task FlushAsync(long last)
    {
        var flush = new Flush(last);
        lock (_lock) _flushes.Add(flush);
        EndFlushes();
        return flush.Wait.Ended;
    }

    /// <summary>Fails the flushes that wait now, and those to come that would have to wait: nothing will be settled any more.</summary>
    public void Abandon(Exception reason)
    {
        lock (_lock) _abandoned = reason;
        EndFlushes();
    }

    void EndFlushes()
    {
        List<Flush> ended;
        lock (_lock)
        {
            var settled = _numbers.Count == 0 ? _known : Math.Min(_known, _numbers.Min - 1);
            ended = _flushes.FindAll(flush => flush.Last <= settled || _abandoned is not null);
            foreach (var flush in ended)
            {
                if (flush.Last > settled) flush.Lost ??= _abandoned;
                _flushes.Remove(flush);
            }
        }

        ended.ForEach(flush => flush.Wait.End(flush.Lost));
    }

    /// <summary>A wait until everything up to a number is settled.</summary>
    sealed class Flush(long last)
    {
        public long Last => last;

        public Exception? Lost { get; set; }

        public RecordWait Wait { get; } = new();
    }
}
