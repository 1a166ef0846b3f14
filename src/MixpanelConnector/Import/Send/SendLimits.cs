namespace MixpanelConnector.Import.Send;

/// <summary>What the senders have learned from answers, together: how large a batch may be, and whether it is Mixpanel that answers.</summary>
sealed class SendLimits(int batchBytes)
{
    int _batchBytes = batchBytes;
    int _untrusted;

    /// <summary>The most bytes of a batch before compression.</summary>
    public int BatchBytes => Volatile.Read(ref _batchBytes);

    /// <summary>Remembers that larger batches are refused.</summary>
    public void Lower(int bytes)
    {
        for (var known = BatchBytes; bytes < known; known = BatchBytes)
            if (Interlocked.CompareExchange(ref _batchBytes, bytes, known) == known) return;
    }

    /// <summary>An answer was Mixpanel's.</summary>
    public void Trusted() => Volatile.Write(ref _untrusted, 0);

    /// <summary>An answer was not; gives how many in a row were not.</summary>
    public int Untrusted() => Interlocked.Increment(ref _untrusted);
}
