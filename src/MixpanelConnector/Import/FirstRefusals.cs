using MixpanelConnector.Import.Undelivered;

namespace MixpanelConnector.Import;

/// <summary>The records at the beginning of an import, for as long as all of them are refused alike: then what they are taken for is wrong, not they.</summary>
/// <param name="over">Called when it shows that they are not.</param>
sealed class FirstRefusals(Action over)
{
    /// <summary>So many refused alike are enough to know.</summary>
    public const int Enough = 1000;

    readonly List<(DeadLetter Letter, Refusal Refusal)> _held = [];
    string? _kind;

    /// <summary>How many they are.</summary>
    public long Count => Reasons.Total;

    /// <summary>Why they were refused.</summary>
    public ReasonCounts Reasons { get; } = new();

    /// <summary>Takes the next one; false when it is refused for another reason than those before.</summary>
    public bool Take(DeadLetter letter, in Refusal refusal)
    {
        _held.Add((letter, refusal));
        Reasons.Add(letter.Source, letter.Line, in refusal);
        var kind = KindOf(refusal.Code);
        _kind ??= kind;
        return _kind == kind;
    }

    /// <summary>Gives those that nobody was told of yet.</summary>
    public void Tell(Action<DeadLetter, Refusal> refused)
    {
        foreach (var (letter, refusal) in _held) refused(letter, refusal);
        _held.Clear();
    }

    /// <summary>Not all are refused alike.</summary>
    public void End(Action<DeadLetter, Refusal> refused)
    {
        Tell(refused);
        over();
    }

    /// <summary>What is missing may be another thing in the next record: the first that is missed is told.</summary>
    static string KindOf(string code) => code.EndsWith("_missing", StringComparison.Ordinal) ? "missing" : code;
}
