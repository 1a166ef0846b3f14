using System.Collections.Frozen;
using MixpanelConnector.Flags.Logic;

namespace MixpanelConnector.Flags;

/// <summary>The definitions of one answer. Immutable.</summary>
sealed class FlagSet(IEnumerable<FlagDefinition> definitions)
{
    // Bounds the total cost of hostile definitions that each use up their own budget.
    const int MostUnitsOfAll = 10 * FlagDefinition.MostUnits;

    public static readonly FlagSet Empty = new([]);

    readonly FrozenDictionary<string, FlagDefinition> _flags = definitions.ToFrozenDictionary(flag => flag.Key, StringComparer.Ordinal);

    public IReadOnlyList<string> Keys => _flags.Keys;

    public FlagEvaluation Evaluate(string key, EvaluationContext context)
    {
        if (!_flags.TryGetValue(key, out var flag)) return FlagEvaluation.NotFound;
        var budget = new LogicBudget(FlagDefinition.MostUnits);
        return flag.Evaluate(context, ref budget);
    }

    /// <summary>Returns the flags that have a variant for the context.</summary>
    public Dictionary<string, FlagEvaluation> EvaluateAll(EvaluationContext context)
    {
        var all = new Dictionary<string, FlagEvaluation>(StringComparer.Ordinal);
        var left = MostUnitsOfAll;
        foreach (var (key, flag) in _flags)
        {
            var budget = new LogicBudget(Math.Min(left, FlagDefinition.MostUnits));
            var before = budget.Left;
            if (flag.Evaluate(context, ref budget) is { VariantKey: not null } evaluation) all[key] = evaluation;
            left -= before - budget.Left;
        }

        return all;
    }
}
