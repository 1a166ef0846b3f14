namespace MixpanelConnector.Import.Buffers;

/// <summary>
/// Pools the buffers of batches and of compressed bodies, since batches of one import are much alike. Unlike the shared pool,
/// it does not round up to powers of two, and rented and idle buffers together stay within one limit; only what is rented
/// at one time can exceed it.
/// </summary>
sealed class BufferPool(long mostBytes)
{
    const int Step = 64 << 10;

    readonly Lock _lock = new();
    readonly List<byte[]> _kept = [];
    long _lentBytes;
    long _keptBytes;

    /// <summary>Held by the one batch whose records are decompressed.</summary>
    public Lock Decompressing { get; } = new();

    /// <summary>The maximum number of bytes rented and idle at one time.</summary>
    public long Peak { get; private set; }

    /// <summary>Rents a buffer of at least the given size, whose content is undefined.</summary>
    public byte[] Rent(int bytes)
    {
        var length = checked((bytes + Step - 1) / Step * Step);
        lock (_lock)
        {
            // A buffer that is much too large would be missing for a batch that needs it.
            var best = -1;
            for (var i = 0; i < _kept.Count; i++)
                if (_kept[i].Length >= length && _kept[i].Length <= 2L * length && (best < 0 || _kept[i].Length < _kept[best].Length)) best = i;
            if (best >= 0) return Lend(Take(best));

            while (_kept.Count > 0 && _lentBytes + _keptBytes + length > mostBytes) Take(0);
            return Lend(GC.AllocateUninitializedArray<byte>(length));
        }
    }

    public void Return(byte[] buffer)
    {
        lock (_lock)
        {
            _lentBytes -= buffer.Length;
            if (_lentBytes + _keptBytes + buffer.Length > mostBytes) return;
            _kept.Add(buffer);
            _keptBytes += buffer.Length;
        }
    }

    byte[] Take(int index)
    {
        var buffer = _kept[index];
        _kept.RemoveAt(index);
        _keptBytes -= buffer.Length;
        return buffer;
    }

    byte[] Lend(byte[] buffer)
    {
        _lentBytes += buffer.Length;
        Peak = Math.Max(Peak, _lentBytes + _keptBytes);
        return buffer;
    }
}
