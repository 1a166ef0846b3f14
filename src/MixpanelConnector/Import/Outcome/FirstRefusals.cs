using System.Runtime.InteropServices;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import.Outcome;

/// <summary>
/// The first records of an import, as long as all are rejected. If they are rejected for the same reason, they were interpreted wrongly rather than being bad.
/// </summary>
/// <param name="over">Called when one of them is valid.</param>
sealed class FirstRefusals(Action over)
{
    /// <summary>The number of records that is enough to decide.</summary>
    public const int Enough = 1000;

    readonly List<(DeadLetter Letter, Refusal Refusal)> _held = [];
    readonly Dictionary<string, int> _kinds = [];

    /// <summary>The number of these records.</summary>
    public long Count => Reasons.Total;

    /// <summary>The name of the input of the first of them.</summary>
    public string Source { get; private set; } = "";

    /// <summary>Why they were rejected.</summary>
    public ReasonCounts Reasons { get; } = new();

    /// <summary>Whether at least nine out of ten are rejected for the same reason, so that a single damaged record makes no difference.</summary>
    public bool AreAlike => _kinds.Values.DefaultIfEmpty().Max() * 10L >= Count * 9;

    /// <summary>Adds a rejected record. It is not reported until requested.</summary>
    public void Take(in DeadLetter letter, in Refusal refusal)
    {
        if (Count == 0) Source = letter.Source;
        _held.Add((letter with { Json = [] }, refusal)); // only its location is reported
        Reasons.Add(letter.Source, letter.Line, in refusal);
        CollectionsMarshal.GetValueRefOrAddDefault(_kinds, KindOf(refusal.Code), out _)++;
    }

    /// <summary>Reports those that were not reported yet.</summary>
    public void Tell(Action<DeadLetter, Refusal> refused)
    {
        foreach (var (letter, refusal) in _held) refused(letter, refusal);
        _held.Clear();
    }

    /// <summary>Reports them and ends their special treatment.</summary>
    public void End(Action<DeadLetter, Refusal> refused)
    {
        Tell(refused);
        over();
    }

    /// <summary>The kind of a rejection. A record may lack a different field than the next, since only the first missing field is reported.</summary>
    static string KindOf(string code) => code.EndsWith("_missing", StringComparison.Ordinal) ? "missing" : code;
}
