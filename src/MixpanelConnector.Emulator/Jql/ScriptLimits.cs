using System.Globalization;
using Jint;
using Jint.Constraints;
using MixpanelConnector.Emulator.Http;

namespace MixpanelConnector.Emulator.Jql;

/// <summary>
/// The limits of one query, whatever its script does: steps, time, and memory in use. Steps are the script's statements and the work done on its behalf: values
/// written, keys compared. The cost of a single step is limited by Jint itself.
/// </summary>
/// <param name="deadline">Fires at the time limit, or when the caller has disconnected.</param>
sealed class ScriptLimits(OperationDeadlineConstraint deadline) : Constraint
{
    public const long MostSteps = 100_000_000;

    /// <summary>
    /// The time to wait for a step that started within the time limit (<see cref="EmulatorOptions.LongestScript"/>). Together, both limits guarantee an answer
    /// within 10 seconds.
    /// </summary>
    public static readonly TimeSpan LongestStep = TimeSpan.FromSeconds(2);

    public static readonly TimeSpan LongestPattern = TimeSpan.FromSeconds(1);

    /// <summary>The maximum memory of a script in bytes.</summary>
    public const long MostMemory = 48 * 1024 * 1024;

    /// <summary>
    /// The maximum growth of the heap while a script runs, in a process that runs nothing else: it ends a single step that no other limit has stopped.
    /// </summary>
    public const long MostOfTheProcess = 80 * 1024 * 1024;

    /// <summary>The maximum allocation per item, so that no single string grows beyond what the memory limit can still detect.</summary>
    public const long MostAllocatedAtOnce = 24 * 1024 * 1024;

    public const uint LongestArray = 250_000;

    public const int LongestPatternText = 10_000;

    public static readonly string TooMuchMemory =
        $"the script takes more than {MostMemory / (1024 * 1024)} MiB of memory at once: filter, reduce or group more before items are kept";
    static readonly string TooManySteps = $"the script takes more than {MostSteps} steps";

    const int StepsBetweenClocks = 1000;
    const long BetweenLooks = 4 * 1024 * 1024;

    readonly long _before = Math.Min(GC.GetTotalMemory(forceFullCollection: false), AfterLastCollection);
    readonly long _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
    int _stepsToClock = StepsBetweenClocks;
    long _steps, _nextLook = MostMemory;

    static long AfterLastCollection => GC.GetGCMemoryInfo(GCKind.Any) is { Index: > 0 } last ? last.HeapSizeBytes : long.MaxValue;

    /// <summary>Steps are counted, and a single one may be expensive, so each is checked.</summary>
    public override bool IsAmortizable => false;

    /// <summary>Does nothing: the same limits apply for the whole query, however often the engine is entered.</summary>
    public override void Reset()
    {
    }

    public override void Check() => Spend(1);

    public static string TooMuchTime(TimeSpan longest) =>
        string.Create(CultureInfo.InvariantCulture, $"the script takes more than {longest.TotalSeconds:0.##} seconds");

    /// <exception cref="RefusedException">The query exceeds a limit.</exception>
    public void Spend(int steps)
    {
        if ((_steps += steps) > MostSteps) throw new RefusedException(JqlScript.Failed, TooManySteps);
        if ((_stepsToClock -= steps) < 0)
        {
            _stepsToClock = StepsBetweenClocks;
            deadline.Check();
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore;
        if (allocated <= _nextLook) return;
        _nextLook = allocated + BetweenLooks;
        if (Held > MostMemory && HeldInTruth > MostMemory) throw new RefusedException(JqlScript.Failed, TooMuchMemory);
    }

    /// <summary>Including garbage.</summary>
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
