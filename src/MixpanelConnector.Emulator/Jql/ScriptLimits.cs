using Jint;
using Jint.Constraints;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Jql;

/// <summary>
/// What one query may take, whatever its script does: steps, time, and memory at once. Steps are the script's statements and what is done
/// in its stead: values written, keys compared. How much a single step takes is Jint's own limit.
/// </summary>
/// <param name="deadline">When time is over, or the caller has left.</param>
sealed class ScriptLimits(OperationDeadlineConstraint deadline) : Constraint
{
    public const long MostSteps = 100_000_000;

    public static readonly TimeSpan LongestRun = TimeSpan.FromSeconds(7);

    /// <summary>How long a step is waited for that began in time. Both together answer within 10 seconds.</summary>
    public static readonly TimeSpan LongestStep = TimeSpan.FromSeconds(2);

    public static readonly TimeSpan LongestPattern = TimeSpan.FromSeconds(1);

    /// <summary>What a script may hold, in bytes.</summary>
    public const long MostMemory = 48 * 1024 * 1024;

    /// <summary>
    /// What all of a process that is the program's own may come to hold while a script runs, beyond what it held before: a single step that
    /// nothing else has foreseen ends there.
    /// </summary>
    public const long MostOfTheProcess = 80 * 1024 * 1024;

    /// <summary>What may be allocated from one item to the next, so that no single text grows beyond what the limit can still see.</summary>
    public const long MostAllocatedAtOnce = 24 * 1024 * 1024;

    public const uint LongestArray = 250_000;

    public const int LongestPatternText = 10_000;

    public static readonly string TooMuchMemory = $"the script takes more than {MostMemory / (1024 * 1024)} MiB of memory at once: filter, reduce or group more before items are kept";
    public static readonly string TooMuchTime = $"the script takes more than {LongestRun.TotalSeconds:0} seconds";
    static readonly string TooManySteps = $"the script takes more than {MostSteps} steps";

    const int StepsBetweenClocks = 1000;
    const long BetweenLooks = 4 * 1024 * 1024;

    readonly long _before = Math.Min(GC.GetTotalMemory(forceFullCollection: false), AfterLastCollection);
    readonly long _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
    int _stepsToClock = StepsBetweenClocks;
    long _steps, _nextLook = MostMemory;

    static long AfterLastCollection => GC.GetGCMemoryInfo(GCKind.Any) is { Index: > 0 } last ? last.HeapSizeBytes : long.MaxValue;

    /// <summary>Steps are counted, and a single one may take much: each is looked at.</summary>
    public override bool IsAmortizable => false;

    /// <summary>The same limits hold from the beginning of a query to its end, however often the engine is entered.</summary>
    public override void Reset()
    {
    }

    public override void Check() => Spend(1);

    /// <exception cref="RefusedException">It is more than the query may take.</exception>
    public void Spend(int steps)
    {
        if ((_steps += steps) > MostSteps)
            throw new RefusedException(JqlScript.Failed, TooManySteps);
        if ((_stepsToClock -= steps) < 0)
        {
            _stepsToClock = StepsBetweenClocks;
            deadline.Check();
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore;
        if (allocated <= _nextLook)
            return;
        _nextLook = allocated + BetweenLooks;
        if (Held > MostMemory && HeldInTruth > MostMemory)
            throw new RefusedException(JqlScript.Failed, TooMuchMemory);
    }

    /// <summary>With what nobody holds any more.</summary>
    long Held => GC.GetTotalMemory(forceFullCollection: false) - _before;

    long HeldInTruth
    {
        get
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
            return Held;
        }
    }
}
