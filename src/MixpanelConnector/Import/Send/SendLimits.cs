using MixpanelConnector.Transport;

namespace MixpanelConnector.Import.Send;

/// <summary>What the senders have learned from responses, shared by all: how large a batch may be, and whether it is Mixpanel that responds.</summary>
sealed class SendLimits(int batchBytes)
{
    int _batchBytes = batchBytes;
    int _untrusted;
    int _miscounted;
    int _inDoubt;
    long _proofs;
    ImportVerdict? _refusedWhoIsWho;

    /// <summary>The maximum size of a batch before compression, in bytes.</summary>
    public int BatchBytes => Volatile.Read(ref _batchBytes);

    /// <summary>Records that larger batches are rejected.</summary>
    public void Lower(int bytes)
    {
        for (var known = BatchBytes; bytes < known; known = BatchBytes)
            if (Interlocked.CompareExchange(ref _batchBytes, bytes, known) == known) return;
    }

    /// <summary>
    /// The response that rejected a batch because it contains events that link the ids of a user: Mixpanel rejects each such batch as a whole. Null for none.
    /// </summary>
    public ImportVerdict? RefusedWhoIsWho
    {
        get => Volatile.Read(ref _refusedWhoIsWho);
        set => Volatile.Write(ref _refusedWhoIsWho, value);
    }

    /// <summary>The number of responses that certainly were Mixpanel's.</summary>
    public long Proofs => Interlocked.Read(ref _proofs);

    /// <summary>Called when a response was not from something else.</summary>
    public void Trusted() => Volatile.Write(ref _untrusted, 0);

    /// <summary>Called when a response certainly was Mixpanel's.</summary>
    public void Proven()
    {
        Volatile.Write(ref _inDoubt, 0);
        Volatile.Write(ref _miscounted, 0);
        Interlocked.Increment(ref _proofs);
    }

    /// <summary>Called when a single record was rejected by what may not be Mixpanel; returns the count since the last certain response.</summary>
    public int InDoubt() => Interlocked.Increment(ref _inDoubt);

    /// <summary>Called when a response had a wrong count; returns the number of these since the last certain response.</summary>
    public int Miscounted() => Interlocked.Increment(ref _miscounted);

    /// <summary>Called when a response was not Mixpanel's; returns the number of consecutive ones.</summary>
    public int Untrusted() => Interlocked.Increment(ref _untrusted);
}
