using System.Runtime.InteropServices;
using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import;

/// <summary>The records at the beginning of an import, for as long as none of them is good. When they are refused alike, what they are taken for is wrong, not they.</summary>
/// <param name="over">Called when one of them is good.</param>
sealed class FirstRefusals(Action over)
{
    /// <summary>So many are enough to know.</summary>
    public const int Enough = 1000;

    readonly List<(DeadLetter Letter, Refusal Refusal)> _held = [];
    readonly Dictionary<string, int> _kinds = [];

    /// <summary>How many they are.</summary>
    public long Count => Reasons.Total;

    /// <summary>The name of the input that the first of them is from.</summary>
    public string Source { get; private set; } = "";

    /// <summary>Why they were refused.</summary>
    public ReasonCounts Reasons { get; } = new();

    /// <summary>Whether at least nine of ten are refused alike: one that is damaged makes no difference.</summary>
    public bool AreAlike => _kinds.Values.DefaultIfEmpty().Max() * 10L >= Count * 9;

    /// <summary>Takes the next one. Nobody is told of it before that is asked for.</summary>
    public void Take(in DeadLetter letter, in Refusal refusal)
    {
        if (Count == 0) Source = letter.Source;
        _held.Add((letter with { Json = [] }, refusal)); // who is told asks for its place alone
        Reasons.Add(letter.Source, letter.Line, in refusal);
        CollectionsMarshal.GetValueRefOrAddDefault(_kinds, KindOf(refusal.Code), out _)++;
    }

    /// <summary>Tells of those that nobody was told of yet.</summary>
    public void Tell(Action<DeadLetter, Refusal> refused)
    {
        foreach (var (letter, refusal) in _held) refused(letter, refusal);
        _held.Clear();
    }

    /// <summary>The first records are as any others.</summary>
    public void End(Action<DeadLetter, Refusal> refused)
    {
        Tell(refused);
        over();
    }

    /// <summary>What is missing may be another thing in the next record: the first that is missed is told.</summary>
    static string KindOf(string code) => code.EndsWith("_missing", StringComparison.Ordinal) ? "missing" : code;
}
