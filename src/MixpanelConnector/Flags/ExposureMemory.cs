using System.Collections.Concurrent;

namespace MixpanelConnector.Flags;

/// <summary>Who has seen which variant: with it, an exposure is reported once and not for each evaluation.</summary>
readonly struct Exposure(EvaluationContext context, string flagKey, FlagEvaluation evaluation) : IEquatable<Exposure>
{
    readonly string _distinctId = context.DistinctId!;
    readonly string _flagKey = flagKey;
    readonly string _variantKey = evaluation.VariantKey!;
    readonly string? _experimentId = evaluation.ExperimentId;
    readonly int _hash = HashCode.Combine(context.DistinctIdHash, evaluation.ExposureHash);

    public bool Equals(Exposure other) =>
        _hash == other._hash && _distinctId == other._distinctId && _flagKey == other._flagKey && _variantKey == other._variantKey && _experimentId == other._experimentId;

    public override bool Equals(object? obj) => obj is Exposure other && Equals(other);

    public override int GetHashCode() => _hash;
}

/// <summary>
/// A bounded memory of exposures, in two generations: what is met again lives on, and what is not met while a generation lasts is
/// forgotten with it. To forget one is harmless: it is reported again.
/// </summary>
sealed class ExposureMemory(TimeProvider time)
{
    /// <summary>The most of a generation; there are two.</summary>
    public const int MostOfGeneration = 25_000;

    /// <summary>How long a generation lasts at most.</summary>
    public static readonly TimeSpan Generation = TimeSpan.FromMinutes(10);

    readonly Lock _lock = new();
    ConcurrentDictionary<Exposure, bool> _now = new();
    ConcurrentDictionary<Exposure, bool> _before = new();
    long _began = time.GetTimestamp();
    int _count;

    /// <summary>Remembers an exposure.</summary>
    /// <returns>False when it was known already.</returns>
    public bool Add(in Exposure exposure)
    {
        if (time.GetElapsedTime(Volatile.Read(ref _began)) >= Generation) Turn(ofTime: true);
        var now = Volatile.Read(ref _now);
        if (now.ContainsKey(exposure)) return false;
        var isNew = !Volatile.Read(ref _before).ContainsKey(exposure);
        if (!now.TryAdd(exposure, true)) return false;
        if (Interlocked.Increment(ref _count) >= MostOfGeneration) Turn(ofTime: false);
        return isNew;
    }

    /// <summary>Forgets one that could not be reported.</summary>
    public void Remove(in Exposure exposure)
    {
        Volatile.Read(ref _before).TryRemove(exposure, out _);
        if (Volatile.Read(ref _now).TryRemove(exposure, out _)) Interlocked.Decrement(ref _count);
    }

    void Turn(bool ofTime)
    {
        lock (_lock)
        {
            if (ofTime ? time.GetElapsedTime(_began) < Generation : _count < MostOfGeneration) return; // another thread was faster
            Volatile.Write(ref _before, _now);
            Volatile.Write(ref _now, new());
            _count = 0;
            Volatile.Write(ref _began, time.GetTimestamp());
        }
    }
}
