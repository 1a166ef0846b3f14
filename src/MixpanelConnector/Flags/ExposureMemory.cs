using System.Collections.Concurrent;

namespace MixpanelConnector.Flags;

/// <summary>A person's exposure to a variant, for deduplication: an exposure is reported once, not for each evaluation.</summary>
readonly struct Exposure(EvaluationContext context, string flagKey, FlagEvaluation evaluation) : IEquatable<Exposure>
{
    readonly string _distinctId = context.DistinctId!;
    readonly string _flagKey = flagKey;
    readonly string _variantKey = evaluation.VariantKey!;
    readonly string? _experimentId = evaluation.ExperimentId;
    readonly int _hash = HashCode.Combine(context.DistinctIdHash, evaluation.ExposureHash);

    public bool Equals(Exposure other) =>
        _hash == other._hash && _distinctId == other._distinctId && _flagKey == other._flagKey && _variantKey == other._variantKey
            && _experimentId == other._experimentId;

    public override bool Equals(object? obj) => obj is Exposure other && Equals(other);

    public override int GetHashCode() => _hash;
}

/// <summary>
/// A bounded memory of exposures, in two generations: an exposure that occurs again is kept, and one that does not occur during a generation is
/// dropped with it. A dropped exposure is merely reported again.
/// </summary>
sealed class ExposureMemory(TimeProvider time)
{
    /// <summary>The maximum size of a generation; there are two.</summary>
    public const int MostOfGeneration = 25_000;

    /// <summary>The maximum duration of a generation.</summary>
    public static readonly TimeSpan Generation = TimeSpan.FromMinutes(10);

    readonly Lock _lock = new();
    ConcurrentDictionary<Exposure, bool> _now = new();
    ConcurrentDictionary<Exposure, bool> _before = new();
    long _began = time.GetTimestamp();
    int _count;

    /// <summary>Adds an exposure.</summary>
    /// <returns>False when it is known already.</returns>
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

    /// <summary>Removes an exposure that could not be reported.</summary>
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
