namespace MixpanelConnector.Import.Send;

/// <summary>What the senders have learned from answers, together: how large a batch may be, and whether it is Mixpanel that answers.</summary>
sealed class SendLimits(int batchBytes)
{
    int _batchBytes = batchBytes;
    int _untrusted;
    int _miscounted;
    int _inDoubt;
    long _proofs;
    bool _refusesWhoIsWho;

    /// <summary>The most bytes of a batch before compression.</summary>
    public int BatchBytes => Volatile.Read(ref _batchBytes);

    /// <summary>Remembers that larger batches are refused.</summary>
    public void Lower(int bytes)
    {
        for (var known = BatchBytes; bytes < known; known = BatchBytes)
            if (Interlocked.CompareExchange(ref _batchBytes, bytes, known) == known) return;
    }

    /// <summary>Whether Mixpanel has refused a batch because events in it say which ids are one user's: it refuses each such batch as a whole.</summary>
    public bool RefusesWhoIsWho
    {
        get => Volatile.Read(ref _refusesWhoIsWho);
        set => Volatile.Write(ref _refusesWhoIsWho, value);
    }

    /// <summary>How many answers were certainly Mixpanel's own.</summary>
    public long Proofs => Interlocked.Read(ref _proofs);

    /// <summary>An answer was not another's.</summary>
    public void Trusted() => Volatile.Write(ref _untrusted, 0);

    /// <summary>An answer was certainly Mixpanel's own.</summary>
    public void Proven()
    {
        Volatile.Write(ref _inDoubt, 0);
        Volatile.Write(ref _miscounted, 0);
        Interlocked.Increment(ref _proofs);
    }

    /// <summary>A single record was refused by what may not be Mixpanel; gives how many were since Mixpanel's last own answer.</summary>
    public int InDoubt() => Interlocked.Increment(ref _inDoubt);

    /// <summary>An answer counted wrong; gives how many did since Mixpanel's last own answer.</summary>
    public int Miscounted() => Interlocked.Increment(ref _miscounted);

    /// <summary>An answer was not; gives how many in a row were not.</summary>
    public int Untrusted() => Interlocked.Increment(ref _untrusted);
}
